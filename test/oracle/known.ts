/** Where the model is known to differ from a recording, boot by boot, with the reason. Each entry is asserted as it stands: when the model gets better or worse, it fails. */
import type { PlainFact } from './facts.ts'

export interface KnownDifference {
  readonly id: string
  readonly fact: PlainFact
  /** Predicted minus recorded, in bytes. */
  readonly off: number
  readonly why: string
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = []

/** Boots that failed for a reason that the model does not look at, so that it says `clean`. */
export const UNSEEN_HARM: readonly { readonly id: string; readonly why: string }[] = []
