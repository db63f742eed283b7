import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ModelBug } from '../../../src/bytes/errors.ts'
import {
  contains,
  formatRange,
  formatSize,
  hex,
  intersect,
  overlaps,
  range,
  rangeAt,
  rangeOrNull,
  sizeOf,
  subtract,
  union,
  type Range,
} from '../../../src/bytes/range.ts'
import { PHYS_END } from '../../../src/bytes/units.ts'

const SPACE = 40
const anyRange = fc
  .tuple(fc.nat(SPACE - 1), fc.integer({ min: 1, max: SPACE }))
  .map(([start, length]) => range(start, Math.min(SPACE, start + length)))
const bytes = (of: Range | null): number[] =>
  of === null ? [] : Array.from({ length: of.end - of.start }, (_, i) => of.start + i)

test('a range is never empty and never leaves the address space', () => {
  expect(range(0, PHYS_END)).toEqual({ start: 0, end: PHYS_END })
  for (const [start, end] of [
    [1, 1],
    [2, 1],
    [-1, 1],
    [0, PHYS_END + 1],
    [0.5, 1],
    [NaN, 1],
  ] as const)
    expect(() => range(start, end)).toThrow(ModelBug)
  expect(() => rangeAt(0x1000, 0)).toThrow(ModelBug)
  expect(rangeAt(0x1000, 0x10)).toEqual(range(0x1000, 0x1010))
  expect(rangeOrNull(0x1000, 0)).toBeNull()
  expect(rangeOrNull(0x1000, -1)).toBeNull()
  expect(rangeOrNull(0x1000, 1)).toEqual(range(0x1000, 0x1001))
  expect(sizeOf(range(0x1000, 0x1800))).toBe(0x800)
})

test('intersect, overlaps, contains and subtract agree with sets of bytes', () => {
  fc.assert(
    fc.property(anyRange, anyRange, (a, b) => {
      const inB = new Set(bytes(b))
      const shared = bytes(a).filter(at => inB.has(at))
      expect(bytes(intersect(a, b))).toEqual(shared)
      expect(overlaps(a, b)).toBe(shared.length > 0)
      expect(contains(b, a)).toBe(shared.length === bytes(a).length)
      expect(subtract(a, b).flatMap(bytes)).toEqual(bytes(a).filter(at => !inB.has(at)))
    }),
  )
})

test('union holds the same bytes in ascending ranges that do not touch', () => {
  fc.assert(
    fc.property(fc.array(anyRange, { maxLength: 8 }), ranges => {
      const joined = union(ranges)
      expect(joined.flatMap(bytes)).toEqual([...new Set(ranges.flatMap(bytes))].sort((a, b) => a - b))
      joined.slice(1).forEach((next, i) => {
        expect(next.start).toBeGreaterThan(joined[i]?.end ?? 0)
      })
    }),
  )
})

test('addresses, ranges and sizes print one way', () => {
  expect(hex(0x1a6cd000)).toBe('0x1a6cd000')
  expect(hex(0n)).toBe('0x0')
  expect(hex(-16)).toBe('-0x10')
  expect(hex(-16n)).toBe('-0x10')
  expect(formatRange(range(0x1000, 0x2000))).toBe('0x1000-0x2000')
  expect([0, 1, 16, 1023, 1024, 4096, 34 * 2 ** 20, 1.5 * 2 ** 30].map(formatSize)).toEqual([
    '0 bytes',
    '1 byte',
    '16 bytes',
    '1023 bytes',
    '1.0 KiB',
    '4.0 KiB',
    '34.0 MiB',
    '1.5 GiB',
  ])
})
