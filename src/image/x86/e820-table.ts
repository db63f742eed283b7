/**
 * The e820 table that boot loaders and EFI stub make from the firmware's memory map. The caller chooses the
 * types of entries; joining is the same for all. Source: linux@5.10.223
 * drivers/firmware/efi/libstub/x86-stub.c setup_e820.
 */
import { sizeOf } from '../../bytes/range.ts'
import type { MemoryDescriptor } from '../memory-types.ts'

/** Types of entries. Source: linux@5.10.223 arch/x86/include/asm/e820/types.h. */
export const E820_TYPE_RAM = 1
export const E820_TYPE_RESERVED = 2
export const E820_TYPE_ACPI = 3
export const E820_TYPE_NVS = 4
export const E820_TYPE_UNUSABLE = 5
export const E820_TYPE_PMEM = 7
export const E820_TYPE_SOFT_RESERVED = 0xefffffff

/** An entry. Address and size in bytes. */
export interface E820Entry {
  readonly addr: number
  readonly size: number
  readonly type: number
}

/** An entry, and the index of the descriptor that opened it. */
export interface OpenedEntry extends E820Entry {
  readonly row: number
}

/** Entries in the map's order; neighbours of one type are one entry, and a type of null is left out. */
export function e820Table(
  map: readonly MemoryDescriptor[],
  typeOf: (descriptor: MemoryDescriptor) => number | null,
): OpenedEntry[] {
  const entries: (OpenedEntry & { size: number })[] = []
  let last: (typeof entries)[number] | undefined
  for (let row = 0; row < map.length; row++) {
    const descriptor = map[row] as MemoryDescriptor
    const type = typeOf(descriptor)
    if (type === null) continue
    const { range } = descriptor
    if (last?.type === type && last.addr + last.size === range.start) last.size += sizeOf(range)
    else {
      last = { addr: range.start, size: sizeOf(range), type, row }
      entries.push(last)
    }
  }
  return entries
}
