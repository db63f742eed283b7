import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesSource } from '../../../src/bytes/source.ts'
import { decode, type Format } from '../../../src/decode/decode.ts'
import { depth, tries } from '../../support/depth.ts'
import { sample } from './sample.ts'
import { VECTOR_LENGTH, VECTORS } from './vectors.ts'

const LIMIT = 4 * VECTOR_LENGTH
const original = sample(VECTOR_LENGTH)
/** Formats whose streams say nothing about what must come out. */
const WITHOUT_CHECKSUM: readonly Format[] = ['lz4', 'lzma']

/** bzip2, which takes memory for a whole block each time, is tried with fewer cases. */
const strideOf = (format: Format): number => depth(5, 1) * (format === 'bzip2' ? 13 : 1)

describe.each(VECTORS)('$name', ({ format, bytes }) => {
  test('one flipped bit is noticed, or changes nothing that comes out; nothing throws', () => {
    for (let bit = 0; bit < 8 * bytes.length; bit += strideOf(format)) {
      const wrong = Uint8Array.from(bytes)
      wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const done = decode(format, bytesSource(wrong), { limit: LIMIT })
      expect(done.produced).toBeLessThanOrEqual(LIMIT)
      if (done.ok && !WITHOUT_CHECKSUM.includes(format))
        expect([bit, Buffer.compare(done.output, original)]).toEqual([bit, 0])
    }
  })

  test('every shorter stream is refused', () => {
    for (let length = 0; length < bytes.length; length += strideOf(format)) {
      const done = decode(format, bytesSource(bytes.subarray(0, length)), { limit: LIMIT })
      const isBetweenBlocks = format === 'lz4' && length === 4
      expect([length, done.ok]).toEqual([length, isBetweenBlocks])
    }
  })

  test('much noise ends in an answer within the limit', () => {
    const place = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(
        fc.array(place, { minLength: 1, maxLength: 20 }),
        fc.nat(bytes.length),
        fc.boolean(),
        (places, cut, isLengthKnown) => {
          const wrong = Uint8Array.from(bytes)
          for (const [at, byte] of places) wrong[at] = byte
          const input = bytesSource(cut % 3 === 0 ? wrong.subarray(0, cut) : wrong)
          const done = decode(format, input, {
            limit: LIMIT,
            ...(isLengthKnown ? { length: VECTOR_LENGTH } : {}),
          })
          expect(done.produced).toBeLessThanOrEqual(LIMIT)
          expect(done.output).toHaveLength(done.produced)
        },
      ),
      tries(100, 300),
    )
  })
})
