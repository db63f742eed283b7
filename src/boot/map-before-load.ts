/** Reconstructs the map before the UKI was loaded from one that was taken later, by stated rules. */
import { UsageError } from '../bytes/errors.ts'
import { formatRange, hex, intersect, range, sizeOf, subtract } from '../bytes/range.ts'
import { PAGE, alignDown, alignUp, type Phys } from '../bytes/units.ts'
import {
  EfiConventionalMemory,
  EfiLoaderCode,
  EfiLoaderData,
  type MemoryDescriptor,
} from '../image/memory-types.ts'
import type { MAP_POINTS } from '../machine/settings.ts'

/** When a memory map was taken. */
export type MapTaken = (typeof MAP_POINTS)[number]

export interface Rewound {
  readonly map: readonly MemoryDescriptor[]
  /** Assumptions that were needed. */
  readonly assumptions: readonly string[]
}

/**
 * The map before the load. `imageSize` is the UKI's SizeOfImage in bytes, `imageBase` its load address, if
 * known. before-load: the map is returned unchanged. stub-entry: the image's pages are freed, found by
 * `imageBase` or as the only LoaderCode entry that can hold them. kernel-entry and exit-boot-services: all
 * memory of type LoaderCode and LoaderData is freed. Throws UsageError when the image cannot be found in the
 * map.
 */
export function mapBeforeLoad(
  map: readonly MemoryDescriptor[],
  taken: MapTaken,
  imageSize: number,
  imageBase?: Phys,
): Rewound {
  if (taken === 'before-load') return { map, assumptions: [] }
  if (taken !== 'stub-entry') {
    return {
      map: map.map(entry =>
        entry.type === EfiLoaderCode || entry.type === EfiLoaderData
          ? { ...entry, type: EfiConventionalMemory }
          : entry,
      ),
      assumptions: [
        `all LoaderCode and LoaderData of the map (taken at ${taken}) belongs to the ` +
          'simulated boot and was free before it',
      ],
    }
  }
  const pages = alignUp(imageSize, PAGE)
  if (imageBase !== undefined)
    return {
      map: freed(map, imageBase, pages),
      assumptions: [`the UKI was at ${hex(imageBase)} when the map was taken`],
    }
  const holders = map.filter(entry => entry.type === EfiLoaderCode && sizeOf(entry.range) >= pages)
  const exact = holders.filter(entry => sizeOf(entry.range) === pages)
  const [only, ...more] = exact.length === 1 ? exact : holders
  if (only === undefined || more.length > 0) {
    throw new UsageError(
      `the memory map has ${String(holders.length)} LoaderCode entries that could hold the ` +
        `image of ${hex(pages)} bytes; give its load address with --image-base`,
    )
  }
  return {
    map: freed(map, only.range.start, sizeOf(only.range)),
    assumptions: [
      `the LoaderCode entry ${formatRange(only.range)} was the UKI when the map was taken, and free before`,
    ],
  }
}

/** The map with the pages of [start, start + length) Conventional. */
function freed(map: readonly MemoryDescriptor[], start: number, length: number): MemoryDescriptor[] {
  const hole = range(alignDown(start, PAGE), alignUp(start + length, PAGE))
  let covered = 0
  const result = map.flatMap(entry => {
    const inside = intersect(entry.range, hole)
    if (inside === null) return [entry]
    covered += sizeOf(inside)
    const rest = subtract(entry.range, hole).map(part => ({ ...entry, range: part }))
    return [...rest, { ...entry, type: EfiConventionalMemory, range: inside }].sort(
      (a, b) => a.range.start - b.range.start,
    )
  })
  if (covered < sizeOf(hole))
    throw new UsageError(`the memory map does not cover the image at ${formatRange(hole)}`)
  return result
}
