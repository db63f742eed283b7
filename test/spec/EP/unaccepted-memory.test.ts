import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { boot_params } from '../../../src/image/x86/boot-params.ts'
import { e820Of } from '../../../src/kernel/x86/steps/e820.ts'
import { bitmapOf, setBits, unitsOf } from '../../../src/kernel/x86/steps/unaccepted.ts'
import { handedOver, NEW, OLD } from '../../support/efi-stub-runs.ts'
import {
  bench,
  BOOT_PARAMS,
  descriptor,
  eventsOf,
  free,
  handover,
  POOL,
  SMALL_MAP,
  start,
  type Bench,
} from '../../support/kernel-bench.ts'
import { E4, E5, F } from '../../support/kernels.ts'

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
  const { on } = handedOver(NEW, { map })
  expect(eventsOf(on, 'EP-46', 'claim').map(({ range }) => range.end - range.start)).toEqual([24 + 273])
  expect(eventsOf(handedOver(OLD, { map }).on, 'EP-46', 'claim')).toEqual([])
  expect(eventsOf(handedOver(NEW).on, 'EP-46', 'claim')).toEqual([])
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

test('EP-46 no kernel is placed in it', () => {
  const only = [
    ...SMALL_MAP.filter(({ type }) => type !== 7),
    free(0x1000, 0x9f000),
    descriptor(15, 0x1500000, 0x16b00000),
  ]
  expect(handedOver(NEW, { map: only }).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-21' },
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
  const { on, outcome } = handedOver(NEW, { map })
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
  const { on } = handedOver(NEW, { map: [...SMALL_MAP, descriptor(15, 0x100000000, 0x80000000)] })
  expect(on.notes.doubts.map(({ why }) => why.includes('to accept'))).toEqual([false])
})

test.each([OLD, ['linux/E4', E4] as const])('EP-48 %s has no entry for it', (...row) => {
  const { on, outcome } = handedOver(row as typeof OLD, { map })
  expect(outcome.kind).toBe('arrived')
  expect(on.notes.doubts.map(({ clause }) => clause)).toEqual(['EP-48'])
  const count = on.memory.readRaw(rangeAt(BOOT_PARAMS + boot_params.fields.e820_entries[0], 1))[0]
  expect(count).toBe(e820Of(on.machine.firmware.memoryMap()).length)
})

test('the pool of the bench is where these tests think it is', () => {
  expect(POOL).toBeGreaterThan(BOOT_PARAMS)
})
