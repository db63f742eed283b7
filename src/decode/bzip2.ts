/**
 * bzip2: Huffman codes, move to front, run lengths and the Burrows-Wheeler transform. Source: the bzip2
 * format as bzip2 1.0.8 reads and writes it.
 */
import { crc32BigEndian } from './checksum.ts'
import { Stop, type Output } from './output.ts'

const BLOCK_MAGIC = 0x314159265359
const END_MAGIC = 0x177245385090
const GROUP = 50
const MAX_LENGTH = 20
/** Symbols that stand for runs of the first byte of the list. */
const RUN_A = 0
const RUN_B = 1

/** Bits, highest first. */
class Bits {
  readonly #input: Uint8Array
  position = 0
  #hold = 0
  #count = 0

  constructor(input: Uint8Array, at: number) {
    this.#input = input
    this.position = at
  }

  /** At most 24 bits. */
  read(count: number): number {
    while (this.#count < count) {
      if (this.position >= this.#input.length)
        throw new Stop('truncated', 'the input ends inside a block', this.position)
      this.#hold = ((this.#hold << 8) | (this.#input[this.position++] as number)) & 0x7fffffff
      this.#count += 8
    }
    this.#count -= count
    const value = (this.#hold >>> this.#count) & ((1 << count) - 1)
    this.#hold &= (1 << this.#count) - 1
    return value
  }

  read48(): number {
    return this.read(24) * 2 ** 24 + this.read(24)
  }

  read32(): number {
    return ((this.read(16) << 16) | this.read(16)) >>> 0
  }
}

/**
 * A canonical code: per length the first code after those of this length, and what turns a code into an index
 * of `symbols`.
 */
interface Code {
  readonly limits: Int32Array
  readonly offsets: Int32Array
  readonly symbols: Uint16Array
}

function codeOf(lengths: Uint8Array): Code {
  const limits = new Int32Array(MAX_LENGTH + 1)
  const offsets = new Int32Array(MAX_LENGTH + 1)
  const symbols = new Uint16Array(lengths.length)
  let index = 0
  let code = 0
  for (let length = 1; length <= MAX_LENGTH; length++) {
    offsets[length] = index - code
    lengths.forEach((own, symbol) => {
      if (own !== length) return
      symbols[index++] = symbol
      code++
    })
    limits[length] = code
    code *= 2
  }
  return { limits, offsets, symbols }
}

function symbolOf(bits: Bits, { limits, offsets, symbols }: Code): number {
  let code = 0
  for (let length = 1; length <= MAX_LENGTH; length++) {
    code = code * 2 + bits.read(1)
    if (code < (limits[length] as number)) {
      const symbol = symbols[code + (offsets[length] as number)]
      if (symbol !== undefined) return symbol
    }
  }
  throw new Stop('corrupt', 'bits that are not a code', bits.position)
}

/** The bytes that occur, in order. */
function readAlphabet(bits: Bits): Uint8Array {
  const rows = bits.read(16)
  const used: number[] = []
  for (let row = 0; row < 16; row++) {
    if (((rows >> (15 - row)) & 1) === 0) continue
    const columns = bits.read(16)
    for (let column = 0; column < 16; column++)
      if ((columns >> (15 - column)) & 1) used.push(16 * row + column)
  }
  if (used.length === 0) throw new Stop('corrupt', 'a block without bytes', bits.position)
  return Uint8Array.from(used)
}

/** Takes list[index] to the front and returns it. */
function toFront(list: Uint8Array, index: number): number {
  const value = list[index] as number
  list.copyWithin(1, 0, index)
  list[0] = value
  return value
}

/** Which code serves each group of 50 symbols. */
function readSelectors(bits: Bits, codes: number): Uint8Array {
  const count = bits.read(15)
  if (count === 0) throw new Stop('corrupt', 'no selectors', bits.position)
  const order = Uint8Array.from({ length: codes }, (_, i) => i)
  const selectors = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    let index = 0
    while (bits.read(1) === 1)
      if (++index >= codes)
        throw new Stop('corrupt', 'a selector of a code that does not exist', bits.position)
    selectors[i] = toFront(order, index)
  }
  return selectors
}

function readCode(bits: Bits, symbols: number): Code {
  const lengths = new Uint8Array(symbols)
  let length = bits.read(5)
  for (let symbol = 0; symbol < symbols; symbol++) {
    for (;;) {
      if (length < 1 || length > MAX_LENGTH)
        throw new Stop('corrupt', 'a code of impossible length', bits.position)
      if (bits.read(1) === 0) break
      length += bits.read(1) === 0 ? 1 : -1
    }
    lengths[symbol] = length
  }
  return codeOf(lengths)
}

/** Reads the symbols of a block into `block` and counts its bytes; returns how many there are. */
function readBlock(bits: Bits, block: Uint32Array, counts: Uint32Array): number {
  const list = readAlphabet(bits)
  const end = list.length + 1
  const codeCount = bits.read(3)
  if (codeCount < 2 || codeCount > 6)
    throw new Stop('corrupt', 'an impossible number of codes', bits.position)
  const selectors = readSelectors(bits, codeCount)
  const codes = Array.from({ length: codeCount }, () => readCode(bits, end + 1))
  let length = 0
  let run = 0
  let weight = 1
  for (let group = 0; ; group++) {
    const code = codes[selectors[group] ?? codeCount]
    if (code === undefined) throw new Stop('corrupt', 'more symbols than selectors', bits.position)
    for (let i = 0; i < GROUP; i++) {
      const symbol = symbolOf(bits, code)
      if (symbol === RUN_A || symbol === RUN_B) {
        run += weight << symbol
        weight *= 2
        if (run > block.length) throw new Stop('corrupt', 'a run that is longer than a block', bits.position)
        continue
      }
      if (run > 0) {
        const byte = list[0] as number
        if (length + run > block.length)
          throw new Stop('corrupt', 'more bytes than a block can have', bits.position)
        block.fill(byte, length, length + run)
        counts[byte] = (counts[byte] as number) + run
        length += run
      }
      run = 0
      weight = 1
      if (symbol === end) return length
      if (length >= block.length) throw new Stop('corrupt', 'more bytes than a block can have', bits.position)
      const byte = toFront(list, symbol - 1)
      block[length++] = byte
      counts[byte] = (counts[byte] as number) + 1
    }
  }
}

/** Undoes transform and run lengths; returns the block's checksum. */
function writeBlock(
  bits: Bits,
  block: Uint32Array,
  length: number,
  counts: Uint32Array,
  origin: number,
  out: Output,
): number {
  for (let byte = 0, sum = 0; byte < 256; byte++) {
    const count = counts[byte] as number
    counts[byte] = sum
    sum += count
  }
  for (let i = 0; i < length; i++) {
    const byte = (block[i] as number) & 255
    const to = counts[byte] as number
    counts[byte] = to + 1
    block[to] = (block[to] as number) | (i << 8)
  }
  let sum = -1
  let before = -1
  let same = 0
  let next = (block[origin] as number) >>> 8
  for (let i = 0; i < length; i++) {
    const entry = block[next] as number
    next = entry >>> 8
    const byte = entry & 255
    const count = same === 4 ? byte : 1
    const value = same === 4 ? before : byte
    out.fill(value, count, bits.position)
    for (let k = 0; k < count; k++) sum = crc32BigEndian(sum, value)
    if (same === 4) same = 0
    else same = byte === before ? same + 1 : 1
    before = same === 0 ? -1 : byte
    out.tick(bits.position)
  }
  return ~sum >>> 0
}

/** Decodes one stream and returns the position after it. Throws Stop. */
export function bzip2(input: Uint8Array, out: Output): number {
  if (input[0] !== 0x42 || input[1] !== 0x5a || input[2] !== 0x68)
    throw new Stop('magic', 'no bzip2 magic', 0)
  const level = (input[3] ?? 0) - 0x30
  if (level < 1 || level > 9) throw new Stop('magic', 'no block size', 3)
  const bits = new Bits(input, 4)
  const block = new Uint32Array(level * 100_000)
  let total = 0
  for (;;) {
    const magic = bits.read48()
    if (magic === END_MAGIC) break
    if (magic !== BLOCK_MAGIC) throw new Stop('corrupt', 'neither a block nor the end', bits.position)
    const expected = bits.read32()
    if (bits.read(1) === 1) throw new Stop('unsupported', 'a randomised block', bits.position)
    const origin = bits.read(24)
    const counts = new Uint32Array(256)
    const length = readBlock(bits, block, counts)
    if (origin >= length) throw new Stop('corrupt', 'an origin past the end of its block', bits.position)
    if (writeBlock(bits, block, length, counts, origin, out) !== expected)
      throw new Stop('checksum', 'the checksum of a block differs', bits.position)
    total = (((total << 1) | (total >>> 31)) ^ expected) >>> 0
    out.report(bits.position)
  }
  if (bits.read32() !== total) throw new Stop('checksum', 'the checksum of the stream differs', bits.position)
  return bits.position
}
