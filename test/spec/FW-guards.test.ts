import { expect, test } from 'vitest'
import { rangeAt } from '../../src/bytes/range.ts'
import { PAGE, phys } from '../../src/bytes/units.ts'
import type { AllocatorId } from '../../src/firmware/allocators.ts'
import { checkGuard, type HeapGuard } from '../../src/firmware/edk2/heap-guard.ts'
import type { Edk2Pages } from '../../src/firmware/edk2/pages.ts'
import type { PoolState } from '../../src/firmware/edk2/pool-state.ts'
import type { Edk2Release } from '../../src/firmware/edk2/releases.ts'
import type { SearchPolicy } from '../../src/firmware/page-allocator.ts'
import { goodPe } from '../unit/firmware/loader-bench.ts'
import { descriptor, edk2Pages, SMALL_MAP, smallMachine } from '../unit/firmware/small-machine.ts'
import { smallPe } from '../unit/firmware/small-pe.ts'

/** Pages of LoaderData, pools of LoaderData and boot services data. */
const GUARD: HeapGuard = {
  PcdHeapGuardPropertyMask: 3,
  PcdHeapGuardPageType: 1n << 2n,
  PcdHeapGuardPoolType: 0x14n,
}
const ANYWHERE: SearchPolicy = { bins: [], defaultMax: 2 ** 52 - 1 }
const over = (pages: number, release: Edk2Release = '2022.11', search = ANYWHERE) =>
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
  const allocator = over(16)
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
  expect(over(4).allocate({ kind: 'any' }, 2, 2).at).toBe(0x11000)
  expect(over(4).allocate({ kind: 'any' }, 2, 3).status).toBe('EFI_OUT_OF_RESOURCES')
})

test('FW-37 keeps guard pages in the bin, and off page 0', () => {
  const search = { bins: [{ type: 2, base: 0x18000, max: 0x1bfff }], defaultMax: 0x17fff }
  expect(over(16, '2022.11', search).allocate({ kind: 'max', limit: 0x1bfff }, 2, 3).at).toBe(0x18000)
  expect(over(16, '2026.05', search).allocate({ kind: 'max', limit: 0x1bfff }, 2, 3).at).toBe(0x14000)
  const low = (release: Edk2Release) =>
    edk2Pages([descriptor(7, 0, 3 * PAGE)], ANYWHERE, release, { guard: GUARD }).allocate(
      { kind: 'any' },
      2,
      1,
    ).at
  expect([low('2022.11'), low('2026.05')]).toEqual([PAGE, null])
})

test('FW-38 gives back what no neighbour needs, and keeps a page where only a part is freed', () => {
  const allocator = over(16)
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

test('FW-43 takes untested memory when there is no other', () => {
  const untested = [rangeAt(0x100000, 0x10000)]
  const make = () =>
    edk2Pages([descriptor(7, 0x1000, 0x3000), descriptor(0, 0x100000, 0x110000)], ANYWHERE, '2022.11', {
      untested,
    })
  const allocator = make()
  expect([
    allocator.allocate({ kind: 'any' }, 4, 1).at,
    allocator.allocate({ kind: 'any' }, 4, 2).at,
  ]).toEqual([0x2000, 0x10e000])
  expect(allocator.memoryMap().map(({ type, range: { start } }) => [type, start])).toEqual([
    [7, 0x1000],
    [4, 0x2000],
    [7, 0x100000],
    [4, 0x10e000],
  ])
  expect([
    make().allocate({ kind: 'address', at: 0x100000 }, 4, 1).at,
    make().allocate({ kind: 'address', at: 0x200000 }, 4, 1).status,
  ]).toEqual([0x100000, 'EFI_NOT_FOUND'])
})

test('FW-44 keeps read-only pages since 2025.08', () => {
  const freed = (row: AllocatorId, on: boolean) => {
    const { firmware } = smallMachine({ allocator: row })
    const at = firmware.allocatePages({ kind: 'any' }, 2, 4, 'x').at ?? phys(0)
    firmware.setReadOnly?.(rangeAt(at, 4 * PAGE), true)
    if (!on) firmware.setReadOnly?.(rangeAt(at, 4 * PAGE), false)
    return [firmware.freePages(at, 4), firmware.allocatePages({ kind: 'any' }, 2, 4, 'y').at === at]
  }
  expect([freed('edk2-2025.02', true), freed('edk2-2025.08', true), freed('edk2-2025.08', false)]).toEqual([
    ['EFI_SUCCESS', true],
    ['EFI_SUCCESS', false],
    ['EFI_SUCCESS', true],
  ])
})

test('FW-45 grants unaccepted memory from the pool of 2022.11 alone', () => {
  const status = (row: AllocatorId) =>
    smallMachine({ allocator: row }).firmware.allocatePool(15, 8, 'x').status
  expect((['edk2-2020.11', 'edk2-2022.11', 'edk2-2023.02'] as const).map(status)).toEqual([
    'EFI_INVALID_PARAMETER',
    'EFI_SUCCESS',
    'EFI_INVALID_PARAMETER',
  ])
})

test('FW-46 takes a page of boot services data where the pool has no room, before the image', () => {
  const load = (pool: PoolState | 'unknown') => {
    const machine = smallMachine({ build: { pool } })
    const source = smallPe(
      goodPe([{ VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x1000 }], { SizeOfHeaders: 0x400 }),
    )
    const where = rangeAt(0x10000, source.size)
    machine.memory.put(where.start, { source, at: 0, length: source.size }, 'file')
    const again = () =>
      machine.firmware.loadImage({
        from: { kind: 'memory', range: where },
        name: 'x',
        ownerOf: () => ({ object: 'x', at: 0 }),
      }).image?.base
    const [first, second] = [again(), again()]
    return [first, second, machine.assumptions.filter(([clause]) => clause === 'FW-19').length]
  }
  expect(load({ imageRecord: 'room' })).toEqual([0xff8000, 0xff0000, 0])
  expect(load({ imageRecord: 'new-page' })).toEqual([0xff7000, 0xfef000, 0])
  expect(load('unknown')).toEqual([0xff8000, 0xff0000, 1])
})

test('FW-47 describes the pool of an OEM type in boot services data', () => {
  const { firmware } = smallMachine()
  const [first, second] = [
    firmware.allocatePool(0x70000000, 8, 'a').at ?? 0,
    firmware.allocatePool(0x70000000, 8, 'b').at ?? 0,
  ]
  expect(
    firmware
      .memoryMap()
      .filter(({ type }) => type === 4 || type === 0x70000000)
      .map(({ type, range: { start } }) => [type, start]),
  ).toEqual([
    [4, 0x800000],
    [0x70000000, 0xffe000],
    [4, 0xfff000],
  ])
  for (const buffer of [first, second]) expect(firmware.freePool(phys(buffer))).toBe('EFI_SUCCESS')
  expect(firmware.memoryMap()).toEqual(SMALL_MAP)
})

test('FW-53 takes a page when there are more descriptors than entries', () => {
  const map = [descriptor(7, 0x10000, 0x20000), descriptor(4, 0x20000, 0x21000)]
  const make = (mapEntries?: { hidden: number; capacity: number }) =>
    edk2Pages(
      map,
      ANYWHERE,
      '2022.11',
      mapEntries === undefined ? {} : { pool: { imageRecord: 'room', mapEntries } },
    )
  const full = make({ hidden: 62, capacity: 64 })
  expect([full.allocate({ kind: 'any' }, 2, 1).at, full.takeEntryPages(), full.takeEntryPages()]).toEqual([
    0x1f000,
    [rangeAt(0x1e000, PAGE)],
    [],
  ])
  expect(full.allocate({ kind: 'any' }, 2, 1).at).toBe(0x1d000)
  for (const other of [make(), make({ hidden: 61, capacity: 64 })])
    expect([
      other.allocate({ kind: 'any' }, 2, 1).at,
      other.takeEntryPages(),
      other.allocate({ kind: 'any' }, 2, 1).at,
    ]).toEqual([0x1f000, [], 0x1e000])
  const { firmware, memory } = smallMachine({
    map,
    build: {
      pool: { imageRecord: 'room', mapEntries: { hidden: 62, capacity: 64 } },
      search: ANYWHERE,
    },
  })
  const at = firmware.allocatePages({ kind: 'any' }, 2, 1, 'x').at ?? phys(0)
  expect([...memory.claims(rangeAt(0x1e000, PAGE))].map(({ label }) => label)).toEqual(['firmware:boot'])
  expect(firmware.freePages(at, 1)).toBe('EFI_SUCCESS')
})
