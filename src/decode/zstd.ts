/** Zstandard frames without a dictionary. Source: RFC 8878. */
import { Stop, type Output } from './output.ts'
import { Xxh64 } from './xxh64.ts'
import { readLiterals, type Huffman } from './zstd-literals.ts'
import { runSequences, type SequenceState } from './zstd-sequences.ts'

const BLOCK_MAX = 1 << 17
/**
 * Largest window of a 64-bit decoder: 2^31. Source: linux@6.12.107 include/linux/zstd_lib.h
 * ZSTD_WINDOWLOG_MAX.
 */
const WINDOW_LOG_MAX = 31

interface Frame {
  readonly at: number
  readonly hasChecksum: boolean
  readonly contentSize: number | null
  readonly windowSize: number
  readonly blockMax: number
}

const number = (input: Uint8Array, at: number, width: number): number => {
  let value = 0
  for (let i = width - 1; i >= 0; i--) value = value * 256 + (input[at + i] as number)
  return value
}

function readHeader(input: Uint8Array): Frame {
  if (input.length < 4 || number(input, 0, 4) !== 0xfd2fb528) throw new Stop('magic', 'no zstd magic', 0)
  if (input.length < 6) throw new Stop('truncated', 'shorter than a frame', input.length)
  const descriptor = input[4] as number
  if ((descriptor & 8) !== 0) throw new Stop('unsupported', 'a reserved bit of the frame header is set', 4)
  const single = (descriptor & 0x20) !== 0
  const window = single ? 0 : (input[5] as number)
  const windowLog = 10 + (window >> 3)
  if (windowLog > WINDOW_LOG_MAX) throw new Stop('unsupported', `a window of 2^${String(windowLog)} bytes`, 5)
  const dictionary = [0, 1, 2, 4][descriptor & 3] as number
  const width = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] as number
  const at = (single ? 5 : 6) + dictionary
  if (at + width > input.length)
    throw new Stop('truncated', 'the input ends inside the frame header', input.length)
  if (number(input, at - dictionary, dictionary) !== 0)
    throw new Stop('unsupported', 'a dictionary is needed', at)
  const contentSize = width === 0 ? null : number(input, at, width) + (width === 2 ? 256 : 0)
  const windowSize = single ? (contentSize ?? 0) : 2 ** windowLog + 2 ** (windowLog - 3) * (window & 7)
  return {
    at: at + width,
    hasChecksum: (descriptor & 4) !== 0,
    contentSize,
    windowSize,
    blockMax: Math.min(BLOCK_MAX, windowSize),
  }
}

interface Block {
  readonly last: boolean
  readonly type: number
  /** Declared size; of a repeated byte, how often. */
  readonly size: number
  readonly at: number
  readonly end: number
}

function readBlock(input: Uint8Array, at: number): Block {
  if (at + 3 > input.length) throw new Stop('truncated', 'the input ends before a block', at)
  const header = number(input, at, 3)
  const type = (header >> 1) & 3
  const size = header >> 3
  if (type === 3) throw new Stop('corrupt', 'a block of type 3', at)
  const end = at + 3 + (type === 1 ? 1 : size)
  if (end > input.length) throw new Stop('truncated', 'the input ends inside a block', at)
  return { last: (header & 1) === 1, type, size, at: at + 3, end }
}

/** Where the frame ends. The kernel walks its block headers before it decodes anything. */
function findEnd(input: Uint8Array, { at, hasChecksum }: Frame): number {
  let end = at
  for (let last = false; !last;) ({ last, end } = readBlock(input, end))
  const past = end + (hasChecksum ? 4 : 0)
  if (past > input.length) throw new Stop('truncated', 'the input ends before the checksum', end)
  return past
}

/** Decodes one frame and returns the position after it. Throws Stop. */
export function zstd(input: Uint8Array, out: Output): number {
  const frame = readHeader(input)
  const past = findEnd(input, frame)
  const state: SequenceState = { literal: null, offset: null, match: null, repeats: [1, 4, 8] }
  const frameStart = out.length
  const sum = frame.hasChecksum ? new Xxh64() : null
  out.openWindow(frame.windowSize, 4)
  out.begin(sum)
  let huffman: Huffman | null = null
  let at = frame.at
  for (let last = false; !last;) {
    const block = readBlock(input, at)
    const first = out.length
    if (block.size > frame.blockMax) throw new Stop('corrupt', `a block of ${String(block.size)} bytes`, at)
    if (block.type === 0) {
      out.append(input, block.at, block.end, block.at)
    } else if (block.type === 1) {
      out.fill(input[block.at] as number, block.size, block.at)
    } else {
      const literals = readLiterals(input, block.at, block.end, huffman)
      huffman = literals.huffman
      runSequences(input, block.end, literals, state, frameStart, out)
    }
    if (out.length - first > frame.blockMax)
      throw new Stop('corrupt', 'a block decodes to more than its maximum', at)
    ;({ last, end: at } = block)
    out.report(at)
  }
  if (frame.contentSize !== null && frame.contentSize !== out.length - frameStart)
    throw new Stop('corrupt', 'the decoded length of the frame differs from its header', at)
  out.end()
  if (sum !== null && number(input, at, 4) !== sum.value[0])
    throw new Stop('checksum', 'the XXH64 differs', at)
  return past
}
