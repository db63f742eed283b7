/** Streams of xz 5.4 and lzma, and what becomes of them when a field is changed and its CRC-32 put right. */
import { describe, expect, test } from 'vitest'
import { bytesSource } from '../../../src/bytes/source.ts'
import { crc32 } from '../../../src/decode/checksum.ts'
import { decode, type DecodeOptions, type Decoded, type Format } from '../../../src/decode/decode.ts'
import { bytesOfHex } from '../../support/bytes.ts'

const run = (format: Format, bytes: Uint8Array, options: Partial<DecodeOptions> = {}): Decoded =>
  decode(format, bytesSource(bytes), { limit: 2 ** 20, ...options })

const TEXT = 'the kernel reads its boot parameters '.repeat(6)
const DATA =
  'e000dd002b5d003a1a08ce769183707867c9d75ac8fc4bb120f7924d7adbc51dfa2c49e6086785e6aaee623ec06a51c400000000'
const HEADER = 'fd377a585a0000016922de36'
/** xz -T2 --check=crc32: the header of the block tells both sizes. */
const SIZES = bytesOfHex(
  `${HEADER}04c033de01210116000000000000000010bfe8d4${DATA}` +
    '6005469a00014bde010000002f88b3283e300d8b020000000001595a',
)
/** xz --check=none */
const NO_CHECK = bytesOfHex(
  `fd377a585a000000ff12d9410200210116000000742fe5a3${DATA}00013fde01000000f8c700b8a8000afc020000000000595a`,
)
/** xz --block-size=100: three blocks, the last of them with a chunk that is not compressed. */
const BLOCKS = bytesOfHex(`
  ${HEADER}0200210116000000742fe5a3e00063002b5d003a1a08ce769183707867c9d75ac8fc4bb120f7924d
  7adbc51dfa2c49e6086785e6aaee623e421f38800000000080c4fb2e
  0200210116000000742fe5a3e00063002b5d0038184aaa9c0861a69efea37e914a5865a1242fee03
  f4de5812bc1f5607378252e066f468c380dbffce8000000029b84287
  0200210116000000742fe5a3010015732069747320626f6f7420706172616d657465727320000000
  85e2666e0003436443642a16ed8174ec3e300d8b020000000001595a
`)
/** lzma -9: the length is unknown, an end marker is at the end. */
const ALONE = bytesOfHex(
  '5d00000004ffffffffffffffff003a1a08ce769183707867c9d75ac8fc4bb120f7924d7adbc51dfa' +
    '2c49e6086785e6aaee623ec06a73edc3ffffeff7c000',
)

describe('xz', () => {
  test.each([
    ['sizes in the header of a block', SIZES],
    ['no check', NO_CHECK],
    ['several blocks', BLOCKS],
  ] as const)('%s', (_, bytes) => {
    const done = run('xz', bytes)
    expect(done).toMatchObject({ ok: true, consumed: bytes.length })
    expect(new TextDecoder().decode(done.output)).toBe(TEXT)
  })

  test('a stream without blocks decodes to nothing', () => {
    expect(run('xz', bytesOfHex(`${HEADER}000000001cdf44219042990d010000000001595a`))).toMatchObject({
      ok: true,
      produced: 0,
      consumed: 32,
    })
  })

  const UNSUPPORTED: readonly (readonly [why: string, hex: string])[] = [
    ['a check of type 10', `fd377a585a00000ae1fb0ca10200210116000000742fe5a3${DATA}`],
    ['filters 3, 33', `${HEADER}02010301002101167920c4ee${DATA}`],
    ['an x86 filter with a start offset', `${HEADER}030104041000000021011600b91cade0${DATA}`],
    ['filters 4, 4, 33', `${HEADER}030204000400210116000000bef4645d${DATA}`],
  ]
  test.each(UNSUPPORTED)('%s is not supported', (why, hex) => {
    expect(run('xz', bytesOfHex(hex))).toMatchObject({
      ok: false,
      error: 'Input was encoded with settings that are not supported by this XZ decoder',
      why,
    })
  })

  const putWord = (bytes: Uint8Array, at: number, value: number): void => {
    new DataView(bytes.buffer).setUint32(at, value, true)
  }
  /** Bytes that replace those at `at`; then the CRC-32 of [from, to) is put right. */
  const changed = (
    bytes: Uint8Array,
    at: number,
    values: readonly number[],
    sum: readonly [from: number, to: number] | null = null,
  ): Uint8Array => {
    const out = Uint8Array.from(bytes)
    out.set(values, at)
    if (sum !== null) putWord(out, sum[1], crc32(out, sum[0], sum[1]))
    return out
  }

  /** Where things are in SIZES and NO_CHECK. */
  const LARGE_HEADER = [12, 28] as const
  const SMALL_HEADER = [12, 20] as const
  const INDEX = 88
  const FOOTER = SIZES.length - 12
  const footer = (at: number, values: readonly number[]): Uint8Array => {
    const out = changed(SIZES, at, values)
    putWord(out, FOOTER, crc32(out, FOOTER + 4, FOOTER + 10))
    return out
  }
  const chunk = (...values: number[]): Uint8Array => changed(NO_CHECK, 24, values)

  const indexAt = (): number => SIZES.length - 12 - 12
  test('the index of the stream is where these tests take it to be', () => {
    expect([indexAt(), SIZES[indexAt()]]).toEqual([INDEX, 0])
  })

  const REFUSED: readonly (readonly [why: string, bytes: Uint8Array])[] = [
    ['unknown flags of a block', changed(SIZES, 13, [0xc4], LARGE_HEADER)],
    ['a number that does not end', changed(SIZES, 14, Array<number>(14).fill(0xff), LARGE_HEADER)],
    ['filters that end past their header', changed(NO_CHECK, 14, [0x21, 60], SMALL_HEADER)],
    ['the length of a block differs from its header', changed(SIZES, 14, [0x32], LARGE_HEADER)],
    ['the decoded length of a block differs from its header', changed(SIZES, 15, [0xdf], LARGE_HEADER)],
    ['the CRC-32 of a block header differs', changed(SIZES, 14, [0x32])],
    ['padding that is not zero', changed(SIZES, 83, [1])],
    ['the CRC-32 of a block differs', changed(SIZES, 84, [1, 2, 3, 4])],
    ['the index disagrees with the blocks', changed(SIZES, 89, [2])],
    ['the index disagrees with the blocks', changed(SIZES, 90, [0x4c])],
    ['the index disagrees with the blocks', changed(SIZES, 91, [0xdf])],
    ['padding that is not zero', changed(SIZES, 93, [1])],
    ['the CRC-32 of the index differs', changed(SIZES, 96, [1, 2, 3, 4])],
    ['the CRC-32 of the footer differs', changed(SIZES, FOOTER, [1, 2, 3, 4])],
    ['the footer disagrees with the stream', footer(FOOTER + 4, [3])],
    ['the footer disagrees with the stream', footer(FOOTER + 8, [1])],
    ['the footer disagrees with the stream', footer(FOOTER + 9, [4])],
    ['the footer disagrees with the stream', footer(FOOTER + 10, [0])],
    ['the footer disagrees with the stream', footer(FOOTER + 11, [0])],
    ['the input ends inside the footer', SIZES.subarray(0, SIZES.length - 1)],
    ['the input ends before the index', SIZES.subarray(0, 88)],
    ['the input ends inside a check', SIZES.subarray(0, 86)],
    ['the input ends inside a chunk', SIZES.subarray(0, 60)],
    ['the first chunk does not begin a dictionary', chunk(2)],
    ['the first chunk does not begin a dictionary', chunk(0x80)],
    ['an unknown chunk', chunk(1, 0, 0, 7, 3)],
    ['the first chunk has no properties', chunk(1, 0, 0, 7, 0x80)],
    ['the first chunk has no properties', chunk(1, 0, 0, 7, 0xa0)],
    ['invalid properties', chunk(0xe0, 0, 0xdd, 0, 0x2b, 225)],
    ['invalid properties', chunk(0xe0, 0, 0xdd, 0, 0x2b, 8 + 9)],
    ['the end of a chunk differs from its header', chunk(0xe0, 0, 0x10)],
    ['the first byte of the range decoder is not 0', chunk(0xe0, 0, 0xdd, 0, 0x2b, 0x5d, 1)],
    ['the input ends inside the first bytes of the range decoder', chunk(0xe0, 0, 0xdd, 0, 1)],
  ]
  test.each(REFUSED.map(([why, bytes], i) => [why, i, bytes] as const))('%s (case %i)', (why, _, bytes) => {
    expect(run('xz', bytes)).toMatchObject({ ok: false, why })
  })
})

describe('LZMA alone', () => {
  const withLength = (length: number): Uint8Array => {
    const out = Uint8Array.from(ALONE)
    new DataView(out.buffer).setBigUint64(5, BigInt(length), true)
    return out
  }

  test('the length may be unknown, as long as an end marker comes', () => {
    const done = run('lzma', ALONE)
    expect(done).toMatchObject({ ok: true, consumed: ALONE.length })
    expect(new TextDecoder().decode(done.output)).toBe(TEXT)
    expect(run('lzma', ALONE, { limit: TEXT.length })).toMatchObject({ ok: true, produced: TEXT.length })
  })

  test('with a known length no end marker is needed, and none may come before', () => {
    expect(run('lzma', withLength(TEXT.length))).toMatchObject({ ok: true, produced: TEXT.length })
    expect(run('lzma', withLength(TEXT.length + 1))).toMatchObject({
      ok: false,
      error: 'LZMA data is corrupt',
      why: 'the end marker comes too early',
    })
  })

  test('more than the limit is refused, be it announced or not', () => {
    expect(run('lzma', withLength(2 ** 40))).toMatchObject({
      ok: false,
      error: 'LZMA data is corrupt',
      why: `the stated length is ${String(2 ** 40)} bytes`,
      produced: 0,
    })
    // Literals alone come before this limit; the next symbol is a literal too
    expect(run('lzma', ALONE, { limit: 5 })).toMatchObject({
      ok: false,
      why: 'the output exceeds 5 bytes',
      produced: 5,
    })
  })

  test('invalid properties, and a header that ends early, are refused', () => {
    expect(run('lzma', Uint8Array.from([225, ...ALONE.subarray(1)]))).toMatchObject({
      ok: false,
      error: 'bad header',
    })
    expect(run('lzma', ALONE.subarray(0, 12))).toMatchObject({ ok: false, why: 'shorter than its header' })
    expect(run('lzma', ALONE.subarray(0, 40))).toMatchObject({
      ok: false,
      why: 'the input ends inside the stream',
    })
  })
})

test('an exception that is none of the decoders comes through', () => {
  const onProgress = (): void => {
    throw new TypeError('not ours')
  }
  expect(() => run('xz', SIZES, { onProgress })).toThrow('not ours')
})
