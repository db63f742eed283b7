/** A problem found by a parser: data in the parse result, never an exception. */
import type { FileOffset } from '../bytes/units.ts'

/** One problem. If `fatal`, the file could not be parsed at all; otherwise the result is usable. */
export interface Problem {
  /** Stable name in kebab-case: `truncated`, `not-pe`, `section-outside-file` … */
  readonly id: string
  /** Where in the file, in bytes from its start; null if it has no single location. */
  readonly at: FileOffset | null
  /** One sentence, lower case, no full stop: the problem and the values that show it. */
  readonly what: string
  readonly fatal: boolean
}
