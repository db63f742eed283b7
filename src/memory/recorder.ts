/** Append-only recording of events and steps. */
import { ModelBug } from '../bytes/errors.ts'
import type { Actor, AnyClauseId, EventBase, EventId, MemoryEvent, Step, StepId, StepText } from './event.ts'

/** All that happened, in order. `events[id]` and `steps[id]` find an entry by its id. */
export interface Recording {
  readonly events: readonly MemoryEvent[]
  readonly steps: readonly Step[]
}

type WithoutBase<E> = E extends MemoryEvent ? Omit<E, keyof EventBase> : never
/** An event as its writer gives it; the recorder adds id, actor and step. */
export type NewEvent = WithoutBase<MemoryEvent>

/** A step as it is recorded: its words are made when they are read, and kept. */
class RecordedStep implements Step {
  readonly id: StepId
  readonly parent: StepId | null
  readonly clause: AnyClauseId
  readonly actor: Actor
  readonly first: EventId
  end: EventId
  #what: StepText

  constructor(head: Omit<Step, 'what' | 'end'>, what: StepText) {
    this.id = head.id
    this.parent = head.parent
    this.clause = head.clause
    this.actor = head.actor
    this.first = head.first
    this.end = head.first
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

/** A recording that grows: knows who acts and under which step. */
export class Recorder implements Recording {
  readonly events: MemoryEvent[]
  readonly steps: RecordedStep[]
  #actor: Actor = 'firmware'
  #open: RecordedStep | null = null

  /** Default: nothing has happened yet. */
  constructor(past?: Recorder) {
    this.events = past === undefined ? [] : past.events.slice()
    this.steps = past === undefined ? [] : past.steps.slice()
  }

  /**
   * A recording that begins with all that happened so far, the same entries under the same ids, and goes on
   * by itself. Throws ModelBug under a step: it would belong to both.
   */
  fork(): Recorder {
    if (this.#open !== null) throw new ModelBug(`forked under step ${String(this.#open.id)}`)
    return new Recorder(this)
  }

  /** Who acts now. */
  get actor(): Actor {
    return this.#actor
  }

  /** The id that the next event will get. */
  get next(): EventId {
    return this.events.length
  }

  /** The step that is under way, or null. */
  get current(): Step | null {
    return this.#open
  }

  append(event: NewEvent): EventId {
    const id = this.events.length
    this.events.push({ id, actor: this.#actor, step: this.#open?.id ?? null, ...event })
    return id
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

  /** Runs `body` under a step; its events name it, steps inside become its children. */
  step<T>(clause: AnyClauseId, what: StepText, body: () => T): T {
    const parent = this.#open
    const step = new RecordedStep(
      {
        id: this.steps.length,
        parent: parent?.id ?? null,
        clause,
        actor: this.#actor,
        first: this.next,
      },
      what,
    )
    this.steps.push(step)
    this.#open = step
    try {
      return body()
    } finally {
      step.end = this.next
      this.#open = parent
    }
  }
}
