/**
 * All memory events, as data. Events are appended, never changed; they are the only input of rules. An event
 * about one range has `range`; one that can have many has `ranges`.
 */
import { range, type Range } from '../bytes/range.ts'
import type { Content, EventId, Extent, ObjectId, Whose } from './extent.ts'

export type { EventId } from './extent.ts'

/** Index of a step in its recording. */
export type StepId = number

/** A numbered clause of spec/, or a user's own law. */
export type ClauseId = `${'FW' | 'PE' | 'ST' | 'LZ' | 'HO' | 'EP' | 'ZO' | 'HZ'}-${number}`
export type AnyClauseId = ClauseId | `x-${string}`

/** The actor. A user's own stage may use its own name. */
export type Actor = 'firmware' | 'loader' | 'stub' | 'efi-stub' | 'decompressor' | 'kernel' | `x-${string}`

/** Fields that every event has. */
export interface EventBase {
  readonly id: EventId
  readonly actor: Actor
  /** The innermost step under which it happened. */
  readonly step: StepId | null
}

/** At least one range; ascending, and no two share a byte. */
export type Ranges = readonly [Range, ...Range[]]

/** Is the list non-empty? The caller keeps it sorted. */
export function isSome(ranges: readonly Range[]): ranges is Ranges {
  return ranges.length > 0
}

/** Side effects of a write. */
export interface WriteEffect {
  /** Overwritten bytes of another object (or of another place of the same object). */
  readonly lost: readonly Extent[]
  /** Parts outside every allocation. */
  readonly unallocated: readonly Range[]
  /** Parts that are not RAM; nothing is stored there. */
  readonly outside: readonly Range[]
}

/** Kind of a deviation: a byte read as an object that is not that object's byte at that offset. */
export interface Deviation {
  readonly range: Range
  /** The expected offset in the object. */
  readonly at: number
  /** The expected owner: the same object, or its part if it is composed. */
  readonly wanted: Whose
  /**
   * clobbered: written by or for something else. uninitialised: allocated and never written. unclaimed:
   * outside every allocation. outside: not RAM.
   */
  readonly kind: 'clobbered' | 'uninitialised' | 'unclaimed' | 'outside'
  /** The actual content; null outside RAM. */
  readonly found: Extent | null
}

/**
 * A read of a range as an object. `code` is about to run: if it deviates, the further behaviour is undefined.
 */
export interface ReadEvent extends EventBase {
  readonly op: 'read'
  readonly range: Range
  readonly object: ObjectId
  readonly at: number
  readonly as: 'data' | 'code'
  readonly deviations: readonly Deviation[]
  /** Bytes of the object after those that were read, if the reader wanted the whole object. */
  readonly missing: number
}

/** Memory was written. `at` is the offset in the object of the first byte. */
export type WriteEvent = EventBase &
  WriteEffect &
  (
    | {
        readonly op: 'put' | 'patch' | 'make'
        readonly range: Range
        readonly object: ObjectId
        readonly at: number
      }
    | { readonly op: 'zero'; readonly range: Range; readonly object: ObjectId | null; readonly at: number }
    | {
        readonly op: 'copy'
        readonly range: Range
        readonly from: Range
        /** parts of the source that are not RAM */ readonly fromOutside: readonly Range[]
      }
    /** memory in use since before the recording: allocated, and the object's at its own addresses */
    | { readonly op: 'occupy'; readonly ranges: Ranges; readonly object: ObjectId }
    /** bytes were adjusted in place: their owner and the event that wrote them stay the same */
    | { readonly op: 'amend'; readonly ranges: Ranges }
  )

/** Any event, discriminated by `op`. */
export type MemoryEvent =
  | ReadEvent
  | WriteEvent
  /** initial RAM and its content */
  | (EventBase & { readonly op: 'ram'; readonly ranges: Ranges; readonly content: Content })
  /** memory was allocated */
  | (EventBase & { readonly op: 'claim'; readonly range: Range; readonly label: string })
  /** memory was freed */
  | (EventBase & { readonly op: 'release'; readonly ranges: Ranges; readonly label: string })
  /** a contract of the hand-off was evaluated: kept, or broken by the content of these ranges */
  | (EventBase & {
      readonly op: 'contract'
      readonly clause: AnyClauseId
      readonly kept: boolean
      readonly what: string
      readonly range: Range | null
      readonly found: readonly Extent[]
    })

/** Text of a step; a function is called on first access, and must always return the same text. */
export type StepText = string | (() => string)

/** A named span of events under a clause. */
export interface Step {
  readonly id: StepId
  readonly parent: StepId | null
  /** Its clause: `ST-15`, or a user's own `x-…`. */
  readonly clause: AnyClauseId
  readonly what: string
  readonly actor: Actor
  readonly first: EventId
  /** One past the last event. */
  readonly end: EventId
}

/** Is it a write (put, patch, make, zero, copy, occupy, amend)? */
export function isWrite(event: MemoryEvent): event is WriteEvent {
  return (
    event.op === 'put' ||
    event.op === 'patch' ||
    event.op === 'make' ||
    event.op === 'zero' ||
    event.op === 'copy' ||
    event.op === 'occupy' ||
    event.op === 'amend'
  )
}

/** The ranges of an event, ascending; none for a contract without memory. */
export function rangesOf(event: MemoryEvent): readonly Range[] {
  if ('ranges' in event) return event.ranges
  return event.range === null ? [] : [event.range]
}

/** The hull of an event's ranges; null for a contract without memory. */
export function hullOf(event: MemoryEvent): Range | null {
  const ranges = rangesOf(event)
  const [first] = ranges
  const last = ranges.at(-1)
  if (first === undefined || last === undefined || ranges.length === 1) return first ?? null
  return range(first.start, last.end)
}

/** The offset in the written object of the byte at `address`. */
export function offsetAt(
  event: Extract<WriteEvent, { readonly object: ObjectId | null }>,
  address: number,
): number {
  return event.op === 'occupy' ? address : event.at + address - event.range.start
}
