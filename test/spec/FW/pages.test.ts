import { expect, test } from 'vitest'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { PAGE, phys } from '../../../src/bytes/units.ts'
import type { AllocatorId } from '../../../src/firmware/allocators.ts'
import type { Edk2Release } from '../../../src/firmware/edk2/releases.ts'
import { EFI_MEMORY_SP } from '../../../src/image/memory-types.ts'
import { ANYWHERE, DEFAULT, over, recorded } from '../../support/allocator-runs.ts'
import { descriptor, edk2Pages, SMALL_MAP, smallMachine } from '../../unit/firmware/small-machine.ts'

const at = (address: number): unknown => expect.objectContaining({ status: 'EFI_SUCCESS', at: address })

test('FW-4 searches bin, default range, everywhere, each only when the limit reaches its top', () => {
  const search = { bins: [{ type: 4, base: 0x8000, max: 0x9fff }], defaultMax: 0x5fff }
  const fresh = () => over([descriptor(7, 0, 0x10000)], search)
  expect(fresh().allocate({ kind: 'any' }, 4, 2)).toEqual(at(0x8000))
  expect(fresh().allocate({ kind: 'any' }, 4, 3)).toEqual(at(0x3000))
  expect(fresh().allocate({ kind: 'any' }, 4, 6)).toEqual(at(0xa000))
  expect(fresh().allocate({ kind: 'any' }, 2, 1)).toEqual(at(0x5000))
  expect(fresh().allocate({ kind: 'max', limit: 0x9fff }, 4, 1)).toEqual(at(0x9000))
  expect(fresh().allocate({ kind: 'max', limit: 0x9ffe }, 4, 1)).toEqual(at(0x5000))
  expect(fresh().allocate({ kind: 'max', limit: 0x5fff }, 4, 1)).toEqual(at(0x5000))
  expect(fresh().allocate({ kind: 'max', limit: 0x5ffe }, 4, 1)).toEqual(at(0x4000))
})

test('FW-5 takes the highest hole that is large enough, from its end', () => {
  const holes = [descriptor(7, 0x1000, 0x9000), descriptor(7, 0xa000, 0xc000), descriptor(7, 0xd000, 0xe000)]
  expect(over(holes).allocate({ kind: 'any' }, 4, 1)).toEqual(at(0xd000))
  expect(over(holes).allocate({ kind: 'any' }, 4, 2)).toEqual(at(0xa000))
  expect(over(holes).allocate({ kind: 'any' }, 4, 3)).toEqual(at(0x6000))
  const { row, map } = recorded('good/247.3/5.10/512')
  const below = map.findLast(one => one.type === 7 && one.range.end <= Number(row.trace?.image_base))
  expect(below?.range.end).toBe(Number(row.trace?.image_base))
})

test('FW-6 never finds page 0', () => {
  const allocator = over([descriptor(7, 0, 0x2000)])
  expect(allocator.allocate({ kind: 'any' }, 4, 2)).toEqual({
    status: 'EFI_OUT_OF_RESOURCES',
    at: null,
    clause: 'FW-6',
  })
  expect(allocator.allocate({ kind: 'any' }, 4, 1)).toEqual(at(0x1000))
  expect(allocator.allocate({ kind: 'max', limit: 0x1fff }, 4, 1)).toEqual({
    status: 'EFI_OUT_OF_RESOURCES',
    at: null,
    clause: 'FW-6',
  })
})

test('FW-7 turns down the types that cannot be allocated before it looks at anything else', () => {
  for (const type of [7, 14, 15, 16, 0x6fffffff]) {
    expect(over(SMALL_MAP).allocate({ kind: 'address', at: 1 }, type, 0).status, String(type)).toBe(
      'EFI_INVALID_PARAMETER',
    )
    expect(
      smallMachine({ allocator: 'edk2-2025.02' }).firmware.allocatePool(type, 8, 'x').status,
      String(type),
    ).toBe('EFI_INVALID_PARAMETER')
  }
  for (const type of [0, 6, 8, 11, 13, 0x70000000, 0xffffffff])
    expect(over(SMALL_MAP).allocate({ kind: 'any' }, type, 1).status, String(type)).toBe('EFI_SUCCESS')
})

test('FW-8 keeps AllocateAddress out of the special bins of other types', () => {
  const search = {
    bins: [
      { type: 6, base: 0x4000, max: 0x5fff },
      { type: 4, base: 0x8000, max: 0x8fff },
    ],
    defaultMax: 0x3fff,
  }
  const status = (type: number, from: number, pages: number) =>
    over([descriptor(7, 0, 0x10000)], search).allocate({ kind: 'address', at: from }, type, pages).status
  expect(status(2, 0x3000, 1)).toBe('EFI_SUCCESS')
  expect(status(2, 0x3000, 2)).toBe('EFI_NOT_FOUND')
  expect(status(2, 0x5000, 1)).toBe('EFI_NOT_FOUND')
  expect(status(2, 0x3000, 4)).toBe('EFI_NOT_FOUND')
  expect(status(2, 0x6000, 1)).toBe('EFI_SUCCESS')
  expect(status(6, 0x4000, 2)).toBe('EFI_SUCCESS')
  expect(status(2, 0x8000, 1)).toBe('EFI_SUCCESS')
})

test('FW-11 excludes a page that the limit lies in', () => {
  const max = (limit: number) => over([descriptor(7, 0, 0x10000)]).allocate({ kind: 'max', limit }, 2, 1).at
  expect(max(0x1fff)).toBe(0x1000)
  expect(max(0x1ffe)).toBeNull()
  expect(max(0x2000)).toBe(0x1000)
  expect(max(0x2ffe)).toBe(0x1000)
  expect(max(0x2fff)).toBe(0x2000)
  expect(max(0)).toBeNull()
})

test('FW-12 hands out pages with what they held', () => {
  for (const [contents, kind] of [
    ['ovmf', 'fill'],
    ['residue', 'fill'],
    ['poison', 'garbage'],
  ] as const) {
    const { memory, firmware, assumptions } = smallMachine({ contents })
    const found = firmware.allocatePages({ kind: 'any' }, 2, 1, 'mine')
    expect(found.at).toBe(0xfff000)
    expect([...memory.extents(rangeAt(0xfff000, PAGE))]).toMatchObject([
      { content: kind === 'fill' ? { kind, byte: 0 } : { kind }, whose: null, written: false },
    ])
    expect(assumptions.map(([clause]) => clause)).toContain('FW-12')
  }
})

test('FW-13 fills freed pages with 0xaf in OVMF, page 0 with zeros, or leaves their bytes', () => {
  const after = (contents: 'ovmf' | 'residue' | 'poison', address: number, pages: number) => {
    const { memory, firmware } = smallMachine({ contents })
    firmware.allocatePages({ kind: 'address', at: address }, 2, pages, 'mine')
    memory.patch(phys(address), Uint8Array.of(1, 2, 3), 'mine')
    expect(firmware.freePages(phys(address), pages)).toBe('EFI_SUCCESS')
    expect([...memory.claims(rangeAt(address, pages * PAGE))]).toEqual([])
    return [
      ...memory.peek(rangeAt(address, 3)).bytes,
      ...memory.peek(rangeAt(address + pages * PAGE - 1, 1)).bytes,
    ]
  }
  expect(after('ovmf', 0x5000, 2)).toEqual([0xaf, 0xaf, 0xaf, 0xaf])
  expect(after('residue', 0x5000, 2)).toEqual([1, 2, 3, 0])
  expect(after('ovmf', 0, 1)).toEqual([0, 0, 0, 0])
  expect(after('ovmf', 0, 2)).toEqual([0, 0, 0, 0xaf])
  expect(after('residue', 0, 2)).toEqual([1, 2, 3, 0])
  expect(after('poison', 0x5000, 1)).toEqual([0, 0, 0, 0])
})

test('FW-24 passes over special-purpose memory since 2024.08', () => {
  const map = [descriptor(7, 0x1000, 0x3000), descriptor(7, 0x5000, 0x9000, 0xfn | EFI_MEMORY_SP)]
  expect(over(map).allocate({ kind: 'any' }, 2, 1)).toEqual(at(0x8000))
  expect(over(map, DEFAULT, '2025.02').allocate({ kind: 'any' }, 2, 1)).toEqual(at(0x2000))
  expect(over(map, DEFAULT, '2025.02').allocate({ kind: 'address', at: 0x5000 }, 2, 1)).toEqual(at(0x5000))
  const clause = (rows: typeof map) =>
    over(rows, { bins: [], defaultMax: 0xffff }, '2025.02').allocate({ kind: 'any' }, 2, 1).clause
  expect(clause(map)).toBe('FW-24')
  // Nothing is passed over below the pages, nor where the memory is in use
  expect(clause([...map, descriptor(7, 0x9000, 0xa000)])).toBe('FW-5')
  expect(clause(map.map((one, i) => (i === 1 ? { ...one, type: 4 } : one)))).toBe('FW-5')
})

test('FW-25 takes an address only whole, from one free descriptor', () => {
  const status = (from: number, pages: number, release?: Edk2Release) =>
    over(
      [descriptor(7, 0, 0x3000), descriptor(7, 0x3000, 0x5000, 7n), descriptor(4, 0x5000, 0x6000)],
      DEFAULT,
      release,
    ).allocate({ kind: 'address', at: from }, 2, pages).status
  expect(status(0x1000, 2)).toBe('EFI_SUCCESS')
  expect(status(0x1001, 1)).toBe('EFI_NOT_FOUND')
  expect(status(0x1000, 0)).toBe('EFI_NOT_FOUND')
  expect(status(0x1000, 3)).toBe('EFI_NOT_FOUND')
  expect(status(0x4000, 2)).toBe('EFI_NOT_FOUND')
  expect(status(0x5000, 1)).toBe('EFI_NOT_FOUND')
  expect(status(0x9000, 1)).toBe('EFI_NOT_FOUND')
  expect(status(0, 1)).toBe('EFI_SUCCESS')
  expect(status(0, 1, '2025.08')).toBe('EFI_NOT_FOUND')
})

test('FW-26 answers a failed search with EFI_OUT_OF_RESOURCES', () => {
  const allocator = over([descriptor(7, 0x1000, 0x3000), descriptor(7, 0x3000, 0x4000, 7n)])
  expect(allocator.allocate({ kind: 'any' }, 2, 3).status).toBe('EFI_OUT_OF_RESOURCES')
  expect(allocator.allocate({ kind: 'any' }, 2, 0).status).toBe('EFI_OUT_OF_RESOURCES')
  expect(allocator.allocate({ kind: 'max', limit: 0x1fff }, 2, 2).status).toBe('EFI_OUT_OF_RESOURCES')
})

test('FW-10 frees descriptor by descriptor and stops at what is free already', () => {
  const allocator = over([descriptor(7, 0, 0x10000)])
  expect(allocator.allocate({ kind: 'address', at: 0x4000 }, 2, 8).status).toBe('EFI_SUCCESS')
  expect(allocator.free(0x6000, 1)).toEqual({
    status: 'EFI_SUCCESS',
    ranges: [range(0x6000, 0x7000)],
    clause: 'FW-10',
  })
  expect(allocator.free(0x6000, 1)).toEqual({ status: 'EFI_NOT_FOUND', ranges: [], clause: 'FW-10' })
  expect(allocator.free(0x4000, 8)).toEqual({
    status: 'EFI_NOT_FOUND',
    ranges: [range(0x4000, 0x6000)],
    clause: 'FW-10',
  })
  expect(allocator.memoryMap()).toEqual([
    descriptor(7, 0, 0x7000),
    descriptor(2, 0x7000, 0xc000),
    descriptor(7, 0xc000, 0x10000),
  ])
  expect(allocator.free(0x7010, 1).status).toBe('EFI_INVALID_PARAMETER')
  expect(allocator.free(0x7000, 0).status).toBe('EFI_INVALID_PARAMETER')
  expect(allocator.free(0x20000, 1).status).toBe('EFI_NOT_FOUND')
  allocator.allocate({ kind: 'address', at: 0xc000 }, 4, 4)
  expect(allocator.free(0xb000, 2)).toEqual({
    status: 'EFI_SUCCESS',
    ranges: [range(0xb000, 0xc000), range(0xc000, 0xd000)],
    clause: 'FW-10',
  })
  expect(allocator.free(0xf000, 2)).toEqual({
    status: 'EFI_NOT_FOUND',
    ranges: [range(0xf000, 0x10000)],
    clause: 'FW-10',
  })
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
