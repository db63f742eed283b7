/** The report for people: every finding with its legs, its place in memory, why and what to do; then what the run was and took for granted. */
import { formatRange, formatSize, hex } from '../bytes/range.ts'
import { columns, count, labelled, plain, printable, type TextOptions } from './layout.ts'
import { mapAround } from './map.ts'
import type { EraRef, FileProblem, Finding, MapMoment, Report, RunReport } from './model.ts'

type Options = Required<TextOptions>

/** Plain, deterministic text that ends in a newline. The verdict stands last. */
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
    clauses('gaps', report.gaps.map(({ clause, why }) => ({ clause, what: why })), all),
    problemsOf(report.problems, all),
    alternativesOf(report, all),
    [verdictLine(report, all)],
  ]
  return `${blocks.filter(lines => lines.length > 0).map(lines => lines.join('\n')).join('\n\n')}\n`
}

/** One line: the verdict and what it rests on. */
export function verdictLine(report: RunReport & { readonly advice?: readonly Finding[] }, { paint = plain }: TextOptions = {}): string {
  const number = (kind: Finding['class']): number => report.findings.filter(finding => finding.class === kind).length
  const parts = [
    ...(number('damage') > 0 ? [`${String(number('damage'))} damage`] : []),
    ...(number('breach') > 0 ? [count(number('breach'), 'breach', 'breaches')] : []),
    ...((report.advice ?? []).length > 0 ? [`${String(report.advice?.length)} advice`] : []),
    ...(report.gaps.length > 0 ? [count(report.gaps.length, 'gap of the model', 'gaps of the model')] : []),
    ...(report.assumptions.length > 0 ? [count(report.assumptions.length, 'assumption', 'assumptions')] : []),
  ]
  return `verdict  ${paint(report.verdict, report.verdict)}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`
}

function headOf(report: Report, { width, paint }: Options): string[] {
  const line = (label: string, text: string): string[] => labelled(label, text, { indent: 0, column: 9, width })
  return [
    paint(`${printable(report.image.name)}  ${formatSize(report.image.size)} (${String(report.image.size)} bytes)`, 'heading'),
    ...line('machine', `${report.machine.what}, ${formatSize(report.machine.ramBytes)} RAM`),
    ...line('stub', eraText(report.stub)),
    ...line('kernel', eraText(report.kernel)),
  ]
}

const CERTAINTY: Readonly<Record<EraRef['certainty'], string>> = { certain: 'certain', several: 'one of several candidates', given: 'as given', none: 'outside the tables' }

function eraText({ id, title, version, evidence, certainty }: EraRef): string {
  return `${version ?? 'version unknown'}: ${id === null ? 'no era' : `${id}, ${title}`} (${[CERTAINTY[certainty], ...evidence].join('; ')})`
}

/** One finding: the sentence, its legs, its place in memory, why and what to do. */
export function formatFinding(finding: Finding, moments: readonly MapMoment[] = [], options: TextOptions = {}): string {
  return `${findingOf(finding, moments, { paint: options.paint ?? plain, width: options.width ?? 120 }).join('\n')}\n`
}

function findingOf(finding: Finding, moments: readonly MapMoment[], { paint, width }: Options): string[] {
  const label = (name: string, text: string): string[] => labelled(name, text, { indent: 2, column: 6, width })
  const subject = finding.object === null ? finding.rule : `${finding.rule}: ${finding.object}`
  const head = printable(`${finding.class}  ${subject}`)
  const map = mapAround(finding, moments).map(line => `  ${line.startsWith('>') ? paint(line, 'mark') : line}`)
  return [
    `${paint(head, finding.class)}${' '.repeat(Math.max(2, width - head.length - finding.clause.length))}${paint(finding.clause, 'faint')}`,
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
  return columns(legs.map(leg => [leg.role, leg.event === null ? '' : `#${String(leg.event)}`, leg.actor ?? '', leg.clause ?? '', leg.what])).map(line => `  ${line}`)
}

const PRINTS = 'it prints: '

/** What a stage prints, line by line. */
function printed(message: string | null, width: number): string[] {
  if (message === null) return labelled('', 'it prints nothing', { indent: 0, column: 9, width })
  return message.split('\n').flatMap((text, i) => labelled(i === 0 ? PRINTS : '', text, { indent: 9, column: PRINTS.length, width }))
}

function outcomeOf(report: RunReport, { width }: Options): string[] {
  const { outcome } = report
  const line = (label: string, text: string): string[] => labelled(label, text, { indent: 0, column: 9, width })
  switch (outcome.kind) {
    case 'arrived':
      return line('outcome', `the extracted kernel starts at ${hex(outcome.at.entry)} with its boot_params at ${hex(outcome.at.bootParams)}`)
    case 'refused': {
      const { by, status, clause, why, message } = outcome.refusal
      return [...line('outcome', `refused by ${by} with ${status} (${clause}): ${why}`), ...printed(message, width)]
    }
    case 'undefined':
      return line('outcome', `undefined since event #${String(outcome.since)}: ${outcome.why}`)
    case 'unknown':
      return line('outcome', `unknown: the model ends here (${outcome.gap.clause}): ${outcome.gap.why}`)
  }
}

function factsLines({ facts }: RunReport, { paint }: Options): string[] {
  const rows: string[][] = []
  const address = (name: string, value: number | undefined): void => {
    if (value !== undefined) rows.push([name, hex(value)])
  }
  address('imageBase', facts.imageBase)
  if (facts.handOff !== undefined) rows.push(['handOff', `${facts.handOff.door}, kernel image ${hex(facts.handOff.kernelImage)}, entry ${hex(facts.handOff.entry)}`])
  address('bootParams', facts.bootParams)
  address('cmdLinePtr', facts.cmdLinePtr)
  if (facts.commandLine !== undefined) rows.push(['commandLine', facts.commandLine])
  address('ramdiskImageFromStub', facts.ramdiskImageFromStub)
  address('ramdiskImage', facts.ramdiskImage)
  address('ramdiskSize', facts.ramdiskSize)
  address('compressedImage', facts.compressedImage)
  address('decompressedKernel', facts.decompressedKernel)
  if (facts.payload !== undefined) rows.push(['payload', payloadText(facts.payload)])
  if (facts.initrdDamage !== undefined) rows.push(['initrdDamage', facts.initrdDamage.length === 0 ? 'none' : facts.initrdDamage.map(({ from, to }) => `${hex(from)}-${hex(to)}`).join(', ')])
  for (const { name, address: at, size, intact } of facts.sections ?? []) rows.push([`section ${name}`, `${formatRange({ start: at, end: (at + size) as typeof at })}${intact ? '' : ', not intact'}`])
  return rows.length === 0 ? [] : [paint('facts', 'heading'), ...columns(rows).map(row => `  ${row}`)]
}

function payloadText({ format, consumed, produced, margin }: NonNullable<RunReport['facts']['payload']>): string {
  const room = margin === undefined ? '' : margin < 0 ? `, extracted in place: overtakes its input by ${hex(-margin)}` : `, extracted in place with ${hex(margin)} to spare`
  return `${format}, ${String(consumed)} bytes decoded to ${String(produced)}${room}`
}

/** Every observed fact beside the prediction. */
function observedLines({ observed }: RunReport, { paint }: Options): string[] {
  if (observed === undefined || observed.length === 0) return []
  const rows = observed.map(({ name, predicted, observed: seen, line, agrees }) => [name, `predicted ${predicted ?? 'nothing'}`, `observed ${seen} (line ${String(line)})`, agrees === null ? '' : agrees ? 'agrees' : 'DISAGREES'])
  return [paint('observed', 'heading'), ...columns(rows).map(row => `  ${row}`)]
}

function clauses(name: string, items: readonly { readonly clause: string; readonly what: string }[], { paint, width }: Options): string[] {
  return items.length === 0 ? [] : [paint(name, 'heading'), ...items.flatMap(({ clause, what }) => labelled(clause, what, { indent: 2, column: 7, width }))]
}

function problemsOf(problems: readonly FileProblem[], { paint, width }: Options): string[] {
  if (problems.length === 0) return []
  return [paint('files', 'heading'), ...problems.flatMap(({ file, id, at, what }) => labelled('', `${file}${at === null ? '' : ` at ${hex(at)}`}: ${what} (${id})`, { indent: 2, column: 0, width }))]
}

function alternativesOf({ alternatives }: Report, { paint }: Options): string[] {
  if (alternatives.length === 0) return []
  const rows = alternatives.map(run => [run.stub.id ?? 'no stub era', run.kernel.id ?? 'no kernel era', verdictLine(run)])
  return [paint('other candidates', 'heading'), ...columns(rows).map(row => `  ${row}`)]
}
