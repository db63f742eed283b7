import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import type { MemoryDescriptor } from '../../../src/image/memory-types.ts'
import {
  boot_e820_entry,
  boot_params,
  setup_data,
  setupHeaderAt,
} from '../../../src/image/x86/boot-params.ts'
import { e820Of } from '../../../src/kernel/x86/steps/e820.ts'
import type { Outcome } from '../../../src/machine/machine.ts'
import { u32At } from '../../support/bytes.ts'
import { handed, handedOver, NEW, OLD } from '../../support/efi-stub-runs.ts'
import {
  bench,
  BOOT_PARAMS,
  descriptor,
  eventsOf,
  handover,
  manyDescriptors,
  SMALL_MAP,
  start,
  type Bench,
  withServices,
} from '../../support/kernel-bench.ts'
import { E2, E4, E5, F } from '../../support/kernels.ts'

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

test.each([
  ['linux/E2', E2],
  ['linux/E4', E4],
  ['linux/E5', E5],
] as const)('EP-18 %s keeps the map in pool memory and ends boot services', (era, kernel) => {
  const { on } = handed(era, kernel)
  const info = on.memory.readRaw(rangeAt(BOOT_PARAMS + boot_params.fields.efi_info[0], 4))
  expect(new TextDecoder().decode(info)).toBe('EL64')
  expect(eventsOf(on, 'EP-18', 'make')).toMatchObject([{ object: 'efi-stub:memory-map' }])
})

test('EP-18 boot_params names a map above 4 GiB in two halves', () => {
  const arena = 0x240000000
  const map = [...SMALL_MAP, descriptor(2, arena, 0x100000)]
  const { on } = handed('linux/E5', E5, {}, bench({ map, arena }))
  const [kept] = eventsOf(on, 'EP-18', 'make')
  const efi_info = BOOT_PARAMS + boot_params.fields.efi_info[0]
  const at = u32At(on.memory, efi_info + 16) + 2 ** 32 * u32At(on.memory, efi_info + 28)
  // After the header of struct efi_boot_memmap
  expect(at - 40).toBe(kept?.range.start)
  expect(at).toBeGreaterThan(arena)
})

test('EP-18 the buffer has room for 8 more descriptors, 32 in 6.12', () => {
  const claimed = (era: string, kernel: typeof E2): number => {
    const { on } = handed(era, kernel)
    const claim = eventsOf(on, 'EP-18', 'claim')[0]
    const made = eventsOf(on, 'EP-18', 'make')[0]
    return ((claim?.range.end ?? 0) - (made?.range.end ?? 0)) / 48
  }
  expect([
    claimed('linux/E4', E4),
    claimed('linux/E4h', E4),
    claimed('linux/E4i', E4),
    claimed('linux/E5a', E5),
    claimed('linux/E5', E5),
  ]).toEqual([8, 8, 32, 8, 32])
})

test('EP-18 a map that has outgrown its buffer when it is taken again ends the boot', () => {
  const grown = (era: string, kernel: typeof E2, addedOnExit: number): Outcome => {
    const on = bench()
    return start(
      {
        ...on,
        machine: { ...on.machine, firmware: { ...manyDescriptors(on.machine.firmware), addedOnExit } },
      },
      era,
      handover(on, { kernel, image: F }),
    )
  }
  expect(grown('linux/E2', E2, 9)).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-18', status: 'EFI_BUFFER_TOO_SMALL', message: 'exit_boot() failed!' },
  })
  expect([
    grown('linux/E2', E2, 8).kind,
    grown('linux/E5', E5, 32).kind,
    grown('linux/E5', E5, 33).kind,
  ]).toEqual(['arrived', 'arrived', 'refused'])
})

test('EP-18 without pool memory for it the stub says no', () => {
  expect(handed('linux/E2', E2, {}, bench({ arena: null })).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-18', message: 'exit_boot() failed!' },
  })
})

test('EP-19 types become what setup_e820 makes of them, neighbours are joined', () => {
  const map = [1, 2, 3, 4, 7, 0, 5, 6, 11, 8, 9, 10, 14, 15].map((type, i) =>
    descriptor(type, 0x100000 * (i + 1), 0x100000),
  )
  expect(e820Of(map)).toEqual([
    { addr: 0x100000, size: 0x500000, type: 1 },
    { addr: 0x600000, size: 0x400000, type: 2 },
    { addr: 0xa00000, size: 0x100000, type: 5 },
    { addr: 0xb00000, size: 0x100000, type: 3 },
    { addr: 0xc00000, size: 0x100000, type: 4 },
    { addr: 0xd00000, size: 0x100000, type: 7 },
  ])
  expect(e820Of([descriptor(7, 0, 0x1000, 0x40000n)])).toEqual([{ addr: 0, size: 0x1000, type: 0xefffffff }])
  expect(e820Of([descriptor(4, 0, 0x1000, 0x40000n), descriptor(9, 0x1000, 0x1000, 0x40000n)])).toEqual([
    { addr: 0, size: 0x1000, type: 0xefffffff },
    { addr: 0x1000, size: 0x1000, type: 3 },
  ])
  expect(e820Of([descriptor(7, 0, 0x1000, 0x40000n)], false)).toEqual([{ addr: 0, size: 0x1000, type: 1 }])
})

test('EP-19 boot_params holds 128 of them', () => {
  const many = Array.from({ length: 200 }, (_, i) =>
    descriptor(i % 2 === 0 ? 0 : 9, 0x100000000 + i * 0x1000, 0x1000),
  )
  const { on } = handed('linux/E5', E5, {}, bench({ map: [...SMALL_MAP, ...many] }))
  expect(on.memory.readRaw(rangeAt(BOOT_PARAMS + 0x1e8, 1))[0]).toBe(128)
  expect(eventsOf(on, 'EP-42', 'make')).toMatchObject([{ object: 'efi-stub:e820-ext' }])
})

test.each([
  [OLD, 120, 0],
  [OLD, 121, 36],
  [NEW, 96, 0],
  [NEW, 97, 36],
  [NEW, 200, 16 + 20 * 104],
])('EP-41 %s with %i descriptors takes %i bytes', (row, count, size) => {
  // The kernel's own pages split one free descriptor in two or three
  const before = handedOver(row, { map: mapOf(60) }).on
  const split = before.machine.firmware.memoryMap().length - 60
  const { on } = handedOver(row, { map: mapOf(count - split) })
  const claims = eventsOf(on, 'EP-41', 'claim')
  expect(claims.map(({ range }) => range.end - range.start)).toEqual(size === 0 ? [] : [size])
})

test('EP-41 without pool memory the stub gives up', () => {
  expect(handedOver(OLD, { map: mapOf(200), arena: null }).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-18', status: 'EFI_OUT_OF_RESOURCES', message: 'exit_boot() failed!' },
  })
})

test.each([OLD, NEW])('EP-42 %s: the table goes on in the last node', (...row) => {
  const { on, outcome } = handedOver(row, { map: mapOf(200) })
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
  const { on } = handedOver(OLD, { map: mapOf(200), setupData: AT }, ({ memory }) => {
    memory.patch(phys(AT), setup_data.write({ next: 0n, type: 9, len: 32 }), 'loader:seed')
    memory.patch(phys(AT + 16), new Uint8Array(32), 'loader:seed', 16)
  })
  expect(listOf(on).map(({ type }) => type)).toEqual([9, 1])
  expect(on.notes.doubts).toEqual([])
})

test('EP-42 a map that grew by more than the slack does not fit', () => {
  let grown = 0
  // What others do between the count and the last map
  const on = withServices(bench({ map: mapOf(100) }), firmware => ({
    memoryMap: () => [
      ...firmware.memoryMap(),
      ...many(grown++ < 3 ? 0 : 200).map(one => ({
        ...one,
        range: rangeAt(one.range.start + 2 ** 40, 0x1000),
      })),
    ],
  }))
  expect(start(on, 'linux/E2', handover(on, { kernel: E2, image: F }))).toMatchObject({
    kind: 'refused',
    refusal: { status: 'EFI_BUFFER_TOO_SMALL', message: 'exit_boot() failed!' },
  })
})

test('EP-43 newer kernels hold a copy of the map while they take room', () => {
  const sizes = (row: typeof OLD | typeof NEW): number[] =>
    eventsOf(handedOver(row, { map: mapOf(60) }).on, 'EP-43', 'claim').map(
      ({ range }) => range.end - range.start,
    )
  expect(sizes(OLD)).toEqual([])
  const { on } = handedOver(NEW, { map: mapOf(60) })
  expect(sizes(NEW)).toEqual([40 + (on.machine.firmware.memoryMap().length + 32) * 48])
})

test('EP-43 the copy is given back once it has been counted, before the map is taken again', () => {
  const on = bench()
  const freed: number[] = []
  const watched = withServices(on, firmware => ({
    freePool: at => {
      freed.push(at)
      return firmware.freePool(at)
    },
  }))
  start(watched, 'linux/E5', handover(watched, { kernel: E5, image: F }))
  const [copy] = eventsOf(on, 'EP-43', 'claim')
  expect(freed).toContain(copy?.range.start)
})

test('EP-43 without pool memory for it the stub gives up', () => {
  // The EFI stub of 6.5 does not read the map before, those that decompress do (EP-68)
  expect(handed('linux/E2g', E2, {}, bench({ arena: null })).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-18', message: 'exit_boot() failed!' },
  })
  expect(handedOver(NEW, { arena: null }).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-68' },
  })
})

test('EP-44 the first buffer has 1280 bytes, the next the needed length and 8 descriptors', () => {
  const sizes = (count: number): number[] =>
    eventsOf(handedOver(OLD, { map: mapOf(count) }).on, 'EP-44', 'claim').map(
      ({ range }) => range.end - range.start,
    )
  const split = handedOver(OLD, { map: mapOf(60) }).on.machine.firmware.memoryMap().length - 60
  expect(sizes(18 - split)).toEqual([1280])
  expect(sizes(19 - split)).toEqual([1280, (19 + 8) * 48])
})

test('EP-45 each ROM becomes a node, in the order of the devices, in front of e820', () => {
  const { on } = handedOver(OLD, { map: mapOf(150), pciRoms: [0x2000, 0x400] })
  expect(listOf(on).map(({ type, len }) => [type, len])).toEqual([
    [3, 0x2000 + 48],
    [3, 0x400 + 48],
    [1, expect.any(Number)],
  ])
  expect(on.notes.assumptions.map(({ clause }) => clause)).not.toContain('EP-45')
  expect(eventsOf(on, 'ZO-17', 'read').map(({ object, deviations }) => [object, deviations.length])).toEqual([
    ['efi-stub:rom#1', 0],
    ['efi-stub:rom#2', 0],
    ['efi-stub:e820-ext', 0],
  ])
})

test('EP-45 without pool memory a ROM is passed over; without a list none is assumed', () => {
  expect(listOf(handedOver(OLD, { pciRoms: [0x400], arena: null }).on)).toEqual([])
  expect(handedOver(OLD).on.notes.assumptions.map(({ clause }) => clause)).toContain('EP-45')
})
