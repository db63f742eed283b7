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
const isRuntime = (type: number): boolean =>
  type === EfiRuntimeServicesCode || type === EfiRuntimeServicesData || type === EfiPalCode

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
  let last = 0
  for (const { range: where } of map) {
    if (where.start < last) return [...map].sort((a, b) => a.range.start - b.range.start)
    last = where.start
  }
  return map
}

/** Divides and multiplies: a remainder of doubles costs ten times as much. */
const isWholePages = (bytes: number): boolean => Math.floor(bytes / PAGE) * PAGE === bytes

/** Throws UsageError when descriptors, which ascend, overlap or are not made of pages. */
function check(sorted: readonly MemoryDescriptor[]): void {
  let below: Range | null = null
  for (const { range: where } of sorted) {
    if (below !== null && where.start < below.end)
      throw new UsageError(`memory map: ${formatRange(below)} and ${formatRange(where)} overlap`)
    if (!isWholePages(where.start) || !isWholePages(where.end))
      throw new UsageError(`memory map: ${formatRange(where)} is not page-aligned`)
    below = where
  }
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
  if (known !== undefined && areSame(known.of, map)) return known.split
  const split = newSplit(map)
  splits.set(map, { of: map.slice(), split })
  return split
}

function areSame(some: readonly MemoryDescriptor[], others: readonly MemoryDescriptor[]): boolean {
  if (some.length !== others.length) return false
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i]) return false
  return true
}

function newSplit(map: readonly MemoryDescriptor[]): SplitMap {
  const sorted = ascending(map)
  check(sorted)
  const isRam = ramAmong(sorted)
  const ram: MemoryDescriptor[] = []
  let count = 0
  for (const descriptor of sorted)
    if (isRam(descriptor)) {
      count++
      addJoined(ram, withoutRuntime(descriptor))
    }
  const foreign = count === map.length ? [] : map.filter(descriptor => !isRam(descriptor))
  return { ram, foreign }
}

function withoutRuntime(descriptor: MemoryDescriptor): MemoryDescriptor {
  if (!hasRuntime(descriptor)) return descriptor
  const { type, range: where, attribute } = descriptor
  return { type, range: where, attribute: attribute & ~EFI_MEMORY_RUNTIME }
}

/** Which of these descriptors are RAM. */
function ramAmong(sorted: readonly MemoryDescriptor[]): (descriptor: MemoryDescriptor) => boolean {
  const kept: Range[] = []
  for (const { type, range: where } of sorted) if (type === EfiReservedMemoryType) kept.push(where)
  const reserved = union(kept)
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
  return ({ type, range: where }) =>
    type === EfiReservedMemoryType ? adjoining.some(one => contains(one, where)) : !NEVER_RAM.has(type)
}

const joinedRanges = new WeakMap<readonly MemoryDescriptor[], readonly Range[]>()

/** The ranges of descriptors that ascend, joined where they touch; the list must never change. */
export function rangesOfList(list: readonly MemoryDescriptor[]): readonly Range[] {
  const known = joinedRanges.get(list)
  if (known !== undefined) return known
  const joined: Range[] = []
  let open: Range | null = null
  let end = 0
  const close = (): void => {
    if (open !== null) joined.push(open.end === end ? open : range(open.start, end))
  }
  for (const { range: where } of list)
    if (open !== null && where.start <= end) end = Math.max(end, where.end)
    else {
      close()
      open = where
      end = where.end
    }
  close()
  joinedRanges.set(list, joined)
  return joined
}

/** The RAM of a map, ascending and joined. */
export function ramOf(map: readonly MemoryDescriptor[]): readonly Range[] {
  return rangesOfList(splitMap(map).ram)
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
  if (!isRuntime(descriptor.type)) return descriptor
  const { type, range: where, attribute } = descriptor
  return { type, range: where, attribute: attribute | EFI_MEMORY_RUNTIME }
}

/** The owner of the pages of a descriptor from before the modelled boot; null for free memory (FW-3). */
export function firmwareOwner(type: number): ObjectId | null {
  if (type === 7) return null
  if (type === 1 || type === 2) return 'firmware:loader'
  if (type === 3 || type === 4) return 'firmware:boot'
  if (type === 5 || type === 6) return 'firmware:runtime'
  return 'firmware:reserved'
}
