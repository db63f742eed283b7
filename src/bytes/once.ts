/** Tables that are made when somebody first asks, so that importing costs nothing. */

/** A function that makes its value at the first call and answers with the same one ever after. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
