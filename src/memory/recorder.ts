/** Append-only recording of events and steps. */
import { ModelBug } from '../bytes/errors.ts'
import type { Actor, AnyClauseId, EventBase, EventId, MemoryEvent, Step, StepId, StepText } from './event.ts'

/** All events and steps, in order; `events[id]` and `steps[id]` are the entries by id. */
export interface Recording {
  readonly events: readonly MemoryEvent[]
  readonly steps: readonly Step[]
}

type WithoutBase<E> = E extends MemoryEvent ? Omit<E, keyof EventBase> : never
/** An event without the fields that the recorder adds: id, actor and step. */
export type NewEvent = WithoutBase<MemoryEvent>

/** A recorded step: its text is made on first access, and kept. */
class RecordedStep implements Step {
  readonly id: StepId
  readonly parent: StepId | null
  readonly clause: AnyClauseId
  readonly actor: Actor
  readonly first: EventId
  end: EventId
  #what: StepText

  constructor(
    id: StepId,
    parent: StepId | null,
    clause: AnyClauseId,
    actor: Actor,
    first: EventId,
    what: StepText,
  ) {
    this.id = id
    this.parent = parent
    this.clause = clause
    this.actor = actor
    this.first = first
    this.end = first
    this.#what = what
  }

  get what(): string {
    if (typeof this.#what === 'function') this.#what = this.#what()
    return this.#what
  }

  toJSON(): Step {
    const { id, parent, clause, what, actor, first, end } = this
    return { id, parent, clause, what, actor, first, end }
  }
}

/** A growing recording, with the current actor and step. */
export class Recorder implements Recording {
  readonly events: MemoryEvent[]
  readonly steps: RecordedStep[]
  #actor: Actor = 'firmware'
  #open: RecordedStep | null = null

  /** Default: empty. */
  constructor(past?: Recorder) {
    this.events = past === undefined ? [] : past.events.slice()
    this.steps = past === undefined ? [] : past.steps.slice()
  }

  /**
   * A recording that starts with all entries so far, under the same ids, and grows independently. Throws
   * ModelBug inside a step: it would belong to both.
   */
  fork(): Recorder {
    if (this.#open !== null) throw new ModelBug(`forked under step ${String(this.#open.id)}`)
    return new Recorder(this)
  }

  /** The current actor. */
  get actor(): Actor {
    return this.#actor
  }

  /** The id that the next event will get. */
  get next(): EventId {
    return this.events.length
  }

  /** The current step, or null. */
  get current(): Step | null {
    return this.#open
  }

  /** The id of the current step, or null. */
  get under(): StepId | null {
    return this.#open === null ? null : this.#open.id
  }

  /** Appends an event with its id, actor and step. */
  append(event: NewEvent): EventId {
    return this.push({ id: this.next, actor: this.#actor, step: this.under, ...event })
  }

  /** Appends an event that already has them: `next`, `actor` and `under`. */
  push(event: MemoryEvent): EventId {
    this.events.push(event)
    return event.id
  }

  /** Runs `body` as this actor. */
  as<T>(actor: Actor, body: () => T): T {
    const before = this.#actor
    this.#actor = actor
    try {
      return body()
    } finally {
      this.#actor = before
    }
  }

  /**
   * Runs `body` under a step; its events name it, steps inside become its children. `actor`: whose step it
   * is. Default: the current one's.
   */
  step<T>(clause: AnyClauseId, what: StepText, body: () => T, actor: Actor = this.#actor): T {
    const before = this.#actor
    const parent = this.#open
    const under = parent === null ? null : parent.id
    const step = new RecordedStep(this.steps.length, under, clause, actor, this.next, what)
    this.#actor = actor
    this.steps.push(step)
    this.#open = step
    try {
      return body()
    } finally {
      step.end = this.next
      this.#open = parent
      this.#actor = before
    }
  }
}
