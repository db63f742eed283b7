/**
 * Finite state entropy: the tables of zstd, and its bit streams that are read from their end. Source: RFC
 * 8878, section 4.1.
 */
import { Stop } from './output.ts'

/** A decoding table: per state its symbol, the number of bits of the next state, and its base. */
export interface FseTable {
  readonly log: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
  readonly bases: Uint16Array
}

/** Makes the table from normalised counts; -1 stands for "less than one". Counts must sum up to 2^log. */
export function fseTable(counts: ArrayLike<number>, log: number): FseTable {
  const size = 1 << log
  const symbols = new Uint8Array(size)
  const bits = new Uint8Array(size)
  const bases = new Uint16Array(size)
  const next = new Uint16Array(counts.length)
  let high = size - 1
  for (let symbol = 0; symbol < counts.length; symbol++) {
    const count = counts[symbol] as number
    next[symbol] = count === -1 ? 1 : count
    if (count === -1) symbols[high--] = symbol
  }
  const step = (size >> 1) + (size >> 3) + 3
  let at = 0
  for (let symbol = 0; symbol < counts.length; symbol++) {
    for (let i = 0; i < (counts[symbol] as number); i++) {
      symbols[at] = symbol
      do at = (at + step) & (size - 1)
      while (at > high)
    }
  }
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] as number
    const count = next[symbol] as number
    next[symbol] = count + 1
    const width = log - (31 - Math.clz32(count))
    bits[state] = width
    bases[state] = (count << width) - size
  }
  return { log, symbols, bits, bases }
}

/** A table with one symbol of zero bits. */
export function rleTable(symbol: number): FseTable {
  return { log: 0, symbols: Uint8Array.of(symbol), bits: new Uint8Array(1), bases: new Uint16Array(1) }
}

/** Reads a table's description at input[at, end) and returns it with the position after it. */
export function readFseTable(
  input: Uint8Array,
  start: number,
  end: number,
  maxLog: number,
  maxSymbol: number,
): { readonly table: FseTable; readonly end: number } {
  let position = 0
  const peek = (count: number): number => {
    const at = start + (position >> 3)
    let value = 0
    for (let i = 0; i < 4 && at + i < end; i++) value |= (input[at + i] as number) << (8 * i)
    return (value >>> (position & 7)) & ((1 << count) - 1)
  }
  const log = peek(4) + 5
  if (log > maxLog) throw new Stop('corrupt', `a table of 2^${String(log)} states`, start + (position >> 3))
  position = 4
  const counts: number[] = []
  let remaining = (1 << log) + 1
  let threshold = 1 << log
  let width = log + 1
  while (remaining > 1) {
    if (start + (position >> 3) >= end)
      throw new Stop('corrupt', 'a table that ends early', start + (position >> 3))
    const max = 2 * threshold - 1 - remaining
    let count = peek(width - 1)
    if (count < max) position += width - 1
    else {
      count = peek(width)
      if (count >= threshold) count -= max
      position += width
    }
    count--
    remaining -= Math.abs(count)
    if (remaining < 1 || counts.length > maxSymbol)
      throw new Stop('corrupt', 'counts that do not fit', start + (position >> 3))
    counts.push(count)
    if (count === 0) {
      for (let flag = 3; flag === 3;) {
        flag = peek(2)
        position += 2
        for (let i = 0; i < flag; i++) counts.push(0)
        if (counts.length > maxSymbol + 1)
          throw new Stop('corrupt', 'too many symbols', start + (position >> 3))
      }
    }
    while (remaining < threshold) {
      width--
      threshold >>= 1
    }
  }
  const past = start + ((position + 7) >> 3)
  if (past > end) throw new Stop('corrupt', 'a table that ends early', start + (position >> 3))
  return { table: fseTable(counts, log), end: past }
}

/**
 * Bits that are read from the last one, under the end mark, to the first. Bits before the first read as 0 and
 * make `left` negative.
 */
export class BackwardBits {
  readonly #input: Uint8Array
  readonly #start: number
  /** Bits not read yet. */
  left: number

  constructor(input: Uint8Array, start: number, end: number) {
    const mark = end > start ? (input[end - 1] as number) : 0
    if (mark === 0) throw new Stop('corrupt', 'a bit stream without an end mark', end)
    this.#input = input
    this.#start = start
    this.left = 8 * (end - start) - 1 - Math.clz32(mark) + 24
  }

  /** At most 24 bits, not taken. */
  peek(count: number): number {
    const at = this.left - count
    if (at < 0) return at <= -count ? 0 : (this.#word(0) & ((1 << this.left) - 1)) << -at
    return (this.#word(at >> 3) >>> (at & 7)) & ((1 << count) - 1)
  }

  /** At most 24 bits. */
  read(count: number): number {
    const value = this.peek(count)
    this.left -= count
    return value
  }

  #word(at: number): number {
    const input = this.#input
    const from = this.#start + at
    return (
      (input[from] as number) |
      ((input[from + 1] as number) << 8) |
      ((input[from + 2] as number) << 16) |
      ((input[from + 3] as number) << 24)
    )
  }
}
