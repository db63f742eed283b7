import { constants, deflateRawSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesSource } from '../../../src/bytes/source.ts'
import { decode, FORMATS, type DecodeOptions, type Decoded, type Format } from '../../../src/decode/decode.ts'
import { sample } from './sample.ts'
import { VECTOR_LENGTH, VECTORS } from './vectors.ts'

const run = (format: Format, bytes: Uint8Array, options: Partial<DecodeOptions> = {}): Decoded =>
  decode(format, bytesSource(bytes), { limit: 2 ** 20, ...options })
const original = sample(VECTOR_LENGTH)

describe.each(VECTORS)('$name', ({ format, bytes }) => {
  test('comes out as it went in', () => {
    const done = run(format, bytes)
    expect(done).toMatchObject({ ok: true, complete: true, consumed: bytes.length, produced: VECTOR_LENGTH })
    expect(done.output).toEqual(original)
  })

  test('tells how far it is: never backwards, never beyond what there is, and the end at last', () => {
    const seen: [number, number][] = []
    run(format, bytes, { onProgress: (from, to) => seen.push([from, to]) })
    expect(seen.length).toBeGreaterThan(0)
    seen.forEach(([from, to], i) => {
      expect(from).toBeLessThanOrEqual(bytes.length)
      expect(to).toBeLessThanOrEqual(VECTOR_LENGTH)
      expect(to).toBeGreaterThanOrEqual(seen[i - 1]?.[1] ?? 0)
    })
    expect(seen.at(-1)?.[1]).toBe(VECTOR_LENGTH)
  })

  test('stops early when asked to', () => {
    const done = run(format, bytes, { stopAt: 64 })
    expect(done).toMatchObject({ ok: true, complete: false })
    expect(done.produced).toBeGreaterThanOrEqual(64)
  })

  test('gives no more than the limit', () => {
    const done = run(format, bytes, { limit: VECTOR_LENGTH - 1 })
    expect(done.ok).toBe(false)
    expect(done.produced).toBeLessThan(VECTOR_LENGTH)
  })

  test('an input that ends early is refused in the words of the kernel', () => {
    for (const length of [0, 1, 5, 9, 20, bytes.length >> 1, bytes.length - 1]) {
      const done = run(format, bytes.subarray(0, length))
      expect([length, done.ok]).toEqual([length, false])
      if (!done.ok) expect(done.error).toMatch(/[a-z]/i)
    }
  })
})

test('every format has a vector', () => {
  expect([...new Set(VECTORS.map(vector => vector.format))].sort()).toEqual([...FORMATS].sort())
})

const WRONG_MAGIC: readonly (readonly [Format, string])[] = [
  ['gzip', 'Not a gzip file'],
  ['bzip2', 'Data integrity error when decompressing.'],
  ['lzma', 'bad header'],
  ['xz', 'Input is not in the XZ format (wrong magic bytes)'],
  ['lzo', 'invalid header'],
  ['lz4', 'invalid header'],
  ['zstd', 'Input is not in the ZSTD format (wrong magic bytes)'],
]

test.each(WRONG_MAGIC)('%s with another beginning: %s', (format, error) => {
  expect(run(format, new Uint8Array(100).fill(0xff))).toMatchObject({ ok: false, error, produced: 0 })
})

describe('gzip of zlib', () => {
  const levels = fc.constantFrom(0, 1, 6, 9)
  const strategies = fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FIXED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
  )

  test('comes out as it went in, whatever the level and the strategy', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40_000 }),
        fc.integer({ min: 1, max: 99 }),
        levels,
        strategies,
        (size, seed, level, strategy) => {
          const bytes = sample(size, seed)
          const done = run('gzip', gzipSync(bytes, { level, strategy }))
          expect([done.ok, Buffer.compare(done.output, bytes)]).toEqual([true, 0])
        },
      ),
      { numRuns: 25 },
    )
  })

  test('with extra field, name, comment and header checksum', () => {
    const raw = deflateRawSync(original)
    const plain = gzipSync(original)
    const header = [0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 2, 0, 7, 7, 0x61, 0, 0x62, 0, 1, 2]
    const bytes = Uint8Array.from([...header, ...raw, ...plain.subarray(-8)])
    expect(run('gzip', bytes)).toMatchObject({ ok: true, produced: VECTOR_LENGTH, consumed: bytes.length })
  })

  test('a wrong checksum is found, though the kernel does not look at it', () => {
    const bytes = Uint8Array.from(gzipSync(original))
    for (const at of [bytes.length - 8, bytes.length - 1]) {
      const wrong = Uint8Array.from(bytes)
      wrong[at] = (wrong[at] ?? 0) ^ 1
      expect(run('gzip', wrong)).toMatchObject({ ok: false, error: null, produced: VECTOR_LENGTH })
    }
  })
})

describe('lz4', () => {
  const bytes = VECTORS.find(vector => vector.format === 'lz4')?.bytes ?? new Uint8Array(0)

  test('with the length known, blocks end by their output, whatever sizes they state', () => {
    const other = Uint8Array.from(bytes)
    other.fill(0x7f, 4, 8)
    expect(run('lz4', other).ok).toBe(false)
    expect(run('lz4', other, { length: VECTOR_LENGTH })).toMatchObject({
      ok: true,
      consumed: bytes.length,
      produced: VECTOR_LENGTH,
    })
  })

  test('a length that is not that of the stream is not met', () => {
    for (const length of [VECTOR_LENGTH - 1, VECTOR_LENGTH + 1])
      expect(run('lz4', bytes, { length }).ok).toBe(false)
  })

  test('a repeated magic number is skipped', () => {
    expect(run('lz4', Uint8Array.from([...bytes.subarray(0, 4), ...bytes]))).toMatchObject({
      ok: true,
      produced: VECTOR_LENGTH,
    })
  })
})

describe('zstd blocks that are not compressed', () => {
  const frame = (...rest: number[]): Uint8Array =>
    Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, ...rest])

  test('raw, and one byte repeated', () => {
    const done = run('zstd', frame(0x18, 0, 0, 1, 2, 3, 0x53, 0, 0, 9))
    expect(done.ok).toBe(true)
    expect([...done.output]).toEqual([1, 2, 3, ...Array<number>(10).fill(9)])
  })

  test('a block of type 3, a dictionary and a reserved bit are refused', () => {
    expect(run('zstd', frame(0x07, 0, 0))).toMatchObject({
      ok: false,
      error: 'ZSTD-compressed data is corrupt',
    })
    expect(run('zstd', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x58, 0x07, 1, 0, 0))).toMatchObject({
      ok: false,
      why: 'a dictionary is needed',
    })
    expect(run('zstd', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x08, 0x58, 1, 0, 0))).toMatchObject({
      ok: false,
      error: 'ZSTD-compressed data is probably corrupt',
    })
    expect(run('zstd', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xb0, 1, 0, 0))).toMatchObject({
      ok: false,
      why: 'a window of 2^32 bytes',
    })
  })

  test('a frame of a stated length that comes out otherwise is refused', () => {
    expect(run('zstd', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x19, 0, 0, 1, 2, 3)).ok).toBe(false)
    expect(run('zstd', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 3, 0x19, 0, 0, 1, 2, 3))).toMatchObject({
      ok: true,
      produced: 3,
    })
  })
})
