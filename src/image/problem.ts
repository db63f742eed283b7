/** What a parser found odd about a file: data in the parse result, never an exception. */
import type { FileOffset } from '../bytes/units.ts'

/**
 * One oddity. A `fatal` one means that the thing could not be parsed at all; the others leave a usable
 * result.
 */
export interface Problem {
  /** Stable name in kebab-case: `truncated`, `not-pe`, `section-outside-file` … */
  readonly id: string
  /** Where in the file, in bytes from its start; null when it is about no single place. */
  readonly at: FileOffset | null
  /** One sentence, lower case, no full stop: what is odd and the values that show it. */
  readonly what: string
  readonly fatal: boolean
}
