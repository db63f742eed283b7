/** Recognises OVMF's memory type bins in a memory map, which does not list them (chapter FW). */
import {
  EfiACPIMemoryNVS,
  EfiACPIReclaimMemory,
  EfiReservedMemoryType,
  EfiRuntimeServicesCode,
  EfiRuntimeServicesData,
  type MemoryDescriptor,
} from '../../image/memory-types.ts'
import { hex, sizeOf } from '../../bytes/range.ts'
import { PAGE } from '../../bytes/units.ts'
import { firstPast, splitMap } from '../memory-map.ts'
import type { SearchPolicy } from '../page-allocator.ts'

/**
 * OVMF's bins from the lowest upwards, with their smallest sizes in pages. Source: edk2@stable202211
 * OvmfPkg/PlatformPei/MemTypeInfo.c.
 */
export const OVMF_BINS = [
  { type: EfiRuntimeServicesData, pages: 0x100 },
  { type: EfiRuntimeServicesCode, pages: 0x100 },
  { type: EfiReservedMemoryType, pages: 0x80 },
  { type: EfiACPIReclaimMemory, pages: 0x10 },
  { type: EfiACPIMemoryNVS, pages: 0x80 },
] as const

/** A policy, and the assumption behind it. */
export interface InferredPolicy extends SearchPolicy {
  /** A sentence, or null if the bins were recognised. */
  readonly assumption: string | null
}

const FOUR_GIB = 2 ** 32

/**
 * The search policy derived from a map (FW-9). OVMF's five bins are adjacent, and the default range ends
 * below them. If they are not recognised, the default range ends at the highest RAM below 4 GiB.
 */
export function inferBins(map: readonly MemoryDescriptor[]): InferredPolicy {
  return binsAmong(splitMap(map).ram)
}

/** The same for the RAM of a map. */
export function binsAmong(ram: readonly MemoryDescriptor[]): InferredPolicy {
  const low = firstPast(ram, FOUR_GIB)
  for (let first = low - OVMF_BINS.length; first >= 0; first--) {
    if (ram[first]?.type !== OVMF_BINS[0].type) continue
    const run = ram.slice(first, first + OVMF_BINS.length)
    const isBins = OVMF_BINS.every(({ type, pages }, i) => {
      const found = run[i]
      return (
        found?.type === type &&
        sizeOf(found.range) >= pages * PAGE &&
        (i === 0 || run[i - 1]?.range.end === found.range.start)
      )
    })
    const lowest = run[0]
    if (isBins && lowest !== undefined) {
      const bins = run.map(({ type, range: where }) => ({ type, base: where.start, max: where.end - 1 }))
      return { bins, defaultMax: lowest.range.start - 1, assumption: null }
    }
  }
  const defaultMax = (ram[low - 1]?.range.end ?? 1) - 1
  return {
    bins: [],
    defaultMax,
    assumption:
      'the map shows no memory type bins of OVMF: pages of every type are searched ' +
      `top-down from ${hex(defaultMax)}`,
  }
}
