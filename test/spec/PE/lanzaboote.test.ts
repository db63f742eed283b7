import { expect, test } from 'vitest'
import { FIRST, PLAIN, refusalBy } from '../../support/image-loader-runs.ts'
import { goodPe, loadedBy, outcomeOf } from '../../unit/firmware/loader-bench.ts'

test('PE-52 takes pages up to the furthest section', () => {
  const pe = goodPe([FIRST, { VirtualAddress: 0x4000, VirtualSize: 0x1800, raw: 0x200 }], {
    SizeOfImage: 0x1000,
    Machine: 0xaa64,
    Subsystem: 1,
    SectionAlignment: 0x4000,
  })
  expect(outcomeOf('lanzaboote', pe).loaded).toMatchObject({ taken: 0x2000 + 0x4000, imageSize: 0x5800 })
  expect(
    refusalBy('lanzaboote', goodPe([FIRST, { VirtualAddress: 0xfffff000, VirtualSize: 0x2000, raw: 0 }])),
  ).toBe('EFI_LOAD_ERROR PE-52')
  const ends = (VirtualSize: number) =>
    outcomeOf('lanzaboote', goodPe([FIRST, { VirtualAddress: 0xfffff000, VirtualSize, raw: 0 }])).refused?.why
  expect([ends(0xfff), ends(0x1000)]).toEqual([
    'no free range holds the 0x100000 pages up to the end of the last section',
    'section .s1 ends past 4 GiB',
  ])
  expect(refusalBy('lanzaboote', goodPe([{ ...FIRST, VirtualSize: 0x2000000 }]))).toBe(
    'EFI_OUT_OF_RESOURCES PE-52',
  )
  expect(refusalBy('lanzaboote', goodPe([{ VirtualAddress: 0, VirtualSize: 0, raw: 0 }]))).toBe(
    'EFI_NOT_FOUND PE-52',
  )
})

test('PE-53 zeroes the image, copies sections and never the headers', () => {
  expect(
    loadedBy('lanzaboote', goodPe([FIRST, { VirtualAddress: 0x2000, VirtualSize: 0x280, raw: 0x300 }])),
  ).toBe('0 zero, 1000 .s0, 1200 zero, 2000 .s1, 2280 stale, 3000 no-memory')
  expect(loadedBy('lanzaboote', goodPe([FIRST], { fileSize: 0x500 }))).toBe('EFI_LOAD_ERROR PE-53')
})

test('PE-54 refuses relocations, and an entry point past the sections', () => {
  const directories = Array.from({ length: 16 }, (_, i) => (i === 5 ? ([0, 1] as const) : ([0, 0] as const)))
  expect(refusalBy('lanzaboote', { ...PLAIN, directories })).toBe('EFI_INCOMPATIBLE_VERSION PE-54')
  expect(refusalBy('lanzaboote', { ...PLAIN, AddressOfEntryPoint: 0x2000 })).toBe('EFI_LOAD_ERROR PE-54')
  expect(refusalBy('lanzaboote', PLAIN)).toBeUndefined()
})
