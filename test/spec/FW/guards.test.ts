import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { PAGE, phys } from '../../../src/bytes/units.ts'
import { checkGuard, GuardMap, type HeapGuard } from '../../../src/firmware/edk2/heap-guard.ts'
import type { Edk2Pages } from '../../../src/firmware/edk2/pages.ts'
import type { Edk2Release } from '../../../src/firmware/edk2/releases.ts'
import { ANYWHERE } from '../../support/allocator-runs.ts'
import { descriptor, edk2Pages, smallMachine } from '../../unit/firmware/small-machine.ts'

/** Pages of LoaderData, pools of LoaderData and boot services data. */
const GUARD: HeapGuard = {
  PcdHeapGuardPropertyMask: 3,
  PcdHeapGuardPageType: 1n << 2n,
  PcdHeapGuardPoolType: 0x14n,
}
const guarded = (pages: number, release: Edk2Release = '2022.11', search = ANYWHERE) =>
  edk2Pages([descriptor(7, 0x10000, 0x10000 + pages * PAGE)], search, release, {
    guard: GUARD,
  })
const shown = (allocator: Edk2Pages) =>
  allocator
    .memoryMap()
    .map(
      ({ type, range: { start, end } }) =>
        `${String(type)}:${String((start - 0x10000) / PAGE)}+${String((end - start) / PAGE)}`,
    )
    .join(' ')

test('FW-36 takes a page before and after, and shares it with a neighbour', () => {
  const allocator = guarded(16)
  expect(allocator.allocate({ kind: 'any' }, 2, 2).at).toBe(0x10000 + 13 * PAGE)
  expect(shown(allocator)).toBe('7:0+12 2:12+4')
  expect(allocator.allocate({ kind: 'any' }, 2, 3).at).toBe(0x10000 + 9 * PAGE)
  expect(shown(allocator)).toBe('7:0+8 2:8+8')
  expect(allocator.guardPages(0x10000 + 13 * PAGE, 2)).toEqual([
    rangeAt(0x10000 + 12 * PAGE, PAGE),
    rangeAt(0x10000 + 15 * PAGE, PAGE),
  ])
  expect(allocator.allocate({ kind: 'any' }, 2, 8).status).toBe('EFI_OUT_OF_RESOURCES')
  expect(allocator.allocate({ kind: 'any' }, 4, 1).at).toBe(0x10000 + 7 * PAGE)
  expect(allocator.allocate({ kind: 'address', at: 0x10000 }, 2, 1).at).toBe(0x10000)
  expect(shown(allocator)).toBe('2:0+1 7:1+6 4:7+1 2:8+8')
  expect(guarded(4).allocate({ kind: 'any' }, 2, 2).at).toBe(0x11000)
  expect(guarded(4).allocate({ kind: 'any' }, 2, 3).status).toBe('EFI_OUT_OF_RESOURCES')
})

test('FW-37 keeps guard pages in the bin, and off page 0', () => {
  const search = { bins: [{ type: 2, base: 0x18000, max: 0x1bfff }], defaultMax: 0x17fff }
  expect(guarded(16, '2022.11', search).allocate({ kind: 'max', limit: 0x1bfff }, 2, 3).at).toBe(0x18000)
  expect(guarded(16, '2026.05', search).allocate({ kind: 'max', limit: 0x1bfff }, 2, 3).at).toBe(0x14000)
  const low = (release: Edk2Release) =>
    edk2Pages([descriptor(7, 0, 3 * PAGE)], ANYWHERE, release, { guard: GUARD }).allocate(
      { kind: 'any' },
      2,
      1,
    ).at
  expect([low('2022.11'), low('2026.05')]).toEqual([PAGE, null])
})

test('FW-38 gives back what no neighbour needs, and keeps a page where only a part is freed', () => {
  const allocator = guarded(16)
  const [high, low] = [
    allocator.allocate({ kind: 'any' }, 2, 2),
    allocator.allocate({ kind: 'any' }, 2, 3),
  ].map(({ at }) => at ?? 0)
  expect(allocator.free(high ?? 0, 2)).toEqual({
    status: 'EFI_SUCCESS',
    ranges: [rangeAt(0x10000 + 13 * PAGE, 3 * PAGE)],
    clause: 'FW-38',
  })
  expect(shown(allocator)).toBe('7:0+8 2:8+5 7:13+3')
  expect(allocator.free((low ?? 0) + PAGE, 1)).toEqual({ status: 'EFI_SUCCESS', ranges: [], clause: 'FW-38' })
  expect(allocator.free((low ?? 0) + 2 * PAGE, 1).ranges).toEqual([rangeAt(0x10000 + 11 * PAGE, 2 * PAGE)])
  expect(shown(allocator)).toBe('7:0+8 2:8+3 7:11+5')
})

test('FW-39 ends a guarded buffer at the guard page, or begins it at the pages with bit 7', () => {
  const machine = (mask: number) =>
    smallMachine({ build: { guard: { ...GUARD, PcdHeapGuardPropertyMask: mask } } })
  const { firmware, memory } = machine(2)
  const first = firmware.allocatePool(4, 100, 'a').at ?? 0
  expect(first).toBe(0x1000000 - PAGE - 104)
  expect([...memory.claims(rangeAt(0x1000000 - PAGE, PAGE))].map(({ label }) => label)).toEqual([
    'firmware:guard',
  ])
  expect(firmware.allocatePool(4, 5000, 'b').at).toBe(0x1000000 - 3 * PAGE - 5000)
  expect(firmware.freePool(phys(first))).toBe('EFI_SUCCESS')
  expect(
    firmware
      .memoryMap()
      .map(({ type, range: { start } }) => [type, start])
      .at(-1),
  ).toEqual([7, 0x1000000 - 2 * PAGE])
  expect(machine(0x82).firmware.allocatePool(4, 100, 'a').at).toBe(0x1000000 - 2 * PAGE + 24)
  expect(machine(2).firmware.allocatePool(3, 100, 'a').at).toBe(0x1000000 - PAGE + 24)
  expect(() => checkGuard({ ...GUARD, PcdHeapGuardPropertyMask: 0x10 })).toThrow('bit 4')
})

test('FW-36 pages that fill what is free between two guard pages of neighbours fit', () => {
  const map = new GuardMap()
  map.guard(rangeAt(0x10000, PAGE))
  map.guard(rangeAt(0x15000, PAGE))
  // Guard pages at 0x11000 and 0x14000; free is what lies between
  expect(map.fit(0x12000, 0x14000, 2 * PAGE, false, 0)).toBe(0x12000)
  expect(map.fit(0x12000, 0x14000, 3 * PAGE, false, 0)).toBeNull()
})
