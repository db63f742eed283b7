/** Values derived from an immutable source, computed once for the lifetime of the source. */
import type { ByteSource } from './source.ts'

const made = new WeakMap<ByteSource, Map<unknown, unknown>>()

/** Declares that the bytes of this source will not change. */
export function stays(source: ByteSource): void {
  if (!made.has(source)) made.set(source, new Map())
}

/** A part of another source stays as it is when that one does. */
export function partOf<S extends ByteSource>(whole: ByteSource, part: S): S {
  if (made.has(whole)) stays(part)
  return part
}

/** The result of `make` for the source: cached for an immutable source, computed anew for any other. */
export function madeOf<T>(source: ByteSource, make: (source: ByteSource) => T): T {
  const known = made.get(source)
  if (known === undefined) return make(source)
  if (!known.has(make)) known.set(make, make(source))
  return known.get(make) as T
}
