/** What the memory keeps per run, how a run is seen as an extent, and what a map leaves out. */
import { range, rangeOrNull, type Range } from '../bytes/range.ts'
import type { EventId } from './event.ts'
import type { Content, Extent, Whose } from './extent.ts'
import type { RunMap } from './run-map.ts'

/** Everything is relative to `origin`, so that a run can be cut without touching its value. */
export interface Cell {
  readonly origin: number
  readonly content: Content
  readonly whose: Whose | null
  readonly written: boolean
  readonly by: EventId
}

/** The part [start, end) of a run, with content and owner as of its first byte. */
export function extentOf(start: number, end: number, cell: Cell): Extent {
  const shift = start - cell.origin
  return {
    range: range(start, end),
    content: cell.content.kind === 'bytes' ? { ...cell.content, at: cell.content.at + shift } : cell.content,
    whose: cell.whose === null ? null : { object: cell.whose.object, at: cell.whose.at + shift },
    written: cell.written,
    by: cell.by,
  }
}

/** The parts of `within` that no run covers, ascending. */
export function holesIn(map: RunMap<unknown>, within: Range): Range[] {
  const holes: Range[] = []
  let at: number = within.start
  for (const run of map.runs(within.start, within.end)) {
    const hole = rangeOrNull(at, run.start - at)
    if (hole !== null) holes.push(hole)
    at = run.end
  }
  const last = rangeOrNull(at, within.end - at)
  if (last !== null) holes.push(last)
  return holes
}
