/**
 * A firmware for tests of one stage: pages from the top, below a ceiling first; pool memory from one arena.
 */
import { range, rangeAt } from '../../src/bytes/range.ts'
import { PAGE, phys } from '../../src/bytes/units.ts'
import type { Allocation, AllocateType, BootServices } from '../../src/firmware/services.ts'
import { EfiConventionalMemory, type MemoryDescriptor } from '../../src/image/memory-types.ts'
import type { Memory } from '../../src/memory/memory.ts'

export interface PlainFirmware extends BootServices {
  readonly ended: () => boolean
}

/**
 * `arena`: where pool memory comes from, growing upwards; null makes every pool call fail. `ceiling`: pages
 * come from below it as long as that works.
 */
export function plainFirmware(
  memory: Memory,
  map: readonly MemoryDescriptor[],
  arena: number | null,
  ceiling = 2 ** 32,
): PlainFirmware {
  let descriptors = [...map]
  let next = arena
  let ended = false
  const take = (at: number, length: number, type: number, label: string): Allocation => {
    const wanted = rangeAt(at, length)
    const home = descriptors.find(
      entry =>
        entry.type === EfiConventionalMemory &&
        entry.range.start <= wanted.start &&
        wanted.end <= entry.range.end,
    )
    if (home === undefined) return { status: 'EFI_NOT_FOUND', at: null }
    descriptors = descriptors.flatMap(entry => {
      if (entry !== home) return [entry]
      const parts: MemoryDescriptor[] = []
      if (home.range.start < at) parts.push({ ...home, range: range(home.range.start, at) })
      parts.push({ ...home, type, range: wanted })
      if (wanted.end < home.range.end) parts.push({ ...home, range: range(wanted.end, home.range.end) })
      return parts
    })
    memory.claim(wanted, label)
    return { status: 'EFI_SUCCESS', at: phys(at) }
  }
  const highest = (length: number, limit: number): number | null => {
    const tops = descriptors
      .filter(entry => entry.type === EfiConventionalMemory)
      .map(({ range: { start, end } }) => ({ start, top: Math.min(end, limit) - length }))
    const fits = tops.filter(({ start, top }) => top >= start).map(({ top }) => top)
    return fits.length === 0 ? null : Math.max(...fits)
  }
  return {
    memoryMap: () => descriptors,
    allocatePages: (where: AllocateType, type, pages, label) => {
      const length = pages * PAGE
      if (where.kind === 'address') return take(where.at, length, type, label)
      const limit = where.kind === 'max' ? where.limit + 1 : 2 ** 52
      const at = highest(length, Math.min(limit, ceiling)) ?? highest(length, limit)
      return at === null ? { status: 'EFI_OUT_OF_RESOURCES', at: null } : take(at, length, type, label)
    },
    freePages: () => 'EFI_UNSUPPORTED',
    allocatePool: (_type, size, label) => {
      if (next === null) return { status: 'EFI_OUT_OF_RESOURCES', at: null }
      const at = next
      next += Math.ceil(size / 16) * 16
      memory.claim(rangeAt(at, size), label)
      return { status: 'EFI_SUCCESS', at: phys(at) }
    },
    freePool: () => 'EFI_UNSUPPORTED',
    loadImage: () => ({
      status: 'EFI_UNSUPPORTED',
      image: null,
      clause: 'x-plain',
      why: 'no loader here',
      message: null,
    }),
    unloadImage: () => 'EFI_UNSUPPORTED',
    exitBootServices: () => {
      ended = true
    },
    ended: () => ended,
  }
}
