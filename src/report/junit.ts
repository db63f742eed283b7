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
  const runs = [report, ...report.alternatives]
  const number = (element: 'failure' | 'error'): string =>
    String(runs.filter(run => problemOf(run, strict)?.element === element).length)
  const counts = `tests="${String(runs.length)}" failures="${number('failure')}" errors="${number('error')}"`
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="stubsim" ${counts}>`,
    `  <testsuite name=${quoted(report.image.name)} ${counts}>`,
    ...runs.flatMap(run => caseOf(run, report, strict)),
    '  </testsuite>',
    '</testsuites>',
  ]
  return `${lines.join('\n')}\n`
}
