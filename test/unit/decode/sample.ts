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

/** `size` bytes; the same for the same size and seed. */
export function sample(size: number, seed = 1): Uint8Array {
  const next = numbers(seed)
  const out = new Uint8Array(size)
  for (let at = 0; at < size;) {
    const kind = next() % 16
    const piece =
      kind < 10
        ? new TextEncoder().encode(`${WORDS[next() % WORDS.length] ?? ''} `)
        : kind < 12
          ? new Uint8Array(1 + (next() % 40)).fill(next() & 255)
          : kind < 14
            ? Uint8Array.of(0xe8, next() & 255, next() & 255, 0, next() % 3 === 0 ? 0xff : 0)
            : Uint8Array.from({ length: 1 + (next() % 12) }, () => next() & 255)
    out.set(piece.subarray(0, size - at), at)
    at += piece.length
  }
  return out
}
