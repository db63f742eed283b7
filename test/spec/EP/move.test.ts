import { describe, expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { entered, gone, handed } from '../../support/efi-stub-runs.ts'
import {
  bench,
  clausesOf,
  descriptor,
  eventsOf,
  FIRST_SLOT,
  free,
  handover,
  peEntry,
  SMALL_MAP,
  start,
  type Bench,
} from '../../support/kernel-bench.ts'
import { E0, E1, E2, F, FACTS_2, LPA } from '../../support/kernels.ts'

/** Of E2, and of the older kernels that are derived from it. */
const { hdr, geometry } = FACTS_2

const L = (on: Bench): unknown => on.notes.facts.compressedImage

test('EP-15 after a handover 5.7-rc1 moves when L is not aligned and stays when it is', () => {
  expect(L(handed('linux/E1', E1).on)).toBe(FIRST_SLOT)
  expect(L(handed('linux/E1', E1, { image: F - E2.image.setupSize, initrd: null }).on)).toBe(F)
})

test('EP-15 after a handover later kernels always move', () => {
  expect(L(handed('linux/E2', E2, { image: F - E2.image.setupSize, initrd: null }).on)).toBe(FIRST_SLOT)
  expect(L(handed('linux/E2a').on)).toBe(FIRST_SLOT)
})

test('EP-15 after a PE entry the kernel stays', () => {
  const { on } = entered('linux/E2', E2, { initrd: null })
  expect(L(on)).toBe(F + E2.image.setupSize)
  expect(on.notes.facts.decompressedKernel).toBe(F)
})

test('EP-15 below LOAD_PHYSICAL_ADDR it moves at either door', () => {
  const low = [
    descriptor(1, 0x200000, 0x3000000),
    free(0x4000000, 0x10000000),
    descriptor(2, 0x1e000000, 0x10000),
  ]
  const on = bench({ map: low })
  start(on, 'linux/E2', peEntry(on, { kernel: E2, image: 0x200000 }))
  expect(L(on)).toBe(0x4000000)
  expect(on.notes.facts.decompressedKernel).toBe(0x4000000)
})

test('EP-15 at LOAD_PHYSICAL_ADDR itself it stays', () => {
  const map = [descriptor(1, LPA, 0x3000000), free(0x4000000, 0x10000000), descriptor(2, 0x1e000000, 0x10000)]
  const on = bench({ map })
  start(on, 'linux/E2', peEntry(on, { kernel: E2, image: LPA }))
  expect(L(on)).toBe(LPA + E2.image.setupSize)
  expect(on.notes.facts.decompressedKernel).toBe(LPA)
})

test('EP-15 a kernel_alignment of 0 makes the start 0, so it moves', () => {
  const { on } = handed('linux/E1', E1, {
    image: F - E2.image.setupSize,
    initrd: null,
    header: { kernel_alignment: 0 },
  })
  expect(clausesOf(on)).toContain('EP-16')
})

test('EP-16 init_size bytes are copied to pref_address when it is free', () => {
  const map = [free(0x1000000, 0x17000000), ...SMALL_MAP.slice(3)]
  const { on } = handed('linux/E2', E2, {}, bench({ map }))
  expect(on.notes.facts.compressedImage).toBe(LPA)
  const copy = eventsOf(on, 'EP-16', 'copy')[0]
  const rest = eventsOf(on, 'EP-16', 'make')[0]
  expect(copy?.range.start).toBe(LPA)
  expect(rest?.range.end).toBe(LPA + hdr.init_size)
  expect(copy?.range.end).toBe(rest?.range.start)
  // All of init_size is allocated, in whole pages
  expect(eventsOf(on, 'EP-16', 'claim').map(({ range }) => range)).toEqual([
    rangeAt(LPA, Math.ceil(hdr.init_size / 0x1000) * 0x1000),
  ])
})

test('EP-16 damage in the kernel travels with the copy', () => {
  const on = bench()
  const from = handover(on, { kernel: E2, image: F })
  gone(on, F + 0x100000)
  expect(start(on, 'linux/E2', from)).toMatchObject({
    kind: 'undefined',
    why: 'the compressed kernel was overwritten',
  })
})

test('EP-16 an init_size of 0 is refused', () => {
  expect(handed('linux/E2', E2, { header: { init_size: 0 } }).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-16', status: 'EFI_INVALID_PARAMETER' },
  })
})

test('EP-16 an init_size shorter than the kernel copies a part of it', () => {
  const { on, outcome } = handed('linux/E2', E2, { header: { init_size: 0x100000 } })
  expect(on.notes.doubts.map(doubt => doubt.clause)).toContain('EP-16')
  expect(outcome.kind).not.toBe('arrived')
})

test("EP-17 the first descriptor in the map's order wins, aligned, not below LOAD_PHYSICAL_ADDR", () => {
  const map = [
    descriptor(4, 0x100000, 0x4000000),
    free(0x1bfff000, 0x3ffe000),
    free(0x10000000, 0x8000000),
    descriptor(1, 0x18000000, 0x3fff000),
    descriptor(2, 0xa0000000, 0x10000),
  ]
  const { on } = handed(
    'linux/E2',
    E2,
    { initrd: null, bootParams: 0xa0000000, commandLineAt: 0xa0001000 },
    bench({ map, arena: 0xa0004000 }),
  )
  expect(on.notes.facts.compressedImage).toBe(0x1c000000)
})

test('EP-17 memory set aside for a purpose is passed over', () => {
  const map = SMALL_MAP.map(entry =>
    entry.range.start === 0x1500000 ? { ...entry, attribute: 0x4000fn } : entry,
  )
  expect(handed('linux/E2', E2, {}, bench({ map })).outcome).toMatchObject({ kind: 'refused' })
})

test('EP-17 without room the stub prints what the real one prints', () => {
  const map = [free(0x1500000, 0x2000000), ...SMALL_MAP.slice(3, 4), ...SMALL_MAP.slice(5)]
  expect(handed('linux/E2', E2, {}, bench({ map })).outcome).toMatchObject({
    kind: 'refused',
    refusal: {
      by: 'efi-stub',
      status: 'EFI_NOT_FOUND',
      clause: 'EP-17',
      message:
        'Failed to allocate usable memory for kernel.\nefi_relocate_kernel() failed!\nefi_main() failed!',
    },
  })
})

describe('EP-28', () => {
  const map = [free(0x200000, 0x4000000), ...SMALL_MAP.slice(3)]
  test('EP-28 before 5.3.11 the kernel moves below LOAD_PHYSICAL_ADDR, and extracts elsewhere', () => {
    const taken = [free(0x200000, 0x3000000), descriptor(4, 0x3200000, 0x4000000), ...SMALL_MAP.slice(3)]
    const { on } = handed('linux/E0a', E0, {}, bench({ map: taken }))
    expect(on.notes.facts.compressedImage).toBe(0x400000)
    expect(eventsOf(on, 'ZO-6', 'copy')).toMatchObject([
      { range: { start: LPA + hdr.init_size - geometry._end } },
    ])
  })

  test('EP-28 from then on it stays above, or says no', () => {
    expect(
      handed(
        'linux/E0',
        E0,
        {},
        bench({ map: [...map.slice(0, 1), descriptor(4, 0x1000000, 0x1000), ...map.slice(1)] }),
      ).on.notes.facts.compressedImage,
    ).toBe(LPA)
    const taken = [free(0x200000, 0x3000000), descriptor(4, 0x3200000, 0x4000000), ...SMALL_MAP.slice(3)]
    expect(handed('linux/E0', E0, {}, bench({ map: taken })).outcome).toMatchObject({
      kind: 'refused',
      refusal: { clause: 'EP-17' },
    })
  })
})

test('EP-28 what the window covers after the pages that were taken is named', () => {
  const map = [
    free(0x1000, 0x9f000),
    free(0x800000, hdr.init_size),
    descriptor(4, 0x800000 + hdr.init_size, 0x1000000),
    ...SMALL_MAP.slice(3),
  ]
  const from = (era: string): string[] => {
    const on = bench({ map })
    start(
      on,
      `linux/${era}`,
      handover(on, { kernel: E0, image: F, header: { code32_start: F + E0.image.setupSize } }),
    )
    return on.notes.doubts.filter(({ clause }) => clause === 'EP-28').map(({ why }) => why)
  }
  expect(from('E0a')).toEqual([
    'the kernel was moved to 0x800000 and decompresses itself from 0x1000000 on: it ' +
      'does not own 0x355e000-0x3d5e000',
  ])
  expect(from('E0')).toEqual([])
})

test('EP-29 from 5.11 on _bss bytes are read, before it init_size bytes are', () => {
  for (const era of ['linux/E2d', 'linux/E2e', 'linux/E2b']) {
    const { on } = handed(era)
    const [copy] = eventsOf(on, 'EP-16', 'copy')
    const [rest] = eventsOf(on, 'EP-16', 'make')
    expect([copy?.range.start, rest?.range.end]).toEqual([FIRST_SLOT, FIRST_SLOT + geometry._bss])
    expect(eventsOf(on, 'EP-16', 'claim')).toEqual([])
    expect(eventsOf(on, 'EP-17', 'claim')).toMatchObject([{ range: rangeAt(FIRST_SLOT, hdr.init_size) }])
    expect(clausesOf(on)).toContain('EP-29')
  }
  expect(eventsOf(handed('linux/E2').on, 'EP-16', 'make')).toMatchObject([
    { range: { end: FIRST_SLOT + hdr.init_size } },
  ])
})

test('EP-29 an init_size shorter than _bss is refused', () => {
  expect(handed('linux/E2b', E2, { header: { init_size: 0x100000 } }).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-16', status: 'EFI_INVALID_PARAMETER' },
  })
})
