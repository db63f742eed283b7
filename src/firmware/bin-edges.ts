/** Free memory and the edges of bins: how a map shows it, and what is outside all bins (chapter FW). */
import { range, subtract, type Range } from '../bytes/range.ts'
import { alignDown, PAGE } from '../bytes/units.ts'
import { EfiConventionalMemory, type MemoryDescriptor } from '../image/memory-types.ts'
import { elsewhere } from './memory-map.ts'
import type { Bin } from './page-allocator.ts'

/** Addresses at which the bins begin and end, ascending. */
export function edgesOf(bins: readonly Bin[]): number[] {
  return [...new Set(bins.flatMap(bin => [bin.base, bin.max + 1]))].sort((a, b) => a - b)
}

/** A descriptor; a free one cut at these edges, which ascend (FW-34). */
export function piecesAt(
  descriptor: MemoryDescriptor,
  edges: readonly number[],
): readonly [MemoryDescriptor, ...MemoryDescriptor[]] {
  const { start, end } = descriptor.range
  if (edges.length === 0 || descriptor.type !== EfiConventionalMemory) return [descriptor]
  const [first, ...others] = edges.filter(edge => start < edge && edge < end)
  if (first === undefined) return [descriptor]
  const part = (from: number, to: number): MemoryDescriptor => elsewhere(descriptor, range(from, to))
  return [
    part(start, first),
    ...others.map((to, i) => part(others[i - 1] ?? first, to)),
    part(others.at(-1) ?? first, end),
  ]
}

/** The descriptors, free ones cut at the edges of these bins (FW-34). */
export function cutAtBins(
  map: readonly MemoryDescriptor[],
  bins: readonly Bin[],
): readonly MemoryDescriptor[] {
  const edges = edgesOf(bins)
  return map.flatMap(descriptor => piecesAt(descriptor, edges))
}

/** Start of the highest free pages at or below the limit that are outside all of these bins (FW-51). */
export function highestOutside(
  map: readonly MemoryDescriptor[],
  limit: number,
  pages: number,
  bins: readonly Bin[],
): number | null {
  const top = alignDown(limit + 1, PAGE)
  for (const { range: hole, type } of map.toReversed()) {
    if (type !== EfiConventionalMemory) continue
    const parts = bins.reduce<Range[]>(
      (rest, { base, max }) => rest.flatMap(one => subtract(one, range(base, max + 1))),
      [hole],
    )
    for (const part of parts.toReversed()) {
      const start = Math.min(part.end, top) - pages * PAGE
      if (pages > 0 && start >= part.start) return start === 0 ? null : start
    }
  }
  return null
}
