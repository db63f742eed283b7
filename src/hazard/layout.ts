/**
 * Where a PE loader puts sections, from the file alone: the common part of the advice. Chapter PE has the
 * loading rules.
 */
import type { ObjectId } from '../memory/extent.ts'
import type { UkiView } from '../image/uki.ts'

/** A section in memory, in bytes from the load address. */
export interface Placed {
  readonly name: string
  readonly object: ObjectId
  readonly payload: boolean
  /** Position in the section table. */
  readonly index: number
  readonly start: number
  /** One past the last byte, zero fill included. */
  readonly end: number
  /** Bytes that come from the file; the rest is zero fill. */
  readonly loaded: number
}

/** All sections that take memory, in table order. */
export function placedSections(uki: UkiView): Placed[] {
  const placed: Placed[] = []
  for (const { section, object, payload } of uki.sections) {
    const size = section.VirtualSize === 0 ? section.SizeOfRawData : section.VirtualSize
    const loaded = Math.min(size, section.SizeOfRawData)
    if (size > 0)
      placed.push({
        name: section.name,
        object,
        payload,
        index: section.index,
        start: section.VirtualAddress,
        end: section.VirtualAddress + size,
        loaded,
      })
  }
  return placed
}

/** Numbers in ascending order. */
export function sorted(numbers: readonly number[]): readonly number[] {
  return [...numbers].sort((a, b) => a - b)
}

/** How many of these ascending numbers are less than `limit`. */
export function countBelow(ascending: readonly number[], limit: number): number {
  return firstIndex(ascending, number => number >= limit)
}

/** First index of an ascending list at which `holds` is true; its length if there is none. */
function firstIndex<T>(ascending: readonly T[], holds: (item: T) => boolean): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >> 1
    const item = ascending[middle]
    if (item === undefined || holds(item)) high = middle
    else low = middle + 1
  }
  return low
}

/** Sections by start address, then by table position. */
export function byStart(sections: readonly Placed[]): readonly Placed[] {
  return [...sections].sort((a, b) => a.start - b.start || a.index - b.index)
}

/** What follows a section: the next one above it, or the end of the image. */
export function nextAbove(
  ascending: readonly Placed[],
  of: Placed,
  sizeOfImage: number,
): { readonly name: string; readonly start: number } {
  const next = ascending[firstIndex(ascending, section => section.start > of.start)]
  return next !== undefined && next.start < sizeOfImage
    ? { name: next.name, start: next.start }
    : { name: 'the end of the image', start: sizeOfImage }
}
