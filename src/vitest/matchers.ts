/** Matchers over one boot: they take a scenario or the result of `check`, and show the report on failure. */
import { check, type Checked, type CheckInput } from '../check.ts'
import type { ObjectId } from '../memory/extent.ts'
import type { Refusal } from '../machine/machine.ts'
import type { Finding, RunReport } from '../report/model.ts'
import { formatReport } from '../report/text.ts'

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

function checkedOf(subject: unknown): Checked {
  if (typeof subject === 'object' && subject !== null && 'report' in subject && 'runs' in subject)
    return subject as Checked
  return check(subject as CheckInput)
}

function answer(checked: Checked, pass: boolean, what: string, actual: unknown, expected: unknown): Answer {
  return { pass, message: () => `expected ${what}\n\n${formatReport(checked.report)}`, actual, expected }
}

function runsOf({ report }: Checked): readonly RunReport[] {
  return [report, ...report.alternatives]
}

function summary(finding: Finding): string {
  return `${finding.class} ${finding.rule}${finding.object === null ? '' : `: ${finding.object}`}`
}

/** Did every candidate run arrive, with every step modelled and without damage? */
export function toBootCleanly(this: { readonly isNot?: boolean }, subject: unknown): Answer {
  const checked = checkedOf(subject)
  const { report } = checked
  const actual = {
    verdict: report.verdict,
    damage: report.findings.filter(finding => finding.class === 'damage').map(summary),
    gaps: report.gaps.map(gap => `${gap.clause} ${gap.why}`),
  }
  return answer(
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
export function toKeep(this: { readonly isNot?: boolean }, subject: unknown, object: ObjectId): Answer {
  const checked = checkedOf(subject)
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
    checked,
    actual.length === 0,
    `${object} ${this.isNot === true ? 'not ' : ''}to be kept`,
    actual,
    [],
  )
}

/** Does some run, or the advice about the file, have a finding of this rule? */
export function toHaveHazard(
  this: { readonly isNot?: boolean },
  subject: unknown,
  rule: string,
  filter: HazardFilter = {},
): Answer {
  const checked = checkedOf(subject)
  const all = [...runsOf(checked).flatMap(run => run.findings), ...checked.report.advice]
  const found = all.some(
    finding =>
      finding.rule === rule &&
      (filter.object ?? finding.object) === finding.object &&
      (filter.class ?? finding.class) === finding.class &&
      (filter.clause ?? finding.clause) === finding.clause,
  )
  return answer(
    checked,
    found,
    `${this.isNot === true ? 'no ' : 'a '}finding ${rule} ${JSON.stringify(filter)}`,
    all.map(summary),
    [rule],
  )
}

/** Did the leading run end in a refusal, with these properties? */
export function toBeRefused(
  this: { readonly isNot?: boolean },
  subject: unknown,
  filter: RefusalFilter = {},
): Answer {
  const checked = checkedOf(subject)
  const { outcome } = checked.report
  const refusal = outcome.kind === 'refused' ? outcome.refusal : null
  const pass =
    refusal !== null &&
    Object.entries(filter).every(([name, value]) => refusal[name as keyof RefusalFilter] === value)
  return answer(
    checked,
    pass,
    `the boot ${this.isNot === true ? 'not ' : ''}to be refused ${JSON.stringify(filter)}`,
    refusal ?? outcome.kind,
    filter,
  )
}

/** Was the contract evaluated in every run, and kept each time? */
export function toKeepContract(this: { readonly isNot?: boolean }, subject: unknown, clause: string): Answer {
  const checked = checkedOf(subject)
  const actual = checked.runs.flatMap(run => {
    const evaluated = run.recording.events
      .filter(event => event.op === 'contract')
      .filter(event => event.clause === clause)
    return evaluated.length === 0
      ? [`${clause} was never evaluated`]
      : evaluated.filter(event => !event.kept).map(event => `#${String(event.id)} broken: ${event.what}`)
  })
  return answer(
    checked,
    actual.length === 0,
    `the contract ${clause} ${this.isNot === true ? 'not ' : ''}to be kept`,
    actual,
    [],
  )
}
