/** Which recordings the simulator is judged by, and why the others are not. */
import type { Recording } from './recording.ts'

/** Stubs without a row in the table of eras: the simulator must say that it does not know them. */
export const STUBS_WITHOUT_ROW: readonly string[] = ['252.39', '262.1']

/** Kernels that were built by hand with a change that no release has, or whose headers were not recorded. */
export function isHandBuilt(recording: Recording): boolean {
  return recording.kernel.startsWith('tiny-')
}

/** Is this boot within the tables of eras? */
export function isJudged(recording: Recording): boolean {
  return !isHandBuilt(recording) && !STUBS_WITHOUT_ROW.includes(recording.stub)
}
