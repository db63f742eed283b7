/** Deflate blocks made by hand, bit by bit: those that are right at the edge, and those that are refused. */
import { describe, expect, test } from 'vitest'
import { bytesSource } from '../../../src/bytes/source.ts'
import { decode, type Decoded } from '../../../src/decode/decode.ts'

/**
 * `value` in `count` bits, lowest first, as numbers lie in deflate. Codes are written as they are, highest
 * first.
 */
const n = (value: number, count: number): string =>
  Array.from({ length: count }, (_, i) => String((value >> i) & 1)).join('')

const bytesOf = (bits: string): number[] =>
  (bits.match(/.{1,8}/g) ?? []).map(byte => Number.parseInt(Array.from(byte).reverse().join(''), 2))

/** A member with an extra field of eight bytes, so that no stream is too short for its container. */
const member = (...deflated: number[]): Uint8Array =>
  Uint8Array.of(0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 3, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...deflated)
const run = (input: Uint8Array): Decoded => decode('gzip', bytesSource(input), { limit: 2 ** 20 })

const FIXED = '110'
const DYNAMIC = '101'
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

/** The head of a dynamic block whose code lengths have the given lengths themselves. */
const dynamic = (literals: number, distances: number, lengths: Readonly<Record<number, number>>): string =>
  DYNAMIC +
  n(literals - 257, 5) +
  n(distances - 1, 5) +
  n(15, 4) +
  ORDER.map(symbol => n(lengths[symbol] ?? 0, 3)).join('')

/** Code lengths 1 and 18 (a run of zeros) are written with one bit each. */
const ONE = '0'
const zeros = (count: number): string => `1${n(count - 11, 7)}`
const ONE_AND_ZEROS = { 1: 1, 18: 1 }
/** Only the end of the block has a code, of one bit. */
const ONLY_END = dynamic(257, 1, ONE_AND_ZEROS) + zeros(138) + zeros(118) + ONE + ONE

describe('what is at the edge, but right', () => {
  test('a block whose only symbol is its end decodes to nothing', () => {
    expect(run(member(...bytesOf(`${ONLY_END}0`), 0, 0, 0, 0, 0, 0, 0, 0))).toMatchObject({
      ok: true,
      produced: 0,
    })
  })

  test('a stored block of nothing decodes to nothing', () => {
    expect(run(member(1, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0))).toMatchObject({ ok: true, produced: 0 })
  })
})

const CORRUPT: readonly (readonly [why: string, bits: string])[] = [
  ['a block of type 3', '111'],
  [
    'the length of a stored block and its complement disagree',
    `100${n(0, 5)}${n(1, 16)}${n(1, 16)}${n(0, 8)}`,
  ],
  ['too many codes', `${DYNAMIC}${n(30, 5)}${n(0, 5)}${n(0, 4)}`],
  ['too many codes', `${DYNAMIC}${n(0, 5)}${n(30, 5)}${n(0, 4)}`],
  ['the code lengths have no code', dynamic(257, 1, {})],
  ['the code lengths have no code', dynamic(257, 1, { 1: 1 })],
  ['the code lengths have no code', dynamic(257, 1, { 1: 1, 2: 1, 3: 1 })],
  ['a repeated length without a first', `${dynamic(257, 1, { 16: 1, 17: 1 })}0`],
  ['too many lengths', dynamic(257, 1, ONE_AND_ZEROS) + zeros(138) + zeros(138)],
  [
    'too many lengths',
    `${dynamic(257, 1, { 1: 2, 16: 2, 17: 2, 18: 2 })}11${n(127, 7)}11${n(106, 7)}0001${n(3, 2)}`,
  ],
  [
    'lengths that do not form a code',
    dynamic(257, 1, ONE_AND_ZEROS) + ONE + ONE + ONE + zeros(138) + zeros(117),
  ],
  ['lengths that do not form a code', `${dynamic(257, 1, { 2: 1, 18: 1 })}0${zeros(138)}${zeros(119)}`],
  [
    'lengths that do not form a code',
    dynamic(257, 3, ONE_AND_ZEROS) + zeros(138) + zeros(118) + ONE + ONE + ONE + ONE,
  ],
  ['bits that are not a code', `${ONLY_END}1`],
  ['bits that are not a code', `${dynamic(257, 1, ONE_AND_ZEROS)}${zeros(138)}${zeros(120)}0`],
  [
    'bits that are not a code',
    `${dynamic(258, 11, ONE_AND_ZEROS)}${zeros(138)}${zeros(118)}${ONE}${ONE}${zeros(11)}10`,
  ],
  ['a length symbol that does not exist', `${FIXED}11000110`],
  ['a distance symbol that does not exist', `${FIXED}000000111110`],
  ['a distance before the first byte', `${FIXED}000000100000`],
]

test.each(CORRUPT.map(([why, bits], i) => [why, i, bits] as const))(
  '%s is refused (case %i)',
  (why, _, bits) => {
    expect(run(member(...bytesOf(bits)))).toMatchObject({ ok: false, error: 'uncompression error', why })
  },
)

const TRUNCATED: readonly (readonly [why: string, bytes: number[]])[] = [
  ['the input ends inside a block', []],
  ['the input ends inside a block', bytesOf(DYNAMIC + n(0, 5))],
  ['the input ends inside a code', bytesOf(`${FIXED}00110`)],
  ['the input ends before a stored block', [1, 0, 0]],
  ['the input ends inside a stored block', [1, 2, 0, 0xfd, 0xff, 7]],
  ['the input ends before the trailer', [3, 0, 0, 0]],
]

test.each(TRUNCATED.map(([why, bytes], i) => [why, i, bytes] as const))(
  '%s is refused (case %i)',
  (why, _, bytes) => {
    expect(run(member(...bytes))).toMatchObject({ ok: false, error: 'read error', why })
  },
)
