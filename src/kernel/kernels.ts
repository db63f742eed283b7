/**
 * The port to the kernels: everything the other folders know of them, for any architecture. A second one has
 * its own folder beside x86, and its eras are added here.
 */
import type { KernelModel } from '../machine/model.ts'
import { x86Table } from './x86/eras.ts'
import { x86Model, type X86Era } from './x86/model.ts'
import type { EraTable } from '../releases/history.ts'
import type { PayloadReader } from './payload.ts'

export type { KernelBehaviour, KernelShape } from './x86/behaviour.ts'
export type { KernelBoot } from './x86/boot.ts'
export { kernelEra } from './x86/eras.ts'
export { statedLength } from './x86/file.ts'
export { linux } from './x86/history.ts'
export { kernelSteps } from './x86/steps.ts'
export { INITRD_FILES } from './x86/steps/initrd-files.ts'

/** Releases of linux that behave alike. */
export type KernelEra = X86Era

/** The table of kernels, oldest first: an era is made when it is asked for. */
export const kernelTable: EraTable<KernelEra> = x86Table

/** All of them. */
export const kernelEras: readonly KernelEra[] = /* @__PURE__ */ kernelTable.eras()

/**
 * A kernel that behaves as this era does. With a reader its payload is decompressed; without, only headers
 * are read.
 */
export function kernelModel(era: KernelEra, read: PayloadReader | null = null): KernelModel {
  return x86Model(era, read)
}
