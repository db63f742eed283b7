/** A custom firmware as a file: its memory map, allocator, image loader and quirks. */
import * as v from 'valibot'
import { UsageError } from '../bytes/errors.ts'
import { hex, range, type Range } from '../bytes/range.ts'
import { PAGE, PHYS_END } from '../bytes/units.ts'
import { allocators } from '../firmware/allocators.ts'
import type { Build } from '../firmware/build.ts'
import { CONTENTS } from '../firmware/contents.ts'
import { guardOf } from '../firmware/edk2/edk2.ts'
import type { HeapGuard } from '../firmware/edk2/heap-guard.ts'
import { binsAtTop, binsInRange, placeBins } from '../firmware/edk2/place-bins.ts'
import type { PoolState } from '../firmware/edk2/pool-state.ts'
import { edk2Behaviour } from '../firmware/edk2/behaviour.ts'
import {
  allocatorNamed,
  firmwareNamed,
  firmwares,
  onAllocator,
  type Firmware,
} from '../firmware/firmwares.ts'
import type { MemoryServices } from '../firmware/memory-services.ts'
import type { SearchPolicy } from '../firmware/page-allocator.ts'
import { PROFILES } from '../firmware/profiles.ts'
import { QUIRKS } from '../firmware/quirks.ts'
import { MEMORY_TYPE_NAMES } from '../image/memory-types.ts'
import type { MapEntry } from './map-entries.ts'
import { quantity } from './quantity-schema.ts'
import { mapSchema, validated } from './scenario.ts'
import { text } from './setting-schemas.ts'

const names = (rows: readonly { readonly id: string }[]): string[] => rows.map(row => row.id)
const oneOf = (allowed: readonly string[]) => v.picklist([...allowed], `is not one of ${allowed.join(', ')}`)

const spanFields = { start: quantity, end: quantity }
interface Bounds {
  readonly start: number
  readonly end: number
}
const isSpan = ({ start, end }: Bounds): boolean => start < end
const notASpan = ({ input: { start, end } }: { readonly input: Bounds }): string =>
  `the range starts at ${hex(start)}, which is not below its end ${hex(end)}`
const span = v.pipe(
  v.strictObject(spanFields),
  v.check(entry => isSpan(entry), notASpan),
)
const mask = v.pipe(
  v.string('must be a mask such as "0x1e"'),
  v.regex(/^0x[0-9a-f]{1,16}$/u, 'is not a mask such as "0x1e"'),
)
const pagesFrom = (least: number) =>
  v.pipe(
    v.number(),
    v.safeInteger(),
    v.minValue(least),
    v.maxValue(PHYS_END / PAGE, 'is more than the 52 bits of a physical address'),
  )
const count = v.pipe(
  v.number(),
  v.safeInteger('is not a number of descriptors'),
  v.minValue(0, 'is not a number of descriptors'),
  v.maxValue(4096, 'is more descriptors than a map can have'),
)

/** @internal The schema of a firmware file; `firmware.schema.json` is made from it. */
export const firmwareSchema = v.strictObject({
  schema: v.literal(1, 'is not 1, the only schema that this release reads'),
  /** A description for readers. */
  name: text,
  /** A reference to its documentation. */
  source: v.optional(text),
  /** A memory map before the image is loaded, or a recorded profile, which is scaled to the given RAM. */
  map: v.optional(mapSchema),
  profile: v.optional(oneOf(names(PROFILES))),
  /** RAM of the profile; the command line takes precedence. */
  ram: v.optional(quantity),
  loader: v.optional(oneOf(names(firmwares()))),
  allocator: v.optional(oneOf(names(allocators()))),
  /** Bins as the firmware placed them; absent: OVMF's bins are recognised in the map. */
  bins: v.optional(
    v.array(
      v.pipe(
        v.strictObject({ type: oneOf(MEMORY_TYPE_NAMES), base: quantity, pages: pagesFrom(1) }),
        v.check(
          ({ base, pages }) => base + pages * PAGE <= PHYS_END,
          'ends beyond the 52 bits of a physical address',
        ),
      ),
    ),
  ),
  /** Highest byte of the default search range. */
  defaultMax: v.optional(quantity),
  /**
   * Memory types and pages as the memory type information HOB lists them, in its order: EDK2's own procedure
   * places the bins.
   */
  memoryTypeInformation: v.optional(
    v.array(
      v.strictObject({
        type: oneOf(MEMORY_TYPE_NAMES),
        pages: pagesFrom(0),
      }),
    ),
  ),
  /**
   * Where it places them: the first memory of the DXE core, the range in a HOB, or both as derived from the
   * HOB list.
   */
  firstMemory: v.optional(span),
  binRange: v.optional(span),
  hobs: v.optional(
    v.pipe(
      v.strictObject({
        memoryTop: quantity,
        freeBottom: quantity,
        freeTop: quantity,
        hobStart: quantity,
        resources: v.array(
          v.pipe(
            v.strictObject({ ...spanFields, bins: v.optional(v.boolean()) }),
            v.check(entry => isSpan(entry), notASpan),
          ),
        ),
        allocations: v.array(span),
      }),
      v.check(
        ({ freeBottom, freeTop }) => freeBottom < freeTop,
        'has no free memory from freeBottom to freeTop',
      ),
    ),
  ),
  /** Guard pages of the build. */
  guard: v.optional(
    v.strictObject({
      PcdHeapGuardPropertyMask: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(0xff)),
      PcdHeapGuardPageType: mask,
      PcdHeapGuardPoolType: mask,
    }),
  ),
  /** RAM the firmware has not tested. */
  untested: v.optional(v.array(span)),
  /**
   * The state of EDK2's pools when the image starts: where the records of the next image and of the map's
   * entries go.
   */
  pool: v.optional(
    v.strictObject({
      imageRecord: v.picklist(['room', 'new-page'], 'is neither room nor new-page'),
      mapEntries: v.optional(v.strictObject({ hidden: count, capacity: count })),
    }),
  ),
  /** Descriptors that drivers add to the map when boot services end. */
  addedOnExit: v.optional(count),
  /** The memory attribute protocol's answer to a request to make code executable. */
  memoryAttributes: v.optional(v.picklist(['set', 'refused'], 'is neither set nor refused')),
  contents: v.optional(v.picklist(CONTENTS, `is not one of ${CONTENTS.join(', ')}`)),
  quirks: v.optional(v.array(oneOf(names(QUIRKS)))),
})

/** A parsed firmware file. */
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
  if ((given.map === undefined) === (given.profile === undefined))
    throw new UsageError(`${fileName}: exactly one of map and profile is required`)
  const named = firmwareNamed(given.loader ?? 'edk2-2022.11')
  const base = given.allocator === undefined ? named : onAllocator(named, allocatorNamed(given.allocator))
  const guard =
    given.guard === undefined
      ? undefined
      : guardOf(
          {
            ...given.guard,
            PcdHeapGuardPageType: BigInt(given.guard.PcdHeapGuardPageType),
            PcdHeapGuardPoolType: BigInt(given.guard.PcdHeapGuardPoolType),
          },
          base.allocator,
        )
  const search =
    given.memoryTypeInformation === undefined
      ? givenBins(given)
      : placedBins(given, base.allocator, fileName, guard)
  const build: Build = {
    ...(guard === undefined ? {} : { guard }),
    ...(given.untested === undefined ? {} : { untested: given.untested.map(rangeOf) }),
    ...(given.pool === undefined ? {} : { pool: poolOf(given.pool) }),
    ...(search === undefined ? {} : { search }),
    ...(given.addedOnExit === undefined ? {} : { addedOnExit: given.addedOnExit }),
    ...(given.memoryAttributes === undefined ? {} : { memoryAttributes: given.memoryAttributes }),
  }
  return {
    name: given.name,
    source: given.source ?? null,
    map: given.map ?? null,
    profile: given.profile ?? null,
    ram: given.ram ?? null,
    firmware: {
      ...base,
      title: given.name,
      contents: given.contents ?? base.contents,
      build,
    },
    quirks: given.quirks ?? [],
  }
}

type Given = v.InferOutput<typeof firmwareSchema>

const poolOf = ({ imageRecord, mapEntries }: NonNullable<Given['pool']>): PoolState => ({
  imageRecord,
  ...(mapEntries === undefined ? {} : { mapEntries }),
})

const rangeOf = ({ start, end }: Bounds): Range => range(start, end)
const typeNumber = (name: string): number => (MEMORY_TYPE_NAMES as readonly string[]).indexOf(name)

/** Bins at known addresses, and the default range below them. */
function givenBins({ bins, defaultMax }: Given): SearchPolicy | undefined {
  if (bins === undefined && defaultMax === undefined) return undefined
  const placed = (bins ?? []).map(({ type, base: at, pages }) => ({
    type: typeNumber(type),
    base: at,
    max: at + pages * PAGE - 1,
  }))
  return { bins: placed, defaultMax: defaultMax ?? Math.min(PHYS_END, ...placed.map(bin => bin.base)) - 1 }
}

/**
 * Bins by EDK2's own procedure (FW-40 to FW-42). Throws UsageError when their place is not given, or when
 * there is no room.
 */
function placedBins(
  given: Given,
  allocator: MemoryServices,
  fileName: string,
  guard?: HeapGuard,
): SearchPolicy {
  const release = allocator.edk2 ?? edk2Behaviour('2022.11')
  const { bins, firstMemory, binRange, hobs } = given
  const list = (given.memoryTypeInformation ?? []).map(({ type, pages }) => ({
    type: typeNumber(type),
    pages,
  }))
  if (bins !== undefined)
    throw new UsageError(`${fileName}: bins and memoryTypeInformation exclude each other`)
  const place = (): SearchPolicy | null => {
    if (hobs !== undefined) {
      const { memoryTop, freeBottom, freeTop, hobStart } = hobs
      const resources = hobs.resources.map(({ bins: owner, start, end }) => ({
        range: rangeOf({ start, end }),
        bins: owner === true,
      }))
      return placeBins(
        {
          phit: { memoryTop, freeBottom, freeTop, hobStart },
          resources,
          allocations: hobs.allocations.map(rangeOf),
          memoryTypeInformation: list,
        },
        release,
        guard,
      )
    }
    const inRange =
      binRange !== undefined && release.binRangeHob ? binsInRange(list, rangeOf(binRange)) : null
    return (
      inRange ?? (firstMemory === undefined ? null : binsAtTop(list, rangeOf(firstMemory), release, guard))
    )
  }
  const placed = place()
  if (placed === null)
    throw new UsageError(
      `${fileName}: memoryTypeInformation: the place of the bins is missing: give ` +
        'firstMemory, hobs, or (since edk2 2024.02) binRange',
    )
  return placed
}
