/** The memory's value per run, a run as an extent, and the holes of a map. */
import { range, rangeOrNull, type Range } from '../bytes/range.ts'
import type { EventId } from './event.ts'
import type { Content, Extent, Whose } from './extent.ts'
import type { Run, RunMap } from './run-map.ts'

const NONE: readonly never[] = []

/** Everything is relative to `origin`, so that a run can be split without changing its value. */
export interface Cell {
  readonly origin: number
  readonly content: Content
  readonly whose: Whose | null
  readonly written: boolean
  readonly by: EventId
}

/** Does it have an owner other than `next` with byte 0 at `origin`? */
export function isForeign({ whose, origin: at }: Cell, next: Whose | null, origin: number): boolean {
  return whose !== null && (next === null || next.object !== whose.object || origin !== at - whose.at)
}

/** The cell without an owner, from `start` on. */
function disowned({ origin, content: bytes }: Cell, start: number, by: EventId, content?: Content): Cell {
  return content === undefined
    ? { origin, content: bytes, whose: null, written: false, by }
    : { origin: start, content, whose: null, written: false, by }
}

/**
 * The same for all runs of one event: runs that hold one content without bytes share one cell, since
 * nothing in it depends on where it lies any more.
 */
export function disownedAlike(by: EventId, content?: Content): (cell: Cell, start: number) => Cell {
  let last: Cell | null = null
  return (cell, start) => {
    const holds = content ?? cell.content
    if (holds.kind === 'bytes' || last?.content !== holds) last = disowned(cell, start, by, content)
    return last
  }
}

/** The part [start, end) of a run, with content and owner as of its first byte. */
export function extentOf(start: number, end: number, cell: Cell): Extent {
  const { content, whose, written, by } = cell
  const shift = start - cell.origin
  return {
    range: range(start, end),
    content:
      shift === 0 || content.kind !== 'bytes'
        ? content
        : { kind: 'bytes', source: content.source, at: content.at + shift },
    whose: shift === 0 || whose === null ? whose : { object: whose.object, at: whose.at + shift },
    written,
    by,
  }
}

/** The parts of `within` not covered by any run, ascending. */
export function holesIn(map: RunMap<unknown>, within: Range): readonly Range[] {
  if (map.covers(within.start, within.end)) return NONE
  return holesBetween(map.runs(within.start, within.end), within)
}

/** The parts of `within` not covered by these runs, which are sorted and inside it. */
export function holesBetween(runs: readonly Run<unknown>[], within: Range): readonly Range[] {
  if (isCovered(runs, within)) return NONE
  const holes: Range[] = []
  let at: number = within.start
  for (const run of runs) {
    const hole = rangeOrNull(at, run.start - at)
    if (hole !== null) holes.push(hole)
    at = run.end
  }
  const last = rangeOrNull(at, within.end - at)
  if (last !== null) holes.push(last)
  return holes
}

/** Do these runs, which are sorted and inside it, cover all of `within`? */
export function isCovered(runs: readonly Run<unknown>[], { start, end }: Range): boolean {
  let at: number = start
  for (const run of runs) {
    if (run.start !== at) return false
    at = run.end
  }
  return at === end
}
