/**
 * The report as text: every finding with its legs, its place in memory, reason and fix; then the run's facts
 * and assumptions.
 */
import { formatSize, hex } from '../bytes/range.ts'
import { columns, count, labelled, plain, printable, wrap, type TextOptions } from './layout.ts'
import { mapAround } from './map.ts'
import { builderText, factRows, foundText, outcomeText, restsOn } from './sentences.ts'
import { verdictSentence } from './verdict.ts'
import type { BuilderRef, EraRef, FileProblem, Finding, MapSnapshot, Report, RunReport } from './model.ts'

type Options = Required<TextOptions>

/** Options of the report as text. */
export interface ReportTextOptions extends TextOptions {
  /** Evidence, facts and assumptions, too. Default: only how many there are. */
  readonly details?: boolean
}

/**
 * Plain, deterministic text that ends in a newline: the verdict in a sentence, findings, gaps, then what was
 * booted, how it ended, and, with `details`, the facts and assumptions.
 */
export function formatReport(report: Report, options: ReportTextOptions = {}): string {
  const all: Options = { paint: options.paint ?? plain, width: options.width ?? 80 }
  const details = options.details ?? false
  const blocks = [
    verdictOf(report, all),
    clauses(
      'gaps',
      report.gaps.map(({ clause, why }) => ({ clause, what: why })),
      all,
    ),
    ...report.findings.map(finding => findingOf(finding, report.snapshots, all)),
    ...report.advice.map(finding => findingOf(finding, [], all)),
    [...headOf(report, details, all), ...outcomeOf(report, all)],
    observedLines(report, all),
    problemsOf(report.problems, all),
    alternativesOf(report, all),
    ...(details
      ? [factsLines(report, all), clauses('assumed', report.assumptions, all)]
      : [omitted(report, all)]),
  ]
  return `${blocks
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n')}\n`
}

/** The verdict in a sentence, and what was found. */
function verdictOf(report: Report, { width, paint }: Options): string[] {
  const { verdict } = report
  const [first = '', ...rest] = wrap(printable(verdictSentence(report)), width)
  const found = foundText(report)
  return [
    paint(verdict, verdict) + first.slice(verdict.length),
    ...rest,
    ...(found === '' ? [] : labelled('found', found, { indent: 0, column: 9, width })),
  ]
}

/** How much is not shown. */
function omitted(report: Report, { width }: Options): string[] {
  const parts = [
    count(factRows(report.facts).length, 'fact', 'facts'),
    count(report.assumptions.length, 'assumption', 'assumptions'),
  ]
  return labelled('more', `${parts.join(', ')}: --details prints them`, { indent: 0, column: 9, width })
}

/** One line: the verdict and its grounds. */
export function verdictLine(
  report: RunReport & { readonly advice?: readonly Finding[] },
  { paint = plain }: TextOptions = {},
): string {
  const rests = restsOn(report)
  return `verdict  ${paint(report.verdict, report.verdict)}${rests === '' ? '' : `: ${rests}`}`
}

function headOf(report: Report, details: boolean, { width }: Options): string[] {
  const line = (label: string, text: string): string[] =>
    labelled(label, text, { indent: 0, column: 9, width })
  return [
    ...line(
      'image',
      `${report.image.name}, ${formatSize(report.image.size)} (${String(report.image.size)} bytes)`,
    ),
    ...line('machine', `${report.machine.what}, ${formatSize(report.machine.ramBytes)} RAM`),
    ...line('stub', eraText(report.stub, details)),
    ...line('kernel', eraText(report.kernel, details)),
    ...(report.builder === null ? [] : line('built by', builtBy(report.builder, details))),
  ]
}

/** Of several tools with one layout the first stands for all, unless details are wanted. */
function builtBy(builder: BuilderRef, details: boolean): string {
  const [first, ...others] = builder.candidates
  return details || first === undefined || others.length === 0
    ? builderText(builder)
    : `${first.title}, or ${count(others.length, 'another tool', 'other tools').replace(/^1 /, '')} ` +
        'with the same layout'
}

const CERTAINTY: Readonly<Record<EraRef['certainty'], string>> = {
  certain: 'certain',
  several: 'one of several candidates',
  given: 'as given',
  none: 'not in the tables',
}

function eraText({ id, title, version, evidence, certainty }: EraRef, details: boolean): string {
  // Nothing was found: the title says why
  if (id === null && version === null) return `none: ${title}`
  const does = id === null ? CERTAINTY.none : `${title} (${id})`
  const how = certainty === 'none' ? [] : [CERTAINTY[certainty]]
  return `${version ?? 'no version text'}: ${[does, ...how, ...(details ? evidence : [])].join('; ')}`
}

/** One finding: the message, its legs, its place in memory, reason and fix. */
export function formatFinding(
  finding: Finding,
  snapshots: readonly MapSnapshot[] = [],
  options: TextOptions = {},
): string {
  const { paint = plain, width = 80 } = options
  return `${findingOf(finding, snapshots, { paint, width }).join('\n')}\n`
}

function findingOf(finding: Finding, snapshots: readonly MapSnapshot[], { paint, width }: Options): string[] {
  const label = (name: string, text: string): string[] =>
    labelled(name, text, { indent: 2, column: 6, width })
  const subject = finding.object === null ? finding.rule : `${finding.rule}: ${finding.object}`
  const head = printable(`${finding.class}  ${subject}`)
  const gap = ' '.repeat(Math.max(2, width - head.length - finding.clause.length))
  const map = mapAround(finding, snapshots, width - 2).map(
    line => `  ${line.startsWith('>') ? paint(line, 'mark') : line}`,
  )
  return [
    `${paint(head, finding.class)}${gap}${paint(finding.clause, 'faint')}`,
    ...labelled('', finding.what, { indent: 2, column: 0, width }),
    ...spaced(legTable(finding, width)),
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

function legTable({ legs }: Finding, width: number): string[] {
  const heads = columns(
    legs.map(leg => [
      leg.role,
      leg.event === null ? '' : `#${String(leg.event)}`,
      leg.actor ?? '',
      leg.clause ?? '',
    ]),
  )
  const column = Math.max(0, ...heads.map(head => head.length)) + 2
  return legs.flatMap((leg, i) => labelled(heads[i] ?? '', leg.what, { indent: 2, column, width }))
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

function agreementText(agrees: boolean | null): string {
  if (agrees === null) return ''
  return agrees ? 'agrees' : 'DISAGREES'
}

/** Every observed fact and its prediction. */
function observedLines({ observed }: RunReport, { paint, width }: Options): string[] {
  if (observed === undefined || observed.length === 0) return []
  const rows = observed.map(({ name, predicted, observed: seen, line, agrees }) => [
    name,
    `predicted ${predicted ?? 'nothing'}`,
    `observed ${seen} (line ${String(line)})`,
    agreementText(agrees),
  ])
  const lines = columns(rows).map(row => `  ${row}`)
  const column = Math.max(...observed.map(({ name }) => name.length)) + 2
  const fitting = lines.every(line => line.length <= width)
    ? lines
    : rows.flatMap(([name = '', ...cells]) =>
        labelled(name, cells.filter(cell => cell !== '').join('; '), { indent: 2, column, width }),
      )
  return [paint('observed', 'heading'), ...fitting]
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
