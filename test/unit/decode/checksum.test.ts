import fc from 'fast-check'
import { expect, test } from 'vitest'
import { adler32, crc32, crc32BigEndian, crc64 } from '../../../src/decode/checksum.ts'
import { xxh64 } from '../../../src/decode/xxh64.ts'
import { sample } from './sample.ts'

const digits = new TextEncoder().encode('123456789')
const hex = ([low, high]: readonly [number, number]): string =>
  high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')

test('the sums of 123456789 are the published ones', () => {
  expect(crc32(digits)).toBe(0xcbf43926)
  expect(adler32(digits)).toBe(0x91e01de)
  expect(hex(crc64(digits))).toBe('995dc9bbdf1939fa')
  expect(~digits.reduce(crc32BigEndian, -1) >>> 0).toBe(0xfc891918)
})

test('XXH64 of nothing is the published one', () => {
  expect(hex(xxh64(new Uint8Array(0)))).toBe('ef46db3751d8e999')
})

/** XXH64 as the specification writes it, with big numbers. */
function slowXxh64(bytes: Uint8Array): bigint {
  const P1 = 0x9e3779b185ebca87n
  const P2 = 0xc2b2ae3d27d4eb4fn
  const P3 = 0x165667b19e3779f9n
  const P4 = 0x85ebca77c2b2ae63n
  const P5 = 0x27d4eb2f165667c5n
  const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)
  const rotate = (value: bigint, count: bigint): bigint => u64((value << count) | (value >> (64n - count)))
  const round = (sum: bigint, lane: bigint): bigint => u64(rotate(u64(sum + lane * P2), 31n) * P1)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  let sum = P5
  if (bytes.length >= 32) {
    const lanes = [u64(P1 + P2), P2, 0n, u64(-P1)]
    for (; at + 32 <= bytes.length; at += 32)
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i] ?? 0n, view.getBigUint64(at + 8 * i, true))
    sum = u64(lanes.reduce((all, lane, i) => all + rotate(lane, [1n, 7n, 12n, 18n][i] ?? 0n), 0n))
    for (const lane of lanes) sum = u64((sum ^ round(0n, lane)) * P1 + P4)
  }
  sum = u64(sum + BigInt(bytes.length))
  for (; at + 8 <= bytes.length; at += 8)
    sum = u64(rotate(sum ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4)
  for (; at + 4 <= bytes.length; at += 4)
    sum = u64(rotate(sum ^ u64(BigInt(view.getUint32(at, true)) * P1), 23n) * P2 + P3)
  for (; at < bytes.length; at++) sum = u64(rotate(sum ^ u64(BigInt(bytes[at] ?? 0) * P5), 11n) * P1)
  sum = u64((sum ^ (sum >> 33n)) * P2)
  sum = u64((sum ^ (sum >> 29n)) * P3)
  return sum ^ (sum >> 32n)
}

test('XXH64 in halves is XXH64', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 1000 }), (size, seed) => {
      const bytes = sample(size, seed)
      expect(hex(xxh64(bytes))).toBe(slowXxh64(bytes).toString(16).padStart(16, '0'))
    }),
  )
})

test('sums of a part are those of the part', () => {
  const bytes = sample(5000)
  for (const [from, to] of [
    [0, 5000],
    [3, 4999],
    [17, 18],
  ] as const) {
    const part = bytes.slice(from, to)
    expect([
      crc32(bytes, from, to),
      adler32(bytes, from, to),
      hex(crc64(bytes, from, to)),
      hex(xxh64(bytes, from, to)),
    ]).toEqual([crc32(part), adler32(part), hex(crc64(part)), hex(xxh64(part))])
  }
})
