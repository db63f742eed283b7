import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contains, overlaps, rangeAt, sizeOf, type Range } from '../../../src/bytes/range.ts'
import { PAGE, phys } from '../../../src/bytes/units.ts'
import { Edk2Pool, poolBlockSize, POOL_SIZES } from '../../../src/firmware/edk2/pool.ts'
import { edk2Behaviour } from '../../../src/firmware/edk2/behaviour.ts'
import type { PoolPages } from '../../../src/firmware/pool.ts'

const edk2Pool = (pages: PoolPages): Edk2Pool => new Edk2Pool(pages, edk2Behaviour('2022.11'))

test('block sizes are sums of the two before them, and remainders can always be carved', () => {
  POOL_SIZES.forEach((size, i) => {
    if (i >= 2) expect(size).toBe((POOL_SIZES[i - 1] ?? 0) + (POOL_SIZES[i - 2] ?? 0))
  })
})

test('a block is the request rounded up to 8 bytes, and 40 more', () => {
  expect([0, 1, 8, 9, 88, 89, 4056].map(poolBlockSize)).toEqual([40, 48, 48, 56, 128, 136, 4096])
})

test('buffers lie in pages of their own type, never overlap, and all pages come back', () => {
  const request = fc.record({
    type: fc.constantFrom(2, 4),
    size: fc.oneof(fc.integer({ min: 0, max: 2700 }), fc.integer({ min: 2600, max: 9000 })),
  })
  fc.assert(
    fc.property(fc.array(fc.oneof(request, fc.nat({ max: 30 })), { maxLength: 60 }), actions => {
      const pages = new Map<number, { type: number; where: Range }>()
      let next = 0x10000000
      const pool = edk2Pool({
        allocate: (type, count) => {
          next -= count * PAGE
          pages.set(next, { type, where: rangeAt(next, count * PAGE) })
          return { status: 'EFI_SUCCESS', at: phys(next), clause: 'FW-5' }
        },
        free: where => {
          expect(pages.get(where.start)?.where).toEqual(where)
          pages.delete(where.start)
        },
      })
      const held: { type: number; buffer: Range; size: number }[] = []
      for (const action of actions) {
        if (typeof action === 'number') {
          const [gone] = held.splice(action, 1)
          if (gone !== undefined) expect(pool.free(gone.buffer.start).status).toBe('EFI_SUCCESS')
          continue
        }
        const { buffer } = pool.allocate(action.type, action.size)
        if (buffer === null) throw new Error('no buffer')
        expect(sizeOf(buffer)).toBeGreaterThanOrEqual(action.size)
        const block = rangeAt(buffer.start - 24, sizeOf(buffer) + 40)
        expect(
          [...pages.values()].some(
            page =>
              page.type === action.type &&
              contains(page.where, rangeAt(block.start, poolBlockSize(action.size))),
          ),
        ).toBe(true)
        for (const other of held)
          expect(
            overlaps(
              rangeAt(block.start, poolBlockSize(action.size)),
              rangeAt(other.buffer.start - 24, poolBlockSize(other.size)),
            ),
          ).toBe(false)
        held.push({ ...action, buffer })
      }
      for (const { buffer } of held) expect(pool.free(buffer.start).status).toBe('EFI_SUCCESS')
      expect(pages.size).toBe(0)
    }),
    { numRuns: 300 },
  )
})

test('when there are no pages, the answer is EFI_OUT_OF_RESOURCES', () => {
  const pool = edk2Pool({
    allocate: () => ({ status: 'EFI_OUT_OF_RESOURCES', at: null, clause: 'FW-26' }),
    free: () => undefined,
  })
  const none = { status: 'EFI_OUT_OF_RESOURCES', buffer: null, guessed: false, clause: 'FW-26' }
  expect(pool.allocate(2, 64)).toEqual(none)
  expect(pool.allocate(2, 6400)).toEqual(none)
})
