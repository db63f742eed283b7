import { expect, test } from 'vitest'
import { ModelBug } from '../../../src/bytes/errors.ts'
import { phys } from '../../../src/bytes/units.ts'
import type { PageAllocator } from '../../../src/firmware/page-allocator.ts'
import { descriptor, edk2Pages } from './small-machine.ts'

const over = () =>
  edk2Pages(
    [descriptor(7, 0x1000, 0x10000), descriptor(4, 0x10000, 0x12000), descriptor(7, 0x12000, 0x20000)],
    { bins: [], defaultMax: 0x1ffff },
  )
const types = (allocator: PageAllocator) =>
  allocator.descriptors().map(({ type, range: { start, end } }) => [type, start, end])

test.each([-1, 0.5, Number.NaN, 2 ** 53])('a count of %s pages is our own mistake', pages => {
  expect(() => over().allocate({ kind: 'any' }, 2, pages)).toThrow(ModelBug)
})

test('pin takes what is free of the pages and says whether all of them were', () => {
  const whole = over()
  expect(whole.pin(phys(0x4000), 2, 1)).toBe(true)
  expect(types(whole)).toEqual([
    [7, 0x1000, 0x4000],
    [1, 0x4000, 0x6000],
    [7, 0x6000, 0x10000],
    [4, 0x10000, 0x12000],
    [7, 0x12000, 0x20000],
  ])
  const partly = over()
  expect(partly.pin(phys(0xf000), 4, 1)).toBe(false)
  expect(types(partly)).toEqual([
    [7, 0x1000, 0xf000],
    [1, 0xf000, 0x10000],
    [4, 0x10000, 0x12000],
    [1, 0x12000, 0x13000],
    [7, 0x13000, 0x20000],
  ])
})

test('a free that fails frees nothing', () => {
  const allocator = over()
  const before = types(allocator)
  expect(allocator.free(0x80000, 1)).toEqual({ status: 'EFI_NOT_FOUND', ranges: [], clause: 'FW-10' })
  expect(allocator.free(0x10800, 1)).toEqual({ status: 'EFI_INVALID_PARAMETER', ranges: [], clause: 'FW-10' })
  expect(allocator.free(0x10000, 0)).toEqual({ status: 'EFI_INVALID_PARAMETER', ranges: [], clause: 'FW-10' })
  expect(types(allocator)).toEqual(before)
})
