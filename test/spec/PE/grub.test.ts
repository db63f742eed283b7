import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { PAGE } from '../../../src/bytes/units.ts'
import { FIRST, machineOf, PLAIN, refusalBy, TOP } from '../../support/image-loader-runs.ts'
import { goodPe, loadedBy, outcomeOf } from '../../unit/firmware/loader-bench.ts'
import { descriptor } from '../../unit/firmware/small-machine.ts'
import { bytesSource } from '../../../src/bytes/source.ts'
import { checkPeimage } from '../../../src/firmware/image-loaders/grub-peimage.ts'
import type { SmallPe } from '../../unit/firmware/small-pe.ts'

test('PE-33 copies all raw bytes over whatever follows', () => {
  const long = goodPe([FIRST, { VirtualAddress: 0x7f00, VirtualSize: 0x100, raw: 0x400 }])
  for (const id of ['shim-13', 'grub-rhboot', 'grub-debian', 'u-boot-2020.10'])
    expect([
      id,
      loadedBy(id, goodPe([FIRST, { VirtualAddress: 0x2000, VirtualSize: 0x100, raw: 0x400 }])).includes(
        '2000 .s1, 2400 stale',
      ),
    ]).toEqual([id, true])
  const machine = machineOf('u-boot-2020.10')
  const { image } = machine.load(long)
  expect(
    [...machine.memory.extents(rangeAt((image?.base ?? 0) + 0x8000, 0x100))].map(({ content }) => content),
  ).toMatchObject([{ kind: 'bytes' }])
  expect(
    loadedBy('shim-15.8', goodPe([FIRST, { VirtualAddress: 0x2000, VirtualSize: 0x100, raw: 0x400 }])),
  ).toContain('2000 .s1, 2100 stale')
})

test('PE-34 takes a pool buffer of loader data', () => {
  const machine = machineOf('grub-rhboot')
  const { image } = machine.load(PLAIN)
  expect(
    machine.recorder.steps.some(step => step.what.startsWith('AllocatePool(EfiLoaderData, 0x9000 bytes)')),
  ).toBe(true)
  expect(Number(image?.base) % PAGE).toBe(0)
  expect(machine.firmware.unloadImage(image ?? expect.fail('refused'))).toBe('EFI_SUCCESS')
  expect(machine.load({ ...PLAIN, SizeOfImage: 0x2000000 })).toMatchObject({
    clause: 'PE-34',
    message: 'out of memory',
  })
})

test('PE-35 zeroes first, below 4 GiB, and minds both ends', () => {
  const map = [
    descriptor(7, 0x100000, 0x1000000),
    descriptor(7, 0x80000000, 0x90000000),
    descriptor(7, 0x100000000, 0x110000000),
  ]
  expect(Number(outcomeOf('grub-debian', PLAIN, map).loaded?.base)).toBeGreaterThan(0x80000000)
  expect(Number(outcomeOf('grub-debian', PLAIN, map).loaded?.base)).toBeLessThan(0x90000000)
  expect(
    outcomeOf('grub-debian', goodPe([FIRST, { VirtualAddress: 0x200, VirtualSize: 0x100, raw: 0 }])).refused,
  ).toMatchObject({ clause: 'PE-35', message: 'section inside header' })
  expect(outcomeOf('grub-debian', { ...PLAIN, SectionAlignment: 0x4000 }).loaded?.taken).toBe(
    0x8000 + 0x4000 - PAGE,
  )
  expect(
    refusalBy('grub-debian', goodPe([FIRST, { VirtualAddress: 0x7000, VirtualSize: 0x1001, raw: 0 }])),
  ).toBe('EFI_LOAD_ERROR PE-35')
  expect(
    refusalBy(
      'grub-debian',
      goodPe([FIRST, { VirtualAddress: 0x2000, VirtualSize: 0x100, raw: 0x200 }], { fileSize: 0x700 }),
    ),
  ).toBe('EFI_LOAD_ERROR PE-35')
  expect(refusalBy('grub-debian', { ...PLAIN, Machine: 0x14c })).toBe('EFI_LOAD_ERROR PE-35')
  expect(refusalBy('grub-debian', { ...PLAIN, Subsystem: 11 })).toBe('EFI_LOAD_ERROR PE-35')
})

test('PE-36 has the firmware load a copy in pages of loader code', () => {
  const machine = machineOf('grub')
  const { image } = machine.load(PLAIN)
  expect(image?.pages).toEqual(rangeAt(TOP - PAGE - 0x8000, 0x8000))
  expect(
    machine.recorder.steps.some(
      step => step.what === 'AllocatePages(AnyPages, EfiLoaderCode, 0x1 pages) for uki:file',
    ),
  ).toBe(true)
  expect(machine.load({ ...PLAIN, Subsystem: 9 })).toMatchObject({
    status: 'EFI_UNSUPPORTED',
    clause: 'PE-8',
    message: null,
  })
})

test('PE-35 takes an alignment of one byte, and PE-51 a directory that ends in the image', () => {
  const message = (pe: SmallPe) => outcomeOf('grub-debian', pe).refused?.message
  expect(outcomeOf('grub-debian', { ...PLAIN, SectionAlignment: 1 }).refused).toBeNull()
  expect(message({ ...PLAIN, SectionAlignment: 3 })).toBeDefined()
  const directory = (VirtualAddress: number, Size: number): SmallPe => ({
    ...PLAIN,
    directories: Array.from({ length: 16 }, (_, i) =>
      i === 5 ? ([VirtualAddress, Size] as const) : ([0, 0] as const),
    ),
  })
  expect(outcomeOf('grub-debian', directory(0x8000, 0)).refused).toBeNull()
  for (const odd of [directory(0x8000, 1), directory(0x7ff8, 0x10)])
    expect(outcomeOf('grub-debian', odd).refused).toMatchObject({ status: 'EFI_LOAD_ERROR', clause: 'PE-51' })
})

test('PE-35 a file without MZ is no PE file, one shorter than a DOS header is cut off', () => {
  const text = (length: number) => checkPeimage(bytesSource(new Uint8Array(length)))
  expect(text(64)).toMatchObject({ status: 'EFI_UNSUPPORTED', message: 'not a PE-COFF file' })
  expect(text(63)).toMatchObject({ status: 'EFI_LOAD_ERROR' })
})
