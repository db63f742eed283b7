/** A survey for machines and services: JSON, Markdown, JUnit. */
import { junitOf } from './junit.ts'
import { reportToJson } from './json.ts'
import { linksIn, type ClauseLinks } from './links.ts'
import { folded, plainly, reportToMarkdown } from './markdown.ts'
import { pairName, surveySentence, usualText, verdictCounts, type Survey } from './survey.ts'

/** Plain data, ready for JSON.stringify, valid against report.schema.json. `links`: as for a report. */
export function surveyToJson(survey: Survey, links?: ClauseLinks): Record<string, unknown> {
  const { version, files, machines, usualMachines, skipped, rows } = survey
  const reports = rows.flatMap(({ report }) => (report === null ? [] : [reportToJson(report)]))
  let next = 0
  const json = {
    schema: 1,
    version,
    summary: {
      verdict: rows[0]?.verdict ?? 'unreadable',
      sentence: surveySentence(survey),
      counts: Object.fromEntries(verdictCounts(rows)),
      files,
      machines,
      usualMachines,
      skipped,
      rows: rows.map(({ file, machine, verdict, why, found, report }) => ({
        file: file === '' ? null : file,
        machine: machine === '' ? null : machine,
        verdict,
        why,
        found,
        report: report === null ? null : next++,
      })),
    },
    reports,
  }
  return links === undefined ? json : { ...json, links: linksIn(reports, links) }
}

/** GitHub-flavoured Markdown: the table, then every report that is not clean, folded. */
export function surveyToMarkdown(survey: Survey): string {
  const { rows } = survey
  const usual = usualText(survey)
  const lines = [
    `## ${plainly(surveySentence(survey))}`,
    '',
    ...(usual === '' ? [] : [`${usual}: ${survey.machines.map(plainly).join(', ')}`, '']),
    '| verdict | file | machine | why |',
    '|---|---|---|---|',
    ...rows.map(({ verdict, file, machine, why }) => {
      const cells = [
        verdict,
        file === '' ? 'every file' : file,
        machine === '' ? 'every machine' : machine,
        why,
      ]
      return `| ${cells.map(plainly).join(' | ')} |`
    }),
    '',
    ...rows.flatMap(row =>
      row.report === null || row.verdict === 'clean'
        ? []
        : folded(plainly(pairName(row)), reportToMarkdown(row.report).trimEnd().split('\n')),
    ),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

/** JUnit XML: a suite per row, a test case per candidate; what cannot be read is an error. */
export function surveyToJunit({ rows }: Survey, strict = false): string {
  return junitOf(
    rows.map(row => row.report ?? { name: pairName(row), why: row.why }),
    strict,
  )
}
