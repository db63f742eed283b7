/**
 * A scenario: image, machine and choices as plain data, so that a boot can be stored beside its report and
 * run again.
 */
import * as v from 'valibot'
import { UsageError } from '../bytes/errors.ts'
import { hex } from '../bytes/range.ts'
import { PAGE } from '../bytes/units.ts'
import { MEMORY_TYPE_NAMES } from '../image/memory-types.ts'
import type { MapEntry } from './map-entries.ts'
import { quantity } from './quantity-schema.ts'
import { ukiSchema, type ScenarioUki } from './recipe.ts'

export { parseAddress, parseSize } from './quantity.ts'
export { ukiSource, type ScenarioUki } from './recipe.ts'

/** When a memory map was taken. */
export const MAP_MOMENTS = ['before-load', 'stub-entry', 'kernel-entry', 'exit-boot-services'] as const
/** What memory that nobody in this boot wrote holds. */
export const CONTENTS = ['ovmf', 'residue', 'poison'] as const
/**
 * off: as if `nokaslr` were given. command-line: as the command line and the kernel decide. all: the same,
 * and every slot is looked at. seed:N: with this random number.
 */
export const KASLR_CHOICES = ['off', 'command-line', 'all', 'seed:N'] as const
export type KaslrChoice = 'off' | 'command-line' | 'all' | `seed:${number}`
const KASLR = /^(?:off|command-line|all|seed:\d{1,9})$/

/** Is it one of the choices, with a number of at most nine digits? */
export function isKaslrChoice(text: string | undefined): text is KaslrChoice {
  return text !== undefined && KASLR.test(text)
}

/** The machine: a file with a memory map, a map in place, or RAM under a recorded firmware profile. */
export type ScenarioMachine =
  | { readonly memmap: string }
  | { readonly map: readonly MapEntry[] }
  | { readonly ram: number | string; readonly firmware: string }

export interface Scenario {
  readonly schema: 1
  readonly name?: string | undefined
  /** A file, or a unified kernel image that is made from measured parts. */
  readonly image: { readonly file: string } | { readonly uki: ScenarioUki }
  readonly machine: ScenarioMachine
  /** Default `before-load`. */
  readonly memmapAt?: (typeof MAP_MOMENTS)[number] | undefined
  /** Where the firmware put the image, when that was observed. */
  readonly imageBase?: number | undefined
  readonly contents?: (typeof CONTENTS)[number] | undefined
  /** A version or an era id; absent: identified from the file. */
  readonly stub?: string | undefined
  readonly kernel?: string | undefined
  /** One of KASLR_CHOICES. */
  readonly kaslr?: string | undefined
  readonly secureBoot?: boolean | undefined
  /** shim started the image. */
  readonly shim?: boolean | undefined
  /** The CPU can have five levels of page tables. */
  readonly la57?: boolean | undefined
  /** What the firmware passes as LoadOptions. */
  readonly loadOptions?: string | undefined
  /** Files on the volume of the image: where each lies here, by its name there. */
  readonly files?: Readonly<Record<string, string>> | undefined
  /** Sizes of the option ROMs that the firmware shows on PCI devices, at most 16 MiB each. */
  readonly pciRoms?: readonly number[] | undefined
  /** What follows the image's own name on the command line of the EFI shell that started it. */
  readonly shell?: readonly string[] | undefined
  /** Value of the SMBIOS string io.systemd.stub.kernel-cmdline-extra. */
  readonly smbiosCmdline?: string | undefined
  readonly confidentialVm?: boolean | undefined
  /** Files of add-ons, in the order in which the stub finds them. */
  readonly addons?: readonly string[] | undefined
  /** Decompress the kernel, too. */
  readonly deep?: boolean | undefined
}

const text = v.pipe(v.string('a text is wanted'), v.minLength(1, 'is empty'))

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
    issue => `ends at ${hex(issue.input.end)}, not behind its start ${hex(issue.input.start)}`,
  ),
  v.check(
    entry => entry.start % PAGE === 0 && entry.end % PAGE === 0,
    'does not begin and end at whole pages',
  ),
)

/** The schema of a memory map in place. */
export const mapSchema = v.pipe(v.array(mapEntry), v.minLength(1, 'is empty'))

const machine = v.union(
  [
    v.strictObject({ memmap: text }),
    v.strictObject({ map: mapSchema }),
    v.strictObject({ ram: quantity, firmware: text }),
  ],
  'is none of { memmap }, { map } and { ram, firmware }',
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
  memmapAt: v.optional(v.picklist(MAP_MOMENTS, `is none of ${MAP_MOMENTS.join(', ')}`)),
  imageBase: v.optional(quantity),
  contents: v.optional(v.picklist(CONTENTS, `is none of ${CONTENTS.join(', ')}`)),
  stub: v.optional(text),
  kernel: v.optional(text),
  kaslr: v.optional(v.pipe(v.string(), v.regex(KASLR, `is none of ${KASLR_CHOICES.join(', ')}`))),
  secureBoot: v.optional(v.boolean('is neither true nor false')),
  shim: v.optional(v.boolean('is neither true nor false')),
  la57: v.optional(v.boolean('is neither true nor false')),
  loadOptions: v.optional(v.string('a text is wanted')),
  files: v.optional(v.record(text, text)),
  pciRoms: v.optional(v.array(quantity)),
  shell: v.optional(v.array(text)),
  smbiosCmdline: v.optional(v.string('a text is wanted')),
  confidentialVm: v.optional(v.boolean('is neither true nor false')),
  addons: v.optional(v.array(text)),
  deep: v.optional(v.boolean('is neither true nor false')),
})

interface Issue {
  readonly message: string
  readonly path?: readonly { readonly key: unknown }[] | undefined
  readonly issues?: readonly Issue[] | undefined
}

/** What valibot says about a key that no schema knows, and about one that is missing. */
const KEY_WORDS: readonly (readonly [says: RegExp, means: string])[] = [
  [/^Invalid key: Expected never/, 'is not known here'],
  [/^Invalid key: /, 'is missing'],
]
const keyWord = (issue: Issue): string | undefined =>
  KEY_WORDS.find(([says]) => says.test(issue.message))?.[1]

// Of the branches of a union, the one that got furthest says what is wrong; where none got in, the union
// itself does.
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

// YAML gives integers as bigint, so that none is rounded on the way.
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

/** Accepts a parsed document by a schema. Throws UsageError that names file, path and reason. */
function accepted<S extends v.GenericSchema>(schema: S, value: unknown, fileName: string): v.InferOutput<S> {
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

/** Reads a document in JSON by a schema. Throws UsageError that names file, path and reason. */
export function validated<S extends v.GenericSchema>(
  schema: S,
  jsonText: string,
  fileName: string,
): v.InferOutput<S> {
  let value: unknown
  try {
    value = JSON.parse(jsonText)
  } catch (error) {
    throw new UsageError(
      `${fileName}: not JSON: ${(error instanceof Error ? error.message : '').split('\n')[0] ?? ''}`,
    )
  }
  return accepted(schema, value, fileName)
}

/** Reads a scenario in JSON. Throws UsageError that names file, path and reason. */
export function parseScenario(jsonText: string, fileName: string): Scenario {
  return validated(scenarioSchema, jsonText, fileName)
}
