import { expect, test } from 'vitest'
import { machineFromMemmap } from '../../src/boot/memmap-machine.ts'
import { mapBeforeLoad } from '../../src/boot/map-before-load.ts'
import { range, rangeAt } from '../../src/bytes/range.ts'
import { PAGE, phys } from '../../src/bytes/units.ts'
import { check, type MachineInput } from '../../src/check.ts'
import { inferBins } from '../../src/firmware/edk2/bins.ts'
import { Edk2Pool } from '../../src/firmware/edk2/pool.ts'
import { edk2Behaviour, type Edk2Release } from '../../src/firmware/edk2/releases.ts'
import { joinDescriptors, ramOf } from '../../src/firmware/memory-map.ts'
import type { SearchPolicy } from '../../src/firmware/page-allocator.ts'
import type { PoolPages } from '../../src/firmware/pool.ts'
import { lowRam, profileMap, profileNamed } from '../../src/firmware/profiles.ts'
import { EFI_MEMORY_RUNTIME, EFI_MEMORY_SP, type MemoryDescriptor } from '../../src/image/memory-types.ts'
import { KERNEL_FACTS } from '../../src/image/x86/kernel-facts.ts'
import { readMemmap } from '../../src/image/memmap.ts'
import { STUB_FACTS } from '../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../src/image/synthetic.ts'
import { mapOf, RECORDED, textOf } from '../unit/firmware/recorded.ts'
import { descriptor, edk2Pages, SMALL_MAP, smallMachine } from '../unit/firmware/small-machine.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30
const DEFAULT: SearchPolicy = { bins: [], defaultMax: 0xffffff }
const over = (map: readonly MemoryDescriptor[], search: SearchPolicy = DEFAULT, release?: Edk2Release) =>
  edk2Pages(map, search, release)
const at = (address: number): unknown => expect.objectContaining({ status: 'EFI_SUCCESS', at: address })
const recorded = (id: string) => {
  const row = RECORDED.find(one => one.id === id)
  if (typeof row?.trace?.efi_map_at_stub_entry !== 'string') throw new Error(`no map in ${id}`)
  return { row, map: mapOf(row.trace.efi_map_at_stub_entry) }
}

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

test('FW-2 takes reserved memory for RAM where it adjoins RAM, and never MMIO, unusable or unaccepted memory', () => {
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

test('FW-4 searches the bin, then the default range, then everywhere, each only when the limit reaches its top', () => {
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

test("FW-9 ends the default range below OVMF's bins, also with RAM above 4 GiB", () => {
  for (const id of ['good/247.3/5.10/512', 'ram/247.3/5.10/4096']) {
    const { row, map } = recorded(id)
    const top = lowRam('q35', row.ram_mib * MIB)
    expect(inferBins(map)).toEqual({
      bins: [
        { type: 6, base: top - 0xb14000, max: top - 0xa14001 },
        { type: 5, base: top - 0xa14000, max: top - 0x914001 },
        { type: 0, base: top - 0x914000, max: top - 0x894001 },
        { type: 9, base: top - 0x894000, max: top - 0x882001 },
        { type: 10, base: top - 0x882000, max: top - 0x802001 },
      ],
      defaultMax: top - 0xb14001,
      assumption: null,
    })
  }
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

test('FW-13 fills freed pages with 0xaf in OVMF and page 0 with zeros; without clearing they keep their bytes', () => {
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

test('FW-16 puts 24 bytes before and 16 after a pool buffer, and gives large blocks pages of their own', () => {
  const { firmware } = smallMachine()
  const pool = (size: number) => firmware.allocatePool(2, size, 'mine').at
  expect(pool(3 * MIB)).toBe(0x1000000 - 0x301000 + 0x18)
  expect(pool(2 * PAGE - 40)).toBe(0x1000000 - 0x303000 + 0x18)
  expect(pool(2 * PAGE - 39)).toBe(0x1000000 - 0x306000 + 0x18)
  expect(pool(2649)).toBe(0x1000000 - 0x307000 + 0x18)
  expect(pool(2648)).toBe(0x1000000 - 0x308000 + 0x18)
  expect(pool(984)).toBe(0x1000000 - 0x308000 + 0x18 + 2688)
  expect(pool(0)).toBe(0x1000000 - 0x308000 + 0x18 + 2688 + 1024)
})

/** A pool whose pages come from 0x100000 downwards. */
function poolOverPages(): { pool: Edk2Pool; freed: number[] } {
  const freed: number[] = []
  let next = 0x100000
  const pages: PoolPages = {
    allocate: (_, count) => ({
      status: 'EFI_SUCCESS',
      at: phys((next -= count * PAGE)),
      clause: 'FW-5',
    }),
    free: where => {
      freed.push(where.start)
    },
  }
  const pool = new Edk2Pool(pages, edk2Behaviour('2022.11'))
  return { pool, freed }
}

test('FW-17 carves small blocks from the head of a page, the rest into the largest blocks that fit', () => {
  const { pool } = poolOverPages()
  const offset = (size: number) => (pool.allocate(2, size).buffer?.start ?? 0) - 0xff000 - 0x18
  expect(offset(88)).toBe(0)
  expect(offset(2648)).toBe(128)
  expect(offset(984)).toBe(128 + 2688)
  expect(offset(216)).toBe(128 + 2688 + 1024)
  expect(offset(1)).toBe(-0x1000)
  expect([pool.allocate(4, 1), pool.allocate(4, 1), pool.allocate(4, 4096)]).toMatchObject([
    { guessed: true },
    { guessed: false },
    { guessed: false },
  ])
  const other = poolOverPages().pool
  const first = other.allocate(2, 1624).buffer?.start ?? 0
  expect(first).toBe(0xff018)
  expect(other.allocate(2, 600).buffer?.start).toBe(0xff018 + 1664 + 1664)
  expect(other.allocate(2, 600).buffer?.start).toBe(0xff018 + 1664)
  expect(other.allocate(2, 984).buffer?.start).toBe(0xff018 + 1664 + 640)
  expect(other.allocate(4, 600).buffer?.start).toBe(0xfe018)
})

test('FW-18 hands out the block that was freed last, and returns a page when all its blocks are free', () => {
  const { pool, freed } = poolOverPages()
  const blocks = Array.from({ length: 32 }, () => pool.allocate(2, 88).buffer?.start ?? 0)
  expect(new Set(blocks.map(block => block - (block % PAGE)))).toEqual(new Set([0xff000]))
  const [first = 0, second = 0] = blocks
  expect(pool.free(second).status).toBe('EFI_SUCCESS')
  expect(pool.free(first).block).toEqual(rangeAt(first - 0x18, 128))
  expect(pool.allocate(2, 88).buffer?.start).toBe(first)
  expect(pool.allocate(2, 80).buffer?.start).toBe(second)
  expect(pool.free(second + 8).status).toBe('EFI_INVALID_PARAMETER')
  for (const block of blocks) expect(pool.free(block).status).toBe('EFI_SUCCESS')
  expect(freed).toEqual([0xff000])
  expect(pool.free(first).status).toBe('EFI_INVALID_PARAMETER')
  expect(pool.allocate(2, 88).buffer?.start).toBe(0xfe018)
  const large = pool.allocate(2, PAGE).buffer?.start ?? 0
  expect(pool.free(large)).toEqual({ status: 'EFI_SUCCESS', block: null, clause: 'FW-18' })
  expect(freed).toEqual([0xff000, 0xfc000])
})

test("FW-19 says that the firmware's own pools may have room elsewhere", () => {
  const { firmware, assumptions } = smallMachine()
  firmware.allocatePool(2, 64, 'mine')
  firmware.allocatePool(1, 64, 'mine')
  firmware.allocatePool(4, PAGE, 'mine')
  expect(assumptions.map(([clause]) => clause)).not.toContain('FW-19')
  for (let i = 0; i < 40; i++) firmware.allocatePool(4, 64, 'mine')
  expect(assumptions.filter(([clause]) => clause === 'FW-19')).toHaveLength(1)
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

test("FW-21 keeps the distance of OVMF's upper memory from the top of low RAM", () => {
  for (const [id, mib] of [
    ['g-ram/247.3/5.10/160', 160],
    ['good/247.3/6.1/2048', 2048],
  ] as const) {
    const { row, map } = recorded(id)
    const scaled = profileMap(profileNamed('ovmf-2022.11-q35-4M'), mib * MIB)
    const free = (one: MemoryDescriptor) => one.type === 7 || one.type === 1
    expect(row.ram_mib).toBe(mib)
    expect(textOf(scaled.filter(one => !free(one)))).toBe(textOf(map.filter(one => !free(one))))
    expect(scaled.findLast(one => one.range.end < 4 * GIB && one.type === 10)?.range.end).toBe(mib * MIB)
  }
})

test("FW-22 splits RAM at 4 GiB as QEMU's machines do", () => {
  expect(lowRam('q35', 2815 * MIB)).toBe(2815 * MIB)
  expect(lowRam('q35', 2816 * MIB)).toBe(2 * GIB)
  expect(lowRam('pc', 3583 * MIB)).toBe(3583 * MIB)
  expect(lowRam('pc', 3584 * MIB)).toBe(3 * GIB)
  const high = profileMap(profileNamed('ovmf-2022.11-q35-4M'), 4096 * MIB).filter(
    one => one.type === 7 && one.range.start >= 4 * GIB,
  )
  expect(high).toEqual([descriptor(7, 4 * GIB, 6 * GIB)])
  expect(recorded('ram/247.3/5.10/4096').map).toContainEqual(descriptor(7, 4 * GIB, 6 * GIB))
  expect(
    profileMap(profileNamed('ovmf-2022.11-q35-4M'), 2815 * MIB).some(
      one => one.type === 7 && one.range.start >= 4 * GIB,
    ),
  ).toBe(false)
})

test('FW-23 fills pool buffers with 0xaf in OVMF, when they are handed out and when they come back', () => {
  const bytes = (contents: 'ovmf' | 'residue') => {
    const { memory, firmware } = smallMachine({ contents })
    const buffer = firmware.allocatePool(2, 16, 'mine').at ?? phys(0)
    firmware.allocatePool(2, 16, 'other')
    const fresh = [...memory.readRaw(rangeAt(buffer - 1, 18))]
    memory.patch(buffer, Uint8Array.of(5), 'mine')
    expect(firmware.freePool(buffer)).toBe('EFI_SUCCESS')
    expect(firmware.freePool(buffer)).toBe('EFI_INVALID_PARAMETER')
    return [fresh, ...memory.readRaw(rangeAt(buffer, 1)), ...memory.readRaw(rangeAt(buffer - 0x18, 1))]
  }
  expect(bytes('ovmf')).toEqual([[0, ...Array.from({ length: 16 }, () => 0xaf), 0], 0xaf, 0xaf])
  expect(bytes('residue')).toEqual([Array.from({ length: 18 }, () => 0), 5, 0])
})

test('FW-24 passes over special-purpose memory since 2024.08', () => {
  const map = [descriptor(7, 0x1000, 0x3000), descriptor(7, 0x5000, 0x9000, 0xfn | EFI_MEMORY_SP)]
  expect(over(map).allocate({ kind: 'any' }, 2, 1)).toEqual(at(0x8000))
  expect(over(map, DEFAULT, '2025.02').allocate({ kind: 'any' }, 2, 1)).toEqual(at(0x2000))
  expect(over(map, DEFAULT, '2025.02').allocate({ kind: 'address', at: 0x5000 }, 2, 1)).toEqual(at(0x5000))
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

test('FW-27 frees the loader memory of a map that a kernel printed, and nothing else', () => {
  const types = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
  const map = types.map(type => descriptor(type, type * 0x1000, (type + 1) * 0x1000))
  for (const taken of ['kernel-entry', 'exit-boot-services'] as const) {
    expect(mapBeforeLoad(map, taken, 0).map.map(({ type }) => type)).toEqual([
      0, 7, 7, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ])
    expect(mapBeforeLoad(map, taken, 0).assumptions).toHaveLength(1)
  }
  const log = readMemmap('efi: mem00: [Loader Code |WB] range=[0x0000000000100000-0x0000000000100fff] (0MB)')
  expect(machineFromMemmap('log', log)).toMatchObject({
    taken: 'exit-boot-services',
    doubts: [],
    assumptions: [{ clause: 'FW-27' }],
  })
  expect(machineFromMemmap('log', log, 'before-load')).toMatchObject({ taken: 'before-load' })
})

test('FW-28 takes all usable memory of an e820 table as free, and no run on it is clean', () => {
  const poor = readMemmap(
    'BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable\nBIOS-e820: [mem 0x0000000000100000-0x000000001fffffff] usable\n',
  )
  expect(poor.map).toEqual([descriptor(7, 0, 0xa0000), descriptor(7, 0x100000, 0x20000000)])
  const stub = STUB_FACTS['247.3']
  const sections = [
    { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'console=ttyS0 nokaslr' } },
    {
      name: '.linux',
      VirtualAddress: 0x2000000,
      content: buildKernel(KERNEL_FACTS['debian-5.10.223-cloud'] ?? expect.fail('no such kernel')),
    },
    { name: '.initrd', VirtualAddress: 0x6000000, content: { initrd: 0x10000 } },
  ]
  const image = { name: 'uki.efi', source: buildUki({ stub, sections }) }
  const { report } = check({ image, machine: machineFromMemmap('log', poor) })
  expect(report).toMatchObject({
    verdict: 'unknown',
    outcome: { kind: 'arrived' },
    gaps: [{ clause: 'FW-28' }],
  })
  expect(report.assumptions.filter(one => one.clause === 'FW-28')).toHaveLength(1)
  expect(check({ image, machine: { what: 'the same as an EFI map', map: poor.map } }).report.verdict).toBe(
    'clean',
  )
})

test('FW-55 a firmware that nobody named is EDK2, and the report says that this was assumed', () => {
  const image = { name: 'uki', source: buildUki({ stub: STUB_FACTS['257.13'], sections: [] }) }
  const { map } = recorded('good/257.13/6.12/512')
  const assumed = (machine: Partial<MachineInput>) =>
    check({ image, machine: { what: 'a map', map, ...machine } })
      .report.assumptions.filter(({ clause }) => clause === 'FW-55')
      .map(({ what }) => what)
  expect(assumed({})).toEqual([expect.stringMatching(/allocated .* loaded as by EDK2 2022\.11/)])
  expect([
    assumed({ firmware: 'edk2-2022.11' }),
    assumed({ firmware: 'u-boot-2022.01' }),
    assumed({ pool: 'unknown' }),
  ]).toEqual([[], [], []])
  expect(
    check({
      image: {
        name: 'kernel',
        source: buildKernel(KERNEL_FACTS['debian-6.12.107-cloud'] ?? expect.fail('no such kernel')),
      },
      machine: { what: 'a map', map },
      bootLoader: 'vmm/direct',
    }).report.assumptions.map(({ clause }) => clause),
  ).toContain('FW-55')
})
