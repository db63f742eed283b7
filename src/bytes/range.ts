/** Half-open ranges of physical memory, never empty, and the formatting of addresses and sizes. */
import { ModelBug } from './errors.ts'
import { byteCount, phys, type ByteCount, type Phys } from './units.ts'

/** [start, end), start < end always. */
export interface Range {
  readonly start: Phys
  readonly end: Phys
}

/** The range [start, end); throws ModelBug when it would be empty. */
export function range(start: number, end: number): Range {
  if (!(start < end)) throw new ModelBug(`empty range ${String(start)}-${String(end)}`)
  return { start: phys(start), end: phys(end) }
}

/** The range of `length` bytes from `start`; throws ModelBug when length is not positive. */
export function rangeAt(start: number, length: number): Range {
  return range(start, start + length)
}

/** The range of `length` bytes from `start`, or null when it is empty. */
export function rangeOrNull(start: number, length: number): Range | null {
  return length > 0 ? rangeAt(start, length) : null
}

/** Bytes in the range. */
export function sizeOf(of: Range): ByteCount {
  return byteCount(of.end - of.start)
}

/** The intersection, or null. */
export function intersect(a: Range, b: Range): Range | null {
  const start = Math.max(a.start, b.start)
  const end = Math.min(a.end, b.end)
  return start < end ? range(start, end) : null
}

/** Do the two share a byte? */
export function overlaps(a: Range, b: Range): boolean {
  return a.start < b.end && b.start < a.end
}

/** Does `outer` contain every byte of `inner`? */
export function contains(outer: Range, inner: Range): boolean {
  return outer.start <= inner.start && inner.end <= outer.end
}

/** `from` minus `hole`: zero, one or two ranges, ascending. */
export function subtract(from: Range, hole: Range): Range[] {
  const left: Range[] = []
  if (!overlaps(from, hole)) return [from]
  if (from.start < hole.start) left.push(range(from.start, hole.start))
  if (hole.end < from.end) left.push(range(hole.end, from.end))
  return left
}

/** Sorts and joins ranges that touch or overlap. */
export function union(ranges: Iterable<Range>): Range[] {
  const sorted = [...ranges]
  if (sorted.some((one, i) => i > 0 && one.start < (sorted[i - 1] as Range).start))
    sorted.sort((a, b) => a.start - b.start)
  const joined: Range[] = []
  let first = 0
  let end = 0
  const close = (past: number) => {
    const one = sorted[first]
    if (one !== undefined) joined.push(past === first + 1 ? one : range(one.start, end))
    first = past
  }
  for (let i = 0; i < sorted.length; i++) {
    const next = sorted[i] as Range
    if (i > 0 && next.start > end) close(i)
    end = i === first ? next.end : Math.max(end, next.end)
  }
  close(sorted.length)
  return joined
}

/** `0x1a6cd000`: hexadecimal, lower case, no padding. */
export function hex(n: number | bigint): string {
  return n < 0 ? `-0x${(-n).toString(16)}` : `0x${n.toString(16)}`
}

/** `0x1000-0x2000`: half-open. */
export function formatRange(of: Range): string {
  return `${hex(of.start)}-${hex(of.end)}`
}

const UNITS = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const

/** `34.0 MiB`, `4.0 KiB`, `16 bytes`: rounded; print the exact count with it if it matters. */
export function formatSize(count: number): string {
  for (const [name, size] of UNITS) if (count >= size) return `${(count / size).toFixed(1)} ${name}`
  return count === 1 ? '1 byte' : `${String(count)} bytes`
}
