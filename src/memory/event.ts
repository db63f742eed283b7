/**
 * Everything that can happen to memory, as data. Events are appended, never changed; rules read nothing else.
 * What touches one range by its nature has `range`; what may touch many at once has `ranges`.
 */
import { range, type Range } from '../bytes/range.ts'
import type { Content, EventId, Extent, ObjectId, Whose } from './extent.ts'

export type { EventId } from './extent.ts'

/** Index of a step in its recording. */
export type StepId = number

/** A numbered clause of spec/, or a user's own law. */
export type ClauseId = `${'FW' | 'PE' | 'ST' | 'LZ' | 'HO' | 'EP' | 'ZO' | 'HZ'}-${number}`
export type AnyClauseId = ClauseId | `x-${string}`

/** Who acts. A user's own stage may bring a name of its own. */
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

/** Is there any? Whoever makes the list sees to it that it ascends. */
export function isSome(ranges: readonly Range[]): ranges is Ranges {
  return ranges.length > 0
}

/** What a write did beside its purpose. */
export interface WriteEffect {
  /** What lay there and belonged to another object (or to another place of the same object). */
  readonly lost: readonly Extent[]
  /** Parts that no allocation covers. */
  readonly strayed: readonly Range[]
  /** Parts that are not RAM; nothing is stored there. */
  readonly outside: readonly Range[]
}

/** How a byte that was read as an object was not that object's byte at that offset. */
export interface Deviation {
  readonly range: Range
  /** Offset in the object that was wanted. */
  readonly at: number
  /** Whose byte belongs here: the same, or the part when the object is composed of others. */
  readonly wanted: Whose
  /**
   * clobbered: written by or for something else. uninitialised: handed out and never written. unclaimed: part
   * of no allocation.
   * outside: not RAM.
   */
  readonly kind: 'clobbered' | 'uninitialised' | 'unclaimed' | 'outside'
  /** What lies there instead; null outside RAM. */
  readonly found: Extent | null
}

/** A read of a range as an object. `code` is about to run: if it deviates, what happens next is undefined. */
export interface ReadEvent extends EventBase {
  readonly op: 'read'
  readonly range: Range
  readonly object: ObjectId
  readonly at: number
  readonly as: 'data' | 'code'
  readonly deviations: readonly Deviation[]
  /** Bytes of the object behind the ones that were read, where the reader wanted all of it. */
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
    /** somebody has had this memory all along: allocated, and the object's at its own addresses */
    | { readonly op: 'occupy'; readonly ranges: Ranges; readonly object: ObjectId }
    /** bytes were adjusted in place: whose they are, and which event put them there, stays as it was */
    | { readonly op: 'amend'; readonly ranges: Ranges }
  )

/** Anything that happened, told apart by `op`. */
export type MemoryEvent =
  | ReadEvent
  | WriteEvent
  /** RAM that exists from the start, and what it holds */
  | (EventBase & { readonly op: 'ram'; readonly ranges: Ranges; readonly content: Content })
  /** an allocation was handed out */
  | (EventBase & { readonly op: 'claim'; readonly range: Range; readonly label: string })
  /** allocations were given back */
  | (EventBase & { readonly op: 'release'; readonly ranges: Ranges; readonly label: string })
  /** a contract of the hand-off was evaluated: kept, or broken by what was found in these ranges */
  | (EventBase & {
      readonly op: 'contract'
      readonly clause: AnyClauseId
      readonly kept: boolean
      readonly what: string
      readonly range: Range | null
      readonly found: readonly Extent[]
    })

/** What a step does, in words; a function makes them when somebody reads them, and must always say the same. */
export type StepText = string | (() => string)

/** A named span of events under a clause. */
export interface Step {
  readonly id: StepId
  readonly parent: StepId | null
  /** The clause that says so: `ST-15`, or a user's own `x-…`. */
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

/** The ranges that an event touched, ascending; none for a contract about no memory. */
export function rangesOf(event: MemoryEvent): readonly Range[] {
  if ('ranges' in event) return event.ranges
  return event.range === null ? [] : [event.range]
}

/** From the first byte that an event touched to the last one; null for a contract about no memory. */
export function hullOf(event: MemoryEvent): Range | null {
  const ranges = rangesOf(event)
  const [first] = ranges
  const last = ranges.at(-1)
  if (first === undefined || last === undefined || ranges.length === 1) return first ?? null
  return range(first.start, last.end)
}

/** The offset in its object of the byte that a write of an object left at `address`. */
export function offsetAt(
  event: Extract<WriteEvent, { readonly object: ObjectId | null }>,
  address: number,
): number {
  return event.op === 'occupy' ? address : event.at + address - event.range.start
}
