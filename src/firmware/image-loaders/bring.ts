/** Copies bytes of a file to an image's load address, for any loader (chapter PE). */
import { formatRange, rangeAt, rangeOrNull, sizeOf, subtract, type Range } from '../../bytes/range.ts'
import { sliceSource } from '../../bytes/source.ts'
import { add, PAGE, PHYS_END } from '../../bytes/units.ts'
import type { PeSection } from '../../image/pe.ts'
import type { LoadRequest, SectionOwner } from '../services.ts'
import type { Loading, Place } from './image-loader.ts'
import type { LoaderPorts } from './ports.ts'

/** Number of the `length` bytes at this offset of the image that are below the end of physical memory. */
function room({ place }: Loading, rva: number, length: number): number {
  return Math.max(0, Math.min(length, PHYS_END - place.base - rva))
}

/**
 * Copies [at, at + length) of the file to `rva`: from a file as `owner`, from memory with the owner it has
 * there. Bytes past the end of the file are unchanged.
 */
export function bring(loading: Loading, at: number, length: number, rva: number, owner: SectionOwner): void {
  const { ports, request, checked, place } = loading
  const { from } = request
  const available = from.kind === 'memory' ? sizeOf(from.range) : checked.pe.source.size
  const count = room(loading, rva, Math.min(length, available - at))
  if (count <= 0) return
  const to = add(place.base, rva)
  if (from.kind === 'memory') ports.memory.copy(to, rangeAt(from.range.start + at, count))
  else
    ports.memory.put(
      to,
      { source: sliceSource(checked.pe.source, at, count), at: 0, length: count },
      owner.object,
      owner.at,
    )
}

/** Zeroes `length` bytes of the image at `rva` as the owner's, or unowned. */
export function zero(loading: Loading, rva: number, length: number, owner: SectionOwner | null): void {
  const where = rangeOrNull(loading.place.base + rva, room(loading, rva, length))
  if (where !== null) zeroAt(loading, where, owner)
}

/**
 * Zeroes a range in the owner's name; where the file lacks bytes that the owner needs, in nobody's (PE-57).
 */
export function zeroAt({ ports, request }: Loading, where: Range, owner: SectionOwner | null): void {
  const { memory, step } = ports
  if (owner === null) {
    memory.zero(where, null)
    return
  }
  const lacks = request.missing?.get(owner.object)
  const shift = where.start - owner.at
  const from = Math.max(where.start, (lacks?.from ?? 0) + shift)
  const gap = lacks === undefined ? null : rangeOrNull(from, Math.min(where.end, lacks.to + shift) - from)
  const own = gap === null ? [where] : subtract(where, gap)
  for (const one of own) memory.zero(one, owner.object, one.start - shift)
  if (gap !== null)
    step('PE-57', `${owner.object} has no bytes in the file for ${formatRange(gap)}`, () => {
      memory.zero(gap, null)
    })
}

/** The owner of a section's bytes from its offset `by` on. */
export function ownerOf({ request }: Loading, section: PeSection, by = 0): SectionOwner {
  const { object, at } = request.ownerOf(section)
  return { object, at: at + by }
}

/** The first `length` bytes of the file become the image's headers. */
export function bringHeaders(loading: Loading, length: number): void {
  bring(
    loading,
    0,
    length,
    0,
    loading.request.headers ?? { object: `${loading.request.name}:headers`, at: 0 },
  )
}

/** The pages at the observed address; null if there is none (PE-24). */
export function pin(
  ports: LoaderPorts,
  { name, pinned }: LoadRequest,
  type: number,
  pages: number,
): Place | null {
  if (pinned === undefined) return null
  ports.pinPages(pinned, type, pages, name)
  return { pages: rangeAt(pinned, pages * PAGE), base: pinned }
}
