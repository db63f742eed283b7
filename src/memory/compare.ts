/**
 * Memory against an object: bytes of a range that are not that object's bytes at those offsets, and their
 * actual content.
 */
import { range, rangeOrNull, sizeOf, type Range } from '../bytes/range.ts'
import { extentOf, holesIn, type Cell } from './cell.ts'
import type { Deviation } from './event.ts'
import type { Extent, ObjectId } from './extent.ts'
import type { RunMap } from './run-map.ts'

/** A part of a composed object: `length` bytes of `object` from its offset `at`. */
export interface Part {
  readonly object: ObjectId
  readonly at: number
  readonly length: number
}

/** Input of a comparison: memory, allocations, and composed objects. */
export interface Compared {
  readonly cells: RunMap<Cell>
  readonly claims: RunMap<unknown>
  readonly parts: Pick<ReadonlyMap<ObjectId, readonly Part[]>, 'get'>
}

/**
 * Deviations of `where` from `object` at its offset `at`, ascending. A composed object is compared part by
 * part.
 */
export function compare(memory: Compared, where: Range, object: ObjectId, at: number): Deviation[] {
  const found: Deviation[] = []
  let base = 0
  for (const part of memory.parts.get(object) ?? []) {
    const from = Math.max(at, base)
    const to = Math.min(at + sizeOf(where), base + part.length)
    if (from < to)
      found.push(
        ...comparePlain(
          memory,
          range(where.start + from - at, where.start + to - at),
          part.object,
          part.at + from - base,
          base - part.at,
        ),
      )
    base += part.length
  }
  const rest = rangeOrNull(where.start + Math.max(0, base - at), at + sizeOf(where) - Math.max(at, base))
  if (rest !== null) found.push(...comparePlain(memory, rest, object, Math.max(at, base), 0))
  return found
}

/** `shift` is added to the offset of a deviation: the position in the composed object. */
function comparePlain(
  { cells, claims }: Compared,
  where: Range,
  object: ObjectId,
  at: number,
  shift: number,
): Deviation[] {
  const found: Deviation[] = []
  const say = (start: number, end: number, kind: Deviation['kind'], extent: Extent | null) => {
    found.push({
      range: range(start, end),
      at: at + shift + start - where.start,
      wanted: { object, at: at + start - where.start },
      kind,
      found: extent,
    })
  }
  let next: number = where.start
  for (const run of cells.runs(where.start, where.end)) {
    if (next < run.start) say(next, run.start, 'outside', null)
    next = run.end
    const extent = extentOf(run.start, run.end, run.value)
    const { whose } = extent
    if (whose?.object === object && whose.at === at + run.start - where.start) continue
    if (whose !== null || extent.written) say(run.start, run.end, 'clobbered', extent)
    else
      for (const [part, claimed] of claimedParts(claims, extent.range))
        say(
          part.start,
          part.end,
          claimed ? 'uninitialised' : 'unclaimed',
          extentOf(part.start, part.end, run.value),
        )
  }
  if (next < where.end) say(next, where.end, 'outside', null)
  return found
}

function* claimedParts(claims: RunMap<unknown>, within: Range): Generator<[part: Range, claimed: boolean]> {
  let at: number = within.start
  for (const hole of holesIn(claims, within)) {
    if (at < hole.start) yield [range(at, hole.start), true]
    yield [hole, false]
    at = hole.end
  }
  if (at < within.end) yield [range(at, within.end), true]
}
