/** Where a PE loader puts sections, from the file alone: the common part of the advice. Chapter PE says how sections are loaded. */
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
    if (size > 0) placed.push({ name: section.name, object, payload, index: section.index, start: section.VirtualAddress, end: section.VirtualAddress + size, loaded })
  }
  return placed
}

/** What follows a section: the start of the next one above it, or the end of the image. */
export function nextAbove(sections: readonly Placed[], of: Placed, sizeOfImage: number): { readonly name: string; readonly start: number } {
  let next = { name: 'the end of the image', start: sizeOfImage }
  for (const { name, start } of sections) if (start > of.start && start < next.start) next = { name, start }
  return next
}
