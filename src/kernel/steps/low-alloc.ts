/** efi_low_alloc: the lowest free run of pages, as the EFI stub of older kernels finds it. Chapter EP. */
import { alignUp, PAGE, pagesOf, type Phys } from '../../bytes/units.ts'
import { EFI_MEMORY_SP, EfiConventionalMemory, EfiLoaderData } from '../../image/memory-types.ts'
import type { Machine } from '../../machine/machine.ts'
import type { ObjectId } from '../../memory/extent.ts'

/** What is asked for. */
export interface LowRequest {
  /** Bytes. */
  readonly size: number
  /** A power of two; less than a page counts as a page. */
  readonly align: number
  readonly minimum: number
  readonly label: ObjectId
}

/** The first descriptor, in the map's order, with an aligned run at or above `minimum`; null when there is none. */
export function lowAlloc(machine: Machine, { size, align, minimum, label }: LowRequest): Phys | null {
  const step = Math.max(align, PAGE)
  const length = pagesOf(size) * PAGE
  for (const { type, range, attribute } of machine.firmware.memoryMap()) {
    if (type !== EfiConventionalMemory || (attribute & EFI_MEMORY_SP) !== 0n) continue
    const start = alignUp(Math.max(range.start, minimum), step)
    if (start + length > range.end) continue
    const got = machine.firmware.allocatePages({ kind: 'address', at: start }, EfiLoaderData, pagesOf(size), label)
    if (got.status === 'EFI_SUCCESS') return got.at
  }
  return null
}
