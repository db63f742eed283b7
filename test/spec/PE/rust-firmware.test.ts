import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { PAGE } from '../../../src/bytes/units.ts'
import { FIRST, machineOf, PLAIN, refusalBy } from '../../support/image-loader-runs.ts'
import { goodPe, loadedBy, outcomeOf } from '../../unit/firmware/loader-bench.ts'
import type { SmallPe } from '../../unit/firmware/small-pe.ts'

test('PE-42 takes pages for the file, at ImageBase or 2 MiB', () => {
  const { loaded, unallocated } = outcomeOf(
    'rust-hypervisor-firmware',
    goodPe([FIRST, { VirtualAddress: 0x4000, VirtualSize: 0x1000, raw: 0x200 }]),
  )
  expect(loaded).toEqual({ base: 0x200000, taken: PAGE, imageSize: 0x8000 })
  expect(unallocated[0]).toMatchObject({ from: 0x1000 })
  expect(outcomeOf('rust-hypervisor-firmware', { ...PLAIN, ImageBase: 0x300000n }).loaded?.base).toBe(
    0x300000,
  )
  expect(
    outcomeOf('rust-hypervisor-firmware', { ...PLAIN, ImageBase: 0x800000n }).assumptions.join(),
  ).toMatch(/although these pages are not free in the map/)
  expect(refusalBy('rust-hypervisor-firmware', { ...PLAIN, ImageBase: 2n ** 60n })).toBe(
    'EFI_LOAD_ERROR PE-42',
  )
  expect(refusalBy('rust-hypervisor-firmware', goodPe(Array.from({ length: 20 }, () => FIRST)))).toBe(
    'EFI_LOAD_ERROR PE-42',
  )
  const machine = machineOf('rust-hypervisor-firmware')
  expect(
    machine.firmware.loadImage({
      from: { kind: 'memory', range: rangeAt(0x100000, 0x1000) },
      name: 'kernel',
      ownerOf: () => ({ object: 'kernel', at: 0 }),
    }).status,
  ).not.toBe('EFI_SUCCESS')
})

test('PE-43 copies only raw data that begin at a sector', () => {
  expect(
    loadedBy(
      'rust-hypervisor-firmware',
      goodPe([FIRST, { VirtualAddress: 0x2000, VirtualSize: 0x300, raw: 0x200, PointerToRawData: 0x600 }]),
    ),
  ).toContain('2000 .s1, 2200 zero, 2300 stale')
  expect(
    loadedBy(
      'rust-hypervisor-firmware',
      goodPe([FIRST, { VirtualAddress: 0x2000, VirtualSize: 0x300, raw: 0x200, PointerToRawData: 0x700 }]),
    ),
  ).toContain('1200 zero, 2300 stale')
  expect(
    refusalBy(
      'rust-hypervisor-firmware',
      goodPe([FIRST, { VirtualAddress: 0x2000, VirtualSize: 0x200, raw: 0x200 }], { fileSize: 0x700 }),
    ),
  ).toBe('EFI_LOAD_ERROR PE-43')
})

test('PE-44 stops where SizeOfImage ends', () => {
  expect(refusalBy('rust-hypervisor-firmware', { ...PLAIN, SizeOfImage: 0x1fff })).toBe('EFI_ABORTED PE-44')
  expect(refusalBy('rust-hypervisor-firmware', { ...PLAIN, SizeOfImage: 0x2000 })).toBe(undefined)
  expect(refusalBy('rust-hypervisor-firmware', { ...PLAIN, SizeOfImage: 0x380 })).toBe('EFI_ABORTED PE-44')
  const last = (VirtualSize: number) =>
    refusalBy('rust-hypervisor-firmware', goodPe([FIRST, { VirtualAddress: 0x9000, VirtualSize, raw: 0 }]))
  expect([last(0), last(1)]).toEqual([undefined, 'EFI_ABORTED PE-44'])
})

test('PE-45 zeroes the whole image before anything else', () => {
  expect(
    loadedBy('patina', goodPe([FIRST, { VirtualAddress: 0x3000, VirtualSize: 0x100, raw: 0x100 }])),
  ).toBe('0 headers, 400 zero, 1000 .s0, 1200 zero, 3000 .s1, 3100 zero')
})

test('PE-46 wants alignments of whole pages', () => {
  for (const odd of [
    { SectionAlignment: 0 },
    { SectionAlignment: 0x200 },
    { SizeOfImage: 0x8800 },
  ] satisfies SmallPe[])
    expect([odd, refusalBy('patina', { ...PLAIN, ...odd })]).toEqual([odd, 'EFI_LOAD_ERROR PE-46'])
  for (const odd of [{ Machine: 0x14c }] satisfies SmallPe[])
    expect([odd, refusalBy('patina', { ...PLAIN, ...odd })]).toEqual([odd, 'EFI_UNSUPPORTED PE-46'])
})

test('PE-47 leaves an earlier section in the tail of a later one', () => {
  expect(
    loadedBy(
      'patina',
      goodPe([
        { VirtualAddress: 0x1000, VirtualSize: 0x2000, raw: 0x1800 },
        { VirtualAddress: 0x2000, VirtualSize: 0x800, raw: 0x200 },
      ]),
    ),
  ).toContain('2000 .s1, 2200 .s0+1200, 2800 zero')
  expect(
    loadedBy('patina', goodPe([FIRST, { VirtualAddress: 0x2000, VirtualSize: 0, raw: 0x200 }])),
  ).toContain('2000 .s1, 2200 zero')
  expect(refusalBy('patina', goodPe([FIRST, { VirtualAddress: 0x7000, VirtualSize: 0x1001, raw: 0 }]))).toBe(
    undefined,
  )
  expect(
    refusalBy('patina', goodPe([FIRST, { VirtualAddress: 0x7f00, VirtualSize: 0x200, raw: 0x200 }])),
  ).toBe('EFI_LOAD_ERROR PE-47')
})

test('PE-56 puts patina’s image anywhere', () => {
  expect(outcomeOf('patina', { ...PLAIN, ImageBase: 0x200000n }).loaded?.base).toBe(
    outcomeOf('patina', PLAIN).loaded?.base,
  )
  expect(outcomeOf('edk2-2022.11', { ...PLAIN, ImageBase: 0x200000n }).loaded?.base).toBe(0x200000)
  expect(outcomeOf('patina', { ...PLAIN, SectionAlignment: 0x4000 }).loaded).toMatchObject({
    taken: 0x8000 + 0x4000,
  })
  expect(refusalBy('patina', { ...PLAIN, SizeOfImage: 0x2000000 })).toBe('EFI_OUT_OF_RESOURCES PE-56')
})
