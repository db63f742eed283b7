/** A firmware of one's own as a file: where its map comes from, how it allocates, who loads, what is odd about it. */
import * as v from 'valibot'
import { UsageError } from '../bytes/errors.ts'
import { PAGE } from '../bytes/units.ts'
import { firmwareNamed, FIRMWARES, type Firmware } from '../firmware/firmwares.ts'
import { FIRMWARE_ROWS, type FirmwareRowId } from '../firmware/policies.ts'
import { PROFILES } from '../firmware/profiles.ts'
import { QUIRKS } from '../firmware/quirks.ts'
import { MEMORY_TYPE_NAMES } from '../image/memory-types.ts'
import { quantity } from './quantity-schema.ts'
import { CONTENTS, mapSchema, validated, type MapEntry } from './scenario.ts'

const names = (rows: readonly { readonly id: string }[]): string[] => rows.map(row => row.id)
const ALLOCATORS = Object.keys(FIRMWARE_ROWS) as FirmwareRowId[]
const text = v.pipe(v.string('a text is wanted'), v.minLength(1, 'is empty'))
const oneOf = (allowed: readonly string[]) => v.picklist([...allowed], `is none of ${allowed.join(', ')}`)

/** The schema of a firmware file; `firmware.schema.json` is made from it. */
export const firmwareSchema = v.strictObject({
  schema: v.literal(1, 'is not 1, the only schema that this release reads'),
  /** For people. */
  name: text,
  /** Where it is described. */
  source: v.optional(text),
  /** A memory map before the image is loaded, or a recorded profile, which is scaled to the RAM that is given. */
  map: v.optional(mapSchema),
  profile: v.optional(oneOf(names(PROFILES))),
  /** RAM of the profile, unless the command line says another. */
  ram: v.optional(quantity),
  loader: v.optional(oneOf(names(FIRMWARES))),
  allocator: v.optional(oneOf(ALLOCATORS)),
  /** Bins as the firmware placed them; absent: OVMF's are looked for in the map. */
  bins: v.optional(v.array(v.strictObject({ type: oneOf(MEMORY_TYPE_NAMES), base: quantity, pages: v.pipe(v.number(), v.safeInteger(), v.minValue(1)) }))),
  /** Highest byte of the default search range. */
  defaultMax: v.optional(quantity),
  contents: v.optional(v.picklist(CONTENTS, `is none of ${CONTENTS.join(', ')}`)),
  quirks: v.optional(v.array(oneOf(names(QUIRKS)))),
})

/** A firmware file, read. */
export interface FirmwareFile {
  readonly name: string
  readonly source: string | null
  readonly map: readonly MapEntry[] | null
  readonly profile: string | null
  /** Bytes, or null. */
  readonly ram: number | null
  readonly firmware: Firmware
  readonly quirks: readonly string[]
}

/** Reads a firmware file. Throws UsageError that names file, path and reason. */
export function parseFirmwareFile(jsonText: string, fileName: string): FirmwareFile {
  const given = validated(firmwareSchema, jsonText, fileName)
  if ((given.map === undefined) === (given.profile === undefined)) throw new UsageError(`${fileName}: either map or profile is wanted`)
  const base = firmwareNamed(given.loader ?? 'edk2-2022.11')
  const row = given.allocator === undefined ? base.row : FIRMWARE_ROWS[given.allocator as FirmwareRowId]
  const types: readonly string[] = MEMORY_TYPE_NAMES
  const bins = given.bins?.map(({ type, base: at, pages }) => ({ type: types.indexOf(type), base: at, max: at + pages * PAGE - 1 }))
  const lowest = Math.min(...(bins ?? []).map(bin => bin.base))
  const search = bins === undefined && given.defaultMax === undefined ? undefined : { bins: bins ?? [], defaultMax: given.defaultMax ?? lowest - 1 }
  return {
    name: given.name,
    source: given.source ?? null,
    map: given.map ?? null,
    profile: given.profile ?? null,
    ram: given.ram ?? null,
    firmware: { ...base, title: given.name, row, contents: given.contents ?? base.contents, ...(search === undefined ? {} : { search }) },
    quirks: given.quirks ?? [],
  }
}
