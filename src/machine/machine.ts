/** Everything a stage may use: memory, boot services, and the calls that record steps, refusals and gaps. */
import type { Range } from '../bytes/range.ts'
import type { BootServices } from '../firmware/services.ts'
import type { EfiError } from '../firmware/status.ts'
import type { Actor, AnyClauseId, ClauseId, EventId, StepText } from '../memory/event.ts'
import type { Extent, ObjectId } from '../memory/extent.ts'
import type { Memory } from '../memory/memory.ts'
import type { Recorder } from '../memory/recorder.ts'
import type { Arrival, Facts } from './hand-off.ts'
import { withDefaults, type Settings } from './settings.ts'

export type { AnyClauseId, ClauseId } from '../memory/event.ts'
export type { Addon, Settings } from './settings.ts'

/** An assumption of the model; listed in every report that used it. */
export interface Assumption {
  readonly clause: AnyClauseId
  readonly what: string
}

/** A gap of the model. A run with one has the verdict unknown, whether it could continue or not. */
export interface Gap {
  readonly clause: AnyClauseId
  readonly why: string
}

/** A modelled stage's error. `message`: the exact text it prints; null if it prints nothing. */
export interface Refusal {
  readonly by: Actor
  readonly status: EfiError
  readonly clause: AnyClauseId
  readonly why: string
  readonly message: string | null
}

/** How a run ended. `undefined`: code about to run had been overwritten, or the guest would have faulted. */
export type Outcome =
  | { readonly kind: 'arrived'; readonly at: Arrival }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'undefined'; readonly since: EventId; readonly why: string }
  | { readonly kind: 'unknown'; readonly gap: Gap }

/** A contract that was evaluated at a hand-off. */
export interface ContractResult {
  readonly clause: ClauseId
  readonly kept: boolean
  readonly what: string
  readonly range: Range | null
  readonly found?: readonly Extent[]
}

/** Everything a stage may use: memory, boot services, and the calls that record steps, refusals and gaps. */
export interface Machine {
  readonly memory: Memory
  readonly firmware: BootServices
  readonly settings: Settings
  /** Runs `body` as another actor. */
  as<T>(actor: Actor, body: () => T): T
  /** Runs `body` as a step under a clause; events inside belong to it. */
  step<T>(clause: AnyClauseId, what: StepText, body: () => T): T
  /** The stage fails with a status and a message. The run ends as refused. */
  refuse(clause: AnyClauseId, status: EfiError, why: string, message?: string | null): never
  /** Outside the model, and the run cannot continue. The verdict is unknown. */
  gap(clause: AnyClauseId, why: string): never
  /** Outside the model, but the run can continue: the verdict is still unknown. */
  unmodelled(clause: AnyClauseId, why: string): void
  /** Records an assumption for the report, once per clause and text. */
  assume(clause: AnyClauseId, what: string): void
  /** Undefined behaviour since this event: overwritten code, a fault. The run ends as undefined. */
  undefinedBehaviour(since: EventId, why: string): never
  /** Reads code about to run as its object; if it deviates, the run ends as undefined. */
  enter(where: Range, object: ObjectId, at: number, what: string): void
  /** Records the outcome of a contract. */
  contract(result: ContractResult): void
  /** Adds to the facts of the run. */
  observe(facts: Facts): void
}

/**
 * Thrown to end a run early; caught by the run, never seen outside the core. It is not an Error: a fifth of
 * the boots of a matrix end early, and a stack trace costs as much as several steps.
 */
export class Stop {
  readonly outcome: Outcome

  constructor(outcome: Outcome) {
    this.outcome = outcome
  }
}

/** A machine and its notes besides the recording. */
export interface Notes {
  readonly assumptions: Assumption[]
  readonly doubts: Gap[]
  /** Grows while stages run. */
  readonly facts: Facts
}

/**
 * Makes the machine passed to stages. `notes` is filled while they run; absent settings have the table's
 * defaults.
 */
export function createMachine(
  recorder: Recorder,
  memory: Memory,
  firmware: BootServices,
  settings: Partial<Settings>,
  notes: Notes,
): Machine {
  const stop = (outcome: Outcome): never => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error
    throw new Stop(outcome)
  }
  const undefinedBehaviour = (since: EventId, why: string): never => stop({ kind: 'undefined', since, why })
  return {
    memory,
    firmware,
    settings: withDefaults(settings),
    as: (actor, body) => recorder.as(actor, body),
    step: (clause, what, body) => recorder.step(clause, what, body),
    refuse: (clause, status, why, message = null) =>
      stop({ kind: 'refused', refusal: { by: recorder.actor, status, clause, why, message } }),
    gap: (clause, why) => stop({ kind: 'unknown', gap: { clause, why } }),
    unmodelled: (clause, why) => {
      if (!notes.doubts.some(known => known.clause === clause && known.why === why))
        notes.doubts.push({ clause, why })
    },
    assume: (clause, what) => {
      if (!notes.assumptions.some(known => known.clause === clause && known.what === what))
        notes.assumptions.push({ clause, what })
    },
    undefinedBehaviour,
    enter: (where, object, at, what) => {
      const reading = memory.readAs(where, object, { at, as: 'code' })
      if (!reading.whole) undefinedBehaviour(reading.event, what)
    },
    contract: ({ clause, kept, what, range, found = [] }) => {
      const { next: id, actor, under: step } = recorder
      recorder.push({ id, actor, step, op: 'contract', clause, kept, what, range, found })
    },
    observe: facts => {
      Object.assign(notes.facts, facts)
    },
  }
}
