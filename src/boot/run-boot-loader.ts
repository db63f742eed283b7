/** One boot without systemd-stub: a boot loader starts the kernel. The result has the form of a UKI's run. */
import type { BootLoaderPayload, BootLoaderModel } from '../boot-loader/model.ts'
import { handedOver, type HandedOver, type Run, type Setup } from './run.ts'
import { LaidOut, type Stage, type Surroundings } from './stage.ts'

/** Input of such a boot. */
export interface BootLoaderSetup extends Surroundings, BootLoaderPayload {
  readonly bootLoader: BootLoaderModel
  /** Chooses the kernel's model by the file, or returns why there is none. */
  readonly model: Setup['kernel']
}

/** Runs one boot. Guest faults end up in the outcome; only a ModelBug is thrown. */
export function runBootLoader(setup: BootLoaderSetup): Run {
  return toBootLoaderHandOff(new LaidOut(setup).begin(setup), setup.bootLoader, setup).choose(setup.model)
}

/** Runs the boot loader on this stage, which from then on belongs to the hand-off. */
export function toBootLoaderHandOff(
  stage: Stage,
  bootLoader: BootLoaderModel,
  cargo: BootLoaderPayload,
): HandedOver {
  return handedOver(stage, () => stage.machine.as('loader', () => bootLoader.boot(stage.machine, cargo)))
}
