import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ModelBug } from '../../../src/bytes/errors.ts'
import { formatBytes, fromInteger, INTEGER_MAX_BYTES, toInteger } from '../../../src/bytes/int.ts'

/** The same by hand. */
function naive(bytes: Uint8Array, endian: 'little' | 'big'): bigint {
  const ordered = endian === 'little' ? [...bytes].reverse() : [...bytes]
  return ordered.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
}

const anyEndian = fc.constantFrom('little' as const, 'big' as const)

test('reads what a loop over the bytes reads, at any offset of any buffer', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: INTEGER_MAX_BYTES, size: 'max' }),
      fc.nat(5),
      anyEndian,
      (bytes, shift, endian) => {
        const wide = new Uint8Array(bytes.length + shift + 4).fill(0xee)
        wide.set(bytes, shift)
        expect(toInteger(wide.subarray(shift, shift + bytes.length), endian)).toBe(naive(bytes, endian))
      },
    ),
  )
  expect(toInteger(Uint8Array.of(1, 2))).toBe(0x201n)
  expect(toInteger(new Uint8Array(0))).toBe(0n)
})

test('writes what it reads, in exactly the width asked for', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(12), anyEndian, (bytes, extra, endian) => {
      const value = naive(bytes, endian)
      const written = fromInteger(value, bytes.length + extra, endian)
      expect(written).toHaveLength(bytes.length + extra)
      expect(naive(written, endian)).toBe(value)
    }),
  )
  expect([...fromInteger(0x102n, 4)]).toEqual([2, 1, 0, 0])
  expect([...fromInteger(0x102n, 4, 'big')]).toEqual([0, 0, 1, 2])
})

// The arguments by which the native build of the package aborts, crashes or answers wrong numbers
// (SECURITY.md).
const notBytes: [string, unknown][] = [
  ['null', null],
  ['undefined', undefined],
  ['a string', 'abc'],
  ['an object', {}],
  ['an array', []],
  ['an ArrayBuffer', new ArrayBuffer(8)],
  ['another view', new Uint16Array(4)],
  ['a number', 5],
]
for (const [name, value] of notBytes) {
  test(`refuses to read an integer from ${name}`, () => {
    expect(() => toInteger(value as Uint8Array)).toThrow(ModelBug)
    expect(() => toInteger(value as Uint8Array, 'big')).toThrow(ModelBug)
  })
}

test('refuses to read an integer of more than 512 bytes', () => {
  expect(() => toInteger(new Uint8Array(INTEGER_MAX_BYTES + 1))).toThrow('integer of 513 bytes')
  expect(() => toInteger(new Uint8Array(INTEGER_MAX_BYTES))).not.toThrow()
})

for (const endian of ['little', 'big'] as const) {
  test(`writes widths at which the native build crashes, ${endian} endian`, () => {
    expect(naive(fromInteger(1n, 301, endian), endian)).toBe(1n)
    expect(fromInteger(1n, 301, endian)).toHaveLength(301)
    expect(fromInteger(0n, 0, endian)).toHaveLength(0)
    expect([...fromInteger(2n ** 64n - 1n, 8, endian)]).toEqual(Array.from({ length: 8 }, () => 255))
  })

  test(`refuses a width or a value that does not fit, ${endian} endian`, () => {
    for (const width of [-1, 0.5, NaN, Infinity, 513, 1001, 40_001])
      expect(() => fromInteger(1n, width, endian)).toThrow(ModelBug)
    for (const [value, width] of [
      [1n, 0],
      [-1n, 8],
      [256n, 1],
      [2n ** 64n, 8],
      [0x112233445566778899n, 8],
    ] as const)
      expect(() => fromInteger(value, width, endian)).toThrow(ModelBug)
    for (const value of [5, null, undefined, '5', {}])
      expect(() => fromInteger(value as bigint, 8, endian)).toThrow(ModelBug)
  })
}

test('digests keep their leading zeros, and no bytes are no digits', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
      expect(formatBytes(bytes)).toBe([...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(''))
    }),
  )
  expect(formatBytes(new Uint8Array(0))).toBe('')
})
