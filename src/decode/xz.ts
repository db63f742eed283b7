/**
 * The xz container: one stream of blocks with LZMA2, an x86 filter before it if there is one, and a check
 * after it. Source: the xz file format 1.1.0.
 */
import { X86Filter } from './bcj-x86.ts'
import { crc32, Crc32, Crc64 } from './checksum.ts'
import { Lzma, lzmaProperties } from './lzma.ts'
import { Stop, type Output } from './output.ts'

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] as const
const FILTER_X86 = 4
const FILTER_LZMA2 = 0x21
const CHECK_CRC32 = 1
const CHECK_CRC64 = 4
/** Bytes of a check by its type. */
const CHECK_SIZE: Readonly<Record<number, number>> = { 0: 0, [CHECK_CRC32]: 4, [CHECK_CRC64]: 8 }

const word = (input: Uint8Array, at: number): number =>
  ((input[at] as number) |
    ((input[at + 1] as number) << 8) |
    ((input[at + 2] as number) << 16) |
    ((input[at + 3] as number) << 24)) >>>
  0

/** Bytes [at, end) of input that are all there, and their CRC-32 in the four bytes after. */
function checked(input: Uint8Array, at: number, end: number, what: string): void {
  if (end + 4 > input.length) throw new Stop('truncated', `the input ends inside ${what}`, input.length)
  if (crc32(input, at, end) !== word(input, end))
    throw new Stop('corrupt', `the CRC-32 of ${what} differs`, end)
}

interface VariableNumber {
  readonly value: number
  readonly end: number
}

/** A number of variable length, at most 2^53 here. */
function readNumber(input: Uint8Array, start: number, end: number): VariableNumber {
  let value = 0
  for (let at = start, scale = 1; at < end && at < start + 7; at++, scale *= 128) {
    const byte = input[at] as number
    value += (byte & 127) * scale
    if (byte < 128) return { value, end: at + 1 }
  }
  throw new Stop('corrupt', 'a number that does not end', start)
}

/** The dictionary's size, from the properties of LZMA2; Infinity if they are invalid. */
function dictionarySize(bits: number): number {
  return bits > 40 ? Infinity : (2 | (bits & 1)) * 2 ** ((bits >> 1) + 11)
}

interface BlockHeader {
  readonly end: number
  readonly compressedSize: number | null
  readonly uncompressedSize: number | null
  readonly isX86: boolean
  /** Bytes of history that LZMA2 needs. */
  readonly dictionary: number
}

function readBlockHeader(input: Uint8Array, at: number): BlockHeader {
  const end = at + 4 * ((input[at] as number) + 1) - 4
  checked(input, at, end, 'a block header')
  const flags = input[at + 1] as number
  if ((flags & 0x3c) !== 0) throw new Stop('unsupported', 'unknown flags of a block', at + 1)
  let next = at + 2
  const number = (): number => {
    const { value, end: past } = readNumber(input, next, end)
    next = past
    return value
  }
  const compressedSize = flags & 0x40 ? number() : null
  const uncompressedSize = flags & 0x80 ? number() : null
  const filters: number[] = []
  let dictionary = Infinity
  for (let i = 0; i <= (flags & 3); i++) {
    filters.push(number())
    const size = number()
    if (filters.at(-1) === FILTER_X86 && size !== 0)
      throw new Stop('unsupported', 'an x86 filter with a start offset', next)
    if (filters.at(-1) === FILTER_LZMA2 && size === 1) dictionary = dictionarySize(input[next] as number)
    next += size
  }
  if (next > end) throw new Stop('corrupt', 'filters that end past their header', at)
  const isX86 = filters.length === 2 && filters[0] === FILTER_X86
  if (filters.at(-1) !== FILTER_LZMA2 || (filters.length > 1 && !isX86))
    throw new Stop('unsupported', `filters ${filters.join(', ')}`, at)
  return { end: end + 4, compressedSize, uncompressedSize, isX86, dictionary }
}

/** Decodes LZMA2 chunks from `start` on and returns the position after their end mark. */
function lzma2(input: Uint8Array, start: number, out: Output): number {
  const lzma = new Lzma(input, out)
  let needsDictionary = true
  let needsProperties = true
  let at = start
  const need = (count: number): void => {
    if (at + count > input.length) throw new Stop('truncated', 'the input ends inside a chunk', at)
  }
  for (;;) {
    need(1)
    const control = input[at] as number
    if (control === 0) return at + 1
    if (control === 1 || control >= 0xe0) {
      needsDictionary = false
      lzma.dictionaryStart = out.length
    } else if (needsDictionary) throw new Stop('corrupt', 'the first chunk does not begin a dictionary', at)
    if (control < 0x80) {
      if (control > 2) throw new Stop('corrupt', 'an unknown chunk', at)
      need(3)
      const size = (input[at + 1] as number) * 256 + (input[at + 2] as number) + 1
      at += 3
      need(size)
      out.append(input, at, at + size, at)
      at += size
      out.tick(at)
      continue
    }
    need(6)
    const size = (control & 31) * 65536 + (input[at + 1] as number) * 256 + (input[at + 2] as number) + 1
    const compressed = (input[at + 3] as number) * 256 + (input[at + 4] as number) + 1
    if (control >= 0xc0) {
      const properties = lzmaProperties(input[at + 5] as number)
      if (properties === null || properties.literalContext + properties.literalPosition > 4)
        throw new Stop('corrupt', 'invalid properties', at + 5)
      lzma.reset(properties)
      needsProperties = false
      at += 6
    } else {
      if (needsProperties) throw new Stop('corrupt', 'the first chunk has no properties', at)
      if (control >= 0xa0) lzma.reset()
      at += 5
    }
    need(compressed)
    out.expect(size, at)
    lzma.begin(at, at + compressed)
    if (lzma.decode(out.length + size))
      throw new Stop('corrupt', 'an end marker inside a chunk', lzma.position)
    lzma.normalize()
    at += compressed
    if (lzma.position !== at || !lzma.isFinished)
      throw new Stop('corrupt', 'the end of a chunk differs from its header', lzma.position)
  }
}

function checkBlock(input: Uint8Array, at: number, check: number, sum: Crc32 | Crc64 | null): void {
  if (at + (CHECK_SIZE[check] ?? 0) > input.length)
    throw new Stop('truncated', 'the input ends inside a check', input.length)
  if (sum === null) return
  if (sum instanceof Crc32) {
    if (sum.value !== word(input, at)) throw new Stop('checksum', 'the CRC-32 of a block differs', at)
    return
  }
  const [low, high] = sum.value
  if (low !== word(input, at) || high !== word(input, at + 4))
    throw new Stop('checksum', 'the CRC-64 of a block differs', at)
}

function sumOf(check: number): Crc32 | Crc64 | null {
  if (check === CHECK_CRC32) return new Crc32()
  return check === CHECK_CRC64 ? new Crc64() : null
}

/** The sizes that the index must repeat. */
interface BlockSizes {
  readonly unpadded: number
  readonly uncompressed: number
}

const padded = (size: number): number => 4 * Math.ceil(size / 4)

/** A block with its padding and check. */
function readBlock(
  input: Uint8Array,
  start: number,
  check: number,
  out: Output,
): { readonly end: number; readonly sizes: BlockSizes } {
  const header = readBlockHeader(input, start)
  const from = out.length
  const sum = sumOf(check)
  out.openWindow(header.dictionary, start)
  out.begin(sum, header.isX86 ? new X86Filter() : null)
  const end = lzma2(input, header.end, out)
  out.end()
  const uncompressed = out.length - from
  if (header.compressedSize !== null && header.compressedSize !== end - header.end)
    throw new Stop('corrupt', 'the length of a block differs from its header', end)
  if (header.uncompressedSize !== null && header.uncompressedSize !== uncompressed)
    throw new Stop('corrupt', 'the decoded length of a block differs from its header', end)
  const checkAt = start + padded(end - start)
  if (input.subarray(end, checkAt).some(byte => byte !== 0))
    throw new Stop('corrupt', 'padding that is not zero', end)
  checkBlock(input, checkAt, check, sum)
  const checkSize = CHECK_SIZE[check] ?? 0
  return { end: checkAt + checkSize, sizes: { unpadded: end - start + checkSize, uncompressed } }
}

/** The index repeats the sizes of all blocks; returns the position after it. */
function readIndex(input: Uint8Array, start: number, blocks: readonly BlockSizes[]): number {
  let at = start + 1
  const expect = (value: number): void => {
    const found = readNumber(input, at, input.length)
    if (found.value !== value) throw new Stop('corrupt', 'the index disagrees with the blocks', at)
    at = found.end
  }
  expect(blocks.length)
  for (const { unpadded, uncompressed } of blocks) {
    expect(unpadded)
    expect(uncompressed)
  }
  const end = start + padded(at - start)
  if (input.subarray(at, end).some(byte => byte !== 0))
    throw new Stop('corrupt', 'padding that is not zero', at)
  checked(input, start, end, 'the index')
  return end + 4
}

/** Decodes one stream and returns the position after its footer. Throws Stop. */
export function xz(input: Uint8Array, out: Output): number {
  if (MAGIC.some((byte, i) => input[i] !== byte)) throw new Stop('magic', 'no xz magic', 0)
  checked(input, 6, 8, 'the stream header')
  const check = input[7] as number
  if (input[6] !== 0 || CHECK_SIZE[check] === undefined)
    throw new Stop('unsupported', `a check of type ${String(check)}`, 6)
  const blocks: BlockSizes[] = []
  let at = 12
  for (;;) {
    if (at >= input.length) throw new Stop('truncated', 'the input ends before the index', at)
    if (input[at] === 0) break
    const block = readBlock(input, at, check, out)
    blocks.push(block.sizes)
    at = block.end
    out.report(at)
  }
  const footer = readIndex(input, at, blocks)
  if (footer + 12 > input.length)
    throw new Stop('truncated', 'the input ends inside the footer', input.length)
  if (crc32(input, footer + 4, footer + 10) !== word(input, footer))
    throw new Stop('corrupt', 'the CRC-32 of the footer differs', footer)
  if (
    4 * (word(input, footer + 4) + 1) !== footer - at ||
    input[footer + 8] !== 0 ||
    input[footer + 9] !== check ||
    input[footer + 10] !== 0x59 ||
    input[footer + 11] !== 0x5a
  ) {
    throw new Stop('corrupt', 'the footer disagrees with the stream', footer)
  }
  return footer + 12
}
