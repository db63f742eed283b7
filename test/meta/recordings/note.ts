/** How a boot ended is part of its record: a refusal and a gap name their clause. */
import { check, type CheckInput } from '../../../src/check.ts'
import type { Outcome } from '../../../src/machine/machine.ts'

/** Takes the outcome of a boot; null where it was handed over. */
export type Note = (outcome: Outcome | null) => void

/** Checks, and notes every outcome. */
export function noted(note: Note, input: CheckInput): void {
  for (const run of check(input).runs) note(run.outcome)
}

/** The clause by which a boot ended early. */
export function decidedBy(outcome: Outcome | null): string | null {
  if (outcome?.kind === 'refused') return outcome.refusal.clause
  return outcome?.kind === 'unknown' ? outcome.gap.clause : null
}
