/** What the memory keeps per run, how a run is seen as an extent, and what a map leaves out. */
import { range, rangeOrNull, type Range } from '../bytes/range.ts'
import type { EventId } from './event.ts'
import type { Content, Extent, Whose } from './extent.ts'
import type { Run, RunMap } from './run-map.ts'

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

/** The parts of `within` that no run covers, ascending. */
export function holesIn(map: RunMap<unknown>, within: Range): readonly Range[] {
  return holesBetween(map.runs(within.start, within.end), within)
}

const NONE: readonly Range[] = []

/** The parts of `within` that none of these runs covers; they ascend and lie in it. */
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

function isCovered(runs: readonly Run<unknown>[], { start, end }: Range): boolean {
  let at: number = start
  for (const run of runs) {
    if (run.start !== at) return false
    at = run.end
  }
  return at === end
}
