/** Bytes that compress in every way: words, runs, noise, machine code with near calls. */

/** A small generator of numbers, so that the sample is the same everywhere. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return state >>> 8
  }
}

const WORDS = [
  'kernel',
  'initrd',
  'stub',
  'page',
  'section',
  'the',
  'of',
  'is',
  'overwritten',
  'boot_params',
  '\n',
  '0x1000000',
] as const

/** One of the four kinds of content of a sample. */
function pieceOf(kind: number, next: () => number): Uint8Array {
  if (kind < 10) return new TextEncoder().encode(`${WORDS[next() % WORDS.length] ?? ''} `)
  if (kind < 12) return new Uint8Array(1 + (next() % 40)).fill(next() & 255)
  if (kind < 14) return Uint8Array.of(0xe8, next() & 255, next() & 255, 0, next() % 3 === 0 ? 0xff : 0)
  return Uint8Array.from({ length: 1 + (next() % 12) }, () => next() & 255)
}

/** `size` bytes; the same for the same size and seed. */
export function sample(size: number, seed = 1): Uint8Array {
  const next = numbers(seed)
  const out = new Uint8Array(size)
  for (let at = 0; at < size;) {
    const piece = pieceOf(next() % 16, next)
    out.set(piece.subarray(0, size - at), at)
    at += piece.length
  }
  return out
}
