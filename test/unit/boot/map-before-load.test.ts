import { expect, test } from 'vitest'
import { UsageError } from '../../../src/bytes/errors.ts'
import { rangeAt } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import { mapBeforeLoad } from '../../../src/boot/map-before-load.ts'
import type { MemoryDescriptor } from '../../../src/image/memory-types.ts'

const entry = (type: number, start: number, length: number): MemoryDescriptor => ({
  type,
  range: rangeAt(start, length),
  attribute: 0xfn,
})
const shape = (map: readonly MemoryDescriptor[]) =>
  map.map(({ type, range: { start, end } }) => [type, start, end])

const MAP = [
  entry(7, 0x100000, 0x100000),
  entry(1, 0x200000, 0x30000),
  entry(2, 0x230000, 0x10000),
  entry(4, 0x240000, 0x10000),
]

test('a map taken before the load stays as it is', () => {
  expect(mapBeforeLoad(MAP, 'before-load', 0x30000)).toEqual({ map: MAP, assumptions: [] })
})

test('a map taken at the stub’s entry gives the image back, found by its size', () => {
  const { map, assumptions } = mapBeforeLoad(MAP, 'stub-entry', 0x2fe01)
  expect(shape(map)).toEqual([
    [7, 0x100000, 0x200000],
    [7, 0x200000, 0x230000],
    [2, 0x230000, 0x240000],
    [4, 0x240000, 0x250000],
  ])
  expect(assumptions).toEqual([
    'the LoaderCode entry 0x200000-0x230000 was the UKI when the map was taken, and free before',
  ])
})

test('an image base says which part of an entry it was', () => {
  const { map } = mapBeforeLoad(MAP, 'stub-entry', 0x10000, phys(0x210000))
  expect(shape(map).filter(([type]) => type === 1)).toEqual([
    [1, 0x200000, 0x210000],
    [1, 0x220000, 0x230000],
  ])
})

test('one exact fit beats larger entries; two that could be it are a question to the caller', () => {
  const two = [...MAP, entry(1, 0x300000, 0x50000)]
  expect(shape(mapBeforeLoad(two, 'stub-entry', 0x30000).map)).toContainEqual([7, 0x200000, 0x230000])
  expect(() => mapBeforeLoad(two, 'stub-entry', 0x20000)).toThrow(UsageError)
  expect(() => mapBeforeLoad(MAP, 'stub-entry', 0x80000)).toThrow(/0 LoaderCode entries/)
})

test('an image outside the map is refused', () => {
  expect(() => mapBeforeLoad(MAP, 'stub-entry', 0x10000, phys(0x248000))).toThrow(
    /does not cover the image at 0x248000-0x258000/,
  )
})

test.each(['kernel-entry', 'exit-boot-services'] as const)(
  'a map taken at %s gives all loader memory back',
  taken => {
    const { map, assumptions } = mapBeforeLoad(MAP, taken, 0x30000)
    expect(map.map(({ type }) => type)).toEqual([7, 7, 7, 4])
    expect(assumptions).toHaveLength(1)
  },
)
