/**
 * The report as text: every finding with its legs, its place in memory, reason and fix; then the run's facts
 * and assumptions.
 */
import { formatSize, hex } from '../bytes/range.ts'
import { columns, labelled, plain, printable, type TextOptions } from './layout.ts'
import { mapAround } from './map.ts'
import { builderText, factRows, outcomeText, restsOn } from './sentences.ts'
import type { EraRef, FileProblem, Finding, MapMoment, Report, RunReport } from './model.ts'

type Options = Required<TextOptions>

/** Plain, deterministic text that ends in a newline. The verdict is the last line. */
export function formatReport(report: Report, options: TextOptions = {}): string {
  const all: Options = { paint: options.paint ?? plain, width: options.width ?? 120 }
  const blocks = [
    headOf(report, all),
    ...report.findings.map(finding => findingOf(finding, report.moments, all)),
    ...report.advice.map(finding => findingOf(finding, [], all)),
    outcomeOf(report, all),
    factsLines(report, all),
    observedLines(report, all),
    clauses('assumed', report.assumptions, all),
    clauses(
      'gaps',
      report.gaps.map(({ clause, why }) => ({ clause, what: why })),
      all,
    ),
    problemsOf(report.problems, all),
    alternativesOf(report, all),
    [verdictLine(report, all)],
  ]
  return `${blocks
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n')}\n`
}

/** One line: the verdict and its grounds. */
export function verdictLine(
  report: RunReport & { readonly advice?: readonly Finding[] },
  { paint = plain }: TextOptions = {},
): string {
  const rests = restsOn(report)
  return `verdict  ${paint(report.verdict, report.verdict)}${rests === '' ? '' : `: ${rests}`}`
}

function headOf(report: Report, { width, paint }: Options): string[] {
  const line = (label: string, text: string): string[] =>
    labelled(label, text, { indent: 0, column: 9, width })
  return [
    paint(
      `${printable(report.image.name)}  ${formatSize(report.image.size)} ` +
        `(${String(report.image.size)} bytes)`,
      'heading',
    ),
    ...line('machine', `${report.machine.what}, ${formatSize(report.machine.ramBytes)} RAM`),
    ...line('stub', eraText(report.stub)),
    ...line('kernel', eraText(report.kernel)),
    ...(report.builder === null ? [] : line('built by', builderText(report.builder))),
  ]
}

const CERTAINTY: Readonly<Record<EraRef['certainty'], string>> = {
  certain: 'certain',
  several: 'one of several candidates',
  given: 'as given',
  none: 'outside the tables',
}

function eraText({ id, title, version, evidence, certainty }: EraRef): string {
  return (
    `${version ?? 'version unknown'}: ${id === null ? 'no era' : `${id}, ${title}`} ` +
    `(${[CERTAINTY[certainty], ...evidence].join('; ')})`
  )
}

/** One finding: the message, its legs, its place in memory, reason and fix. */
export function formatFinding(
  finding: Finding,
  moments: readonly MapMoment[] = [],
  options: TextOptions = {},
): string {
  const { paint = plain, width = 120 } = options
  return `${findingOf(finding, moments, { paint, width }).join('\n')}\n`
}

function findingOf(finding: Finding, moments: readonly MapMoment[], { paint, width }: Options): string[] {
  const label = (name: string, text: string): string[] =>
    labelled(name, text, { indent: 2, column: 6, width })
  const subject = finding.object === null ? finding.rule : `${finding.rule}: ${finding.object}`
  const head = printable(`${finding.class}  ${subject}`)
  const gap = ' '.repeat(Math.max(2, width - head.length - finding.clause.length))
  const map = mapAround(finding, moments).map(
    line => `  ${line.startsWith('>') ? paint(line, 'mark') : line}`,
  )
  return [
    `${paint(head, finding.class)}${gap}${paint(finding.clause, 'faint')}`,
    ...labelled('', finding.what, { indent: 2, column: 0, width }),
    ...spaced(legTable(finding)),
    ...spaced(map),
    '',
    ...label('why', finding.why),
    ...label('do', finding.fix),
    ...label('more', `stubsim explain ${finding.rule}`),
  ]
}

function spaced(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', ...lines]
}

function legTable({ legs }: Finding): string[] {
  return columns(
    legs.map(leg => [
      leg.role,
      leg.event === null ? '' : `#${String(leg.event)}`,
      leg.actor ?? '',
      leg.clause ?? '',
      leg.what,
    ]),
  ).map(line => `  ${line}`)
}

const PRINTS = 'it prints: '

/** What a stage prints, line by line. */
function printed(message: string | null, width: number): string[] {
  if (message === null) return labelled('', 'it prints nothing', { indent: 0, column: 9, width })
  return message
    .split('\n')
    .flatMap((text, i) => labelled(i === 0 ? PRINTS : '', text, { indent: 9, column: PRINTS.length, width }))
}

function outcomeOf({ outcome }: RunReport, { width }: Options): string[] {
  const ended = labelled('outcome', outcomeText(outcome), { indent: 0, column: 9, width })
  return outcome.kind === 'refused' ? [...ended, ...printed(outcome.refusal.message, width)] : ended
}

function factsLines({ facts }: RunReport, { paint }: Options): string[] {
  const rows = factRows(facts)
  return rows.length === 0 ? [] : [paint('facts', 'heading'), ...columns(rows).map(row => `  ${row}`)]
}

/** Every observed fact and its prediction. */
function observedLines({ observed }: RunReport, { paint }: Options): string[] {
  if (observed === undefined || observed.length === 0) return []
  const rows = observed.map(({ name, predicted, observed: seen, line, agrees }) => [
    name,
    `predicted ${predicted ?? 'nothing'}`,
    `observed ${seen} (line ${String(line)})`,
    agrees === null ? '' : agrees ? 'agrees' : 'DISAGREES',
  ])
  return [paint('observed', 'heading'), ...columns(rows).map(row => `  ${row}`)]
}

function clauses(
  name: string,
  items: readonly { readonly clause: string; readonly what: string }[],
  { paint, width }: Options,
): string[] {
  return items.length === 0
    ? []
    : [
        paint(name, 'heading'),
        ...items.flatMap(({ clause, what }) => labelled(clause, what, { indent: 2, column: 7, width })),
      ]
}

function problemsOf(problems: readonly FileProblem[], { paint, width }: Options): string[] {
  if (problems.length === 0) return []
  return [
    paint('files', 'heading'),
    ...problems.flatMap(({ file, id, at, what }) =>
      labelled('', `${file}${at === null ? '' : ` at ${hex(at)}`}: ${what} (${id})`, {
        indent: 2,
        column: 0,
        width,
      }),
    ),
  ]
}

function alternativesOf({ alternatives }: Report, { paint }: Options): string[] {
  if (alternatives.length === 0) return []
  const rows = alternatives.map(run => [
    run.stub.id ?? 'no stub era',
    run.kernel.id ?? 'no kernel era',
    verdictLine(run),
  ])
  return [paint('other candidates', 'heading'), ...columns(rows).map(row => `  ${row}`)]
}
