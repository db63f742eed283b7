/** The report as GitHub-flavoured Markdown: for merge requests, issues and job summaries. */
import { formatSize } from '../bytes/range.ts'
import { columns, printable } from './layout.ts'
import { builderText, factRows, outcomeText, verdictText } from './sentences.ts'
import type { EraRef, Finding, Report } from './model.ts'

/** Text of a file or a guest as one line of Markdown that stands for itself. */
export function plainly(text: string): string {
  return printable(text).replaceAll(/[\\`*_[\]<>|#]/g, char => `\\${char}`)
}

function code(text: string): string {
  return `\`${printable(text).replaceAll('`', "'").replaceAll('|', '\\|')}\``
}

function table(rows: readonly (readonly string[])[]): string[] {
  const [head = []] = rows
  return [
    `|${' |'.repeat(head.length)}`,
    `|${'---|'.repeat(head.length)}`,
    ...rows.map(row => `| ${row.join(' | ')} |`),
  ]
}

function eraText({ id, title, version }: EraRef): string {
  if (id === null && version === null) return `none: ${plainly(title)}`
  return (
    `${plainly(version ?? 'no version text')}: ` +
    `${id === null ? 'no era' : code(id)}${title === '' ? '' : `, ${plainly(title)}`}`
  )
}

function findingLines({ class: kind, rule, object, clause, what, why, fix, legs }: Finding): string[] {
  const rows = legs.map(leg => [
    leg.role,
    leg.event === null ? '' : `#${String(leg.event)}`,
    leg.actor ?? '',
    leg.clause ?? '',
    plainly(leg.what),
  ])
  return [
    `### ${kind}: ${code(rule)}${object === null ? '' : ` of ${code(object)}`} (${clause})`,
    '',
    plainly(what),
    ...(rows.length === 0 ? [] : ['', ...table(rows)]),
    '',
    `- **why** ${plainly(why)}`,
    `- **do** ${plainly(fix)}`,
    '',
  ]
}

/** Lines behind a title that opens them; none without lines. */
export function folded(title: string, lines: readonly string[]): string[] {
  return lines.length === 0
    ? []
    : ['<details>', `<summary>${title}</summary>`, '', ...lines, '', '</details>', '']
}

/** The whole report; facts and assumptions are folded. Ends in a newline. */
export function reportToMarkdown(report: Report): string {
  const {
    image,
    machine,
    builder,
    stub,
    kernel,
    advice,
    findings,
    assumptions,
    gaps,
    problems,
    alternatives,
  } = report
  const lines = [
    `## ${verdictText(report)}`,
    '',
    ...table([
      ['image', `${code(image.name)}, ${formatSize(image.size)}`],
      ['machine', plainly(machine.what)],
      ['stub', eraText(stub)],
      ['kernel', eraText(kernel)],
      ...(builder === null ? [] : [['built by', plainly(builderText(builder))]]),
      ['outcome', plainly(outcomeText(report.outcome))],
    ]),
    '',
    ...[...findings, ...advice].flatMap(findingLines),
    ...(gaps.length === 0
      ? []
      : [
          '### Where the model ends',
          '',
          ...gaps.map(({ clause, why }) => `- ${clause}: ${plainly(why)}`),
          '',
        ]),
    ...(problems.length === 0
      ? []
      : [
          '### Problems of the input files',
          '',
          ...problems.map(({ file, what, id }) => `- ${code(file)}: ${plainly(what)} (${id})`),
          '',
        ]),
    ...(alternatives.length === 0
      ? []
      : [
          '### Other candidates',
          '',
          ...alternatives.map(
            run =>
              `- ${code(run.stub.id ?? 'no stub era')}, ${code(run.kernel.id ?? 'no kernel era')}: ` +
              verdictText(run),
          ),
          '',
        ]),
    ...folded('facts', ['```text', ...columns(factRows(report.facts)), '```']),
    ...folded(
      'assumed',
      assumptions.map(({ clause, what }) => `- ${clause}: ${plainly(what)}`),
    ),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}
