/** Deflate: stored, fixed and dynamic Huffman blocks. Source: RFC 1951. */
import { once } from '../bytes/once.ts'
import { Stop, type Output } from './output.ts'

const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
] as const
const LENGTH_BITS = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
] as const
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
  6145, 8193, 12289, 16385, 24577,
] as const
const DISTANCE_BITS = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
] as const
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] as const
const END_OF_BLOCK = 256
/** The largest distance. */
const WINDOW = 2 ** 15

/** A prefix code, looked up by its next `bits` bits: symbol * 16 + length; 0 for an invalid code. */
interface Code {
  readonly bits: number
  readonly table: Uint16Array
}

const reversed = (code: number, length: number): number => {
  let out = 0
  for (let i = 0; i < length; i++) out |= ((code >> i) & 1) << (length - 1 - i)
  return out
}

/**
 * null if the lengths do not form a prefix code. A code with one word of one bit may be incomplete, as in
 * zlib.
 */
function codeOf(lengths: Uint8Array, mayBeIncomplete: boolean): Code | null {
  const counts = new Uint16Array(16)
  for (const length of lengths) counts[length] = (counts[length] as number) + 1
  counts[0] = 0
  const bits = counts.findLastIndex(count => count > 0)
  if (bits < 1) return mayBeIncomplete ? { bits: 1, table: new Uint16Array(2) } : null
  const next = new Uint16Array(16)
  let left = 1
  for (let length = 1, code = 0; length <= 15; length++) {
    left = 2 * left - (counts[length] as number)
    if (left < 0) return null
    next[length] = code
    code = (code + (counts[length] as number)) << 1
  }
  if (left > 0 && !(mayBeIncomplete && bits === 1)) return null
  const table = new Uint16Array(1 << bits)
  lengths.forEach((length, symbol) => {
    if (length === 0) return
    const code = next[length] as number
    next[length] = code + 1
    for (let at = reversed(code, length); at < table.length; at += 1 << length)
      table[at] = symbol * 16 + length
  })
  return { bits, table }
}

const repeat = (runs: readonly (readonly [count: number, length: number])[]): Uint8Array =>
  Uint8Array.from(runs.flatMap(([count, length]) => Array<number>(count).fill(length)))
const NO_CODE: Code = { bits: 1, table: new Uint16Array(2) }
/** The fixed codes. */
const fixedCodes = once(() => {
  const literals = repeat([
    [144, 8],
    [112, 9],
    [24, 7],
    [8, 8],
  ])
  return {
    literals: codeOf(literals, false) ?? NO_CODE,
    distances: codeOf(repeat([[32, 5]]), false) ?? NO_CODE,
  }
})

class Inflater {
  readonly #input: Uint8Array
  readonly #out: Output
  position: number
  #hold = 0
  #count = 0

  constructor(input: Uint8Array, at: number, out: Output) {
    this.#input = input
    this.position = at
    this.#out = out
  }

  run(): void {
    for (;;) {
      const last = this.#bits(1)
      const type = this.#bits(2)
      if (type === 0) this.#stored()
      else if (type === 1) this.#compressed(fixedCodes().literals, fixedCodes().distances)
      else if (type === 2) this.#dynamic()
      else throw new Stop('corrupt', 'a block of type 3', this.position)
      if (last === 1) break
    }
    this.position -= this.#count >> 3
  }

  /** How many lengths a symbol from 16 on stands for; reads its extra bits. */
  #repeats(symbol: number): number {
    if (symbol === 16) return 3 + this.#bits(2)
    return symbol === 17 ? 3 + this.#bits(3) : 11 + this.#bits(7)
  }

  #bits(need: number): number {
    while (this.#count < need) {
      if (this.position >= this.#input.length)
        throw new Stop('truncated', 'the input ends inside a block', this.position)
      this.#hold |= (this.#input[this.position++] as number) << this.#count
      this.#count += 8
    }
    const value = this.#hold & ((1 << need) - 1)
    this.#hold >>>= need
    this.#count -= need
    return value
  }

  #symbol({ bits, table }: Code): number {
    while (this.#count < bits && this.position < this.#input.length) {
      this.#hold |= (this.#input[this.position++] as number) << this.#count
      this.#count += 8
    }
    const entry = table[this.#hold & ((1 << bits) - 1)] as number
    const length = entry & 15
    if (length === 0) throw new Stop('corrupt', 'bits that are not a code', this.position)
    if (length > this.#count) throw new Stop('truncated', 'the input ends inside a code', this.position)
    this.#hold >>>= length
    this.#count -= length
    return entry >> 4
  }

  #stored(): void {
    this.position -= this.#count >> 3
    this.#hold = 0
    this.#count = 0
    const input = this.#input
    const at = this.position
    if (at + 4 > input.length) throw new Stop('truncated', 'the input ends before a stored block', at)
    const length = (input[at] as number) | ((input[at + 1] as number) << 8)
    if ((length ^ 0xffff) !== ((input[at + 2] as number) | ((input[at + 3] as number) << 8)))
      throw new Stop('corrupt', 'the length of a stored block and its complement disagree', this.position)
    if (at + 4 + length > input.length)
      throw new Stop('truncated', 'the input ends inside a stored block', at)
    this.#out.append(input, at + 4, at + 4 + length, at)
    this.position = at + 4 + length
    this.#out.tick(this.position)
  }

  #dynamic(): void {
    const literalCount = this.#bits(5) + 257
    const distanceCount = this.#bits(5) + 1
    const codeCount = this.#bits(4) + 4
    if (literalCount > 286 || distanceCount > 30) throw new Stop('corrupt', 'too many codes', this.position)
    const codeLengths = new Uint8Array(19)
    for (const symbol of CODE_LENGTH_ORDER.slice(0, codeCount)) codeLengths[symbol] = this.#bits(3)
    const code = codeOf(codeLengths, false)
    if (code === null) throw new Stop('corrupt', 'the code lengths have no code', this.position)
    const lengths = new Uint8Array(literalCount + distanceCount)
    for (let i = 0; i < lengths.length;) {
      const symbol = this.#symbol(code)
      if (symbol < 16) {
        lengths[i++] = symbol
        continue
      }
      if (symbol === 16 && i === 0)
        throw new Stop('corrupt', 'a repeated length without a first', this.position)
      const length = symbol === 16 ? (lengths[i - 1] as number) : 0
      const end = i + this.#repeats(symbol)
      if (end > lengths.length) throw new Stop('corrupt', 'too many lengths', this.position)
      lengths.fill(length, i, end)
      i = end
    }
    const literals = codeOf(lengths.subarray(0, literalCount), true)
    const distances = codeOf(lengths.subarray(literalCount), true)
    if (literals === null || distances === null)
      throw new Stop('corrupt', 'lengths that do not form a code', this.position)
    this.#compressed(literals, distances)
  }

  #compressed(literals: Code, distances: Code): void {
    const out = this.#out
    for (;;) {
      const symbol = this.#symbol(literals)
      if (symbol < END_OF_BLOCK) {
        out.room(1, this.position)[out.next] = symbol
        out.next++
      } else {
        if (symbol === END_OF_BLOCK) break
        const base = LENGTH_BASE[symbol - 257]
        if (base === undefined)
          throw new Stop('corrupt', 'a length symbol that does not exist', this.position)
        const length = base + this.#bits(LENGTH_BITS[symbol - 257] as number)
        const distanceSymbol = this.#symbol(distances)
        const distanceBase = DISTANCE_BASE[distanceSymbol]
        if (distanceBase === undefined)
          throw new Stop('corrupt', 'a distance symbol that does not exist', this.position)
        const distance = distanceBase + this.#bits(DISTANCE_BITS[distanceSymbol] as number)
        if (distance > out.length)
          throw new Stop('corrupt', 'a distance before the first byte', this.position)
        out.copy(distance, length, this.position)
      }
      out.tick(this.position)
    }
  }
}

/** Inflates what begins at `at` and returns the position after it. Throws Stop. */
export function inflate(input: Uint8Array, at: number, out: Output): number {
  out.openWindow(WINDOW, at)
  const inflater = new Inflater(input, at, out)
  inflater.run()
  return inflater.position
}
