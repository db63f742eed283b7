import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ModelBug, UsageError } from '../../../src/bytes/errors.ts'
import {
  add,
  alignDown,
  alignUp,
  byteCount,
  distance,
  fileOffset,
  pagesOf,
  phys,
  physOf,
  PHYS_END,
  rva,
  wrap32,
  wrap64,
} from '../../../src/bytes/units.ts'

const bad = [-1, 0.5, NaN, Infinity, -Infinity, 2 ** 53]

for (const [name, make, last] of [
  ['phys', phys, 2 ** 52],
  ['rva', rva, 2 ** 32],
  ['fileOffset', fileOffset, Number.MAX_SAFE_INTEGER],
  ['byteCount', byteCount, Number.MAX_SAFE_INTEGER],
] as const) {
  test(`${name} takes 0 and its last value, and nothing outside`, () => {
    expect(make(0)).toBe(0)
    expect(make(last)).toBe(last)
    for (const n of [...bad, last + 1]) expect(() => make(n)).toThrow(ModelBug)
  })
}

test('a 64-bit field is an address up to 52 bits and null above', () => {
  expect(physOf(0n)).toBe(0)
  expect(physOf(BigInt(PHYS_END))).toBe(PHYS_END)
  expect(physOf(BigInt(PHYS_END) + 1n)).toBeNull()
  expect(physOf(-1)).toBeNull()
  expect(physOf(-1n)).toBeNull()
  expect(physOf(0xffffffff)).toBe(0xffffffff)
  expect(physOf(NaN)).toBeNull()
  expect(physOf(0.5)).toBeNull()
})

test('sums and distances are checked', () => {
  expect(add(phys(0x1000), 0x234)).toBe(0x1234)
  expect(add(phys(0x1000), -0x1000)).toBe(0)
  expect(() => add(phys(0x1000), -0x1001)).toThrow(ModelBug)
  expect(() => add(PHYS_END, 1)).toThrow(ModelBug)
  expect(() => add(phys(0), 0.5)).toThrow(ModelBug)
  expect(distance(phys(0x10), phys(0x30))).toBe(0x20)
  expect(() => distance(phys(0x30), phys(0x10))).toThrow(ModelBug)
})

test('alignment finds the nearest multiple on its side', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 52 }), fc.integer({ min: 1, max: 2 ** 30 }), (n, to) => {
      const up = alignUp(n, to)
      const down = alignDown(n, to)
      expect(BigInt(up) % BigInt(to)).toBe(0n)
      expect(BigInt(down) % BigInt(to)).toBe(0n)
      expect(up - n).toBeGreaterThanOrEqual(0)
      expect(up - n).toBeLessThan(to)
      expect(n - down).toBeGreaterThanOrEqual(0)
      expect(n - down).toBeLessThan(to)
    }),
  )
  for (const to of [0, -4096, NaN]) {
    expect(() => alignUp(1, to)).toThrow(ModelBug)
    expect(() => alignDown(1, to)).toThrow(ModelBug)
  }
})

test('pages are counted up', () => {
  expect([0, 1, 4096, 4097].map(pagesOf)).toEqual([0, 1, 1, 2])
})

test('guest arithmetic wraps as unsigned integers of C do', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), n => {
      expect(wrap32(n)).toBe(Number(BigInt.asUintN(32, BigInt(n))))
      expect(wrap64(BigInt(n))).toBe(BigInt.asUintN(64, BigInt(n)))
    }),
  )
  expect(wrap32(2 ** 32)).toBe(0)
  expect(wrap32(-1)).toBe(0xffffffff)
  expect(Object.is(wrap32(-(2 ** 32)), 0)).toBe(true)
})

test('the two errors of the core say which they are', () => {
  expect(new ModelBug('x')).toMatchObject({ name: 'ModelBug', message: 'x' })
  expect(new UsageError('y')).toMatchObject({ name: 'UsageError', message: 'y' })
  expect(new UsageError('y')).not.toBeInstanceOf(ModelBug)
})
