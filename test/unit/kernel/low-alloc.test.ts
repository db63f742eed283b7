import { expect, test } from 'vitest'
import { phys } from '../../../src/bytes/units.ts'
import {
  EFI_MEMORY_SP,
  EfiConventionalMemory,
  EfiLoaderData,
  type MemoryDescriptor,
} from '../../../src/image/memory-types.ts'
import { highAlloc, lowAlloc } from '../../../src/kernel/x86/steps/low-alloc.ts'
import { slotAt } from '../../../src/kernel/x86/steps/kaslr-slots.ts'
import type { Machine } from '../../../src/machine/machine.ts'
import { descriptor, free } from '../../support/kernel-bench.ts'

/** Where it ends up, and where it was tried, with a firmware that refuses some addresses. */
function tried(
  map: readonly MemoryDescriptor[],
  refused: readonly number[] = [],
): { at: number | null; asked: number[] } {
  const asked: number[] = []
  const firmware = {
    memoryMap: () => map,
    allocatePages: ({ at }: { at: number }) => {
      asked.push(at)
      return refused.includes(at)
        ? { status: 'EFI_NOT_FOUND', at: null }
        : { status: 'EFI_SUCCESS', at: phys(at) }
    },
  }
  const at = lowAlloc({ firmware } as unknown as Machine, {
    size: 0x1800,
    align: 0x4000,
    minimum: 0x1000,
    label: 'kernel',
  })
  return { at, asked }
}

test('the first run that is free, wide enough and for everybody is taken', () => {
  const map = [
    descriptor(EfiLoaderData, 0x4000, 0x4000),
    descriptor(EfiConventionalMemory, 0x8000, 0x4000, EFI_MEMORY_SP),
    free(0xd000, 0x3000),
    free(0x10000, 0x1000),
    free(0x14000, 0x2000),
  ]
  expect(tried(map)).toEqual({ at: 0x14000, asked: [0x14000] })
})

test('a run that the firmware refuses is passed over', () => {
  expect(tried([free(0x4000, 0x4000), free(0x10000, 0x4000)], [0x4000])).toEqual({
    at: 0x10000,
    asked: [0x4000, 0x10000],
  })
})

test('without a run there is null', () => {
  expect(tried([free(0x4000, 0x4000)], [0x4000])).toEqual({ at: null, asked: [0x4000] })
  expect(tried([])).toEqual({ at: null, asked: [] })
})

test('page 0 is never given away from the top either', () => {
  const highest = (start: number, length: number): unknown => {
    const asked: number[] = []
    const firmware = {
      memoryMap: () => [free(start, length)],
      allocatePages: ({ at }: { at: number }) => {
        asked.push(at)
        return { status: 'EFI_SUCCESS', at: phys(at) }
      },
    }
    const at = highAlloc({ firmware } as unknown as Machine, { size: 0x1800, limit: 0xffff, label: 'initrd' })
    return { at, asked }
  }
  expect(highest(0, 0x2000)).toEqual({ at: null, asked: [] })
  expect(highest(0, 0x3000)).toEqual({ at: 0x1000, asked: [0x1000] })
  expect(highest(0x1000, 0x2000)).toEqual({ at: 0x1000, asked: [0x1000] })
})

test('slots are counted through all runs, and there is none after the last', () => {
  const areas = [
    { first: 0x1000, count: 2 },
    { first: 0x8000, count: 1 },
  ]
  expect([0, 1, 2].map(number => slotAt(areas, number, 0x1000))).toEqual([0x1000, 0x2000, 0x8000])
  expect(() => slotAt(areas, 3, 0x1000)).toThrow('slot 3 of 3')
})
