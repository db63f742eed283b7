/** What is made of a source that stays as it is, made once for as long as the source lives. */
import type { ByteSource } from './source.ts'

const made = new WeakMap<ByteSource, Map<unknown, unknown>>()

/** Promises that the bytes of this source do not change any more. */
export function stays(source: ByteSource): void {
  if (!made.has(source)) made.set(source, new Map())
}

/** A part of another source stays as it is when that one does. */
export function partOf<S extends ByteSource>(whole: ByteSource, part: S): S {
  if (made.has(whole)) stays(part)
  return part
}

/**
 * What `make` makes of the source: of one that stays as it is what it made the first time, of any other one
 * what it makes now.
 */
export function madeOf<T>(source: ByteSource, make: (source: ByteSource) => T): T {
  const known = made.get(source)
  if (known === undefined) return make(source)
  if (!known.has(make)) known.set(make, make(source))
  return known.get(make) as T
}
