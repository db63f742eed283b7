/**
 * LZ4 in the legacy container. Sources: lz4 frame format 1.6.3, section on legacy frames; lz4 block format.
 */
import { Stop, type Output } from './output.ts'

const MAGIC = 0x184c2102
/**
 * Every block but the last decodes to this much. Source: linux@6.12.107 lib/decompress_unlz4.c
 * LZ4_DEFAULT_UNCOMPRESSED_CHUNK_SIZE.
 */
const BLOCK = 8 << 20
const MIN_MATCH = 4
/** The largest distance is one less. */
const WINDOW = 2 ** 16
/**
 * Minimum of last literals in a block; no literals end less than WILD_COPY before its end. Source:
 * linux@6.12.107 lib/lz4/lz4defs.h.
 */
const LAST_LITERALS = 5
const WILD_COPY = 8

const ENDS_EARLY = 'a block ends inside a sequence'

const word = (input: Uint8Array, at: number): number =>
  ((input[at] as number) |
    ((input[at + 1] as number) << 8) |
    ((input[at + 2] as number) << 16) |
    ((input[at + 3] as number) << 24)) >>>
  0

/** End of a block: by bytes of input, or (as in the kernel, which knows the whole length) of output. */
interface Bounds {
  readonly inputEnd: number
  readonly outputEnd: number | null
}

/** Decodes a block and returns the position after it. */
function block(input: Uint8Array, start: number, { inputEnd, outputEnd }: Bounds, out: Output): number {
  const first = out.length
  let at = start
  const more = (count: number): number => {
    let total = count
    for (let byte = 255; byte === 255;) {
      if (at >= inputEnd) throw new Stop('corrupt', ENDS_EARLY, at)
      byte = input[at++] as number
      total += byte
    }
    return total
  }
  for (;;) {
    if (at >= inputEnd) throw new Stop('corrupt', ENDS_EARLY, at)
    const token = input[at++] as number
    const literals = token >> 4 === 15 ? more(15) : token >> 4
    if (literals > inputEnd - at) throw new Stop('corrupt', ENDS_EARLY, at)
    out.append(input, at, at + literals, at)
    at += literals
    out.tick(at)
    if (outputEnd === null ? at === inputEnd : out.length === outputEnd) return at
    if (outputEnd !== null && out.length + WILD_COPY > outputEnd)
      throw new Stop('corrupt', 'literals do not end at the end of the block', at)
    if (at + 2 > inputEnd) throw new Stop('corrupt', ENDS_EARLY, at)
    const distance = (input[at] as number) | ((input[at + 1] as number) << 8)
    at += 2
    const length = MIN_MATCH + ((token & 15) === 15 ? more(15) : token & 15)
    if (distance === 0 || distance > out.length)
      throw new Stop('corrupt', `a match at distance ${String(distance)}`, at)
    if ((outputEnd === null ? first + BLOCK : outputEnd - LAST_LITERALS) - out.length < length)
      throw new Stop('corrupt', 'a match goes on past the end of the block', at)
    out.copy(distance, length, at)
    out.tick(at)
  }
}

/**
 * Decodes a legacy stream to the end of the input. With a known `length` blocks end by their output, as in
 * the kernel, which ignores the lengths of blocks. Throws Stop.
 */
export function lz4(input: Uint8Array, out: Output, length: number | null): number {
  if (input.length < 4 || word(input, 0) !== MAGIC) throw new Stop('magic', 'no LZ4 legacy magic', 0)
  out.openWindow(WINDOW, 0)
  let at = 4
  while (at < input.length) {
    if (at + 4 > input.length) throw new Stop('truncated', 'the input ends inside the length of a block', at)
    const size = word(input, at)
    at += 4
    if (size === MAGIC) continue
    if (length === null && size > input.length - at)
      throw new Stop('truncated', 'the input ends inside a block', at)
    const bounds: Bounds =
      length === null
        ? { inputEnd: at + size, outputEnd: null }
        : { inputEnd: input.length, outputEnd: Math.min(out.length + BLOCK, length) }
    at = block(input, at, bounds, out)
  }
  out.report(at)
  return at
}
