import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { PAGE, phys } from '../../../src/bytes/units.ts'
import { PagedPool } from '../../../src/firmware/paged-pool.ts'
import type { PoolPages } from '../../../src/firmware/pool.ts'
import type { Allocation } from '../../../src/firmware/services.ts'

function poolOf(answer: Allocation): { pool: PagedPool; freed: string[] } {
  const freed: string[] = []
  const pages: PoolPages = {
    allocate: () => ({ ...answer, clause: 'FW-29' }),
    free: ({ start, end }) => void freed.push(`${start.toString(16)}-${end.toString(16)}`),
  }
  return { pool: new PagedPool(pages, 0x10, 'FW-30'), freed }
}

test('a buffer begins after its head, and its pages go back once', () => {
  const { pool, freed } = poolOf({ status: 'EFI_SUCCESS', at: phys(0x5000) })
  expect(pool.allocate(2, PAGE)).toEqual({
    status: 'EFI_SUCCESS',
    buffer: rangeAt(0x5010, PAGE),
    guessed: false,
    clause: 'FW-30',
  })
  expect(pool.free(0x5000).status).toBe('EFI_INVALID_PARAMETER')
  expect(pool.free(0x5010).status).toBe('EFI_SUCCESS')
  expect(pool.free(0x5010).status).toBe('EFI_INVALID_PARAMETER')
  expect(freed).toEqual(['5000-7000'])
})

test('a type that is refused is an invalid parameter, anything else a lack of memory', () => {
  expect(poolOf({ status: 'EFI_INVALID_PARAMETER', at: null }).pool.allocate(7, 8)).toEqual({
    status: 'EFI_INVALID_PARAMETER',
    buffer: null,
    guessed: false,
    clause: 'FW-29',
  })
  expect(poolOf({ status: 'EFI_NOT_FOUND', at: null }).pool.allocate(2, 8)).toEqual({
    status: 'EFI_OUT_OF_RESOURCES',
    buffer: null,
    guessed: false,
    clause: 'FW-29',
  })
})
