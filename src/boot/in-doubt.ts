/**
 * Memory that may or may not be free, by the map: both cases are run, so that the report can say whether the
 * result depends on it (chapter FW).
 */
import { formatRange, formatSize, hex, range, sizeOf, subtract, union, type Range } from '../bytes/range.ts'
import { alignDown, alignUp, PAGE, PHYS_END } from '../bytes/units.ts'
import { EfiConventionalMemory, EfiReservedMemoryType, type MemoryDescriptor } from '../image/memory-types.ts'
import type { Gap } from '../machine/machine.ts'

/** How memory in doubt is taken. */
export type DoubtTaken = 'free' | 'taken'

/** Ranges that a sentence names. */
const NAMED_MAX = 3

/** Disjoint ranges of whole pages, ascending. */
export function pagesInDoubt(ranges: readonly Range[]): Range[] {
  return union(
    ranges.map(({ start, end }) => range(alignDown(start, PAGE), Math.min(PHYS_END, alignUp(end, PAGE)))),
  )
}

/** The map with all of these pages free, or all of them reserved; its own rows about them are replaced. */
export function withDoubtTaken(
  map: readonly MemoryDescriptor[],
  pages: readonly Range[],
  how: DoubtTaken,
): MemoryDescriptor[] {
  const rest = map.flatMap(one =>
    pages
      .reduce<Range[]>((parts, hole) => parts.flatMap(part => subtract(part, hole)), [one.range])
      .map(part => ({ ...one, range: part })),
  )
  const type = how === 'free' ? EfiConventionalMemory : EfiReservedMemoryType
  return [...rest, ...pages.map(where => ({ type, range: where, attribute: 0xfn }))].sort(
    (a, b) => a.range.start - b.range.start,
  )
}

/** Do rows of this map overlap? */
export function contradictsItself(map: readonly MemoryDescriptor[]): boolean {
  const sorted = [...map].sort((a, b) => a.range.start - b.range.start)
  return sorted.some((one, i) => one.range.start < (sorted[i - 1]?.range.end ?? 0))
}

/** The result of a run: its verdict, and the load address of the image. */
export interface OneWay {
  readonly verdict: string
  readonly imageBase: number | undefined
}

/** Whether the answer depends on the memory in doubt. */
export function bothWays(pages: readonly Range[], free: OneWay, taken: OneWay): Gap {
  const bytes = pages.reduce((sum, one) => sum + sizeOf(one), 0)
  const named = pages.slice(0, NAMED_MAX).map(formatRange).join(', ')
  const more = pages.length > NAMED_MAX ? ` and ${String(pages.length - NAMED_MAX)} more` : ''
  const at = ({ imageBase }: OneWay): string =>
    imageBase === undefined ? 'not loaded' : `at ${hex(imageBase)}`
  const same = free.verdict === taken.verdict
  const whatOf = (): string => {
    if (!same)
      return (
        `the answer depends on it: ${free.verdict} where it is free (image ${at(free)}), ` +
        `${taken.verdict} where it is not (image ${at(taken)})`
      )
    if (free.imageBase === taken.imageBase)
      return `the answer does not depend on it: ${free.verdict} either way, image ${at(free)}`
    return (
      `addresses depend on it: ${free.verdict} either way, image ${at(free)} where it is ` +
      `free, ${at(taken)} where it is not`
    )
  }
  const what = whatOf()
  return {
    clause: 'FW-61',
    why: `whether ${formatSize(bytes)} of memory are free is in doubt (${named}${more}); ${what}`,
  }
}
