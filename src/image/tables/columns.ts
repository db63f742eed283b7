/**
 * Tables with a header row that names their columns, in any order: boxes, Markdown, CSV, viewers of PE files.
 */
import { hexValue } from '../memmap/model.ts'
import { NO_ROW, type Table, type TableRow } from './model.ts'

type Column = 'name' | 'size' | 'rva' | 'vma' | 'SizeOfRawData' | 'PointerToRawData' | 'Characteristics'

/** Column titles, letters only, in lower case. */
const COLUMNS: Readonly<Record<string, Column>> = {
  name: 'name',
  section: 'name',
  sectionname: 'name',
  virtualsize: 'size',
  virtsize: 'size',
  vsize: 'size',
  vsz: 'size',
  virtualaddr: 'rva',
  virtualaddress: 'rva',
  virtaddr: 'rva',
  rva: 'rva',
  voffset: 'rva',
  vma: 'vma',
  vaddr: 'vma',
  rawsize: 'SizeOfRawData',
  sizeofrawdata: 'SizeOfRawData',
  rsize: 'SizeOfRawData',
  psize: 'SizeOfRawData',
  rawaddr: 'PointerToRawData',
  rawaddress: 'PointerToRawData',
  rawoffset: 'PointerToRawData',
  pointertorawdata: 'PointerToRawData',
  paddr: 'PointerToRawData',
  fileoff: 'PointerToRawData',
  fileoffset: 'PointerToRawData',
  offset: 'PointerToRawData',
  characteristics: 'Characteristics',
  flags: 'Characteristics',
}

const LINE_MAX = 1000
const cellsOf = (line: string): string[] =>
  line
    .slice(0, LINE_MAX)
    .split(/\s{0,40}[|\u2502\u2503;\t,]\s{0,40}|\s{2,40}/)
    .map(cell => cell.trim().replace(/^["'`]|["'`]$/g, ''))
    .filter(cell => cell !== '' && cell !== '>')

/** The column of each cell; null if the line is not the header of a section table. */
function headOf(line: string): (Column | null)[] | null {
  const columns = cellsOf(line).map(cell => COLUMNS[cell.replace(/[^A-Za-z]/g, '').toLowerCase()] ?? null)
  const known = new Set(columns)
  const placed = known.has('rva') || known.has('vma')
  return known.has('name') && placed && (known.has('size') || known.has('SizeOfRawData')) ? columns : null
}

/** Hexadecimal, with or without 0x or h. */
function numberOf(cell: string): bigint | null {
  const digits = /^(?:0x)?([0-9a-f]{1,16})h?$/i.exec(cell)?.[1]
  return digits === undefined ? null : hexValue(digits)
}

function rowOf(cells: readonly string[], columns: readonly (Column | null)[]): TableRow | null {
  const row: { -readonly [K in keyof TableRow]: TableRow[K] } = { ...NO_ROW }
  for (const [i, column] of columns.entries()) {
    const cell = cells[i] ?? ''
    if (column === 'name') row.name = cell
    if (column === null || column === 'name') continue
    const value = numberOf(cell)
    if (value === null) continue
    if (column === 'rva' || column === 'vma') {
      row.address = value
      row.counted = column
    } else row[column] = Number(value)
  }
  return /^[./][\w$.-]{1,63}$/.test(row.name) && row.address !== null ? row : null
}

/** The first table in such a form; no rows if there is none. */
export function readColumns(lines: readonly string[]): Table {
  const rows: TableRow[] = []
  let columns: (Column | null)[] | null = null
  for (const line of lines) {
    if (columns === null) {
      columns = headOf(line)
      continue
    }
    const cells = cellsOf(line)
    const row =
      cells.length < columns.length ? null : rowOf(cells.slice(cells.length - columns.length), columns)
    if (row !== null) rows.push(row)
  }
  return { form: 'a table with a head', fileName: null, rows, headers: new Map(), problems: [] }
}
