import { expect, test } from 'vitest'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { PAGE, phys } from '../../../src/bytes/units.ts'
import { inferBins } from '../../../src/firmware/edk2/bins.ts'
import { joinDescriptors, ramOf } from '../../../src/firmware/memory-map.ts'
import { EFI_MEMORY_RUNTIME } from '../../../src/image/memory-types.ts'
import { ANYWHERE, over, recorded } from '../../support/allocator-runs.ts'
import { GIB } from '../../support/bytes.ts'
import { textOf } from '../../unit/firmware/recorded.ts'
import { descriptor, edk2Pages, smallMachine } from '../../unit/firmware/small-machine.ts'

test('FW-1 joins neighbours of one type and attribute, and no others', () => {
  const map = [
    descriptor(7, 0, 0x1000),
    descriptor(7, 0x1000, 0x2000),
    descriptor(7, 0x2000, 0x3000, 7n),
    descriptor(4, 0x3000, 0x4000, 7n),
    descriptor(4, 0x5000, 0x6000, 7n),
  ]
  expect(joinDescriptors(map)).toEqual([descriptor(7, 0, 0x2000), ...map.slice(2)])
  const allocator = over([descriptor(7, 0, 0x6000)])
  allocator.allocate({ kind: 'address', at: 0x2000 }, 4, 1)
  allocator.allocate({ kind: 'address', at: 0x3000 }, 4, 1)
  expect(allocator.memoryMap()).toEqual([
    descriptor(7, 0, 0x2000),
    descriptor(4, 0x2000, 0x4000),
    descriptor(7, 0x4000, 0x6000),
  ])
  allocator.free(0x2000, 2)
  expect(allocator.memoryMap()).toEqual([descriptor(7, 0, 0x6000)])
})

test('FW-2 takes reserved memory beside RAM for RAM, never MMIO, unusable or unaccepted memory', () => {
  const map = [
    descriptor(7, 0, 0x1000),
    descriptor(0, 0x1000, 0x2000),
    descriptor(0, 0x2000, 0x3000, 1n),
    descriptor(0, 0x9000, 0xa000),
    descriptor(0, 0xb000, 0xc000),
    descriptor(9, 0xc000, 0xd000),
    descriptor(8, 0xd000, 0xe000),
    descriptor(11, 0xe000, 0xf000),
    descriptor(12, 0xf000, 0x10000),
    descriptor(15, 0x10000, 0x11000),
    descriptor(14, 0x20000, 0x21000),
  ]
  expect(ramOf(map)).toEqual([range(0, 0x3000), range(0xb000, 0xd000), range(0x20000, 0x21000)])
})

test('FW-3 gives what is not free to the firmware, each byte at its own address', () => {
  const { memory } = smallMachine({
    map: [
      descriptor(7, 0, 0x1000),
      descriptor(1, 0x1000, 0x2000),
      descriptor(4, 0x2000, 0x3000),
      descriptor(3, 0x3000, 0x4000),
      descriptor(6, 0x4000, 0x5000),
      descriptor(5, 0x5000, 0x6000),
      descriptor(10, 0x6000, 0x7000),
      descriptor(2, 0x7000, 0x8000),
      descriptor(11, 0x8000, 0x9000),
    ],
  })
  expect([...memory.extents()].map(({ range: { start }, whose }) => [start, whose])).toEqual([
    [0, null],
    [0x1000, { object: 'firmware:loader', at: 0x1000 }],
    [0x2000, { object: 'firmware:boot', at: 0x2000 }],
    [0x3000, { object: 'firmware:boot', at: 0x3000 }],
    [0x4000, { object: 'firmware:runtime', at: 0x4000 }],
    [0x5000, { object: 'firmware:runtime', at: 0x5000 }],
    [0x6000, { object: 'firmware:reserved', at: 0x6000 }],
    [0x7000, { object: 'firmware:loader', at: 0x7000 }],
  ])
  expect([...memory.claims()].map(claim => claim.label)).toEqual([
    'firmware:loader',
    'firmware:boot',
    'firmware:boot',
    'firmware:runtime',
    'firmware:runtime',
    'firmware:reserved',
    'firmware:loader',
  ])
})

test('FW-14 lists RAM ascending, what is no RAM after it, and marks runtime types', () => {
  const { map } = recorded('ram/247.3/5.10/4096')
  const listed = over(map, inferBins(map)).memoryMap()
  expect(textOf([...listed].sort((a, b) => a.range.start - b.range.start))).toBe(textOf(map))
  expect(listed.slice(-3).map(one => one.range.start)).toEqual([4 * GIB, 0xb0000000, 0xffc00000])
  expect(
    listed
      .filter(one => (one.attribute & EFI_MEMORY_RUNTIME) !== 0n)
      .every(one => one.type === 5 || one.type === 6),
  ).toBe(true)
  expect(
    listed
      .filter(one => one.type === 5 || one.type === 6)
      .every(one => one.attribute === (EFI_MEMORY_RUNTIME | 0xfn)),
  ).toBe(true)
})

test("FW-15 reports free pages in a special bin as the bin's type", () => {
  const search = {
    bins: [
      { type: 6, base: 0x4000, max: 0x5fff },
      { type: 2, base: 0x8000, max: 0x8fff },
    ],
    defaultMax: 0x3fff,
  }
  const allocator = over([descriptor(7, 0x4000, 0x6000), descriptor(7, 0x8000, 0x9000)], search)
  expect(allocator.memoryMap()).toEqual([
    descriptor(6, 0x4000, 0x6000, EFI_MEMORY_RUNTIME | 0xfn),
    descriptor(7, 0x8000, 0x9000),
  ])
  expect(over([descriptor(7, 0x3000, 0x6000)], search).memoryMap()).toEqual([descriptor(7, 0x3000, 0x6000)])
  expect(over([descriptor(7, 0x4000, 0x7000)], search).memoryMap()).toEqual([descriptor(7, 0x4000, 0x7000)])
})

test("FW-20 neither frees nor clears at ExitBootServices, but boot services memory is nobody's", () => {
  const { memory, firmware } = smallMachine({
    map: [
      descriptor(7, 0, 0x1000),
      descriptor(3, 0x1000, 0x2000),
      descriptor(4, 0x2000, 0x3000),
      descriptor(6, 0x3000, 0x4000),
      descriptor(2, 0x4000, 0x5000),
    ],
  })
  memory.patch(phys(0x2000), Uint8Array.of(7), 'x')
  const before = firmware.memoryMap()
  firmware.exitBootServices()
  expect(firmware.memoryMap()).toEqual(before)
  expect(memory.readRaw(rangeAt(0x2000, 1))).toEqual(Uint8Array.of(7))
  expect([...memory.claims()].map(claim => claim.range.start)).toEqual([0x3000, 0x4000])
  expect([...memory.extents()].filter(one => one.whose !== null).map(one => one.range.start)).toEqual([
    0x3000, 0x4000,
  ])
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
  // A page freed in the middle of others makes two descriptors more
  const split = smallMachine({
    map,
    build: {
      pool: { imageRecord: 'room', mapEntries: { hidden: 60, capacity: 64 } },
      search: ANYWHERE,
    },
  })
  const three = split.firmware.allocatePages({ kind: 'any' }, 2, 3, 'x').at ?? phys(0)
  const claimed = () => [...split.memory.claims()].filter(({ label }) => label === 'firmware:boot').length
  expect(claimed()).toBe(1)
  expect(split.firmware.freePages(phys(three + PAGE), 1)).toBe('EFI_SUCCESS')
  expect(claimed()).toBe(2)
})
