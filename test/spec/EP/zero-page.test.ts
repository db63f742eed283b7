import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { PAGE, phys } from '../../../src/bytes/units.ts'
import { buildKernel } from '../../../src/image/synthetic.ts'
import { setupHeaderAt, type SetupHeaderField } from '../../../src/image/x86/boot-params.ts'
import { entered, ERAS, handed } from '../../support/efi-stub-runs.ts'
import { factsOf } from '../../support/facts.ts'
import {
  bench,
  descriptor,
  eventsOf,
  FIRST_SLOT,
  free,
  FREE_END,
  kernelOf,
  peEntry,
  POOL,
  SMALL_MAP,
  start,
  type Bench,
} from '../../support/kernel-bench.ts'
import { bssOf, E0, E2, E4, E5, F, FACTS_2, LPA } from '../../support/kernels.ts'

function field({ memory, notes }: Bench, name: SetupHeaderField, width: number): number {
  const at = Number(notes.facts.bootParams) + setupHeaderAt(name)
  return memory.readRaw(rangeAt(at, width)).reduceRight((sum, byte) => sum * 256 + byte, 0)
}

const facts = factsOf('debian-6.1.170-cloud')

test.each([
  ['linux/E1', 0x4000],
  ['linux/E2a', 0x4000],
  ['linux/E2f', 0x1000],
  ['linux/E2', 0x1000],
  ['linux/E5', 0x1000],
])('EP-8 the zero page of %s takes %i bytes, as high as they fit', (era, size) => {
  const { on } = entered(era, era === 'linux/E5' ? E5 : E2)
  expect(eventsOf(on, 'EP-8', 'zero')).toMatchObject([
    { range: rangeAt(FREE_END - size, size), object: 'boot_params' },
  ])
  expect(on.notes.facts.bootParams).toBe(FREE_END - size)
})

test('EP-8 without a free page the stub says no', () => {
  const map = SMALL_MAP.filter(entry => entry.type !== 7)
  expect(entered('linux/E2', E2, {}, bench({ map })).outcome).toMatchObject({
    kind: 'refused',
    refusal: {
      clause: 'EP-8',
      status: 'EFI_OUT_OF_RESOURCES',
      message: 'Failed to allocate lowmem for boot params',
    },
  })
  expect(entered('linux/E5', E5, {}, bench({ map })).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-8', message: null },
  })
})

test.each(['linux/E4a', 'linux/E4b', 'linux/E4c', 'linux/E4d', 'linux/E4e', 'linux/E4f', 'linux/E4g'])(
  'EP-9 the zero page of %s lies inside .bss of the image',
  era => {
    const { on } = entered(era, E4)
    const bss = bssOf('debian-6.1.170-cloud')
    const at = Number(on.notes.facts.bootParams)
    expect(at).toBeGreaterThanOrEqual(F + bss.start)
    expect(at + PAGE).toBeLessThanOrEqual(F + bss.end)
    expect(on.notes.assumptions.map(assumption => assumption.clause)).toContain('EP-9')
  },
)

test.each([
  // The last whole page that ends at _ebss or before
  ['at a page boundary', 0xda1000, 0xda0000, false],
  ['elsewhere', 0xda08e0, 0xd9f000, true],
])('EP-9 with _ebss %s', (_, ebss, at, isAssumed) => {
  const setupSize = (facts.hdr.setup_sects + 1) * 512
  const kernel = kernelOf(buildKernel({ ...facts, geometry: { ...facts.geometry, _ebss: ebss - setupSize } }))
  const on = bench()
  start(on, 'linux/E4b', peEntry(on, { kernel, image: F }))
  expect(on.notes.facts.bootParams).toBe(F + at)
  expect(on.notes.assumptions.some(({ clause }) => clause === 'EP-9')).toBe(isAssumed)
})

test.each([
  ['linux/E2a', 0x200],
  ['linux/E2f', 0x200],
  ['linux/E2', 0x6c],
  ['linux/E3a', 0x6c],
  ['linux/E3', 0x6c],
])('EP-10 %s copies %i bytes of the loaded image', (era, length) => {
  const { on } = entered(era)
  expect(eventsOf(on, 'EP-10', 'read')).toMatchObject([{ range: rangeAt(F + 0x200, length) }])
  expect(eventsOf(on, 'EP-10', 'patch')[0]).toMatchObject({
    range: { end: Number(on.notes.facts.bootParams) + 0x200 + length },
  })
})

test('EP-10 the header is the one in memory, with boot_flag set', () => {
  const on = bench()
  const from = peEntry(on, { kernel: E2, image: F })
  on.memory.patch(
    phys(F + setupHeaderAt('heap_end_ptr')),
    Uint8Array.of(0x34, 0x12),
    'kernel',
    setupHeaderAt('heap_end_ptr'),
  )
  start(on, 'linux/E2', from)
  expect(field(on, 'heap_end_ptr', 2)).toBe(0x1234)
  expect(field(on, 'boot_flag', 2)).toBe(0xaa55)
  expect(field(on, 'init_size', 4)).toBe(FACTS_2.hdr.init_size)
})

test('EP-11 no field of the image comes along where the header is made', () => {
  const { on } = entered('linux/E5', E5)
  expect([field(on, 'init_size', 4), field(on, 'version', 2), field(on, 'initrd_addr_max', 4)]).toEqual([
    0, 0, 0x7fffffff,
  ])
})

test("EP-12 type_of_loader, vid_mode and root_flags are the stub's own", () => {
  for (const [era, kernel] of ERAS) {
    const { on } = entered(era, kernel)
    expect([field(on, 'type_of_loader', 1), field(on, 'vid_mode', 2), field(on, 'root_flags', 2)]).toEqual([
      0x21, 0xffff, 1,
    ])
  }
})

test('EP-26 the zero page is the lowest 16 KiB that are free', () => {
  const { on } = entered('linux/E0', E0, { initrd: null })
  expect(eventsOf(on, 'EP-26', 'zero')).toMatchObject([
    { range: rangeAt(0x1000, 0x4000), object: 'boot_params' },
  ])
  const fromNull = entered(
    'linux/E0',
    E0,
    { initrd: null },
    bench({ map: [free(0, 0xa0000), ...SMALL_MAP.slice(1)] }),
  )
  expect(eventsOf(fromNull.on, 'EP-26', 'zero')).toMatchObject([{ range: rangeAt(0x1000, 0x4000) }])
  expect(on.notes.facts.bootParams).toBe(0x1000)
})

test('EP-26 without free pages the stub says no', () => {
  const map = SMALL_MAP.filter(entry => entry.type !== 7)
  expect(entered('linux/E0', E0, {}, bench({ map })).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-26' },
  })
})

test('EP-27 a kernel that code32_start says to be at pref_address stays, any other moves', () => {
  const map = [...SMALL_MAP.slice(0, 1), descriptor(2, 0x900000, 0x4000000), ...SMALL_MAP.slice(3)]
  const stays = handed('linux/E0', E0, { image: LPA - E0.image.setupSize, initrd: null }, bench({ map }))
  expect(stays.on.notes.facts.compressedImage).toBe(LPA)
  expect(eventsOf(stays.on, 'EP-16', 'copy')).toEqual([])
  const moves = handed('linux/E0', E0)
  expect(moves.on.notes.facts.compressedImage).toBe(FIRST_SLOT)
  expect(field(moves.on, 'code32_start', 4)).toBe(FIRST_SLOT)
  expect(field(moves.on, 'pref_address', 4)).toBe(F + E0.image.setupSize)
})

test('EP-27 the PE entry sets it, so the loaded image moves and its window begins at the copy', () => {
  const { on } = entered('linux/E0', E0, { initrd: null })
  expect(eventsOf(on, 'EP-16', 'copy')).toMatchObject([
    { from: { start: F + E0.image.setupSize }, range: { start: FIRST_SLOT } },
  ])
  expect(on.notes.facts.decompressedKernel).toBe(FIRST_SLOT)
})

test('EP-27 the descriptor table takes the lowest free page; without one the stub says no', () => {
  const { on } = handed('linux/E0', E0)
  expect(eventsOf(on, 'EP-27', 'make')).toMatchObject([
    { range: rangeAt(0x1000, 0x800), object: 'efi-stub:gdt' },
  ])
  expect(eventsOf(on, 'EP-27', 'claim')[0]?.range).toEqual(rangeAt(POOL, 10))
  const map = SMALL_MAP.filter(entry => entry.type !== 7)
  expect(handed('linux/E0', E0, {}, bench({ map })).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-27', message: "Failed to allocate memory for 'gdt'\nefi_main() failed!" },
  })
  expect(handed('linux/E0', E0, {}, bench({ arena: null })).outcome).toMatchObject({
    kind: 'refused',
    refusal: {
      clause: 'EP-27',
      message: "Failed to allocate memory for 'gdt' structure\nefi_main() failed!",
    },
  })
})

test('EP-30 a setup_data that stands in the image is followed up to 5.10.145 and wiped from then on', () => {
  const arrived = (era: string): string[] => {
    const on = bench()
    const from = peEntry(on, { kernel: E2, image: F })
    on.memory.patch(
      phys(F + setupHeaderAt('setup_data')),
      Uint8Array.of(1),
      'kernel',
      setupHeaderAt('setup_data'),
    )
    start(on, era, from)
    return on.notes.doubts.map(doubt => doubt.clause)
  }
  for (const era of ['linux/E2a', 'linux/E2f', 'linux/E2h', 'linux/E2c', 'linux/E2d'])
    expect([era, arrived(era)]).toEqual([era, ['ZO-17']])
  for (const era of ['linux/E2', 'linux/E2e', 'linux/E2b', 'linux/E3a', 'linux/E3'])
    expect([era, arrived(era)]).toEqual([era, []])
})
