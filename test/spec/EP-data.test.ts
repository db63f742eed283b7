import { describe, expect, test } from 'vitest'
import { rangeAt } from '../../src/bytes/range.ts'
import { phys } from '../../src/bytes/units.ts'
import { boot_e820_entry, boot_params, setup_data, setupHeaderAt } from '../../src/image/x86/boot-params.ts'
import { KERNEL_FACTS } from '../../src/image/x86/kernel-facts.ts'
import type { MemoryDescriptor } from '../../src/image/memory-types.ts'
import { buildKernel } from '../../src/image/synthetic.ts'
import { e820Of } from '../../src/kernel/x86/steps/e820.ts'
import { bitmapOf, setBits, unitsOf } from '../../src/kernel/x86/steps/unaccepted.ts'
import {
  bench,
  BOOT_PARAMS,
  descriptor,
  eventsOf,
  free,
  handover,
  kernelNamed,
  kernelOf,
  peEntry,
  POOL,
  SMALL_MAP,
  start,
  type Bench,
  type BenchOptions,
} from '../support/kernel-bench.ts'

const E2 = kernelNamed('debian-5.10.223-cloud')
const E4 = kernelNamed('debian-6.1.170')
const E5 = kernelNamed('debian-6.12.107-cloud')
const F = 0x18200000

const OLD = ['linux/E2', E2] as const
const NEW = ['linux/E5', E5] as const

function handed(
  [era, kernel]: typeof OLD | typeof NEW,
  options: BenchOptions & { readonly pciRoms?: readonly number[]; readonly setupData?: number } = {},
  prepare: (on: Bench) => void = () => undefined,
) {
  const plain = bench(options)
  const { pciRoms, setupData } = options
  const on: Bench =
    pciRoms === undefined
      ? plain
      : { ...plain, machine: { ...plain.machine, settings: { ...plain.machine.settings, pciRoms } } }
  const from = handover(on, {
    kernel,
    image: F,
    ...(setupData === undefined ? {} : { header: { setup_data: BigInt(setupData) } }),
  })
  prepare(on)
  return { on, outcome: start(on, era, from) }
}

/** Descriptors that never join, above 4 GiB. */
const many = (count: number): MemoryDescriptor[] =>
  Array.from({ length: count }, (_, i) => descriptor(i % 2 === 0 ? 0 : 9, 0x100000000 + i * 0x2000, 0x1000))
const mapOf = (count: number): MemoryDescriptor[] => [...SMALL_MAP, ...many(count - SMALL_MAP.length)]

/** The list as boot_params names it. */
function listOf({ memory }: Bench): { at: number; type: number; len: number }[] {
  const nodes: { at: number; type: number; len: number }[] = []
  const first = new DataView(
    memory.readRaw(rangeAt(BOOT_PARAMS + setupHeaderAt('setup_data'), 8)).buffer,
  ).getBigUint64(0, true)
  for (let at = Number(first); at !== 0;) {
    const node = setup_data.read(memory.readRaw(rangeAt(at, setup_data.size)))
    if (node === null) break
    nodes.push({ at, type: node.type, len: node.len })
    at = Number(node.next)
  }
  return nodes
}

describe('EP-9', () => {
  const facts = KERNEL_FACTS['debian-6.1.170-cloud'] ?? expect.fail('no facts')
  test.each([
    ['at a page boundary', 0xda1000, 0xda0000, false],
    ['elsewhere', 0xda08e0, 0xd9f000, true],
  ])('EP-9 with _ebss %s', (_, ebss, at, isAssumed) => {
    const setupSize = (facts.hdr.setup_sects + 1) * 512
    const kernel = kernelOf(
      buildKernel({ ...facts, geometry: { ...facts.geometry, _ebss: ebss - setupSize } }),
    )
    const on = bench()
    start(on, 'linux/E4b', peEntry(on, { kernel, image: F }))
    expect(on.notes.facts.bootParams).toBe(F + at)
    expect(on.notes.assumptions.some(({ clause }) => clause === 'EP-9')).toBe(isAssumed)
  })
})

describe('EP-41', () => {
  test.each([
    [OLD, 120, 0],
    [OLD, 121, 36],
    [NEW, 96, 0],
    [NEW, 97, 36],
    [NEW, 200, 16 + 20 * 104],
  ])('EP-41 %s with %i descriptors takes %i bytes', (row, count, size) => {
    // The kernel's own pages split one free descriptor in two or three
    const before = handed(row, { map: mapOf(60) }).on
    const split = before.machine.firmware.memoryMap().length - 60
    const { on } = handed(row, { map: mapOf(count - split) })
    const claims = eventsOf(on, 'EP-41', 'claim')
    expect(claims.map(({ range }) => range.end - range.start)).toEqual(size === 0 ? [] : [size])
  })

  test('EP-41 without pool memory the stub gives up', () => {
    expect(handed(OLD, { map: mapOf(200), arena: null }).outcome).toMatchObject({
      kind: 'refused',
      refusal: { clause: 'EP-18', status: 'EFI_OUT_OF_RESOURCES', message: 'exit_boot() failed!' },
    })
  })
})

describe('EP-42', () => {
  test.each([OLD, NEW])('EP-42 %s: the table goes on in the last node', (...row) => {
    const { on, outcome } = handed(row, { map: mapOf(200) })
    expect(outcome.kind).toBe('arrived')
    const entries = e820Of(on.machine.firmware.memoryMap())
    const kept = on.memory.readRaw(rangeAt(BOOT_PARAMS + boot_params.fields.e820_entries[0], 1))[0]
    const [node, ...others] = listOf(on)
    expect([kept, node?.type, others]).toEqual([128, 1, []])
    const count = (node?.len ?? 0) / boot_e820_entry.size
    expect(count).toBe(entries.length - 128)
    const more = on.memory.readRaw(rangeAt((node?.at ?? 0) + setup_data.size, node?.len ?? 1))
    expect(boot_e820_entry.read(more, (count - 1) * 20)).toEqual({
      addr: BigInt(entries.at(-1)?.addr ?? 0),
      size: BigInt(entries.at(-1)?.size ?? 0),
      type: entries.at(-1)?.type,
    })
  })

  test('EP-42 it is the last of the nodes that there are', () => {
    const AT = 0x1e008000
    const { on } = handed(OLD, { map: mapOf(200), setupData: AT }, ({ memory }) => {
      memory.patch(phys(AT), setup_data.write({ next: 0n, type: 9, len: 32 }), 'loader:seed')
      memory.patch(phys(AT + 16), new Uint8Array(32), 'loader:seed', 16)
    })
    expect(listOf(on).map(({ type }) => type)).toEqual([9, 1])
    expect(on.notes.doubts).toEqual([])
  })

  test('EP-42 a map that grew by more than the slack does not fit', () => {
    const plain = bench({ map: mapOf(100) })
    let grown = 0
    const { firmware } = plain.machine
    // What others do between the count and the last map
    const on: Bench = {
      ...plain,
      machine: {
        ...plain.machine,
        firmware: {
          ...firmware,
          memoryMap: () => [
            ...firmware.memoryMap(),
            ...many(grown++ < 3 ? 0 : 200).map(one => ({
              ...one,
              range: rangeAt(one.range.start + 2 ** 40, 0x1000),
            })),
          ],
        },
      },
    }
    expect(start(on, 'linux/E2', handover(on, { kernel: E2, image: F }))).toMatchObject({
      kind: 'refused',
      refusal: { status: 'EFI_BUFFER_TOO_SMALL', message: 'exit_boot() failed!' },
    })
  })
})

test('EP-43 newer kernels hold a copy of the map while they take room', () => {
  const sizes = (row: typeof OLD | typeof NEW): number[] =>
    eventsOf(handed(row, { map: mapOf(60) }).on, 'EP-43', 'claim').map(({ range }) => range.end - range.start)
  expect(sizes(OLD)).toEqual([])
  const { on } = handed(NEW, { map: mapOf(60) })
  expect(sizes(NEW)).toEqual([40 + (on.machine.firmware.memoryMap().length + 32) * 48])
})

test('EP-43 without pool memory for it the stub gives up', () => {
  expect(handed(NEW, { arena: null }).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-18', message: 'exit_boot() failed!' },
  })
})

test('EP-44 the first buffer has 1280 bytes, the next the needed length and 8 descriptors', () => {
  const sizes = (count: number): number[] =>
    eventsOf(handed(OLD, { map: mapOf(count) }).on, 'EP-44', 'claim').map(
      ({ range }) => range.end - range.start,
    )
  const split = handed(OLD, { map: mapOf(60) }).on.machine.firmware.memoryMap().length - 60
  expect(sizes(18 - split)).toEqual([1280])
  expect(sizes(19 - split)).toEqual([1280, (19 + 8) * 48])
})

describe('EP-45', () => {
  test('EP-45 each ROM becomes a node, in the order of the devices, in front of e820', () => {
    const { on } = handed(OLD, { map: mapOf(150), pciRoms: [0x2000, 0x400] })
    expect(listOf(on).map(({ type, len }) => [type, len])).toEqual([
      [3, 0x2000 + 48],
      [3, 0x400 + 48],
      [1, expect.any(Number)],
    ])
    expect(on.notes.assumptions.map(({ clause }) => clause)).not.toContain('EP-45')
    expect(
      eventsOf(on, 'ZO-17', 'read').map(({ object, deviations }) => [object, deviations.length]),
    ).toEqual([
      ['efi-stub:rom#1', 0],
      ['efi-stub:rom#2', 0],
      ['efi-stub:e820-ext', 0],
    ])
  })

  test('EP-45 without pool memory a ROM is passed over; without a list none is assumed', () => {
    expect(listOf(handed(OLD, { pciRoms: [0x400], arena: null }).on)).toEqual([])
    expect(handed(OLD).on.notes.assumptions.map(({ clause }) => clause)).toContain('EP-45')
  })
})

describe('unaccepted memory', () => {
  const TOP = [
    descriptor(15, 0x100000000, 0x80000000),
    descriptor(15, 0x200100000, 0x500000),
    descriptor(15, 0x210000000, 0x300000),
  ]
  const map = [...SMALL_MAP, ...TOP]

  test('EP-46 a table and a bit for each 2 MiB, in memory that ACPI would reclaim', () => {
    expect(bitmapOf(SMALL_MAP)).toBeNull()
    expect(bitmapOf(map)).toEqual({
      base: 0x100000000,
      bytes: Math.ceil((0x210400000 - 0x100000000) / 0x1000000),
    })
    const { on } = handed(NEW, { map })
    expect(eventsOf(on, 'EP-46', 'claim').map(({ range }) => range.end - range.start)).toEqual([24 + 273])
    expect(eventsOf(handed(OLD, { map }).on, 'EP-46', 'claim')).toEqual([])
    expect(eventsOf(handed(NEW).on, 'EP-46', 'claim')).toEqual([])
  })

  test('EP-46 without pool memory for it the stub gives up', () => {
    const plain = bench({ map })
    const on: Bench = {
      ...plain,
      machine: {
        ...plain.machine,
        firmware: {
          ...plain.machine.firmware,
          allocatePool: (type, size, label) =>
            type === 9
              ? { status: 'EFI_OUT_OF_RESOURCES', at: null }
              : plain.machine.firmware.allocatePool(type, size, label),
        },
      },
    }
    expect(start(on, 'linux/E5', handover(on, { kernel: E5, image: F }))).toMatchObject({
      kind: 'refused',
      refusal: {
        status: 'EFI_OUT_OF_RESOURCES',
        why: 'no pool memory for a bitmap of 273 bytes',
        message: 'Failed to allocate unaccepted memory config table\nexit_boot() failed!',
      },
    })
  })

  test('EP-47 whole units get a bit, the rest is accepted at once', () => {
    expect(unitsOf(map)).toEqual({
      atOnce: [{ start: 0x200100000, end: 0x200200000 }, rangeAt(0x210000000, 0x300000)],
      units: [
        { start: 0x100000000, count: 1024 },
        { start: 0x200200000, count: 2 },
      ],
    })
    expect(unitsOf([descriptor(15, 0x100000000, 0x500000)])).toEqual({
      atOnce: [{ start: 0x100400000, end: 0x100500000 }],
      units: [{ start: 0x100000000, count: 2 }],
    })
    const { on, outcome } = handed(NEW, { map })
    expect(outcome.kind).toBe('arrived')
    const bits = eventsOf(on, 'EP-47', 'patch')[0]?.range ?? expect.fail('no bitmap')
    const bytes = on.memory.readRaw(bits)
    expect([bytes.length, bytes[127], bytes[128], bytes[256]]).toEqual([273, 255, 0, 6])
    expect(e820Of(map, true, true).at(-1)).toEqual({ addr: 0x210000000, size: 0x300000, type: 1 })
    expect(on.notes.doubts.map(({ clause, why }) => [clause, why.includes('0x200100000')])).toEqual([
      ['EP-47', true],
    ])
  })

  test('EP-47 sets the bits of a run and no others, however long it is', () => {
    for (const [first, count] of [
      [0, 0],
      [0, 3],
      [3, 2],
      [6, 5],
      [8, 8],
      [5, 27],
      [0, 40],
      [39, 1],
    ] as const) {
      const bits = new Uint8Array(5)
      setBits(bits, first, count)
      const set = Array.from({ length: 40 }, (_, bit) => bit).filter(
        bit => ((bits[bit >> 3] ?? 0) >> (bit & 7)) % 2 === 1,
      )
      expect(set).toEqual(Array.from({ length: count }, (_, i) => first + i))
    }
    const long = new Uint8Array(2 ** 24)
    setBits(long, 1, 2 ** 27 - 2)
    expect([long[0], long.indexOf(0), long.at(-1)]).toEqual([0xfe, -1, 0x7f])
  })

  test('EP-47 what is made of whole units needs no hypervisor yet, but the guest is a confidential one', () => {
    const { on } = handed(NEW, { map: [...SMALL_MAP, descriptor(15, 0x100000000, 0x80000000)] })
    expect(on.notes.doubts.map(({ why }) => why.includes('to accept'))).toEqual([false])
  })

  test.each([OLD, ['linux/E4', E4] as const])('EP-48 %s has no entry for it', (...row) => {
    const { on, outcome } = handed(row as typeof OLD, { map })
    expect(outcome.kind).toBe('arrived')
    expect(on.notes.doubts.map(({ clause }) => clause)).toEqual(['EP-48'])
    const count = on.memory.readRaw(rangeAt(BOOT_PARAMS + boot_params.fields.e820_entries[0], 1))[0]
    expect(count).toBe(e820Of(on.machine.firmware.memoryMap()).length)
  })

  test('EP-46 no kernel is placed in it', () => {
    const only = [
      ...SMALL_MAP.filter(({ type }) => type !== 7),
      free(0x1000, 0x9f000),
      descriptor(15, 0x1500000, 0x16b00000),
    ]
    expect(handed(NEW, { map: only }).outcome).toMatchObject({
      kind: 'refused',
      refusal: { clause: 'EP-21' },
    })
  })
})

test('the pool of the bench is where these tests think it is', () => {
  expect(POOL).toBeGreaterThan(BOOT_PARAMS)
})
