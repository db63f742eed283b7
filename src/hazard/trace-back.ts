/**
 * Follows one byte of an object back through the recording: what placed, moved and overwrote it. Chapter HZ.
 */
import type { Range } from '../bytes/range.ts'
import {
  isWrite,
  offsetAt,
  rangesOf,
  type EventId,
  type MemoryEvent,
  type WriteEvent,
} from '../memory/event.ts'
import type { Extent, ObjectId } from '../memory/extent.ts'

/**
 * The fate of a byte. intact: it is there. destroyed: it was there (or at the source of the copy) until `by`.
 * absent: it never was there.
 */
export interface Past {
  readonly state: 'intact' | 'destroyed' | 'absent'
  /** The event that overwrote it; null unless destroyed. */
  readonly by: EventId | null
  /** The event that brought it into memory. */
  readonly placed: EventId | null
  /** Copies on the way, ascending. */
  readonly moved: readonly EventId[]
  /** Number of bytes from the address on with the same fate. At least 1. */
  readonly length: number
}

class Limit {
  bytes = Number.MAX_SAFE_INTEGER

  /** Cuts at the bounds of [start, end) and returns whether the address lies in it. */
  covers(address: number, start: number, end: number): boolean {
    if (address < start) this.bytes = Math.min(this.bytes, start - address)
    else if (address < end) this.bytes = Math.min(this.bytes, end - address)
    return address >= start && address < end
  }

  /** The same for ranges that ascend: does one of them contain the address? */
  coversOne(address: number, ranges: readonly Range[]): boolean {
    let low = 0
    let high = ranges.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((ranges[middle]?.end ?? 0) > address) high = middle
      else low = middle + 1
    }
    const nearest = ranges[low]
    return nearest !== undefined && this.covers(address, nearest.start, nearest.end)
  }
}

function lostAt(event: WriteEvent, address: number, limit: Limit): Extent | undefined {
  let found: Extent | undefined
  for (const extent of event.lost)
    if (limit.covers(address, extent.range.start, extent.range.end)) found = extent
  return found
}

/** Where the bytes that `by` left at `address` came from: through copies back to the event that made them. */
export function originOf(
  events: readonly MemoryEvent[],
  by: EventId,
  address: number,
): { readonly placed: EventId; readonly moved: readonly EventId[]; readonly length: number } {
  const limit = new Limit()
  const moved: EventId[] = []
  let id = by
  let at = address
  for (;;) {
    const event = events[id]
    if (event?.op !== 'copy') break
    limit.covers(at, event.range.start, event.range.end)
    const source = event.from.start + at - event.range.start
    const before = lastChange(events, source, id, limit)
    if (before === null) break
    moved.unshift(id)
    id = before
    at = source
  }
  return { placed: id, moved, length: limit.bytes }
}

function lastChange(
  events: readonly MemoryEvent[],
  address: number,
  before: EventId,
  limit: Limit,
): EventId | null {
  for (let id = before - 1; id >= 0; id--) {
    const event = events[id]
    if (
      event !== undefined &&
      event.op !== 'amend' &&
      isWrite(event) &&
      limit.coversOne(address, rangesOf(event))
    )
      return id
  }
  return null
}

/** The fate of byte `at` of `object`, read at `address`, considering the events before `before`. */
export function pastOf(
  events: readonly MemoryEvent[],
  object: ObjectId,
  at: number,
  address: number,
  before: EventId,
): Past {
  const limit = new Limit()
  let next: EventId | null = null
  const answer = (placed: EventId, moved: readonly EventId[]): Past => ({
    state: next === null ? 'intact' : 'destroyed',
    by: next,
    placed,
    moved,
    length: limit.bytes,
  })
  for (let id = before - 1; id >= 0; id--) {
    const event = events[id]
    if (
      event === undefined ||
      event.op === 'read' ||
      event.op === 'contract' ||
      event.op === 'amend' ||
      !limit.coversOne(address, rangesOf(event))
    )
      continue
    if (isWrite(event)) {
      if (event.op === 'copy') {
        const source = pastOf(events, object, at, event.from.start + address - event.range.start, id)
        if (source.state !== 'absent') {
          limit.bytes = Math.min(limit.bytes, source.length)
          const moved = [...source.moved, id]
          return source.state === 'intact' && source.placed !== null
            ? answer(source.placed, moved)
            : { ...source, moved, length: limit.bytes }
        }
        limit.bytes = Math.min(limit.bytes, source.length)
      } else if (event.object === object && offsetAt(event, address) === at) return answer(id, [])
      const lost = lostAt(event, address, limit)
      if (lost?.whose?.object === object && lost.whose.at + address - lost.range.start === at) {
        const origin = originOf(events, lost.by, address)
        limit.bytes = Math.min(limit.bytes, origin.length)
        return { state: 'destroyed', by: id, placed: origin.placed, moved: origin.moved, length: limit.bytes }
      }
    }
    next = id
  }
  return { state: 'absent', by: null, placed: null, moved: [], length: limit.bytes }
}
