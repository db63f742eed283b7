/** Which recordings the simulator is judged by: those of stubs that have a row in the table of eras. */
import { erasFor } from '../../src/releases/version.ts'
import { stubEras } from '../../src/stub/eras.ts'
import type { Recording } from './recording.ts'

/** Is this boot within the tables of eras? */
export function isJudged(recording: Recording): boolean {
  return erasFor(recording.stub, stubEras).length > 0
}
