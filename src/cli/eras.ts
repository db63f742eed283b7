/**
 * `eras`: the two tables, row by row: releases, upstream's commits, and what each cell does under which
 * clause.
 */
import { UsageError } from '../bytes/errors.ts'
import { columns, labelled } from '../report/layout.ts'
import type { Call } from './command.ts'
import { eraTables, type EraRow } from './era-rows.ts'
import { printDiff } from './eras-diff.ts'

function rowLines({ id, title, spans, commits, seen, cells }: EraRow): string[] {
  const line = (label: string, text: string): string[] =>
    labelled(label, text, { indent: 2, column: 10, width: 120 })
  return [
    ...labelled(id, title, { indent: 0, column: 22, width: 120 }),
    ...line('releases', spans.map(({ from, to }) => `from ${from}, before ${to}`).join('; ')),
    ...line('commits', commits.join(', ') || 'none'),
    ...line('seen', seen.join(', ') || 'none'),
    ...columns(
      cells.map(({ slot, step, clauses, what }) => [slot, clauses.join(', '), step ?? '', what ?? '']),
    ).map(row => `  ${row}`),
  ]
}

/** The command. */
export function eras(call: Call): number {
  const from = call.text('diff')
  if (from !== undefined) {
    printDiff(call, from)
    return 0
  }
  if (call.operand !== null)
    throw new UsageError(`eras takes ${JSON.stringify(call.operand)} only as the second of --diff A B`)
  const tables = eraTables()
  if (call.text('format') === 'json') call.print(`${JSON.stringify({ schema: 1, ...tables }, null, 2)}\n`)
  else call.print(`${[...tables.stub, ...tables.kernel].map(row => rowLines(row).join('\n')).join('\n\n')}\n`)
  return 0
}
