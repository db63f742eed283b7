/** Matchers over one boot: they take a scenario or the result of `check`, and show the report on failure. */
import { check, type Checked, type CheckInput } from '../check.ts'
import type { ObjectId } from '../memory/extent.ts'
import type { Refusal } from '../machine/machine.ts'
import type { Finding, RunReport } from '../report/model.ts'
import { formatReport } from '../report/text.ts'
import {
  knownActor,
  knownClass,
  knownClause,
  knownContract,
  knownObject,
  knownRule,
  knownRuleClause,
  knownStatus,
  onlyFields,
} from './known.ts'
import { watchedInput } from './replaced.ts'

/** Input of the matchers. */
export type Subject = CheckInput | Checked

/** A filter of findings: all given fields must be equal. */
export interface HazardFilter {
  /** Its object: `initrd`. */
  readonly object?: ObjectId
  /** `damage`, `breach` or `advice`. */
  readonly class?: Finding['class']
  /** The clause of the rule: `HZ-2`. */
  readonly clause?: string
}

/** A filter of refusals: all given fields must be equal. */
export type RefusalFilter = Partial<Pick<Refusal, 'by' | 'status' | 'clause' | 'message'>>

/** The result of a matcher, in vitest's form. */
export interface Answer {
  readonly pass: boolean
  readonly message: () => string
  readonly actual: unknown
  readonly expected: unknown
}

/** A boot that was looked at, and what of the caller's own took no part in it. */
interface Looked extends Checked {
  /** Replaced slots that never ran. */
  readonly unused: readonly string[]
  /** Ids of rules that the input brought. */
  readonly own: readonly string[]
}

function checkedOf(subject: unknown): Looked {
  if (typeof subject === 'object' && subject !== null && 'report' in subject && 'runs' in subject)
    return { ...(subject as Checked), unused: [], own: [] }
  const { input, neverRan } = watchedInput(subject as CheckInput)
  const checked = check(input)
  return { ...checked, unused: neverRan(), own: (input.rules ?? []).map(({ id }) => id) }
}

/** What vitest calls a matcher with. */
interface Called {
  readonly isNot?: boolean
}

/** An answer that fails, whether or not the expectation is negated. */
function failed({ isNot = false }: Called, checked: Checked, what: string): Answer {
  return {
    pass: isNot,
    message: () => `${what}\n\n${formatReport(checked.report)}`,
    actual: undefined,
    expected: undefined,
  }
}

function answer(
  called: Called,
  checked: Looked,
  pass: boolean,
  what: string,
  actual: unknown,
  expected: unknown,
): Answer {
  const { unused } = checked
  if (unused.length > 0)
    return failed(
      called,
      checked,
      `nothing can be expected of a replaced slot that never ran: ${unused.join(', ')}`,
    )
  return { pass, message: () => `expected ${what}\n\n${formatReport(checked.report)}`, actual, expected }
}

function runsOf({ report }: Checked): readonly RunReport[] {
  return [report, ...report.alternatives]
}

function summary(finding: Finding): string {
  return `${finding.class} ${finding.rule}${finding.object === null ? '' : `: ${finding.object}`}`
}

/** Did every candidate run arrive, with every step modelled and without damage? */
export function toBootCleanly(this: Called, subject: unknown): Answer {
  const checked = checkedOf(subject)
  const { report } = checked
  const actual = {
    verdict: report.verdict,
    damage: report.findings.filter(finding => finding.class === 'damage').map(summary),
    gaps: report.gaps.map(gap => `${gap.clause} ${gap.why}`),
  }
  return answer(
    this,
    checked,
    report.verdict === 'clean',
    `the boot ${this.isNot === true ? 'not ' : ''}to be clean`,
    actual,
    { verdict: 'clean', damage: [], gaps: [] },
  )
}

/**
 * Was the object read at least once in every run, intact each time? An initrd that the stub joins with others
 * is intact if `initrd:joined` is.
 */
export function toKeep(this: Called, subject: unknown, object: ObjectId): Answer {
  const checked = checkedOf(subject)
  knownObject(object, checked)
  const actual = checked.runs.flatMap(run => {
    const reads = run.recording.events
      .filter(event => event.op === 'read')
      .filter(event => event.object === object || event.object === `${object}:joined`)
    if (reads.length === 0) return [`${object} was never read`]
    return reads.flatMap(read => [
      ...read.deviations.map(deviation => `#${String(read.id)} ${deviation.kind} at ${String(deviation.at)}`),
      ...(read.missing > 0 ? [`#${String(read.id)} ${String(read.missing)} bytes missing`] : []),
    ])
  })
  return answer(
    this,
    checked,
    actual.length === 0,
    `${object} ${this.isNot === true ? 'not ' : ''}to be kept`,
    actual,
    [],
  )
}

/** Does some run, or the advice about the file, have a finding of this rule? */
export function toHaveHazard(
  this: Called,
  subject: unknown,
  rule: string,
  filter: HazardFilter = {},
): Answer {
  const checked = checkedOf(subject)
  knownRule(rule, checked, checked.own)
  onlyFields(filter, ['object', 'class', 'clause'])
  if (filter.object !== undefined) knownObject(filter.object, checked)
  if (filter.class !== undefined) knownClass(filter.class)
  if (filter.clause !== undefined) knownRuleClause(filter.clause, checked)
  const all = [...runsOf(checked).flatMap(run => run.findings), ...checked.report.advice]
  const found = all.some(
    finding =>
      finding.rule === rule &&
      (filter.object ?? finding.object) === finding.object &&
      (filter.class ?? finding.class) === finding.class &&
      (filter.clause ?? finding.clause) === finding.clause,
  )
  return answer(
    this,
    checked,
    found,
    `${this.isNot === true ? 'no ' : 'a '}finding ${rule} ${JSON.stringify(filter)}`,
    all.map(summary),
    [rule],
  )
}

/** Did the leading run end in a refusal, with these properties? */
export function toBeRefused(this: Called, subject: unknown, filter: RefusalFilter = {}): Answer {
  const checked = checkedOf(subject)
  onlyFields(filter, ['by', 'status', 'clause', 'message'])
  if (filter.clause !== undefined) knownClause(filter.clause)
  if (filter.status !== undefined) knownStatus(filter.status)
  if (filter.by !== undefined) knownActor(filter.by)
  const { outcome } = checked.report
  const refusal = outcome.kind === 'refused' ? outcome.refusal : null
  const pass =
    refusal !== null &&
    Object.entries(filter).every(([name, value]) => refusal[name as keyof RefusalFilter] === value)
  return answer(
    this,
    checked,
    pass,
    `the boot ${this.isNot === true ? 'not ' : ''}to be refused ${JSON.stringify(filter)}`,
    refusal ?? outcome.kind,
    filter,
  )
}

/** Was the contract evaluated in every run, and kept each time? Fails either way when no run evaluated it. */
export function toKeepContract(this: Called, subject: unknown, clause: string): Answer {
  const checked = checkedOf(subject)
  knownContract(clause, checked)
  const evaluates = checked.runs.some(({ recording }) =>
    recording.events.some(event => event.op === 'contract' && event.clause === clause),
  )
  if (!evaluates) return failed(this, checked, `the contract ${clause} was never evaluated`)
  const actual = checked.runs.flatMap(run => {
    const evaluated = run.recording.events
      .filter(event => event.op === 'contract')
      .filter(event => event.clause === clause)
    return evaluated.length === 0
      ? [`${clause} was never evaluated`]
      : evaluated.filter(event => !event.kept).map(event => `#${String(event.id)} broken: ${event.what}`)
  })
  return answer(
    this,
    checked,
    actual.length === 0,
    `the contract ${clause} ${this.isNot === true ? 'not ' : ''}to be kept`,
    actual,
    [],
  )
}

/** Did every run take a step under this clause: a step of one's own, say? */
export function toTakeStep(this: Called, subject: unknown, clause: string): Answer {
  const checked = checkedOf(subject)
  knownClause(clause)
  const taken = checked.runs.filter(({ recording }) => recording.steps.some(step => step.clause === clause))
  const clauses = checked.runs.flatMap(({ recording }) => recording.steps.map(step => step.clause))
  return answer(
    this,
    checked,
    this.isNot === true ? taken.length > 0 : taken.length === checked.runs.length,
    `${this.isNot === true ? 'no run' : 'every run'} to take the step ${clause}: ` +
      `${String(taken.length)} of ${String(checked.runs.length)} did`,
    [...new Set(clauses)],
    [clause],
  )
}
