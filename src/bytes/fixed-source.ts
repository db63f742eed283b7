/** Values derived from an immutable source or machine, computed once for its lifetime. */
import type { ByteSource } from './source.ts'

const made = new WeakMap<object, Map<unknown, unknown>>()

/** Declares that the bytes of this source, or the parts of this machine, will not change. */
export function stays<S extends object>(whole: S): S {
  if (!made.has(whole)) made.set(whole, new Map())
  return whole
}

/** A part of another source stays as it is when that one does. */
export function partOf<S extends object>(whole: ByteSource, part: S): S {
  return made.has(whole) ? stays(part) : part
}

/** The result of `make` for the source: cached for an immutable one, computed anew for any other. */
export function madeOf<S extends object, T>(source: S, make: (source: S) => T): T {
  const known = made.get(source)
  if (known === undefined) return make(source)
  if (!known.has(make)) known.set(make, make(source))
  return known.get(make) as T
}
