import { expect, test } from 'vitest'
import { rangeAt, sizeOf } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import { FIRST, loaded, machineOf, refused, TOP, type Pair } from '../../support/image-loader-runs.ts'
import { goodPe } from '../../unit/firmware/loader-bench.ts'
import { descriptor, loadFile, SMALL_MAP, smallMachine } from '../../unit/firmware/small-machine.ts'
import { smallPe, type SmallPe } from '../../unit/firmware/small-pe.ts'

/** A file with a debug directory of two entries at 0x1000; the second is of this type, address and place. */
function withDebug(
  type: number,
  address: number,
  place: number,
  directory: readonly [number, number] = [0x1000, 56],
  fileSize?: number,
): SmallPe {
  const bytes = new Uint8Array(56)
  const view = new DataView(bytes.buffer)
  view.setUint32(12, 20, true)
  view.setUint32(28 + 12, type, true)
  view.setUint32(28 + 16, 0x123, true)
  view.setUint32(28 + 20, address, true)
  view.setUint32(28 + 24, place, true)
  return {
    sections: [{ VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x1000, bytes }],
    directories: Array.from({ length: 16 }, (_, i): Pair => (i === 6 ? directory : [0, 0])),
    ...(fileSize === undefined ? {} : { fileSize }),
  }
}

test('PE-10 makes the image larger by CodeView data without an address', () => {
  const size = (pe: SmallPe) => loaded(smallMachine(), smallPe(pe)).size
  // The entry says 0x123 bytes; the image has 0x4000 without them
  expect(size(withDebug(2, 0, 0x1400))).toBe(0x4000 + 0x123)
  expect(size(withDebug(2, 0x1400, 0x1400))).toBe(0x4000)
  expect(size(withDebug(2, 0, 0))).toBe(0x4000)
  expect(size(withDebug(3, 0, 0x1400))).toBe(0x4000)
  expect(size(withDebug(2, 0, 0x1400, [0x1000, 28]))).toBe(0x4000)
  expect(size(withDebug(2, 0, 0x1400, [0x2000, 56]))).toBe(0x4000)
  expect(size(withDebug(2, 0, 0x1400, [0xfff, 56]))).toBe(0x4000)
  expect(size({ directories: Array.from({ length: 6 }, () => [0, 0] as const) })).toBe(0x4000)
  expect(refused(withDebug(3, 0, 0, [0x1fe5, 28]))).toEqual(['EFI_UNSUPPORTED', 'PE-10'])
  expect(size(withDebug(3, 0, 0, [0x1fe4, 28]))).toBe(0x4000)
})

test('PE-11 tries the preferred address first, from 1 MiB on', () => {
  const base = (pe: SmallPe) => loadFile(smallMachine(), smallPe(pe))
  expect(base({ ImageBase: 0x100000n }).image?.base).toBe(0x100000)
  expect(base({ ImageBase: 0xff000n }).image?.base).toBe(TOP - 0x6000)
  expect(base({ ImageBase: 0x800000n }).image?.base).toBe(TOP - 0x6000)
  expect(base({ ImageBase: 2n ** 63n }).image?.base).toBe(TOP - 0x6000)
  expect(base({ ImageBase: 0xff000n, Characteristics: 0x23 }).image?.base).toBe(0xff000)
  expect(base({ ImageBase: 0x800000n, Characteristics: 0x23 })).toMatchObject({
    status: 'EFI_NOT_FOUND',
    clause: 'PE-11',
  })
  expect(base({ ImageBase: 0x200000n, pe32: true }).image?.base).toBe(0x200000)
})

test('PE-12 puts other images where AllocateAnyPages puts them', () => {
  expect(loaded(smallMachine(), smallPe({ SizeOfImage: 0x7f0000 })).pages).toEqual(
    rangeAt(TOP - 0x2000 - 0x7f0000, 0x7f0000),
  )
  expect(loaded(smallMachine(), smallPe({ SizeOfImage: 0x7fe000 })).pages).toEqual(rangeAt(0x2000, 0x7fe000))
  expect(loadFile(smallMachine(), smallPe({ SizeOfImage: 0x800001 }))).toMatchObject({
    status: 'EFI_OUT_OF_RESOURCES',
    clause: 'PE-12',
    message: 'BdsDxe: failed to load … : Out of Resources',
  })
})

test('PE-13 aligns the load address inside the pages', () => {
  const place = (SectionAlignment: number) => {
    const { base, pages } = loaded(smallMachine(), smallPe({ SectionAlignment }))
    return [base, pages.start, sizeOf(pages)]
  }
  expect(place(0x200)).toEqual([TOP - 0x6000, TOP - 0x6000, 0x4000])
  expect(place(0x1000)).toEqual([TOP - 0x6000, TOP - 0x6000, 0x4000])
  expect(place(0x2000)).toEqual([TOP - 0x8000, TOP - 0x8000, 0x6000])
  expect(place(0x4000)).toEqual([TOP - 0x8000, TOP - 0xa000, 0x8000])
  expect(place(0x3000)).toEqual([0xff9000, 0xff7000, 0x7000])
  expect(loadFile(smallMachine(), smallPe({ SectionAlignment: 0 }))).toMatchObject({
    status: 'EFI_INVALID_PARAMETER',
    clause: 'PE-13',
  })
  expect(
    loadFile(
      smallMachine(),
      smallPe({ ImageBase: 0x101000n, SectionAlignment: 0x2000, Characteristics: 0x23 }),
    ),
  ).toMatchObject({ status: 'EFI_INVALID_PARAMETER', clause: 'PE-13' })
})

test('PE-22 frees the pages of a failed load', () => {
  const machine = smallMachine()
  expect(
    loadFile(machine, smallPe({ sections: [{ VirtualAddress: 0x9000, VirtualSize: 1, raw: 1 }] })).status,
  ).toBe('EFI_LOAD_ERROR')
  expect(machine.firmware.memoryMap()).toEqual(SMALL_MAP)
  expect([...machine.memory.claims()]).toHaveLength(1)
  const grub = machineOf('grub-rhboot')
  expect(grub.load(goodPe([FIRST, { VirtualAddress: 0x9000, VirtualSize: 1, raw: 1 }])).image).toBeNull()
  expect(grub.recorder.steps.some(({ what }) => what.startsWith('FreePool'))).toBe(true)
})

test('PE-23 frees the pages of an unloaded image', () => {
  const machine = smallMachine()
  const image = loaded(machine, smallPe({ SectionAlignment: 0x4000 }))
  expect(machine.firmware.unloadImage(image)).toBe('EFI_SUCCESS')
  expect(machine.firmware.memoryMap()).toEqual(SMALL_MAP)
  expect(machine.firmware.unloadImage(image)).toBe('EFI_NOT_FOUND')
})

test('PE-24 puts an image where it was observed', () => {
  const machine = smallMachine()
  const image = loaded(machine, smallPe({ ImageBase: 0x400000n }), { pinned: phys(0x200000) })
  expect([image.base, image.pages]).toEqual([0x200000, rangeAt(0x200000, 0x4000)])
  expect(machine.firmware.memoryMap()).toContainEqual(descriptor(1, 0x200000, 0x204000))
  expect([...machine.memory.claims(image.pages)].map(({ range, label }) => [range, label])).toEqual([
    [image.pages, 'uki'],
  ])
  expect(machine.assumptions.map(([clause]) => clause)).not.toContain('PE-24')
  expect(loaded(machine, smallPe(), { pinned: phys(0x7fe000) }).base).toBe(0x7fe000)
  expect(machine.assumptions.map(([clause]) => clause)).toContain('PE-24')
  expect(machine.firmware.memoryMap().slice(-5, -1)).toEqual([
    descriptor(7, 0x204000, 0x7fe000),
    descriptor(1, 0x7fe000, 0x800000),
    descriptor(4, 0x800000, 0x801000),
    descriptor(1, 0x801000, 0x802000),
  ])
})

test('PE-25 gives address 0 as the entry point of an image that has it outside', () => {
  const entry = (AddressOfEntryPoint: number) => {
    const image = loaded(smallMachine(), smallPe({ AddressOfEntryPoint }))
    return image.entry === 0 ? null : image.entry - image.base
  }
  expect(entry(0x1234)).toBe(0x1234)
  expect(entry(0x3fff)).toBe(0x3fff)
  expect(entry(0x4000)).toBeNull()
})
