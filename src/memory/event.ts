/**
 * Everything that can happen to memory, as data. Events are appended, never changed; rules read nothing else.
 */
import type { Range } from '../bytes/range.ts'
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

/** What a write did beside its purpose. */
export interface WriteEffect {
  readonly range: Range
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

export type WriteEvent = EventBase &
  WriteEffect &
  (
    | { readonly op: 'put' | 'patch' | 'make'; readonly object: ObjectId; readonly at: number }
    | { readonly op: 'zero'; readonly object: ObjectId | null; readonly at: number }
    | {
        readonly op: 'copy'
        readonly from: Range
        /** parts of the source that are not RAM */ readonly fromOutside: readonly Range[]
      }
  )

/** Anything that happened, told apart by `op`. */
export type MemoryEvent =
  | ReadEvent
  | WriteEvent
  /** RAM that exists from the start, and what it holds */
  | (EventBase & { readonly op: 'ram'; readonly range: Range; readonly content: Content })
  /** an allocation was handed out / given back */
  | (EventBase & { readonly op: 'claim' | 'release'; readonly range: Range; readonly label: string })
  /** a contract of the hand-off was evaluated: kept, or broken by what was found in these ranges */
  | (EventBase & {
      readonly op: 'contract'
      readonly clause: AnyClauseId
      readonly kept: boolean
      readonly what: string
      readonly range: Range | null
      readonly found: readonly Extent[]
    })

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

/** Is it a write (put, patch, make, zero, copy)? */
export function isWrite(event: MemoryEvent): event is WriteEvent {
  return (
    event.op === 'put' ||
    event.op === 'patch' ||
    event.op === 'make' ||
    event.op === 'zero' ||
    event.op === 'copy'
  )
}
