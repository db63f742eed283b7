/**
 * Memory maps as the firmware keeps them: which types are RAM, how descriptors join and split, how a map
 * changes (chapter FW).
 */
import { UsageError } from '../bytes/errors.ts'
import { contains, formatRange, overlaps, range, subtract, union, type Range } from '../bytes/range.ts'
import { PAGE } from '../bytes/units.ts'
import {
  attributeBit,
  EFI_MEMORY_RUNTIME,
  EfiACPIMemoryNVS,
  EfiACPIReclaimMemory,
  EfiMemoryMappedIO,
  EfiMemoryMappedIOPortSpace,
  EfiPalCode,
  EfiReservedMemoryType,
  EfiRuntimeServicesCode,
  EfiRuntimeServicesData,
  EfiUnacceptedMemoryType,
  EfiUnusableMemory,
  type MemoryDescriptor,
} from '../image/memory-types.ts'
import type { ObjectId } from '../memory/extent.ts'

/**
 * Types whose free pages inside their own bin are reported as that type. Source: edk2@stable202211 Page.c
 * mMemoryTypeStatistics.
 */
export const SPECIAL_TYPES: ReadonlySet<number> = new Set([
  EfiReservedMemoryType,
  EfiRuntimeServicesCode,
  EfiRuntimeServicesData,
  EfiACPIReclaimMemory,
  EfiACPIMemoryNVS,
  EfiPalCode,
  EfiUnacceptedMemoryType,
])
/**
 * Types that carry EFI_MEMORY_RUNTIME in every map. Source: edk2@stable202211 Page.c mMemoryTypeStatistics.
 */
export const RUNTIME_TYPES: ReadonlySet<number> = new Set([
  EfiRuntimeServicesCode,
  EfiRuntimeServicesData,
  EfiPalCode,
])

const NEVER_RAM: ReadonlySet<number> = new Set([
  EfiUnusableMemory,
  EfiMemoryMappedIO,
  EfiMemoryMappedIOPortSpace,
  EfiUnacceptedMemoryType,
])

/**
 * A map in two parts: what the page allocator keeps (all of it RAM), ascending and joined, and what is
 * appended after it, in the map's order.
 */
export interface SplitMap {
  readonly ram: readonly MemoryDescriptor[]
  readonly foreign: readonly MemoryDescriptor[]
}

/** The same descriptors by address; a map that is in order already is left alone. */
function ascending(map: readonly MemoryDescriptor[]): readonly MemoryDescriptor[] {
  const inOrder = map.every((one, i) => one.range.start >= (map[i - 1]?.range.start ?? 0))
  return inOrder ? map : [...map].sort((a, b) => a.range.start - b.range.start)
}

/** Throws UsageError when descriptors, which ascend, overlap or are not made of pages. */
function check(sorted: readonly MemoryDescriptor[]): void {
  sorted.forEach((descriptor, i) => {
    const { start, end } = descriptor.range
    if (start % PAGE !== 0 || end % PAGE !== 0)
      throw new UsageError(`memory map: ${formatRange(descriptor.range)} is not page-aligned`)
    const next = sorted[i + 1]
    if (next !== undefined && overlaps(descriptor.range, next.range))
      throw new UsageError(
        `memory map: ${formatRange(descriptor.range)} and ${formatRange(next.range)} overlap`,
      )
  })
}

/** Is the second the first one's upper neighbour, of its type and its attribute? */
export function areOne(below: MemoryDescriptor, above: MemoryDescriptor): boolean {
  return (
    below.range.end === above.range.start && below.type === above.type && below.attribute === above.attribute
  )
}

/** A descriptor of other pages, alike otherwise. */
export function elsewhere({ type, attribute }: MemoryDescriptor, where: Range): MemoryDescriptor {
  return { type, range: where, attribute }
}

/** Adds a descriptor to a list that ascends; it joins the last one if they are one (FW-1). */
export function addJoined(list: MemoryDescriptor[], next: MemoryDescriptor): void {
  const last = list[list.length - 1]
  if (last !== undefined && areOne(last, next))
    list[list.length - 1] = elsewhere(last, range(last.range.start, next.range.end))
  else list.push(next)
}

/** Joins neighbours of the same type and attribute (FW-1). Input must be sorted. */
export function joinDescriptors(sorted: readonly MemoryDescriptor[]): MemoryDescriptor[] {
  const joined: MemoryDescriptor[] = []
  for (const next of sorted) addJoined(joined, next)
  return joined
}

const hasRuntime = attributeBit(EFI_MEMORY_RUNTIME)

/** Index of the first of `count` ascending descriptors that ends after `at`; `count` when there is none. */
export function firstPast(list: readonly MemoryDescriptor[], at: number, count = list.length): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if ((list[middle] as MemoryDescriptor).range.end > at) high = middle
    else low = middle + 1
  }
  return low
}

/** What splitMap has made of a map, and the descriptors that it was made of. */
const splits = new WeakMap<
  readonly MemoryDescriptor[],
  { readonly of: readonly MemoryDescriptor[]; readonly split: SplitMap }
>()

/**
 * Separates RAM from the rest (FW-2): MMIO, unusable and unaccepted memory is not RAM, reserved memory only
 * if adjacent to other RAM. EFI_MEMORY_RUNTIME is removed: the firmware adds it in GetMemoryMap. Throws
 * UsageError when descriptors overlap or are not made of pages.
 */
export function splitMap(map: readonly MemoryDescriptor[]): SplitMap {
  const known = splits.get(map)
  if (known?.of.length === map.length && known.of.every((one, i) => one === map[i])) return known.split
  const split = newSplit(map)
  splits.set(map, { of: [...map], split })
  return split
}

function newSplit(map: readonly MemoryDescriptor[]): SplitMap {
  const sorted = ascending(map)
  check(sorted)
  const reserved = union(
    sorted.filter(({ type }) => type === EfiReservedMemoryType).map(descriptor => descriptor.range),
  )
  const certain =
    reserved.length === 0
      ? []
      : union(
          sorted
            .filter(({ type }) => type !== EfiReservedMemoryType && !NEVER_RAM.has(type))
            .map(descriptor => descriptor.range),
        )
  const adjoining = reserved.filter(one =>
    certain.some(other => other.end === one.start || one.end === other.start),
  )
  const isRam = ({ type, range: where }: MemoryDescriptor) =>
    type === EfiReservedMemoryType ? adjoining.some(one => contains(one, where)) : !NEVER_RAM.has(type)
  const ram = sorted.filter(isRam)
  const plain = ram.map(descriptor =>
    hasRuntime(descriptor)
      ? { ...descriptor, attribute: descriptor.attribute & ~EFI_MEMORY_RUNTIME }
      : descriptor,
  )
  const foreign = ram.length === map.length ? [] : map.filter(descriptor => !isRam(descriptor))
  return { ram: joinDescriptors(plain), foreign }
}

const rams = new WeakMap<SplitMap, readonly Range[]>()

/** The RAM of a map, ascending and joined. */
export function ramOf(map: readonly MemoryDescriptor[]): readonly Range[] {
  const split = splitMap(map)
  const ram = rams.get(split) ?? union(split.ram.map(descriptor => descriptor.range))
  rams.set(split, ram)
  return ram
}

/** The same map with the pages of `where` changed to `type`; holes of the map stay holes. */
export function retype(map: readonly MemoryDescriptor[], where: Range, type: number): MemoryDescriptor[] {
  const { ram, foreign } = splitMap(map)
  const pieces = ram.flatMap(descriptor => {
    if (!overlaps(descriptor.range, where)) return [descriptor]
    const inside = range(
      Math.max(descriptor.range.start, where.start),
      Math.min(descriptor.range.end, where.end),
    )
    return [
      ...subtract(descriptor.range, inside).map(rest => ({ ...descriptor, range: rest })),
      { ...descriptor, range: inside, type },
    ]
  })
  return [...joinDescriptors(pieces.sort((a, b) => a.range.start - b.range.start)).map(reported), ...foreign]
}

/** A descriptor as reported by GetMemoryMap: runtime types carry EFI_MEMORY_RUNTIME. */
export function reported(descriptor: MemoryDescriptor): MemoryDescriptor {
  return RUNTIME_TYPES.has(descriptor.type)
    ? { ...descriptor, attribute: descriptor.attribute | EFI_MEMORY_RUNTIME }
    : descriptor
}

/** The owner of the pages of a descriptor from before the modelled boot; null for free memory (FW-3). */
export function firmwareOwner(type: number): ObjectId | null {
  if (type === 7) return null
  if (type === 1 || type === 2) return 'firmware:loader'
  if (type === 3 || type === 4) return 'firmware:boot'
  if (type === 5 || type === 6) return 'firmware:runtime'
  return 'firmware:reserved'
}
