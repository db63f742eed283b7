import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ModelBug } from '../../../src/bytes/errors.ts'
import {
  bytesSource,
  countingSource,
  readExactly,
  sliceSource,
  sparseSource,
} from '../../../src/bytes/source.ts'
import { fileOffset } from '../../../src/bytes/units.ts'

const FILE = Uint8Array.from({ length: 50 }, (_, i) => i + 1)
const at = (n: number) => fileOffset(n)

test('a source gives what exists, and fewer bytes past the end', () => {
  fc.assert(
    fc.property(fc.nat(60), fc.nat(60), (from, length) => {
      expect([...bytesSource(FILE).read(at(from), length)]).toEqual([...FILE.slice(from, from + length)])
    }),
  )
  expect(bytesSource(FILE).size).toBe(50)
})

test('a slice of a source is that part of it, cut to what exists, also a slice of a slice', () => {
  fc.assert(
    fc.property(
      fc.nat(60),
      fc.nat(60),
      fc.nat(60),
      fc.nat(60),
      fc.nat(60),
      fc.nat(60),
      (from, length, from2, length2, readAt, count) => {
        const bytes = FILE.slice(from, from + length).slice(from2, from2 + length2)
        const slice = sliceSource(sliceSource(bytesSource(FILE), from, length), from2, length2)
        expect(slice.size).toBe(bytes.length)
        expect([...slice.read(at(readAt), count)]).toEqual([...bytes.slice(readAt, readAt + count)])
      },
    ),
  )
})

test('a sparse source is its pieces over its fill, the later piece on top', () => {
  const anyPiece = fc.record({ at: fc.nat(40), length: fc.nat(20), first: fc.nat(30) })
  fc.assert(
    fc.property(
      fc.array(anyPiece, { maxLength: 4 }),
      fc.nat(50),
      fc.nat(60),
      fc.boolean(),
      (pieces, from, length, pattern) => {
        const fill = pattern ? (n: number) => n & 0xff : 0x90
        const whole = Uint8Array.from({ length: 40 }, (_, i) => (pattern ? i : 0x90))
        for (const piece of pieces)
          whole.set(
            FILE.slice(piece.first, piece.first + piece.length).slice(0, Math.max(0, 40 - piece.at)),
            piece.at,
          )
        const source = sparseSource(
          40,
          pieces.map(piece => ({
            at: piece.at,
            source: sliceSource(bytesSource(FILE), piece.first, piece.length),
          })),
          fill,
        )
        expect(source.size).toBe(40)
        expect([...source.read(at(from), length)]).toEqual([...whole.slice(from, from + length)])
      },
    ),
  )
})

test('a sparse source of two gigabytes is zero by default and allocates what is read', () => {
  const source = sparseSource(2 ** 31, [{ at: 2 ** 30, source: bytesSource(FILE) }])
  expect([...source.read(at(2 ** 30 - 1), 3)]).toEqual([0, 1, 2])
  expect(source.read(at(2 ** 31 - 1), 10)).toHaveLength(1)
})

test('a counting source counts the bytes that it gave', () => {
  const source = countingSource(bytesSource(FILE))
  source.read(at(0), 10)
  source.read(at(45), 10)
  expect(source.bytesRead()).toBe(15)
  expect(source.size).toBe(50)
})

test('reading exactly gives all or nothing', () => {
  const source = bytesSource(FILE)
  expect([...(readExactly(source, 48, 2) ?? [])]).toEqual([49, 50])
  expect(readExactly(source, 48, 3)).toBeNull()
  expect(readExactly(source, 50, 0)).toHaveLength(0)
  expect(readExactly({ size: source.size, read: () => new Uint8Array(1) }, 0, 2)).toBeNull()
  expect(() => readExactly(source, -1, 1)).toThrow(ModelBug)
  expect(() => readExactly(source, 1, -1)).toThrow(ModelBug)
})
