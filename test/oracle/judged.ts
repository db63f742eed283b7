/** Which recordings the simulator is judged by, and why the others are not. */
import type { Recording } from './recording.ts'

/** Stubs without a row in the table of eras: the simulator must say that it does not know them. */
export const STUBS_WITHOUT_ROW: readonly string[] = ['252.39', '262.1']

/** Is this boot within the tables of eras? */
export function isJudged(recording: Recording): boolean {
  return !STUBS_WITHOUT_ROW.includes(recording.stub)
}
