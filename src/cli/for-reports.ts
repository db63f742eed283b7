/** What `check` needs for one boot and for many: exit codes, links, paths. */
import { isAbsolute, relative } from 'node:path'
import type { Report } from '../report/model.ts'

const EXIT = { clean: 0, damage: 1, refused: 1, unknown: 3 } as const
const EXIT_BREACH = 1

/** The exit code of a report. `strict`: a broken contract in any run counts like damage. */
export function exitCode(report: Report, strict: boolean): number {
  const broken = [report, ...report.alternatives].some(run =>
    run.findings.some(finding => finding.class === 'breach'),
  )
  return strict && broken ? EXIT_BREACH : EXIT[report.verdict]
}

/** The upstream sources of clauses. */
export async function upstreamLinks(): Promise<(clause: string) => readonly string[]> {
  return (await import('./clause-index.ts')).upstreamLinks()
}

/** A path from the folder in which the program runs, where that is above the file. */
export function fromHere(path: string): string {
  const near = relative('', path)
  return isAbsolute(path) && !near.startsWith('..') ? near : path
}
