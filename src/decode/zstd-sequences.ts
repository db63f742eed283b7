/**
 * The sequences section of a zstd block: the copy instructions. Source: RFC 8878, sections 3.1.1.3.2 and
 * 3.1.1.4.
 */
import { once } from '../bytes/once.ts'
import { BackwardBits, fseTable, readFseTable, rleTable, type FseTable } from './fse.ts'
import { Stop, type Output } from './output.ts'
import type { Literals } from './zstd-literals.ts'

const LENGTH_BASE = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512,
  1024, 2048, 4096, 8192, 16384, 32768, 65536,
] as const
const LENGTH_BITS = [
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14,
  15, 16,
] as const
const MATCH_BASE_FROM_32 = [
  35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539,
] as const
const MATCH_BITS_FROM_32 = [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16] as const

const words = (values: readonly number[]): Int32Array => Int32Array.from(values)
const LITERAL_BASES = words(LENGTH_BASE)
const LITERAL_BITS = words(LENGTH_BITS)
const MATCH_BASES = words([...Array.from({ length: 32 }, (_, i) => i + 3), ...MATCH_BASE_FROM_32])
const MATCH_BITS = words([...Array<number>(32).fill(0), ...MATCH_BITS_FROM_32])

/** One of the three tables: its maximum size, and the predefined one. */
interface Kind {
  readonly maxLog: number
  readonly maxSymbol: number
  readonly predefined: () => FseTable
}

const ones = (count: number): number[] => Array<number>(count).fill(1)
const twos = (count: number): number[] => Array<number>(count).fill(2)
const LITERAL_KIND: Kind = {
  maxLog: 9,
  maxSymbol: 35,
  predefined: once(() =>
    fseTable([4, 3, ...twos(11), 1, 1, 1, ...twos(9), 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1], 6),
  ),
}
const OFFSET_KIND: Kind = {
  maxLog: 8,
  maxSymbol: 31,
  predefined: once(() => fseTable([...ones(6), 2, 2, 2, ...ones(15), -1, -1, -1, -1, -1], 5)),
}
const MATCH_KIND: Kind = {
  maxLog: 9,
  maxSymbol: 52,
  predefined: once(() => fseTable([1, 4, 3, 2, 2, 2, 2, 2, 2, ...ones(37), -1, -1, -1, -1, -1, -1, -1], 6)),
}

/** State passed from one block to the next one of its frame. */
export interface SequenceState {
  literal: FseTable | null
  offset: FseTable | null
  match: FseTable | null
  /** The last three distances. */
  readonly repeats: [number, number, number]
}

function tableFor(
  input: Uint8Array,
  at: number,
  end: number,
  mode: number,
  kind: Kind,
  before: FseTable | null,
): { readonly table: FseTable; readonly end: number } {
  if (mode === 0) return { table: kind.predefined(), end: at }
  if (mode === 2) return readFseTable(input, at, end, kind.maxLog, kind.maxSymbol)
  if (mode === 3) {
    if (before === null) throw new Stop('corrupt', 'a repeated table that does not exist', at)
    return { table: before, end: at }
  }
  if (at >= end || (input[at] as number) > kind.maxSymbol)
    throw new Stop('corrupt', 'a symbol that does not exist', at)
  return { table: rleTable(input[at] as number), end: at + 1 }
}

/** The distance for an offset value; updates the last three. */
function distanceOf(value: number, literals: number, repeats: [number, number, number], at: number): number {
  if (value > 3) {
    repeats[2] = repeats[1]
    repeats[1] = repeats[0]
    return (repeats[0] = value - 3)
  }
  const which = value - (literals === 0 ? 0 : 1)
  if (which === 0) return repeats[0]
  const known = which === 1 ? repeats[1] : repeats[2]
  const distance = which === 3 ? repeats[0] - 1 : known
  if (distance === 0) throw new Stop('corrupt', 'a distance of 0', at)
  if (which !== 1) repeats[2] = repeats[1]
  repeats[1] = repeats[0]
  return (repeats[0] = distance)
}

interface Header {
  readonly count: number
  readonly at: number
}

function readCount(input: Uint8Array, at: number, end: number): Header {
  const need = (count: number): void => {
    if (at + count > end) throw new Stop('corrupt', 'the number of sequences ends past its block', at)
  }
  need(1)
  const first = input[at] as number
  if (first < 128) return { count: first, at: at + 1 }
  need(first === 255 ? 3 : 2)
  if (first < 255) return { count: ((first - 128) << 8) + (input[at + 1] as number), at: at + 2 }
  return { count: (input[at + 1] as number) + ((input[at + 2] as number) << 8) + 0x7f00, at: at + 3 }
}

/**
 * Executes the sequences at input[literals.end, end) and appends the literals after the last. While they run,
 * everything from the first byte of the bit stream on is still needed, for it is read from its end; so are
 * literals that are used in place.
 */
export function runSequences(
  input: Uint8Array,
  end: number,
  literals: Literals,
  state: SequenceState,
  frameStart: number,
  out: Output,
): void {
  const header = readCount(input, literals.end, end)
  const { bytes } = literals
  let used = 0
  if (header.count > 0) {
    if (header.at >= end) throw new Stop('corrupt', 'sequences without tables', header.at)
    const modes = input[header.at] as number
    if ((modes & 3) !== 0) throw new Stop('corrupt', 'reserved bits are set', header.at)
    const literal = tableFor(input, header.at + 1, end, modes >> 6, LITERAL_KIND, state.literal)
    const offset = tableFor(input, literal.end, end, (modes >> 4) & 3, OFFSET_KIND, state.offset)
    const match = tableFor(input, offset.end, end, (modes >> 2) & 3, MATCH_KIND, state.match)
    state.literal = literal.table
    state.offset = offset.table
    state.match = match.table
    const at = match.end
    const bits = new BackwardBits(input, at, end)
    let literalState = bits.read(literal.table.log)
    let offsetState = bits.read(offset.table.log)
    let matchState = bits.read(match.table.log)
    for (let left = header.count; left > 0; left--) {
      const offsetCode = offset.table.symbols[offsetState] as number
      const matchCode = match.table.symbols[matchState] as number
      const literalCode = literal.table.symbols[literalState] as number
      const high = offsetCode > 16 ? bits.read(offsetCode - 16) * 65536 : 0
      const value = 2 ** offsetCode + high + bits.read(Math.min(offsetCode, 16))
      const length = (MATCH_BASES[matchCode] as number) + bits.read(MATCH_BITS[matchCode] as number)
      const run = (LITERAL_BASES[literalCode] as number) + bits.read(LITERAL_BITS[literalCode] as number)
      if (left > 1) {
        literalState =
          (literal.table.bases[literalState] as number) +
          bits.read(literal.table.bits[literalState] as number)
        matchState =
          (match.table.bases[matchState] as number) + bits.read(match.table.bits[matchState] as number)
        offsetState =
          (offset.table.bases[offsetState] as number) + bits.read(offset.table.bits[offsetState] as number)
      }
      if (bits.left < 0) throw new Stop('corrupt', 'a bit stream of sequences that ends early', at)
      if (used + run > bytes.length) throw new Stop('corrupt', 'more literals used than available', at)
      out.append(bytes, used, used + run, at)
      used += run
      const distance = distanceOf(value, run, state.repeats, at)
      if (distance > out.length - frameStart)
        throw new Stop('corrupt', 'a distance before the first byte', at)
      out.copy(distance, length, at)
      out.tick(literals.inPlace === null ? at : literals.inPlace + used)
    }
    if (bits.left !== 0) throw new Stop('corrupt', 'a bit stream of sequences that goes on', at)
  } else if (header.at !== end) throw new Stop('corrupt', 'bytes after an empty list of sequences', header.at)
  out.append(bytes, used, bytes.length, end)
}
