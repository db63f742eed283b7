/**
 * Collects the deviations that reads found, joined by object and cause: the common part of the damage rules.
 * Bytes that are never read are not damage: HZ-1.
 */
import { range, sizeOf, union, type Range } from '../bytes/range.ts'
import type { Deviation, EventId, MemoryEvent, ReadEvent } from '../memory/event.ts'
import type { ObjectId } from '../memory/extent.ts'
import type { Recording } from '../memory/recorder.ts'
import { signsIn } from './signs.ts'
import { pastOf, type Past } from './trace-back.ts'

/** Bytes of a read with the same deviation and history. */
export interface Piece {
  readonly read: ReadEvent
  readonly deviation: Deviation
  readonly range: Range
  /** Offset in the object that was read. */
  readonly at: number
  readonly past: Past
}

/** At least one. */
type Some<T> = readonly [T, ...T[]]

/** All pieces of one object with the same cause. */
export interface Damage {
  readonly object: ObjectId
  readonly pieces: Some<Piece>
  /** The object, or the part of it, that the first piece belongs to. */
  readonly part: ObjectId
  /** The reads that met them, in order, and the last of them. */
  readonly reads: readonly ReadEvent[]
  readonly read: ReadEvent
  readonly ranges: readonly Range[]
  readonly offsets: readonly { readonly from: number; readonly to: number }[]
  /** Damaged bytes of the object, each counted once. */
  readonly bytes: number
}

/** Splits a deviation wherever the history of its bytes changes. */
function piecesOf(events: readonly MemoryEvent[], read: ReadEvent, deviation: Deviation): Piece[] {
  const pieces: Piece[] = []
  const length = sizeOf(deviation.range)
  for (let done = 0; done < length;) {
    const address = deviation.range.start + done
    const past = pastOf(events, deviation.wanted.object, deviation.wanted.at + done, address, read.id)
    const end = Math.min(deviation.range.end, address + past.length)
    pieces.push({ read, deviation, range: range(address, end), at: deviation.at + done, past })
    done = end - deviation.range.start
  }
  return pieces
}

/** Grouping key: bytes overwritten by the same actor form one finding, as do bytes that were never loaded. */
function causeOf(events: readonly MemoryEvent[], past: Past): string {
  return past.by === null ? past.state : `${past.state} ${String(events[past.by]?.actor)}`
}

/** Every deviation of a kind, one entry per object and cause, in the order in which they were read. */
export function damages(recording: Recording, kinds: readonly Deviation['kind'][]): Damage[] {
  const { deviating } = signsIn(recording)
  if (deviating.length === 0) return []
  const { events } = recording
  const groups = new Map<string, [Piece, ...Piece[]]>()
  for (const read of deviating) {
    for (const deviation of read.deviations) {
      if (!kinds.includes(deviation.kind)) continue
      for (const piece of piecesOf(events, read, deviation)) {
        const key = `${read.object} ${causeOf(events, piece.past)}`
        const group = groups.get(key)
        if (group === undefined) groups.set(key, [piece])
        else group.push(piece)
      }
    }
  }
  return [...groups.values()].map(damageOf)
}

function damageOf(pieces: Some<Piece>): Damage {
  const offsets = union(pieces.map(piece => range(piece.at, piece.at + sizeOf(piece.range)))).map(
    ({ start, end }) => ({ from: start, to: end }),
  )
  const [{ read: firstRead, deviation }] = pieces
  return {
    object: firstRead.object,
    pieces,
    part: deviation.wanted.object,
    reads: [...new Set(pieces.map(piece => piece.read))],
    read: pieces.reduce((_, { read }) => read, firstRead),
    ranges: union(pieces.map(piece => piece.range)),
    offsets,
    bytes: offsets.reduce((sum, { from, to }) => sum + to - from, 0),
  }
}

/** The events of some pieces, each once, ascending. */
export function eventsOf(
  pieces: readonly Piece[],
  pick: (past: Past) => readonly (EventId | null)[],
): EventId[] {
  return [...new Set(pieces.flatMap(piece => pick(piece.past)))]
    .filter(id => id !== null)
    .sort((a, b) => a - b)
}
