/** Several boots in one report: images and machines, a row for each pair, the worst one first. */
import { columns, count, labelled, plain, printable, wrap, type TextOptions, type Tone } from './layout.ts'
import { formatReport } from './text.ts'
import { foundText } from './sentences.ts'
import { verdictReason } from './verdict.ts'
import type { Report, Verdict } from './model.ts'

/** The result of a pair. unreadable: the file or the machine's map cannot be used. */
export type SurveyVerdict = Verdict | 'unreadable'

/** From the best to the worst: a file that could not be read is worse than an unknown outcome. */
const RANK: readonly SurveyVerdict[] = ['clean', 'unknown', 'unreadable', 'refused', 'damage']

/** One image on one machine. */
export interface SurveyRow {
  /** Empty: a machine that cannot be used with any file. */
  readonly file: string
  /** As the options name it, `512MiB ovmf-2022.11-q35-4M`. Empty: a file that no machine can use. */
  readonly machine: string
  readonly verdict: SurveyVerdict
  /** The reason in one sentence, without the verdict. */
  readonly why: string
  /** How many findings and gaps there are, in words. */
  readonly found: string
  /** Null if there is none, or if it will not be printed. */
  readonly report: Report | null
}

/** The images and machines of a survey, and their results. */
export interface Survey {
  /** Of stubsim. */
  readonly version: string
  readonly files: readonly string[]
  readonly machines: readonly string[]
  /** Nobody named a machine: these are the usual ones. */
  readonly usualMachines: boolean
  /** Files in folders that are not PE. */
  readonly skipped: readonly string[]
  /** The worst first. */
  readonly rows: readonly SurveyRow[]
}

/** A row of a report. `keep`: with the report itself. */
export function surveyRow(file: string, machine: string, report: Report, keep: boolean): SurveyRow {
  return {
    file,
    machine,
    verdict: report.verdict,
    why: verdictReason(report),
    found: foundText(report),
    report: keep ? report : null,
  }
}

/** The reason, and the findings in parentheses. */
function reasonOf({ why, found }: SurveyRow): string {
  return found === '' ? why : `${why} (${found})`
}

/** The rows, the worst first; rows with the same reason are adjacent. */
export function worstFirst(rows: readonly SurveyRow[]): SurveyRow[] {
  const reasons = new Map<string, number>()
  for (const why of rows.map(reasonOf)) if (!reasons.has(why)) reasons.set(why, reasons.size)
  const place = (row: SurveyRow): number => reasons.get(reasonOf(row)) ?? 0
  return [...rows].sort((a, b) => RANK.indexOf(b.verdict) - RANK.indexOf(a.verdict) || place(a) - place(b))
}

/** The number of rows per verdict, the worst first, including verdicts without a row. */
export function verdictCounts(rows: readonly SurveyRow[]): (readonly [SurveyVerdict, number])[] {
  return RANK.toReversed().map(verdict => [verdict, rows.filter(row => row.verdict === verdict).length])
}

/** `old.efi on 512MiB ovmf`. */
export function pairName({ file, machine }: SurveyRow): string {
  if (file === '') return machine
  return machine === '' ? file : `${file} on ${machine}`
}

/** The worst verdict in one sentence; unless all boots share its reason, it names the first that has it. */
export function surveySentence({ rows }: Survey): string {
  const [worst] = rows
  if (worst === undefined) return 'unreadable: there is no file to check'
  const where = rows.every(({ why }) => why === worst.why) ? '' : ` (${pairName(worst)})`
  return `${worst.verdict}: ${worst.why}${where}`
}

/** A remark that the machines are the usual ones; empty if the caller named any. */
export function usualText({ machines, usualMachines }: Survey): string {
  return usualMachines
    ? `none was named, so the ${String(machines.length)} usual ones: 3 sizes of RAM, 3 firmwares`
    : ''
}

/** The folder that contains all of several files, with its slash; empty if there is none. */
function commonFolder(files: readonly string[]): string {
  const [first = ''] = files
  const folder = first.slice(0, first.lastIndexOf('/') + 1)
  return files.length > 1 && files.every(file => file.slice(0, file.lastIndexOf('/') + 1) === folder)
    ? folder
    : ''
}

/** Most names in a line. */
const NAMES_MAX = 8

function names(all: readonly string[]): string {
  const more = all.length > NAMES_MAX ? ` and ${String(all.length - NAMES_MAX)} more` : ''
  return `${all.slice(0, NAMES_MAX).join(', ')}${more}`
}

function headOf(survey: Survey, folder: string, width: number): string[] {
  const { files, machines, skipped, rows } = survey
  const line = (label: string, text: string): string[] =>
    labelled(label, text, { indent: 0, column: 9, width })
  const found = verdictCounts(rows).flatMap(([verdict, n]) => (n === 0 ? [] : [`${String(n)} ${verdict}`]))
  const usual = usualText(survey)
  return [
    ...line(
      'boots',
      `${found.join(', ')}; ${count(files.length, 'file', 'files')} on ` +
        count(machines.length, 'machine', 'machines'),
    ),
    ...(usual === '' ? [] : line('machines', usual)),
    ...(folder === '' ? [] : line('folder', folder)),
    ...(skipped.length === 0
      ? []
      : line(
          'left out',
          `${count(skipped.length, 'file that is', 'files that are')} not PE: ` +
            names(skipped.map(path => path.slice(path.lastIndexOf('/') + 1))),
        )),
  ]
}

const toneOf = (verdict: SurveyVerdict): Tone => (verdict === 'unreadable' ? 'unknown' : verdict)

/** The rows of the table after its head: in columns, or on several lines each if columns are too wide. */
function cellLines(rows: readonly SurveyRow[], folder: string, width: number, column: number): string[] {
  const cells = rows.map(({ verdict, file, machine }) => [
    verdict.padEnd(column),
    file === '' ? 'every file' : file.slice(folder.length),
    machine === '' ? 'every machine' : machine,
  ])
  const wide = columns([['verdict'.padEnd(column), 'file', 'machine'], ...cells])
  if (wide.every(line => line.length <= width)) return wide
  const margin = ' '.repeat(column)
  return [
    `${'verdict'.padEnd(column)}  file and machine`,
    ...cells.map(
      ([verdict = '', file = '', machine = '']) =>
        verdict +
        [file, machine]
          .flatMap(text => wrap(printable(text), width - column - 2))
          .map((line, i) => `${i === 0 ? '' : `\n${margin}`}  ${line}`)
          .join(''),
    ),
  ]
}

function tableOf({ rows }: Survey, folder: string, { paint, width }: Required<TextOptions>): string[] {
  const column = Math.max(...rows.map(({ verdict }) => verdict.length), 'verdict'.length)
  const [head = '', ...lines] = cellLines(rows, folder, width, column)
  const headline = rows.every(row => reasonOf(row) === rows[0]?.why)
  return [
    paint(head, 'heading'),
    ...rows.flatMap((row, i) => {
      const line = lines[i] ?? ''
      const { verdict } = row
      const why = reasonOf(row)
      const next = rows[i + 1]
      const said = headline || (next?.verdict === verdict && reasonOf(next) === why)
      return [
        paint(verdict, toneOf(verdict)) + line.slice(verdict.length),
        ...(said ? [] : labelled('', why, { indent: column + 2, column: 0, width })),
      ]
    }),
  ]
}

/**
 * The rows whose reports are printed: with details all, otherwise the worst of a single file unless clean.
 */
function printedReports({ rows, files }: Survey, details: boolean): readonly SurveyRow[] {
  if (details) return rows
  return files.length === 1 ? rows.slice(0, 1).filter(({ verdict }) => verdict !== 'clean') : []
}

/**
 * Text for people: the worst verdict in a sentence, how many boots have which, then a row for each, the worst
 * first, with the reason below those that share it. With `details` every report follows; without, of a single
 * file the worst, where it is not clean.
 */
export function formatSurvey(
  survey: Survey,
  { details = false, ...options }: TextOptions & { readonly details?: boolean } = {},
): string {
  const all = { paint: options.paint ?? plain, width: options.width ?? 80 }
  const folder = commonFolder(survey.files)
  const verdict = survey.rows[0]?.verdict ?? 'unreadable'
  const [first = '', ...rest] = wrap(printable(surveySentence(survey)), all.width)
  const blocks = [
    [
      all.paint(verdict, toneOf(verdict)) + first.slice(verdict.length),
      ...rest,
      ...headOf(survey, folder, all.width),
    ],
    tableOf(survey, folder, all),
    ...printedReports(survey, details).flatMap(row =>
      row.report === null
        ? []
        : [
            wrap(printable(`== ${pairName(row)}`), all.width).map(line => all.paint(line, 'heading')),
            [formatReport(row.report, { ...all, details }).trimEnd()],
          ],
    ),
  ]
  return `${blocks.map(lines => lines.join('\n')).join('\n\n')}\n`
}
