/** A recording as plain data: addresses in hexadecimal, bytes left out. */
import { hex } from '../bytes/range.ts'
import type { Recording } from '../memory/recorder.ts'

function plainOf(value: unknown): unknown {
  if (typeof value === 'bigint') return hex(value)
  if (Array.isArray(value)) return value.map(plainOf)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value)
  if (fields.some(([, item]) => typeof item === 'function')) return undefined
  return Object.fromEntries(
    fields.map(([name, item]) => [
      name,
      (name === 'start' || name === 'end') && typeof item === 'number' ? hex(item) : plainOf(item),
    ]),
  )
}

/** `steps` and `events`, each under its own number. The `first` and `end` of a step stay event numbers. */
export function recordingToJson({ steps, events }: Recording): {
  readonly steps: readonly unknown[]
  readonly events: readonly unknown[]
} {
  return {
    steps: steps.map(({ id, parent, clause, what, actor, first, end }) => ({
      id,
      parent,
      clause,
      what,
      actor,
      first,
      end,
    })),
    events: events.map(plainOf),
  }
}
