/**
 * What `ukify inspect` prints, as text and as JSON: sizes and hashes, no addresses. Source: systemd@257
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

/** A JSON object of sections by name, each with its size; no rows for any other text. */
export function readUkifyJson(text: string): Table {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return tableOf([])
  }
  const sections = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return tableOf(
    sections.flatMap(([name, section]: [string, unknown]) => {
      const size: unknown =
        typeof section === 'object' && section !== null && 'size' in section ? section.size : undefined
      return name.startsWith('.') && typeof size === 'number' && Number.isSafeInteger(size) && size >= 0
        ? [{ ...NO_ROW, name, size }]
        : []
    }),
  )
}
