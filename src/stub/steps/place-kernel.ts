/** Slots placeKernel and placeInitrd: where they lie when the kernel is entered through the handover protocol (chapter ST). */
import { rangeAt } from '../../bytes/range.ts'
import { pagesOf, type Phys } from '../../bytes/units.ts'
import { EfiLoaderCode, EfiLoaderData } from '../../image/memory-types.ts'
import type { Booting, Initrd, Kernel } from '../model.ts'
import { canLieAbove4G, type SetupHeader } from '../setup-header.ts'
import { pagesOrHalt } from './patch.ts'

/** UINT32_MAX */
const UINT32_MAX = 0xffffffff

/** The kernel runs where it lies in the image. */
export function inPlace({ machine }: Booting, kernel: Kernel): Phys {
  return machine.step('ST-33', 'leaves the kernel in place', () => kernel.at)
}

/** The kernel is copied when its image needs more than `.linux` has, or when it lies too high; what the image needs beyond is zeroed. */
export function copiedWithTail(on: Booting, kernel: Kernel, sizeInMemory: number): Phys {
  const { machine } = on
  return machine.step('ST-34', 'places the kernel', () => {
    const { object } = kernel
    if (kernel.at + kernel.size <= UINT32_MAX && sizeInMemory <= kernel.size) return kernel.at
    const pages = pagesOf(Math.max(sizeInMemory, kernel.size))
    const at = pagesOrHalt(on, 'ST-34', { where: { kind: 'max', limit: UINT32_MAX }, type: EfiLoaderCode, pages, label: object })
    machine.memory.copy(at, rangeAt(kernel.at, kernel.size))
    if (sizeInMemory > kernel.size) machine.memory.zero(rangeAt(at + kernel.size, sizeInMemory - kernel.size), object, kernel.size)
    return at
  })
}

/** The initrd stays where it is. */
export function initrdStays({ machine }: Booting, _: SetupHeader, initrd: Initrd | null): Initrd | null {
  return machine.step('ST-35', 'leaves the initrd in place', () => initrd)
}

/** The initrd is copied below 4 GiB when the kernel cannot reach it. */
export function initrdWithinReach(on: Booting, header: SetupHeader, initrd: Initrd | null): Initrd | null {
  const { machine } = on
  return machine.step('ST-36', 'places the initrd', () => {
    if (initrd === null || canLieAbove4G(header) || initrd.at + initrd.size <= UINT32_MAX) return initrd
    const at = pagesOrHalt(on, 'ST-36', { where: { kind: 'max', limit: UINT32_MAX }, type: EfiLoaderData, pages: pagesOf(initrd.size), label: 'initrd' })
    machine.memory.copy(at, rangeAt(initrd.at, initrd.size))
    return { ...initrd, at }
  })
}
