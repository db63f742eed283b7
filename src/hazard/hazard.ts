/**
 * What a rule reports. Three classes, never mixed: damage was seen on the recorded run, breach is a broken
 * contract, advice is about the file alone.
 */
import type { Range } from '../bytes/range.ts'
import type { Actor, EventId } from '../memory/event.ts'
import type { ObjectId } from '../memory/extent.ts'

/** damage: it happened. breach: a promise was broken. advice: the file smells. */
export type HazardClass = 'damage' | 'breach' | 'advice'

/** One leg of a finding: what happened to the bytes in question, in order. */
export interface Leg {
  readonly role: 'placed' | 'moved' | 'overwritten' | 'handed-out' | 'used' | 'found'
  /** The event, when the leg is one. */
  readonly event: EventId | null
  /** Who did it, and under which clause; null when the leg is no event. */
  readonly actor: Actor | null
  readonly clause: string | null
  readonly range: Range | null
  readonly what: string
}

/** A finding. The report adds class, clause and title from the rule. */
export interface Hazard {
  readonly rule: string
  readonly object: ObjectId | null
  /** Memory (or, for advice, nothing) that it is about. */
  readonly ranges: readonly Range[]
  /** Offsets in the object that are damaged; empty where that has no meaning. */
  readonly offsets: readonly { readonly from: number; readonly to: number }[]
  /** One or two sentences. */
  readonly what: string
  readonly why: string
  readonly fix: string
  readonly legs: readonly Leg[]
}

/** A hazard with what its rule says about itself. */
export interface Finding extends Hazard {
  readonly class: HazardClass
  readonly title: string
  readonly clause: string
}
