/** Snapshots of memory as readable lines: neighbours joined, the firmware's small allocations collapsed. */
import { formatSize, range, sizeOf, type Range } from '../bytes/range.ts'
import type { Memory, MemorySnapshot } from '../memory/memory.ts'

/** One line: the object in this range, from which offset on. */
export interface SnapshotLine {
  readonly range: Range
  readonly object: string
  readonly at: number
  readonly what: string
}

/** Memory at one point of a boot. */
export interface Snapshot {
  readonly point: 'before-load' | 'stub-entry' | 'hand-off' | 'arrival'
  /** Made when they are first read. */
  readonly lines: readonly SnapshotLine[]
}

interface Piece {
  readonly start: number
  end: number
  readonly object: string
  readonly at: number
}

/**
 * A snapshot whose lines wait. It is a class because every object literal with a getter gets a hidden class
 * of its own, and that keeps what the getter sees, a whole memory, until all of the heap is swept.
 */
class LazySnapshot implements Snapshot {
  readonly point: Snapshot['point']
  #snapshot: MemorySnapshot | null
  #lines: readonly SnapshotLine[] = []

  constructor(point: Snapshot['point'], snapshot: MemorySnapshot) {
    this.point = point
    this.#snapshot = snapshot
  }

  get lines(): readonly SnapshotLine[] {
    if (this.#snapshot !== null) this.#lines = linesOf(this.#snapshot)
    this.#snapshot = null
    return this.#lines
  }

  toJSON(): Snapshot {
    return { point: this.point, lines: this.lines }
  }
}

/** Takes a snapshot. The first access to its lines walks all extents. */
export function takeSnapshot(memory: Memory, point: Snapshot['point']): Snapshot {
  return new LazySnapshot(point, memory.snapshot())
}

function linesOf(memory: MemorySnapshot): SnapshotLine[] {
  const pieces: Piece[] = []
  for (const extent of memory.extents()) {
    const { start, end } = extent.range
    if (extent.whose !== null) {
      const { object, at } = extent.whose
      if (object.startsWith('firmware:')) joinLoosely(pieces, start, end, 'firmware')
      else join(pieces, start, end, object, at)
      continue
    }
    let at: number = start
    for (const claim of memory.claims(extent.range)) {
      if (at < claim.range.start) joinLoosely(pieces, at, claim.range.start, 'free')
      joinLoosely(
        pieces,
        claim.range.start,
        claim.range.end,
        `${claim.label}, ${extent.written ? 'nobody’s' : 'not written'}`,
      )
      at = claim.range.end
    }
    if (at < end) joinLoosely(pieces, at, end, 'free')
  }
  return pieces.map(piece => {
    const where = range(piece.start, piece.end)
    return { range: where, object: piece.object, at: piece.at, what: formatSize(sizeOf(where)) }
  })
}

/** Joins a neighbour that continues the same object. */
function join(pieces: Piece[], start: number, end: number, object: string, at: number): void {
  const last = pieces.at(-1)
  if (last?.end === start && last.object === object && last.at + start - last.start === at) last.end = end
  else pieces.push({ start, end, object, at })
}

/** Joins a neighbour of the same name, whatever the offsets. */
function joinLoosely(pieces: Piece[], start: number, end: number, object: string): void {
  const last = pieces.at(-1)
  if (last?.end === start && last.object === object) last.end = end
  else pieces.push({ start, end, object, at: 0 })
}
