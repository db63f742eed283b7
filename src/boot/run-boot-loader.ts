/** One boot without systemd-stub: a boot loader starts the kernel. The result has the form of a UKI's run. */
import type { BootLoaderPayload, BootLoaderModel } from '../boot-loader/model.ts'
import { handedOver, type HandedOver, type Run, type BootConfig } from './run.ts'
import { LaidOut, type RunContext, type MachineConfig } from './run-context.ts'

/** Input of such a boot. */
export interface BootLoaderConfig extends MachineConfig, BootLoaderPayload {
  readonly bootLoader: BootLoaderModel
  /** Chooses the kernel's model by the file, or returns why there is none. */
  readonly model: BootConfig['kernel']
}

/** Runs one boot. Guest faults end up in the outcome; only a ModelBug is thrown. */
export function runBootLoader(setup: BootLoaderConfig): Run {
  return toBootLoaderHandOff(new LaidOut(setup).begin(setup), setup.bootLoader, setup).choose(setup.model)
}

/** Runs the boot loader in this context, which from then on belongs to the hand-off. */
export function toBootLoaderHandOff(
  ctx: RunContext,
  bootLoader: BootLoaderModel,
  payload: BootLoaderPayload,
): HandedOver {
  return handedOver(ctx, () => ctx.machine.as('loader', () => bootLoader.boot(ctx.machine, payload)))
}
