/** The report as JUnit XML, for CI services: a test case per candidate that was run. */
import { printable } from './layout.ts'
import { outcomeText, verdictText } from './sentences.ts'
import type { Finding, Report, RunReport } from './model.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
}
/** Surrogates without a partner and the two code points that XML does not have. */
const NOT_XML = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\ufffe\uffff]/g

function xml(text: string): string {
  return text
    .split('\n')
    .map(printable)
    .join('\n')
    .replace(NOT_XML, '\ufffd')
    .replaceAll(/[&<>]/g, char => ENTITIES[char] ?? char)
}

function quoted(text: string): string {
  return `"${xml(text).replaceAll(/["\n]/g, char => ENTITIES[char] ?? char)}"`
}

function findingText({ class: kind, rule, object, clause, what, why, fix }: Finding): string {
  return [
    `${kind} ${rule}${object === null ? '' : `: ${object}`} (${clause})`,
    what,
    `why: ${why}`,
    `do: ${fix}`,
  ].join('\n')
}

/**
 * failure: damage, refusal, and a broken contract when that counts. error: unknown, which is neither kept nor
 * broken.
 */
function problemOf(
  run: RunReport,
  strict: boolean,
): { readonly element: 'failure' | 'error'; readonly type: string } | null {
  if (run.verdict === 'damage' || run.verdict === 'refused') return { element: 'failure', type: run.verdict }
  if (strict && run.findings.some(finding => finding.class === 'breach'))
    return { element: 'failure', type: 'breach' }
  return run.verdict === 'unknown' ? { element: 'error', type: 'unknown' } : null
}

function caseOf(run: RunReport, { image, machine, advice }: Report, strict: boolean): string[] {
  const name = `${run.stub.id ?? 'no stub era'}, ${run.kernel.id ?? 'no kernel era'} on ${machine.what}`
  const problem = problemOf(run, strict)
  const notes = [
    outcomeText(run.outcome),
    ...run.gaps.map(({ clause, why }) => `gap ${clause}: ${why}`),
    ...run.assumptions.map(({ clause, what }) => `assumed ${clause}: ${what}`),
  ]
  const head = `    <testcase classname=${quoted(image.name)} name=${quoted(name)}>`
  const story = [...run.findings.map(findingText), outcomeText(run.outcome)].join('\n\n')
  const failed =
    problem === null
      ? []
      : [
          `      <${problem.element} type="${problem.type}" ` +
            `message=${quoted(verdictText(run))}>${xml(story)}</${problem.element}>`,
        ]
  return [
    head,
    ...failed,
    `      <system-out>${xml([...notes, ...advice.map(findingText)].join('\n'))}</system-out>`,
    '    </testcase>',
  ]
}

/** XML that ends in a newline. `strict`: a broken contract is a failure, too. */
export function reportToJunit(report: Report, strict = false): string {
  return junitOf([report], strict)
}

/** What could not be looked at, and why. */
interface Unreadable {
  readonly name: string
  readonly why: string
}

interface Counts {
  readonly tests: number
  readonly failures: number
  readonly errors: number
}

function countsOf(part: Report | Unreadable, strict: boolean): Counts {
  if (!('image' in part)) return { tests: 1, failures: 0, errors: 1 }
  const runs = [part, ...part.alternatives]
  const number = (element: 'failure' | 'error'): number =>
    runs.filter(run => problemOf(run, strict)?.element === element).length
  return { tests: runs.length, failures: number('failure'), errors: number('error') }
}

const countsText = ({ tests, failures, errors }: Counts): string =>
  `tests="${String(tests)}" failures="${String(failures)}" errors="${String(errors)}"`

function suiteOf(part: Report | Unreadable, strict: boolean): string[] {
  const name = quoted('image' in part ? part.image.name : part.name)
  return [
    `  <testsuite name=${name} ${countsText(countsOf(part, strict))}>`,
    ...('image' in part
      ? [part, ...part.alternatives].flatMap(run => caseOf(run, part, strict))
      : [
          `    <testcase classname=${name} name="unreadable">`,
          `      <error type="unreadable" message=${quoted(part.why)}>${xml(part.why)}</error>`,
          '    </testcase>',
        ]),
    '  </testsuite>',
  ]
}

/** The same for several reports: a suite for each. */
export function junitOf(parts: readonly (Report | Unreadable)[], strict: boolean): string {
  const counts = parts.map(part => countsOf(part, strict))
  const sum = (name: keyof Counts): number => counts.reduce((before, one) => before + one[name], 0)
  const all = { tests: sum('tests'), failures: sum('failures'), errors: sum('errors') }
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="stubsim" ${countsText(all)}>`,
    ...parts.flatMap(part => suiteOf(part, strict)),
    '</testsuites>',
  ]
  return `${lines.join('\n')}\n`
}
