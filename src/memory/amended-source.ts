/** A source with some bytes modified in place. */
import type { ByteSource } from '../bytes/source.ts'

/** Bytes that replace the source's own at `at`. */
export interface Amendment {
  readonly at: number
  readonly bytes: Uint8Array
}

/** The source with these amendments, which are sorted and disjoint. */
export function amendedSource(source: ByteSource, amendments: readonly Amendment[]): ByteSource {
  return {
    size: source.size,
    read: (at, length) => {
      const bytes = source.read(at, length)
      const end = at + bytes.length
      let i = firstPast(amendments, at)
      let next = amendments[i]
      if (next === undefined || next.at >= end) return bytes
      const copy = new Uint8Array(bytes)
      for (; next !== undefined && next.at < end; next = amendments[++i]) {
        const from = Math.max(at, next.at)
        const to = Math.min(end, next.at + next.bytes.length)
        copy.set(next.bytes.subarray(from - next.at, to - next.at), from - at)
      }
      return copy
    },
  }
}

/** Index of the first amendment that ends after `at`. */
function firstPast(amendments: readonly Amendment[], at: number): number {
  let low = 0
  let high = amendments.length
  while (low < high) {
    const middle = (low + high) >> 1
    const one = amendments[middle]
    if (one === undefined || one.at + one.bytes.length > at) high = middle
    else low = middle + 1
  }
  return low
}
