/**
 * What `ukify inspect` prints as text: sizes and hashes, no addresses. Source: systemd@257
 * src/ukify/ukify.py inspect_section.
 */
import { NO_ROW, type Table, type TableRow } from './model.ts'

const HEAD = /(?<![\w./-])(\.[a-z][a-z0-9]{0,15}):(?![\w/]| {0,40}[\w./-])/
const SIZE = /(?<![\w.])size: (\d{1,12}) bytes(?!\w)/

const tableOf = (rows: readonly TableRow[]): Table => ({
  form: 'ukify inspect',
  fileName: null,
  rows,
  headers: new Map(),
  problems: [],
})

export function readUkifyText(lines: readonly string[]): Table {
  const rows: TableRow[] = []
  let name: string | null = null
  for (const line of lines) {
    const text = line.slice(0, 200)
    name = HEAD.exec(text)?.[1] ?? name
    const size = SIZE.exec(text)?.[1]
    if (name === null || size === undefined) continue
    rows.push({ ...NO_ROW, name, size: Number(size) })
    name = null
  }
  return tableOf(rows)
}
