/** SHA-256 of a source, a piece at a time. Source: FIPS 180-4. */
import { once } from './once.ts'
import type { ByteSource } from './source.ts'
import { fileOffset } from './units.ts'

const BLOCK = 64
/** Bytes that are read at once. */
const PIECE = 1024 * BLOCK

/** The first 32 bits of the fraction of a root of each of the first primes. */
function fractions(count: number, root: (n: number) => number): number[] {
  const primes: number[] = []
  for (let n = 2; primes.length < count; n++) if (primes.every(prime => n % prime !== 0)) primes.push(n)
  return primes.map(prime => Math.floor((root(prime) % 1) * 2 ** 32))
}

const constants = once(() => new Int32Array(Uint32Array.from(fractions(64, Math.cbrt)).buffer))

const rotated = (n: number, by: number): number => (n >>> by) | (n << (32 - by))

/** All words are signed, so that sums stay integers of the machine. */
function mix(state: Uint32Array, words: Int32Array, view: DataView, at: number): void {
  const added = constants()
  for (let i = 0; i < 16; i++) words[i] = view.getInt32(at + 4 * i)
  for (let i = 16; i < 64; i++) {
    const [a, b] = [words[i - 15] ?? 0, words[i - 2] ?? 0]
    const sum = ((words[i - 16] ?? 0) + (rotated(a, 7) ^ rotated(a, 18) ^ (a >>> 3))) | 0
    words[i] = (sum + (((words[i - 7] ?? 0) + (rotated(b, 17) ^ rotated(b, 19) ^ (b >>> 10))) | 0)) | 0
  }
  let [a, b, c, d] = [(state[0] ?? 0) | 0, (state[1] ?? 0) | 0, (state[2] ?? 0) | 0, (state[3] ?? 0) | 0]
  let [e, f, g, h] = [(state[4] ?? 0) | 0, (state[5] ?? 0) | 0, (state[6] ?? 0) | 0, (state[7] ?? 0) | 0]
  for (let i = 0; i < 64; i++) {
    const round = ((added[i] ?? 0) + (words[i] ?? 0)) | 0
    const one =
      (((((h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25))) | 0) + ((e & f) ^ (~e & g))) | 0) + round) |
      0
    const two = ((rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + one) | 0
    d = c
    c = b
    b = a
    a = (one + two) | 0
  }
  for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) state[i] = (state[i] ?? 0) + value
}

/** The 32 bytes of the digest. Reads all of the source. */
export function sha256(source: ByteSource): Uint8Array {
  const state = Uint32Array.from(fractions(8, Math.sqrt))
  const words = new Int32Array(64)
  let at = 0
  for (; at + PIECE <= source.size; at += PIECE) {
    const piece = source.read(fileOffset(at), PIECE)
    const view = new DataView(piece.buffer, piece.byteOffset, piece.length)
    for (let block = 0; block < PIECE; block += BLOCK) mix(state, words, view, block)
  }
  const rest = source.size - at
  const last = new Uint8Array(Math.ceil((rest + 9) / BLOCK) * BLOCK)
  if (rest > 0) last.set(source.read(fileOffset(at), rest))
  last[rest] = 0x80
  const view = new DataView(last.buffer)
  view.setUint32(last.length - 8, Math.floor((source.size * 8) / 2 ** 32))
  view.setUint32(last.length - 4, (source.size * 8) % 2 ** 32)
  for (let block = 0; block < last.length; block += BLOCK) mix(state, words, view, block)
  const digest = new Uint8Array(32)
  state.forEach((word, i) => {
    new DataView(digest.buffer).setUint32(4 * i, word)
  })
  return digest
}
