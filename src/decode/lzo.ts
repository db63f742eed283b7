/**
 * LZO1X in the container of lzop. Sources: linux@6.12.107 Documentation/staging/lzo.rst;
 * lib/decompress_unlzo.c for the container.
 */
import { adler32, crc32 } from './checksum.ts'
import { copyMatch, Stop, type Output } from './output.ts'

const MAGIC = [0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a] as const
const BLOCK_MAX = 256 * 1024
const ADLER32_OUT = 0x1
const ADLER32_IN = 0x2
const CRC32_OUT = 0x100
const CRC32_IN = 0x200
const HAS_FILTER = 0x800
const CRC32_HEADER = 0x1000
/** Versions from this one on have a level and a longer timestamp. */
const VERSION_WITH_LEVEL = 0x940
/** A match at this distance ends a block. */
const END_DISTANCE = 0x4000

const half = (input: Uint8Array, at: number): number =>
  (input[at] as number) * 256 + (input[at + 1] as number)
const word = (input: Uint8Array, at: number): number => half(input, at) * 65536 + half(input, at + 2)

/** Decodes input[start, end) to `size` more bytes of output. */
function block(input: Uint8Array, start: number, end: number, size: number, out: Output): void {
  const bytes = out.room(size, start)
  const first = out.next
  const outputEnd = first + size
  let at = start
  let to = first
  const byte = (): number => {
    if (at >= end) throw new Stop('corrupt', 'a block that ends inside an instruction', at)
    return input[at++] as number
  }
  const literals = (count: number): void => {
    if (count > end - at || count > outputEnd - to)
      throw new Stop('corrupt', 'literals that end past their block', at)
    for (let i = 0; i < count; i++) bytes[to + i] = input[at + i] as number
    at += count
    to += count
  }
  const long = (base: number): number => {
    let total = base
    for (let next = byte(); ; next = byte()) {
      if (next !== 0) return total + next
      total += 255
      if (total > BLOCK_MAX) throw new Stop('corrupt', 'a length that is longer than a block', at)
    }
  }
  const match = (distance: number, length: number): void => {
    if (distance > to - first) throw new Stop('corrupt', 'a distance before the first byte', at)
    if (length > outputEnd - to) throw new Stop('corrupt', 'a match that ends past its block', at)
    copyMatch(bytes, to, distance, length)
    to += length
  }
  // How many literals came before: 0 to 3 after a match, 4 for a run of literals
  let state = 0
  if (end > start && (input[start] as number) > 17) {
    const count = byte() - 17
    literals(count)
    state = Math.min(count, 4)
  }
  for (;;) {
    const instruction = byte()
    let trailing: number
    if (instruction >= 64) {
      trailing = instruction & 3
      match(byte() * 8 + ((instruction >> 2) & 7) + 1, (instruction >> 5) + 1)
    } else if (instruction >= 16) {
      const isFar = instruction < 32
      const short = instruction & (isFar ? 7 : 31)
      const length = short === 0 ? long(isFar ? 9 : 33) : short + 2
      const packed = byte() + 256 * byte()
      const distance = isFar ? END_DISTANCE + ((instruction & 8) << 11) + (packed >> 2) : (packed >> 2) + 1
      if (isFar && distance === END_DISTANCE) break
      trailing = packed & 3
      match(distance, length)
    } else if (state === 0) {
      literals(instruction === 0 ? long(18) : instruction + 3)
      state = 4
      continue
    } else {
      trailing = instruction & 3
      const packed = byte() * 4 + (instruction >> 2)
      if (state === 4) match(packed + 2049, 3)
      else match(packed + 1, 2)
    }
    literals(trailing)
    state = trailing
    out.next = to
    out.tick(at)
  }
  if (at !== end || to !== outputEnd)
    throw new Stop('corrupt', 'the end of a block differs from its header', at)
  out.next = to
}

interface Header {
  readonly end: number
  readonly flags: number
  /** Is the checksum of the header correct? The kernel ignores it. */
  readonly isWhole: boolean
}

function readHeader(input: Uint8Array): Header {
  if (MAGIC.some((byte, i) => input[i] !== byte)) throw new Stop('magic', 'no lzop magic', 0)
  const need = (end: number): void => {
    if (end > input.length) throw new Stop('magic', 'the input ends inside the header', input.length)
  }
  need(34)
  const isNew = half(input, 9) >= VERSION_WITH_LEVEL
  const flagsAt = isNew ? 17 : 16
  const flags = word(input, flagsAt)
  const nameAt = flagsAt + 4 + (flags & HAS_FILTER ? 4 : 0) + (isNew ? 12 : 8)
  need(nameAt + 1)
  const end = nameAt + 1 + (input[nameAt] as number)
  need(end + 4)
  const sum = flags & CRC32_HEADER ? crc32(input, 9, end) : adler32(input, 9, end)
  return { end: end + 4, flags, isWhole: sum === word(input, end) }
}

/** Decodes one stream and returns the position after it. Throws Stop. */
export function lzo(input: Uint8Array, out: Output): number {
  const header = readHeader(input)
  let wrong = header.isWhole ? null : header.end - 4
  let at = header.end
  const need = (count: number): void => {
    if (at + count > input.length) throw new Stop('truncated', 'the input ends inside a block', at)
  }
  /** Compares the checksums selected by the flags with those of bytes[from, to). */
  const sums = (
    adler: number,
    crc: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    sumsAt: number,
  ): void => {
    const expected = [
      ...(header.flags & adler ? [adler32(bytes, from, to)] : []),
      ...(header.flags & crc ? [crc32(bytes, from, to)] : []),
    ]
    if (expected.some((sum, i) => sum !== word(input, sumsAt + 4 * i))) wrong ??= sumsAt
  }
  const sizeOfSums = (adler: number, crc: number): number =>
    (header.flags & adler ? 4 : 0) + (header.flags & crc ? 4 : 0)
  for (;;) {
    need(4)
    const length = word(input, at)
    at += 4
    if (length === 0) break
    need(4)
    const size = word(input, at)
    if (length > BLOCK_MAX || size === 0 || size > length)
      throw new Stop('truncated', 'a block of impossible size', at)
    const outSums = at + 4
    const inSums = outSums + sizeOfSums(ADLER32_OUT, CRC32_OUT)
    const start = inSums + (size < length ? sizeOfSums(ADLER32_IN, CRC32_IN) : 0)
    need(start - at + size)
    if (size === length) out.append(input, start, start + size, start)
    else block(input, start, start + size, length, out)
    sums(ADLER32_OUT, CRC32_OUT, out.bytes, out.next - length, out.next, outSums)
    if (size < length) sums(ADLER32_IN, CRC32_IN, input, start, start + size, inSums)
    at = start + size
    out.report(at)
  }
  if (wrong !== null) throw new Stop('checksum', 'a checksum differs', wrong)
  return at
}
