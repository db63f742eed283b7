/** Memory before the boot: RAM as in the map, what the firmware holds, and what unwritten memory contains. */
import type { Range } from '../bytes/range.ts'
import type { MemoryDescriptor } from '../image/memory-types.ts'
import { isSome } from '../memory/event.ts'
import { GARBAGE, ZERO, type Content, type ObjectId } from '../memory/extent.ts'
import type { Memory } from '../memory/memory.ts'
import type { Contents } from './contents.ts'
import { firmwareOwner, rangesOfList } from './memory-map.ts'

/**
 * The byte OVMF writes to freed pages and pool buffers. Source: edk2@stable202211 PcdDebugClearMemoryValue.
 */
const CLEARED: Content = { kind: 'fill', byte: 0xaf }

/**
 * Fill bytes: `untouched` at the start (FW-12), `freed` on free (FW-13), `pool` on allocation from the pool
 * (FW-23); undefined keeps the bytes.
 */
export const FILLS: Readonly<
  Record<
    Contents,
    { readonly untouched: Content; readonly freed: Content | undefined; readonly pool: Content | undefined }
  >
> = {
  ovmf: { untouched: ZERO, freed: CLEARED, pool: CLEARED },
  residue: { untouched: ZERO, freed: undefined, pool: undefined },
  poison: { untouched: GARBAGE, freed: GARBAGE, pool: GARBAGE },
}

/** Creates RAM; memory that is not free belongs to the firmware, each byte at its own address (FW-3). */
export function layOut(memory: Memory, ram: readonly MemoryDescriptor[], untouched: Content): void {
  const all = rangesOfList(ram)
  if (isSome(all)) memory.ram(all, untouched)
  const owned = new Map<ObjectId, Range[]>()
  for (const { type, range: where } of ram) {
    const owner = firmwareOwner(type)
    if (owner === null) continue
    const ranges = owned.get(owner)
    if (ranges === undefined) owned.set(owner, [where])
    else ranges.push(where)
  }
  for (const [owner, ranges] of owned) if (isSome(ranges)) memory.occupy(ranges, owner)
}
