/** The events that rules look for, found in one pass over a recording. */
import { isWrite, type MemoryEvent, type ReadEvent, type WriteEvent } from '../memory/event.ts'
import type { Recording } from '../memory/recorder.ts'

export type ContractEvent = Extract<MemoryEvent, { op: 'contract' }>

/** Events that may be part of a finding, in their order. */
export interface Signs {
  /** Contracts that were not kept. */
  readonly broken: readonly ContractEvent[]
  /** Reads that met bytes of something else. */
  readonly deviating: readonly ReadEvent[]
  /** Reads of less than the whole object. */
  readonly short: readonly ReadEvent[]
  /** Writes that overwrote something, or left allocations or RAM. */
  readonly stray: readonly WriteEvent[]
}

/** The recording that is judged right now. */
let judged: { readonly recording: Recording; readonly signs: Signs } | null = null

/** Runs `body`, in which all rules share one pass through the recording. */
export function withSigns(recording: Recording, body: () => void): void {
  const before = judged
  judged = { recording, signs: read(recording.events) }
  try {
    body()
  } finally {
    judged = before
  }
}

/** The signs in a recording. */
export function signsIn(recording: Recording): Signs {
  return judged?.recording === recording ? judged.signs : read(recording.events)
}

function read(events: readonly MemoryEvent[]): Signs {
  const broken: ContractEvent[] = []
  const deviating: ReadEvent[] = []
  const short: ReadEvent[] = []
  const stray: WriteEvent[] = []
  for (const event of events)
    if (event.op === 'read') {
      if (event.deviations.length > 0) deviating.push(event)
      if (event.missing > 0) short.push(event)
    } else if (event.op === 'contract') {
      if (!event.kept) broken.push(event)
    } else if (isWrite(event) && event.lost.length + event.unallocated.length + event.outside.length > 0)
      stray.push(event)
  return { broken, deviating, short, stray }
}
