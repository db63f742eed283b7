/**
 * One boot without a systemd-stub: a loader starts the kernel. What comes out is what a UKI's run gives, too.
 */
import type { LoaderCargo, LoaderModel } from '../loader/model.ts'
import { handedOver, type HandedOver, type Run, type Setup } from './run.ts'
import { LaidOut, type Stage, type Surroundings } from './stage.ts'

/** Everything that such a boot depends on. */
export interface LoaderSetup extends Surroundings, LoaderCargo {
  readonly loader: LoaderModel
  /** Chooses the kernel's model by the file, or says why there is none. */
  readonly model: Setup['kernel']
}

/** Runs one boot. Guest faults end up in the outcome; only a ModelBug is thrown. */
export function runLoader(setup: LoaderSetup): Run {
  return toLoaderHandOff(new LaidOut(setup).begin(setup), setup.loader, setup).choose(setup.model)
}

/** The loader runs on this stage, which from then on belongs to the hand-off. */
export function toLoaderHandOff(stage: Stage, loader: LoaderModel, cargo: LoaderCargo): HandedOver {
  return handedOver(stage, () => stage.machine.as('loader', () => loader.boot(stage.machine, cargo)))
}
