/** Tables made on first use, so that importing costs nothing. */

/** A function that computes its value on the first call and returns the same one afterwards. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
