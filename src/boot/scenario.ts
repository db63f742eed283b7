/**
 * A scenario: image, machine and settings as plain data, so that a boot can be stored with its report and run
 * again.
 */
import * as v from 'valibot'
import { UsageError } from '../bytes/errors.ts'
import { parseJson, whyUnbounded } from '../bytes/plain-data.ts'
import { hex } from '../bytes/range.ts'
import { PAGE } from '../bytes/units.ts'
import { MEMORY_TYPE_NAMES } from '../image/memory-types.ts'
import type { StoredSettings } from '../machine/settings.ts'
import type { MapEntry } from './map-entries.ts'
import { quantity } from './quantity-schema.ts'
import { ukiSchema, type ScenarioUki } from './recipe.ts'
import { settingSchemas, text } from './setting-schemas.ts'

/** The machine: a file with a memory map, an inline map, or RAM and a recorded firmware profile. */
export type ScenarioMachine =
  | { readonly memmap: string }
  | { readonly map: readonly MapEntry[] }
  | { readonly ram: number | string; readonly firmware: string }

/** Image and machine, and the settings that differ from the defaults. */
export interface Scenario extends StoredSettings {
  readonly schema: 1
  readonly name?: string | undefined
  /** A file, or a unified kernel image built from measured parts. */
  readonly image: { readonly file: string } | { readonly uki: ScenarioUki }
  readonly machine: ScenarioMachine
}

const mapEntry = v.pipe(
  v.strictObject({
    type: v.union(
      [
        v.picklist(MEMORY_TYPE_NAMES),
        v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(0xffffffff)),
      ],
      'is neither a UEFI memory type such as EfiConventionalMemory nor its number',
    ),
    start: quantity,
    end: quantity,
    attribute: v.optional(
      v.pipe(v.string(), v.regex(/^0x[0-9a-f]{1,16}$/, 'is not a hexadecimal number such as 0xf')),
    ),
  }),
  v.check(
    entry => entry.start < entry.end,
    issue => `ends at ${hex(issue.input.end)}, which is not above its start ${hex(issue.input.start)}`,
  ),
  v.check(entry => entry.start % PAGE === 0 && entry.end % PAGE === 0, 'is not page-aligned at both ends'),
)

/** The schema of an inline memory map. */
export const mapSchema = v.pipe(v.array(mapEntry), v.minLength(1, 'is empty'))

const machine = v.union(
  [
    v.strictObject({ memmap: text }),
    v.strictObject({ map: mapSchema }),
    v.strictObject({ ram: quantity, firmware: text }),
  ],
  'is not one of { memmap }, { map } and { ram, firmware }',
)

/** The schema of a stored scenario; `scenario.schema.json` is made from it. */
export const scenarioSchema = v.strictObject({
  schema: v.literal(1, 'is not 1, the only schema that this release reads'),
  name: v.optional(text),
  image: v.union(
    [v.strictObject({ file: text }), v.strictObject({ uki: ukiSchema })],
    'is neither { file } nor { uki }',
  ),
  machine,
  ...settingSchemas,
})

interface Issue {
  readonly message: string
  readonly path?: readonly { readonly key: unknown }[] | undefined
  readonly issues?: readonly Issue[] | undefined
}

/** Messages for an unknown key and for a missing one. */
const KEY_WORDS: readonly (readonly [says: RegExp, means: string])[] = [
  [/^Invalid key: Expected never/, 'is not a known field'],
  [/^Invalid key: /, 'is missing'],
]
const keyWord = (issue: Issue): string | undefined =>
  KEY_WORDS.find(([says]) => says.test(issue.message))?.[1]

// Of the branches of a union, the one that got furthest reports the problem; if none matched, the union does.
function deepest(
  issue: Issue,
  before: readonly unknown[] = [],
): { readonly path: readonly unknown[]; readonly message: string } {
  const path = [...before, ...(issue.path ?? []).map(item => item.key)]
  const inner = (issue.issues ?? [])
    .filter(sub => !(keyWord(sub) !== undefined && sub.path?.length === 1))
    .map(sub => deepest(sub, path))
    .filter(sub => sub.path.length > path.length)
  return (
    inner.sort((a, b) => b.path.length - a.path.length)[0] ?? {
      path,
      message: keyWord(issue) ?? issue.message,
    }
  )
}

function pathText(path: readonly unknown[]): string {
  return (
    path
      .map((key, i) => (typeof key === 'number' ? `[${String(key)}]` : `${i === 0 ? '' : '.'}${String(key)}`))
      .join('') || 'the document'
  )
}

// YAML parses integers as bigint, so that none is rounded.
function withoutBigint(value: unknown, path: readonly unknown[], fileName: string): unknown {
  if (typeof value === 'bigint') {
    if (value < BigInt(Number.MIN_SAFE_INTEGER) || value > BigInt(Number.MAX_SAFE_INTEGER))
      throw new UsageError(`${fileName}: ${pathText(path)}: ${String(value)} is out of range`)
    return Number(value)
  }
  if (Array.isArray(value)) return value.map((item, i) => withoutBigint(item, [...path, i], fileName))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withoutBigint(item, [...path, key], fileName)]),
  )
}

/** Validates a parsed document against a schema. Throws UsageError that names file, path and reason. */
function accepted<S extends v.GenericSchema>(schema: S, value: unknown, fileName: string): v.InferOutput<S> {
  const unbounded = whyUnbounded(value)
  if (unbounded !== null) throw new UsageError(`${fileName}: ${unbounded}`)
  const result = v.safeParse(schema, withoutBigint(value, [], fileName), { abortEarly: true })
  if (result.success) return result.output
  const { path, message } = deepest(result.issues[0])
  throw new UsageError(`${fileName}: ${pathText(path)}: ${message}`)
}

/**
 * Accepts parsed JSON or YAML as a scenario; sizes and addresses become numbers. Throws UsageError that names
 * file, path and reason.
 */
export function validateScenario(value: unknown, fileName: string): Scenario {
  return accepted(scenarioSchema, value, fileName)
}

/**
 * Parses a JSON document and validates it against a schema. Throws UsageError that names file, path and
 * reason.
 */
export function validated<S extends v.GenericSchema>(
  schema: S,
  jsonText: string,
  fileName: string,
): v.InferOutput<S> {
  const parsed = parseJson(jsonText)
  if ('why' in parsed) throw new UsageError(`${fileName}: ${parsed.isJson ? '' : 'not JSON: '}${parsed.why}`)
  return accepted(schema, parsed.value, fileName)
}

/** Reads a scenario in JSON. Throws UsageError that names file, path and reason. */
export function parseScenario(jsonText: string, fileName: string): Scenario {
  return validated(scenarioSchema, jsonText, fileName)
}
