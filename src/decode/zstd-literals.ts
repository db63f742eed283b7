/**
 * The literals section of a zstd block, with its Huffman codes. Source: RFC 8878, sections 3.1.1.3.1 and 4.2.
 */
import { BackwardBits, readFseTable } from './fse.ts'
import { Stop } from './output.ts'

/** A Huffman code, looked up by its next `bits` bits: symbol * 16 + length. */
export interface Huffman {
  readonly bits: number
  readonly table: Uint16Array
}

export interface Literals {
  readonly bytes: Uint8Array
  /** Position after the section. */
  readonly end: number
  /** Position of literals used in place; null if they were decoded into separate memory. */
  readonly inPlace: number | null
  /** The code valid from now on. */
  readonly huffman: Huffman | null
}

const MAX_BITS = 11
const MAX_LITERALS = 1 << 17

function compressedWeights(input: Uint8Array, start: number, end: number): number[] {
  const { table, end: at } = readFseTable(input, start, end, 6, MAX_BITS + 1)
  const bits = new BackwardBits(input, at, end)
  const { symbols, bases } = table
  const states = [bits.read(table.log), bits.read(table.log)]
  const weights: number[] = []
  for (let turn = 0; weights.length < 255; turn ^= 1) {
    const state = states[turn] as number
    weights.push(symbols[state] as number)
    const need = table.bits[state] as number
    if (bits.left < need) {
      weights.push(symbols[states[turn ^ 1] as number] as number)
      return weights
    }
    states[turn] = (bases[state] as number) + bits.read(need)
  }
  throw new Stop('corrupt', 'too many Huffman weights', at)
}

function readHuffman(
  input: Uint8Array,
  start: number,
  end: number,
): { readonly huffman: Huffman; readonly end: number } {
  if (start >= end) throw new Stop('corrupt', 'not a Huffman code', start)
  const header = input[start] as number
  const count = header - 127
  const past = start + 1 + (header < 128 ? header : (count + 1) >> 1)
  if (past > end) throw new Stop('corrupt', 'a Huffman code that ends early', start)
  const weights =
    header < 128
      ? compressedWeights(input, start + 1, past)
      : Array.from(
          { length: count },
          (_, i) => ((input[start + 1 + (i >> 1)] as number) >> (i % 2 === 0 ? 4 : 0)) & 15,
        )
  let sum = 0
  for (const weight of weights) sum += weight === 0 ? 0 : 1 << (weight - 1)
  const bits = 32 - Math.clz32(sum)
  const rest = (1 << bits) - sum
  if (sum === 0 || bits > MAX_BITS || (rest & (rest - 1)) !== 0 || weights.some(weight => weight > MAX_BITS))
    throw new Stop('corrupt', 'Huffman weights that do not form a code', start)
  weights.push(32 - Math.clz32(rest))
  const table = new Uint16Array(1 << bits)
  let at = 0
  for (let weight = 1; weight <= bits; weight++) {
    weights.forEach((own, symbol) => {
      if (own !== weight) return
      table.fill(symbol * 16 + bits + 1 - weight, at, at + (1 << (weight - 1)))
      at += 1 << (weight - 1)
    })
  }
  return { huffman: { bits, table }, end: past }
}

function decodeStream(
  input: Uint8Array,
  start: number,
  end: number,
  { bits: width, table }: Huffman,
  out: Uint8Array,
): void {
  const bits = new BackwardBits(input, start, end)
  for (let i = 0; i < out.length; i++) {
    const entry = table[bits.peek(width)] as number
    out[i] = entry >> 4
    bits.left -= entry & 15
    if (bits.left < 0) throw new Stop('corrupt', 'a stream of literals that ends early', start)
  }
  if (bits.left !== 0) throw new Stop('corrupt', 'a stream of literals that goes on', start)
}

function fourStreams(input: Uint8Array, start: number, end: number, huffman: Huffman, out: Uint8Array): void {
  if (start + 6 > end) throw new Stop('corrupt', 'no room for four streams', start)
  const each = (out.length + 3) >> 2
  if (3 * each > out.length) throw new Stop('corrupt', 'too few literals for four streams', start)
  let at = start + 6
  for (let i = 0; i < 4; i++) {
    const size = (input[start + 2 * i] as number) | ((input[start + 2 * i + 1] as number) << 8)
    const past = i === 3 ? end : at + size
    if (past > end) throw new Stop('corrupt', 'a stream of literals that ends past its section', start)
    decodeStream(input, at, past, huffman, out.subarray(i * each, i === 3 ? out.length : (i + 1) * each))
    at = past
  }
}

/** Bytes of the header of literals that are not compressed, by their size format. */
const PLAIN_HEADERS = [1, 2, 1, 3] as const
/** Bits of each size of compressed literals, by their size format. */
const PACKED_WIDTHS = [10, 10, 14, 18] as const

/** Reads the section at input[start, end). `before` is the code of an earlier block, or null. */
export function readLiterals(
  input: Uint8Array,
  start: number,
  end: number,
  before: Huffman | null,
): Literals {
  const byte = (at: number): number => (at < end ? (input[at] as number) : 0)
  const first = byte(start)
  const type = first & 3
  const form = (first >> 2) & 3
  if (type < 2) {
    const header = PLAIN_HEADERS[form] as number
    let size = header === 1 ? first >> 3 : (first >> 4) | (byte(start + 1) << 4)
    if (header === 3) size |= byte(start + 2) << 12
    const at = start + header
    const stored = type === 0 ? size : 1
    if (size > MAX_LITERALS || at + stored > end)
      throw new Stop('corrupt', 'literals that end past their block', start)
    const bytes = type === 0 ? input.subarray(at, at + size) : new Uint8Array(size).fill(byte(at))
    return { bytes, end: at + stored, inPlace: type === 0 ? at : null, huffman: before }
  }
  const header = form < 2 ? 3 : form + 2
  const width = PACKED_WIDTHS[form] as number
  const packed =
    byte(start) +
    byte(start + 1) * 2 ** 8 +
    byte(start + 2) * 2 ** 16 +
    byte(start + 3) * 2 ** 24 +
    byte(start + 4) * 2 ** 32
  const size = Math.floor(packed / 16) % 2 ** width
  const compressed = Math.floor(packed / 2 ** (4 + width)) % 2 ** width
  const at = start + header
  const past = at + compressed
  if (size > MAX_LITERALS || past > end)
    throw new Stop('corrupt', 'literals that end past their block', start)
  const read = type === 2 ? readHuffman(input, at, past) : null
  const huffman = read?.huffman ?? before
  if (huffman === null) throw new Stop('corrupt', 'literals without a Huffman code', start)
  const bytes = new Uint8Array(size)
  if (form === 0) decodeStream(input, read?.end ?? at, past, huffman, bytes)
  else fourStreams(input, read?.end ?? at, past, huffman, bytes)
  return { bytes, end: past, inPlace: null, huffman }
}
