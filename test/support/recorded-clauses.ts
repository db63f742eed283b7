/**
 * Which clauses occur in recordings: every step and every contract that any recorder of this process is
 * told.
 */
import { Recorder } from '../../src/memory/recorder.ts'

/**
 * Carries out `body` and answers with the clauses of the steps and contracts that were recorded meanwhile,
 * whoever made the recorder.
 */
export function clausesRecordedBy(body: () => void): ReadonlySet<string> {
  const seen = new Set<string>()
  const before = Object.getOwnPropertyDescriptors(Recorder.prototype)
  const { step, append } = before
  Object.assign(Recorder.prototype, {
    step: function (this: Recorder, ...given: Parameters<Recorder['step']>): unknown {
      seen.add(given[0])
      return step.value?.apply(this, given)
    },
    append: function (this: Recorder, event: Parameters<Recorder['append']>[0]): number {
      if (event.op === 'contract') seen.add(event.clause)
      return append.value?.call(this, event) ?? 0
    },
  })
  try {
    body()
  } finally {
    Object.defineProperties(Recorder.prototype, { step, append })
  }
  return seen
}
