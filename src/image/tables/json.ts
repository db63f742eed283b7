/**
 * Section tables as JSON: objects by name with sizes (`ukify inspect`), or lists of objects that have names
 * (`rabin2 -Sj`, LIEF, pefile), alone or somewhere in a text.
 */
import { NO_ROW, type Table, type TableRow } from './model.ts'

type Field = 'size' | 'SizeOfRawData' | 'PointerToRawData' | 'Characteristics' | 'rva' | 'vma'

/** Keys reduced to letters, in lower case. `size` is that of the file where there is another. */
const FIELDS: Readonly<Record<string, Field>> = {
  virtualsize: 'size',
  miscvirtualsize: 'size',
  vsize: 'size',
  virtualaddress: 'rva',
  rva: 'rva',
  vaddr: 'vma',
  sizeofrawdata: 'SizeOfRawData',
  rawsize: 'SizeOfRawData',
  size: 'SizeOfRawData',
  pointertorawdata: 'PointerToRawData',
  rawaddress: 'PointerToRawData',
  paddr: 'PointerToRawData',
  offset: 'PointerToRawData',
  characteristics: 'Characteristics',
}

const DEPTH_MAX = 6
const NAME = /^(?:\.[\w$.-]{1,62}|\/\d{1,7})$/

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

function numberOf(value: unknown): number | null {
  const number = typeof value === 'string' && /^0x[0-9a-f]{1,13}$/i.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null
}

function rowOf(name: string, fields: object): TableRow | null {
  const row: { -readonly [K in keyof TableRow]: TableRow[K] } = { ...NO_ROW, name }
  for (const [key, value] of Object.entries(fields) as [string, unknown][]) {
    const field = FIELDS[key.replace(/[^A-Za-z]/g, '').toLowerCase()]
    const number = numberOf(value)
    if (field === undefined || number === null) continue
    if (field === 'rva' || field === 'vma') {
      row.address = BigInt(number)
      row.counted = field
    } else row[field] = number
  }
  return row.address === null && row.size === null ? null : row
}

function rowsIn(value: unknown, depth: number): TableRow[] {
  if (!isObject(value) || depth > DEPTH_MAX) return []
  const own = Object.entries(value).flatMap(([name, section]: [string, unknown]) => {
    const size = isObject(section) && 'size' in section ? numberOf(section.size) : null
    return NAME.test(name) && size !== null ? [{ ...NO_ROW, name, size }] : []
  })
  if (own.length > 0) return own
  return Object.values(value).flatMap((one: unknown) => {
    if (!isObject(one)) return []
    const name: unknown = Object.entries(one).find(([key]) => /^name$/i.test(key))?.[1]
    const row = typeof name === 'string' && NAME.test(name) ? rowOf(name, one) : null
    return row === null ? rowsIn(one, depth + 1) : [row]
  })
}

/** From the first line that opens a value to the last one that closes it, without quotes of a mailer. */
function spanOf(lines: readonly string[]): string | null {
  const bare = lines.map(line => line.replace(/^[\s>|]{0,40}/, '').trimEnd())
  const first = bare.findIndex(line => /^(?:\{|\[)\s*(?:["{[]|$)/.test(line))
  const last = bare.findLastIndex(line => /(?:\}|\])$/.test(line))
  return first < 0 || last < first ? null : bare.slice(first, last + 1).join('\n')
}

/** Our own scenario files have sections with addresses, too: they describe an image that is not built yet. */
const isScenario = (value: unknown): boolean => isObject(value) && 'image' in value && 'machine' in value

/** The first table of such a form; no rows where there is none. */
export function readJson(lines: readonly string[]): Table {
  const text = spanOf(lines)
  let value: unknown = null
  try {
    value = text === null ? null : JSON.parse(text)
  } catch {
    value = null
  }
  const rows = isScenario(value) ? [] : rowsIn(value, 0)
  const isSized = rows.every(({ address }) => address === null)
  return {
    form: isSized ? 'ukify inspect' : 'JSON',
    fileName: null,
    rows,
    headers: new Map(),
    problems: [],
  }
}
