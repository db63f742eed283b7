/**
 * Our own JSON form of a memory map: {"schema": 1, "map": [{"type", "start", "end" or "pages",
 * "attribute"}]}. `end` is exclusive.
 */
import { parseJson } from '../bytes/plain-data.ts'
import { PAGE } from '../bytes/units.ts'
import { ATTRIBUTE_UNSAID, odd, type MemmapRow } from './memmap/model.ts'
import { memoryTypeOf } from './memory-type-names.ts'
import type { Problem } from './problem.ts'

/** An integer, or text: `0x` and digits, or decimal digits. */
function wide(value: unknown): bigint | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : null
  return typeof value === 'string' && /^(?:0x[0-9a-fA-F]{1,16}|\d{1,20})$/.test(value) ? BigInt(value) : null
}

function typeOf(value: unknown): number | null {
  const number = wide(value)
  if (number !== null) return number < 2n ** 32n ? Number(number) : null
  return typeof value === 'string' ? memoryTypeOf(value) : null
}

function rowOf(entry: unknown): MemmapRow | null {
  if (typeof entry !== 'object' || entry === null) return null
  const fields = entry as Readonly<Record<string, unknown>>
  const type = typeOf(fields['type'])
  const start = wide(fields['start'])
  const attribute = fields['attribute'] === undefined ? ATTRIBUTE_UNSAID : wide(fields['attribute'])
  const pages = fields['pages'] === undefined ? undefined : wide(fields['pages'])
  const end =
    fields['end'] === undefined && start !== null && typeof pages === 'bigint'
      ? start + pages * BigInt(PAGE)
      : wide(fields['end'])
  if (type === null || start === null || end === null || attribute === null || pages === null) return null
  return { type, start, end, attribute, ...(pages === undefined ? {} : { pages }) }
}

/** The rows; unreadable ones are problems. Never throws. */
export function readMemmapJson(text: string): {
  readonly rows: readonly MemmapRow[]
  readonly problems: readonly Problem[]
} {
  const parsed = parseJson(text)
  if ('why' in parsed)
    return {
      rows: [],
      problems: [
        parsed.isJson
          ? odd('too-much', `the JSON is not taken: ${parsed.why}`)
          : odd('not-json', `the text begins like JSON but is not: ${parsed.why}`),
      ],
    }
  const { schema, map } = parsed.value as { readonly schema?: unknown; readonly map?: unknown }
  if (schema !== 1)
    return {
      rows: [],
      problems: [
        odd(
          'unknown-schema',
          `schema is ${schema === undefined ? 'absent' : JSON.stringify(schema).slice(0, 80)}, not 1`,
        ),
      ],
    }
  if (!Array.isArray(map)) return { rows: [], problems: [odd('unreadable-line', 'map is not a list')] }
  const rows: MemmapRow[] = []
  const problems: Problem[] = []
  map.forEach((entry: unknown, i) => {
    const row = rowOf(entry)
    if (row === null)
      problems.push(
        odd('unreadable-line', `map[${String(i)}] is not an entry: ${JSON.stringify(entry).slice(0, 80)}`),
      )
    else rows.push(row)
  })
  return { rows, problems }
}
