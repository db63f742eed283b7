import { expect, test } from 'vitest'
import { u64At } from '../../support/bytes.ts'
import { FIRST, machineOf, PLAIN, refusalBy } from '../../support/image-loader-runs.ts'
import { goodPe, loadedBy, outcomeOf } from '../../unit/firmware/loader-bench.ts'
import type { SmallPe } from '../../unit/firmware/small-pe.ts'

test('PE-48 refuses what is not ascending and disjoint', () => {
  const second = (VirtualAddress: number) =>
    goodPe([FIRST, { VirtualAddress, VirtualSize: 0x800, raw: 0x100 }])
  for (const id of ['audk', 'audk-strict']) {
    expect(refusalBy(id, second(0x1fff))).toBe('EFI_VOLUME_CORRUPTED PE-48')
    expect(refusalBy(id, second(0x2000))).toBe(undefined)
    for (const odd of [
      { sections: [] },
      { SectionAlignment: 0x3000 },
      { AddressOfEntryPoint: 0x2000 },
      { ImageBase: 0x800n },
      { SizeOfHeaders: 0x180 },
      { Machine: 0x14c },
    ] satisfies SmallPe[])
      expect([odd, refusalBy(id, { ...PLAIN, ...odd })]).toEqual([
        odd,
        odd.Machine === undefined ? 'EFI_VOLUME_CORRUPTED PE-48' : 'EFI_UNSUPPORTED PE-48',
      ])
  }
  expect([refusalBy('audk', second(0x3000)), refusalBy('audk-strict', second(0x3000))]).toEqual([
    undefined,
    'EFI_VOLUME_CORRUPTED PE-48',
  ])
  expect(
    refusalBy('audk', goodPe([{ ...FIRST, VirtualAddress: 0x200 }], { AddressOfEntryPoint: 0x300 })),
  ).toBe('EFI_VOLUME_CORRUPTED PE-48')
})

test('PE-49 ends the image with its last section and zeroes the rest', () => {
  expect(
    outcomeOf('audk', goodPe([FIRST, { VirtualAddress: 0x3000, VirtualSize: 0x100, raw: 0x80 }])).loaded
      ?.imageSize,
  ).toBe(0x4000)
  expect(
    outcomeOf('audk', goodPe([FIRST, { VirtualAddress: 0x3010, VirtualSize: 0x100, raw: 0x80 }])).loaded
      ?.imageSize,
  ).toBe(0x3110)
  expect(
    loadedBy('audk', goodPe([FIRST, { VirtualAddress: 0x3000, VirtualSize: 0x100, raw: 0x80 }])),
  ).toMatch(/^0 headers, 400 zero, 1000 .s0, 1200 zero, 3000 .s1, 3080 zero, 4000 stale/)
  expect(loadedBy('audk', goodPe([{ VirtualAddress: 0, VirtualSize: 0x2000, raw: 0x200 }]))).toMatch(
    /^0 .s0, 200 zero, 2000 /,
  )
})

test('PE-50 keeps the file while the image runs, or gives it back', () => {
  const kept = (name: string) =>
    machineOf(name).load(PLAIN).image !== null &&
    [...loadedMachine(name).memory.claims()].some(({ label }) => label === 'uki:file')
  const loadedMachine = (name: string) => {
    const machine = machineOf(name)
    machine.load(PLAIN)
    return machine
  }
  for (const id of ['shim-13', 'shim-15.8', 'grub-rhboot']) expect([id, kept(id)]).toEqual([id, true])
  for (const id of ['edk2-2022.11', 'shim-16', 'u-boot-2022.01', 'grub', 'rust-hypervisor-firmware'])
    expect([id, kept(id)]).toEqual([id, false])
  const failed = machineOf('shim-15.8')
  expect(failed.load({ ...PLAIN, Machine: 0x14c }).image).toBe(null)
  expect([...failed.memory.claims()].some(({ label }) => label === 'uki:file')).toBe(false)
})

test('PE-51 applies fixups by the directory of the file and leaves the headers', () => {
  const block = (type: number, length = 12): Uint8Array => {
    const bytes = new Uint8Array(12)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, 0x1000, true)
    view.setUint32(4, length, true)
    view.setUint16(8, type * 0x1000 + 8, true)
    return bytes
  }
  const directories = (at: number) =>
    Array.from({ length: 16 }, (_, i) => (i === 5 ? ([at, 12] as const) : ([0, 0] as const)))
  const pe = (bytes: Uint8Array, at = 0x2000, ImageBase = 0n) =>
    goodPe([FIRST, { name: '.reloc', VirtualAddress: 0x2000, VirtualSize: 12, raw: 12, bytes }], {
      directories: directories(at),
      ImageBase,
    })
  for (const id of ['u-boot-2022.01', 'grub-debian']) {
    const machine = machineOf(id)
    const base = machine.load(pe(block(10), 0x2000, 0x123000n)).image?.base ?? 0
    expect([id, u64At(machine.memory, base + 0x1008)]).toEqual([
      id,
      0x1010101010101010n + BigInt(base) - 0x123000n,
    ])
  }
  for (const id of ['u-boot-2022.01', 'grub-debian', 'rust-hypervisor-firmware', 'audk']) {
    const machine = machineOf(id)
    const { image } = machine.load(pe(block(10)))
    const word = (at: number) => u64At(machine.memory, (image?.base ?? 0) + at)
    expect([id, word(0x1008), word(0x80 + 24 + 24)]).toEqual([
      id,
      0x1010101010101010n + BigInt(image?.base ?? 0),
      0n,
    ])
    expect([id, refusalBy(id, pe(block(7))), refusalBy(id, pe(block(10, 0)))]).toEqual([
      id,
      'EFI_LOAD_ERROR PE-51',
      id.startsWith('u-boot') ? undefined : 'EFI_LOAD_ERROR PE-51',
    ])
    if (id === 'grub-debian')
      expect(outcomeOf(id, pe(block(10), 0x9000)).refused).toMatchObject({
        clause: 'PE-51',
        message: 'relocation block outside image',
      })
    else
      expect(outcomeOf(id, pe(block(10), 0x9000)).assumptions.join()).toMatch(
        /outside the image is not applied/,
      )
  }
})
