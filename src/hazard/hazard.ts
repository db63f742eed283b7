/**
 * What a rule reports. Three classes: damage was observed in the recorded run, breach is a violated contract,
 * advice is about the file alone.
 */
import type { Range } from '../bytes/range.ts'
import type { Actor, EventId } from '../memory/event.ts'
import type { ObjectId } from '../memory/extent.ts'

/**
 * damage: observed in this run. breach: a hand-off contract was violated. advice: a property of the file
 * alone.
 */
export type HazardClass = 'damage' | 'breach' | 'advice'

/** One leg of a finding: one step in the history of the bytes, in order. */
export interface Leg {
  readonly role: 'placed' | 'moved' | 'overwritten' | 'handed-out' | 'used' | 'found'
  /** The event, if the leg is one. */
  readonly event: EventId | null
  /** The actor and the clause; null if the leg is not an event. */
  readonly actor: Actor | null
  readonly clause: string | null
  readonly range: Range | null
  readonly what: string
}

/** A finding. The report adds class, clause and title from the rule. */
export interface Hazard {
  readonly rule: string
  readonly object: ObjectId | null
  /** The memory it is about; empty for advice. */
  readonly ranges: readonly Range[]
  /** Damaged offsets in the object; empty if not applicable. */
  readonly offsets: readonly { readonly from: number; readonly to: number }[]
  /** One or two sentences. */
  readonly what: string
  readonly why: string
  readonly fix: string
  readonly legs: readonly Leg[]
}

/** A finding with the metadata of its rule. */
export interface Finding extends Hazard {
  readonly class: HazardClass
  readonly title: string
  readonly clause: string
}
