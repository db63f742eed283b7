/** The memory at one moment, as lines that a person can read: neighbours joined, firmware's small change collapsed. */
import { formatSize, range, sizeOf, type Range } from '../bytes/range.ts'
import type { Memory } from '../memory/memory.ts'

/** One line: whose bytes lie here, from which offset of the object on. */
export interface MomentLine {
  readonly range: Range
  readonly object: string
  readonly at: number
  readonly what: string
}

export interface Moment {
  readonly moment: 'before-load' | 'stub-entry' | 'hand-off' | 'arrival'
  readonly lines: readonly MomentLine[]
}

interface Piece {
  start: number
  end: number
  object: string
  at: number
  /** Joins a neighbour of the same name, whatever the offsets. */
  loose: boolean
}

/** Takes a snapshot. Costs one walk over all extents. */
export function momentOf(memory: Memory, moment: Moment['moment']): Moment {
  const pieces: Piece[] = []
  for (const extent of memory.extents()) {
    const { start, end } = extent.range
    if (extent.whose !== null) {
      const firmware = extent.whose.object.startsWith('firmware:')
      join(pieces, { start, end, object: firmware ? 'firmware' : extent.whose.object, at: firmware ? 0 : extent.whose.at, loose: firmware })
      continue
    }
    let at: number = start
    for (const claim of memory.claims(extent.range)) {
      if (at < claim.range.start) join(pieces, { start: at, end: claim.range.start, object: 'free', at: 0, loose: true })
      join(pieces, { start: claim.range.start, end: claim.range.end, object: `${claim.label}, ${extent.written ? 'nobody’s' : 'not written'}`, at: 0, loose: true })
      at = claim.range.end
    }
    if (at < end) join(pieces, { start: at, end, object: 'free', at: 0, loose: true })
  }
  return {
    moment,
    lines: pieces.map(piece => {
      const where = range(piece.start, piece.end)
      return { range: where, object: piece.object, at: piece.at, what: formatSize(sizeOf(where)) }
    }),
  }
}

function join(pieces: Piece[], next: Piece): void {
  const last = pieces.at(-1)
  const same = last?.end === next.start && last.object === next.object
  if (same && (next.loose || last.at + next.start - last.start === next.at)) last.end = next.end
  else pieces.push({ ...next })
}
