/** What a write does besides storing bytes: what it overwrites, and where it leaves allocations and RAM. */
import { rangeOrNull, type Range } from '../bytes/range.ts'
import { extentOf, holesBetween, holesIn, isForeign, type Cell } from './cell.ts'
import type { WriteEffect } from './event.ts'
import type { Extent, ObjectId, Whose } from './extent.ts'
import type { RunMap } from './run-map.ts'

const NONE: readonly never[] = []

/** A cell on its way to a range. */
interface Arriving {
  readonly where: Range
  readonly cell: Cell
}

/** The effect of a write to one range; `next`: who owns it afterwards. */
export function effectOf(
  cells: RunMap<Cell>,
  claims: RunMap<unknown>,
  where: Range,
  next: Whose | null,
): WriteEffect {
  const unallocated = holesIn(claims, where)
  const { start, end } = where
  const run = cells.at(start)
  if (run !== undefined && run.end >= end)
    return {
      lost: isForeign(run.value, next, originOf(start, next)) ? [extentOf(start, end, run.value)] : NONE,
      unallocated,
      outside: NONE,
    }
  const lost: Extent[] = []
  const outside = lose(cells, where, next, lost)
  return { lost: orNone(lost), unallocated, outside }
}

/** The effect of memory in use since before the recording, each byte at its own address. */
export function effectOfOccupying(
  cells: RunMap<Cell>,
  ranges: readonly Range[],
  object: ObjectId,
): WriteEffect {
  const lost: Extent[] = []
  const outside: Range[] = []
  for (const where of ranges)
    for (const hole of lose(cells, where, { object, at: where.start }, lost)) outside.push(hole)
  return { lost: orNone(lost), unallocated: NONE, outside: orNone(outside) }
}

/** The effect of a copy; `arriving`: the new cells, ascending; gaps become unowned. */
export function effectOfCopy(
  cells: RunMap<Cell>,
  claims: RunMap<unknown>,
  where: Range,
  arriving: readonly Arriving[],
): WriteEffect {
  const lost: Extent[] = []
  let at: number = where.start
  for (const { where: part, cell } of arriving) {
    const hole = rangeOrNull(at, part.start - at)
    if (hole !== null) lose(cells, hole, null, lost)
    const { whose, origin } = cell
    const next = whose === null ? null : { object: whose.object, at: whose.at + part.start - origin }
    lose(cells, part, next, lost)
    at = part.end
  }
  const rest = rangeOrNull(at, where.end - at)
  if (rest !== null) lose(cells, rest, null, lost)
  return { lost: orNone(lost), unallocated: holesIn(claims, where), outside: holesIn(cells, where) }
}

/** Adds what a write to a range overwrites to `lost`; the parts of the range that are not RAM. */
function lose(cells: RunMap<Cell>, where: Range, next: Whose | null, lost: Extent[]): readonly Range[] {
  const { start, end } = where
  const origin = originOf(start, next)
  const run = cells.at(start)
  if (run !== undefined && run.end >= end) {
    if (isForeign(run.value, next, origin)) lost.push(extentOf(start, end, run.value))
    return NONE
  }
  const runs = cells.runs(start, end)
  for (const one of runs)
    if (isForeign(one.value, next, origin)) lost.push(extentOf(one.start, one.end, one.value))
  return holesBetween(runs, where)
}

/** Where byte 0 of the owner would lie. */
function originOf(start: number, next: Whose | null): number {
  return next === null ? 0 : start - next.at
}

function orNone<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? NONE : list
}
