/**
 * efi_low_alloc and efi_high_alloc: the lowest and the highest free run of pages, as the EFI stub of older
 * kernels finds them. Chapter EP.
 */
import { alignDown, alignUp, PAGE, pagesOf, phys, type Phys } from '../../../bytes/units.ts'
import { EfiConventionalMemory, EfiLoaderData, isSpecialPurpose } from '../../../image/memory-types.ts'
import type { Machine } from '../../../machine/machine.ts'
import type { ObjectId } from '../../../memory/extent.ts'

/** efi_low_alloc never gives page 0 away. Source: linux@5.4 include/linux/efi.h. */
export const ABOVE_NULL = 8

/** The request. */
export interface LowRequest {
  /** Bytes. */
  readonly size: number
  /** A power of two; less than a page counts as a page. */
  readonly align: number
  readonly minimum: number
  readonly label: ObjectId
}

/**
 * The first descriptor, in the map's order, with an aligned run at or above `minimum`; null when there is
 * none.
 */
export function lowAlloc(machine: Machine, { size, align, minimum, label }: LowRequest): Phys | null {
  const step = Math.max(align, PAGE)
  const length = pagesOf(size) * PAGE
  for (const descriptor of machine.firmware.memoryMap()) {
    const { type, range } = descriptor
    if (type !== EfiConventionalMemory || isSpecialPurpose(descriptor)) continue
    const start = alignUp(Math.max(range.start, minimum), step)
    if (start + length > range.end) continue
    const got = machine.firmware.allocatePages(
      { kind: 'address', at: start },
      EfiLoaderData,
      pagesOf(size),
      label,
    )
    if (got.status === 'EFI_SUCCESS') return got.at
  }
  return null
}

/** A top-down request. */
export interface HighRequest {
  /** Bytes. */
  readonly size: number
  /** The last address that may be used. */
  readonly limit: number
  readonly label: ObjectId
}

/**
 * The highest run of any descriptor that ends at or below `limit`, never at 0; if the firmware refuses it,
 * the next one below. Source: linux@5.4 efi-stub-helper.c.
 */
export function highAlloc(machine: Machine, { size, limit, label }: HighRequest): Phys | null {
  const length = pagesOf(size) * PAGE
  for (let end = limit; ;) {
    let highest = 0
    for (const descriptor of machine.firmware.memoryMap()) {
      const { type, range } = descriptor
      if (type !== EfiConventionalMemory || isSpecialPurpose(descriptor)) continue
      const start = alignDown(Math.min(range.end, end) - length, PAGE)
      if (start >= range.start) highest = Math.max(highest, start)
    }
    if (highest === 0) return null
    const got = machine.firmware.allocatePages(
      { kind: 'address', at: phys(highest) },
      EfiLoaderData,
      pagesOf(size),
      label,
    )
    if (got.status === 'EFI_SUCCESS') return got.at
    end = highest
  }
}
