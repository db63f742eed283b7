import { expect, test } from 'vitest'
import { FIRST, machineOf, PLAIN, refusalBy } from '../../support/image-loader-runs.ts'
import { goodPe, loadedBy, outcomeOf } from '../../unit/firmware/loader-bench.ts'
import { descriptor } from '../../unit/firmware/small-machine.ts'
import type { SmallPe } from '../../unit/firmware/small-pe.ts'

test('PE-37 computes the size of the image from the sections', () => {
  const odd = goodPe([FIRST, { VirtualAddress: 0x9000, VirtualSize: 0, raw: 0x1800 }], {
    SizeOfImage: 0x1000,
  })
  // Since v2021.10 the second section counts with its raw data, which end at 0xa800
  expect(outcomeOf('u-boot-2022.01', odd).loaded).toMatchObject({ taken: 0xb000, imageSize: 0xa800 })
  expect(outcomeOf('u-boot-2021.04', odd).loaded).toMatchObject({ taken: 0x9000, imageSize: 0x9000 })
  expect(outcomeOf('u-boot-2022.01', goodPe([{ ...FIRST, VirtualSize: 0x2000000 }])).refused).toMatchObject({
    status: 'EFI_OUT_OF_RESOURCES',
    clause: 'PE-37',
  })
})

test('PE-38 lets the first entry of the table win', () => {
  const pe = goodPe([
    { VirtualAddress: 0x2000, VirtualSize: 0x1000, raw: 0x200 },
    { VirtualAddress: 0x1000, VirtualSize: 0x2000, raw: 0x1800 },
  ])
  for (const id of ['u-boot-2020.10', 'u-boot-2021.04', 'u-boot-2021.10', 'u-boot-2022.01'])
    expect(loadedBy(id, pe)).toContain('1000 .s1, 2000 .s0, 2200 zero, 3000')
})

test('PE-39 takes almost any header, and copies more than they are', () => {
  for (const odd of [{ e_magic: 0 }, { Machine: 0x14c }] satisfies SmallPe[]) {
    const machine = machineOf('u-boot-2022.01')
    expect(machine.load({ ...PLAIN, ...odd })).toMatchObject({ status: 'EFI_LOAD_ERROR', clause: 'PE-39' })
  }
  for (const odd of [
    { Subsystem: 99 },
    { NumberOfRvaAndSizes: 15 },
    { SizeOfHeaders: 0 },
    { Characteristics: 0x23 },
  ] satisfies SmallPe[])
    expect([odd, refusalBy('u-boot-2022.01', { ...PLAIN, ...odd })]).toEqual([odd, undefined])
  expect(loadedBy('u-boot-2022.01', PLAIN)).toMatch(/^0 headers, 250 stale, /)
})

test('PE-40 zeroes the rest of VirtualSize', () => {
  for (const id of ['u-boot-2021.04', 'u-boot-2022.01'])
    expect(
      loadedBy(
        id,
        goodPe([
          { VirtualAddress: 0x1000, VirtualSize: 0x180, raw: 0x200 },
          { VirtualAddress: 0x2000, VirtualSize: 0x300, raw: 0x100 },
        ]),
      ),
    ).toMatch(/, 1000 .s0, 1180 stale, 2000 .s1, 2100 zero, 2300 /)
})

test('PE-41 aligns since v2022.01 and gives the rest back', () => {
  const map = [descriptor(7, 0x100000, 0x1004000)]
  const pe = { ...PLAIN, SectionAlignment: 0x4000 }
  expect(outcomeOf('u-boot-2022.01', pe, map).loaded).toMatchObject({ base: 0x1000000, taken: 0x2000 })
  expect(Number(outcomeOf('u-boot-2021.10', pe, map).loaded?.base) % 0x4000).not.toBe(0)
  expect(refusalBy('u-boot-2022.01', { ...PLAIN, SectionAlignment: 0x3000 })).toBe(
    'EFI_OUT_OF_RESOURCES PE-37',
  )
  const machine = machineOf('u-boot-2022.01', map)
  machine.load(pe)
  expect(machine.firmware.memoryMap().filter(({ type }) => type === 1)).toEqual([
    descriptor(1, 0x1000000, 0x1002000),
  ])
  const twice = machineOf('u-boot-2022.01', [descriptor(7, 0x100000, 0x1001000)])
  twice.load({ ...PLAIN, SectionAlignment: 0x2000 })
  expect(twice.firmware.memoryMap().filter(({ type }) => type === 1)).toEqual([
    descriptor(1, 0xffe000, 0x1000000),
  ])
})
