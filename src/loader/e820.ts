/**
 * The e820 table that a loader makes of a memory map before it starts a kernel by the boot protocol. Chapter
 * HO.
 */
import { sizeOf } from '../bytes/range.ts'
import { boot_e820_entry } from '../image/x86/boot-params.ts'
import {
  EfiACPIMemoryNVS,
  EfiACPIReclaimMemory,
  EfiBootServicesCode,
  EfiBootServicesData,
  EfiConventionalMemory,
  EfiLoaderCode,
  EfiLoaderData,
  type MemoryDescriptor,
} from '../image/memory-types.ts'

const E820_TYPE_RAM = 1
const E820_TYPE_RESERVED = 2
const E820_TYPE_ACPI = 3
const E820_TYPE_NVS = 4

const RAM: ReadonlySet<number> = new Set([
  EfiLoaderCode,
  EfiLoaderData,
  EfiBootServicesCode,
  EfiBootServicesData,
  EfiConventionalMemory,
])

function typeOf(type: number): number {
  if (RAM.has(type)) return E820_TYPE_RAM
  if (type === EfiACPIReclaimMemory) return E820_TYPE_ACPI
  return type === EfiACPIMemoryNVS ? E820_TYPE_NVS : E820_TYPE_RESERVED
}

/** Entries in the map's order; neighbours of one type are joined. */
export function e820Entries(map: readonly MemoryDescriptor[]): Uint8Array[] {
  const joined: { addr: number; size: number; type: number }[] = []
  for (const { type, range } of map) {
    const kind = typeOf(type)
    const last = joined.at(-1)
    if (last?.type === kind && last.addr + last.size === range.start) last.size += sizeOf(range)
    else joined.push({ addr: range.start, size: sizeOf(range), type: kind })
  }
  return joined.map(({ addr, size, type }) =>
    boot_e820_entry.write({ addr: BigInt(addr), size: BigInt(size), type }),
  )
}
