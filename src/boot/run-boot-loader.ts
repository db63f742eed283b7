/**
 * One boot without a systemd-stub: a boot loader starts the kernel. What comes out is what a UKI's run gives, too.
 */
import type { BootLoaderCargo, BootLoaderModel } from '../boot-loader/model.ts'
import { record, start, type Run, type Setup, type Surroundings } from './run.ts'

/** Everything that such a boot depends on. */
export interface BootLoaderSetup extends Surroundings, BootLoaderCargo {
  readonly bootLoader: BootLoaderModel
  /** Chooses the kernel's model by the file, or says why there is none. */
  readonly model: Setup['kernel']
}

/** Runs one boot. Guest faults end up in the outcome; only a ModelBug is thrown. */
export function runBootLoader(setup: BootLoaderSetup): Run {
  return record(setup, stage => {
    const { machine, look } = stage
    look('before-load')
    return start(
      stage,
      machine.as('loader', () => setup.bootLoader.boot(machine, setup)),
      setup.model,
    )
  })
}
