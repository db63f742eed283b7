/**
 * What is held of the output while it passes: bytes are counted, and the output is what it is without a
 * window.
 */
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesSource } from '../../../src/bytes/source.ts'
import { X86Filter } from '../../../src/decode/bcj-x86.ts'
import { Crc32, crc32, Crc64, crc64 } from '../../../src/decode/checksum.ts'
import { decode, decodeStream, type Format, type Streamed } from '../../../src/decode/decode.ts'
import { Output, slackOf, Stop } from '../../../src/decode/output.ts'
import { Xxh64, xxh64 } from '../../../src/decode/xxh64.ts'
import { le } from '../../support/bytes.ts'
import { lz4Of } from '../../support/packed-kernel.ts'
import { tries } from '../../support/depth.ts'
import { sample } from './sample.ts'
import { VECTOR_LENGTH, VECTORS } from './vectors.ts'

const MiB = 2 ** 20

interface Passed {
  readonly streamed: Streamed
  readonly length: number
  readonly sum: number
}

function passed(
  format: Format,
  bytes: Uint8Array,
  limit: number,
  windowMax: number | null = 128 * MiB,
): Passed {
  const sum = new Crc32()
  let length = 0
  const streamed = decodeStream(format, bytesSource(bytes), {
    limit,
    windowMax,
    sink: piece => {
      sum.update(piece)
      length += piece.length
    },
  })
  return { streamed, length, sum: sum.value }
}

/** A frame of blocks that repeat one byte 2^17 times. `window` is its window descriptor. */
const zstdBomb = (blocks: number, window: number): Uint8Array =>
  Uint8Array.from([
    ...[0x28, 0xb5, 0x2f, 0xfd, 0, window],
    ...Array.from({ length: blocks }, (_, i) => [
      ...le(((2 ** 17) << 3) | 2 | (i === blocks - 1 ? 1 : 0), 3),
      i & 255,
    ]).flat(),
  ])
/** 2^28 bytes. */
const WINDOW_256 = 18 << 3

describe('bytes held', () => {
  const zeros = new Uint8Array(24 * MiB)
  const LARGE: readonly (readonly [format: Format, window: number, bytes: Uint8Array])[] = [
    ['gzip', 2 ** 15, gzipSync(zeros)],
    ['lz4', 2 ** 16, lz4Of(new Uint8Array(1), zeros.length)],
    ['zstd', 2 ** 17, zstdBomb(192, 7 << 3)],
  ]
  test.each(LARGE)('%s: a window of %i, its slack and the first allocation', (format, window, bytes) => {
    const { streamed, length } = passed(format, bytes, zeros.length)
    expect(streamed).toMatchObject({ kind: 'decoded', produced: zeros.length })
    expect(length).toBe(zeros.length)
    expect(streamed.held).toBeLessThanOrEqual(window + slackOf(window) + MiB)
  })

  test('never more than the largest window, its slack and the first allocation', () => {
    // 2 KB that become 64 MiB, and say that they look back 8 MiB
    const { streamed, length } = passed('zstd', zstdBomb(512, 13 << 3), 64 * MiB, 8 * MiB)
    expect(streamed).toMatchObject({ kind: 'decoded', produced: 64 * MiB })
    expect(length).toBe(64 * MiB)
    expect(streamed.held).toBeLessThanOrEqual(10 * MiB)
  })

  test('never more than may come out, whatever window is stated', () => {
    const { streamed } = passed('zstd', zstdBomb(512, WINDOW_256), 64 * MiB)
    expect(streamed.kind).toBe('decoded')
    expect(streamed.held).toBeLessThanOrEqual(65 * MiB)
  })

  test('a window that is larger than that is not decoded at all', () => {
    expect(passed('zstd', zstdBomb(4096, WINDOW_256), 2 ** 29).streamed).toEqual({
      kind: 'not-held',
      why: 'a window of 268435456 bytes, more than the 134217728 that are held',
      at: 4,
      produced: 0,
      held: 0,
    })
  })
})

test.each(VECTORS)('$name: passes as it comes out whole', ({ format, bytes }) => {
  const { streamed, length, sum } = passed(format, bytes, VECTOR_LENGTH)
  const whole = decode(format, bytesSource(bytes), { limit: VECTOR_LENGTH })
  expect(streamed).toMatchObject({ kind: 'decoded', consumed: bytes.length, produced: VECTOR_LENGTH })
  expect([length, sum]).toEqual([VECTOR_LENGTH, crc32(whole.output)])
})

test('what came out before an error passes as well', () => {
  const bytes = sample(2 * MiB)
  const packed = gzipSync(bytes)
  const { streamed, length, sum } = passed('gzip', packed.subarray(0, packed.length >> 1), bytes.length)
  expect(streamed).toMatchObject({ kind: 'failed', error: 'read error' })
  expect([length, sum]).toEqual([streamed.produced, crc32(bytes, 0, streamed.produced)])
})

test('deflate that looks back over the whole window is the same when the window moves', () => {
  const bytes = Uint8Array.from(sample(30_000, 5))
  const all = new Uint8Array(4 * MiB)
  for (let at = 0; at < all.length; at += bytes.length) all.set(bytes.subarray(0, all.length - at), at)
  const { streamed, sum } = passed('gzip', gzipSync(all), all.length)
  expect(streamed.kind).toBe('decoded')
  expect(sum).toBe(crc32(all))
})

/** One thing that a decoder does with its output. */
const step = fc.oneof(
  fc.record({ do: fc.constant('append' as const), size: fc.nat({ max: 3 * MiB }) }),
  fc.record({ do: fc.constant('fill' as const), size: fc.nat({ max: 300_000 }) }),
  fc.record({
    do: fc.constant('copy' as const),
    size: fc.nat({ max: 1_500_000 }),
    distance: fc.integer({ min: 1, max: 50_000 }),
  }),
  fc.record({ do: fc.constant('room' as const), size: fc.nat({ max: 3 * MiB }) }),
)

test('a window is invisible: what is written through it is what is written into one piece of memory', () => {
  const noise = new Uint8Array(3 * MiB).map((_, i) => (i * i) >> 7)
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 5, maxLength: 15 }),
      fc.constantFrom(50_000, 65_536, 3 * MiB),
      (steps, window) => {
        const all = new Uint8Array(46 * MiB)
        let at = 0
        const got = new Uint8Array(all.length)
        let seen = 0
        const out = new Output({
          limit: all.length,
          stopAt: Infinity,
          onProgress: null,
          windowMax: window,
          sink: piece => {
            got.set(piece, seen)
            seen += piece.length
          },
        })
        out.openWindow(window, 0)
        for (const one of steps) {
          if (one.do === 'append') {
            all.set(noise.subarray(0, one.size), at)
            out.append(noise, 0, one.size, 0)
          } else if (one.do === 'fill') {
            all.fill(one.size & 255, at, at + one.size)
            out.fill(one.size & 255, one.size, 0)
          } else if (one.do === 'room') {
            out.room(one.size, 0)
            continue
          } else {
            if (one.distance > at) continue
            for (let i = at; i < at + one.size; i++) all[i] = all[i - one.distance] ?? 0
            out.copy(one.distance, one.size, 0)
          }
          at += one.size
          expect(out.length).toBe(at)
        }
        out.end()
        expect(seen).toBe(at)
        expect(Buffer.compare(got.subarray(0, at), all.subarray(0, at))).toBe(0)
        // The most that room() was asked for is the only thing that may be held beside window and slack
        expect(out.held).toBeLessThanOrEqual(2 * (window + slackOf(window) + 3 * MiB))
      },
    ),
    tries(3, 15),
  )
})

test('a distance into what has passed is said, and never read', () => {
  const out = new Output({
    limit: 4 * MiB,
    stopAt: Infinity,
    onProgress: null,
    windowMax: 4096,
    sink: () => {},
  })
  out.openWindow(4096, 0)
  out.append(new Uint8Array(3 * MiB), 0, 3 * MiB, 0)
  expect(() => {
    out.copy(2 * MiB, 10, 77)
  }).toThrow(new Stop('window', 'a distance of 2097152 bytes, more than the stated window', 77))
  expect(out.length).toBe(3 * MiB)
})

test('more than the limit is refused before any of it is written', () => {
  const out = new Output({
    limit: 3 * MiB,
    stopAt: Infinity,
    onProgress: null,
    windowMax: null,
    sink: () => {},
  })
  out.fill(1, 10, 0)
  expect(() => {
    out.append(new Uint8Array(3 * MiB), 0, 3 * MiB, 5)
  }).toThrow('the output exceeds 3145728 bytes')
  expect(() => {
    out.copy(1, 3 * MiB, 5)
  }).toThrow('the output exceeds 3145728 bytes')
  expect(out.length).toBe(10)
})

/** Bytes, and where they are cut into pieces. */
const cut = (max: number): fc.Arbitrary<readonly [size: number, cuts: readonly number[]]> =>
  fc.tuple(fc.nat({ max }), fc.array(fc.nat({ max }), { maxLength: 8 }))

function* pieces(bytes: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  let from = 0
  for (const to of [...cuts.filter(one => one <= bytes.length), bytes.length].sort((a, b) => a - b)) {
    yield bytes.subarray(from, to)
    from = to
  }
}

test('sums of bytes that come in pieces are those of the whole', () => {
  fc.assert(
    fc.property(cut(500), ([size, cuts]) => {
      const bytes = sample(size, size + 1)
      const sums = [new Crc32(), new Crc64(), new Xxh64()] as const
      for (const piece of pieces(bytes, cuts)) for (const sum of sums) sum.update(piece)
      expect(sums.map(sum => sum.value)).toEqual([crc32(bytes), crc64(bytes), xxh64(bytes)])
    }),
  )
})

test('the x86 filter does the same to pieces as to the whole, across its own chunks', () => {
  const filtered = (bytes: Uint8Array, cuts: readonly number[]): Uint8Array => {
    const filter = new X86Filter()
    const out: number[] = []
    const to = (done: Uint8Array): void => {
      for (const byte of done) out.push(byte)
    }
    for (const piece of pieces(bytes, cuts)) filter.push(piece, to)
    filter.end(to)
    return Uint8Array.from(out)
  }
  const branches = fc.array(fc.constantFrom(0xe8, 0xe9, 0, 0xff, 1, 0x80), { maxLength: 60 })
  fc.assert(
    fc.property(branches, fc.array(fc.nat({ max: 60 }), { maxLength: 6 }), (bytes, cuts) => {
      const whole = Uint8Array.from(bytes)
      expect(filtered(whole, cuts)).toEqual(filtered(whole, []))
    }),
    tries(300, 1000),
  )
  const large = sample(200_000, 3)
  const whole = filtered(large, [])
  expect(whole).toHaveLength(large.length)
  expect(crc32(whole)).not.toBe(crc32(large))
  for (const at of [1, 4, 65_535, 65_536, 65_540, 131_072, 199_997])
    expect(crc32(filtered(large, [at]))).toBe(crc32(whole))
})
