import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { PAGE } from '../../../src/bytes/units.ts'
import { createFirmware } from '../../../src/firmware/boot-services.ts'
import { firmwareNamed, innerLoader } from '../../../src/firmware/firmwares.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'
import { u64At } from '../../support/bytes.ts'
import { FIRST, machineOf, PLAIN, refusalBy, TOP } from '../../support/image-loader-runs.ts'
import { CODE, goodPe, loadedBy, outcomeOf } from '../../unit/firmware/loader-bench.ts'
import { SMALL_MAP, smallMachine } from '../../unit/firmware/small-machine.ts'
import { smallPe, type SmallPe } from '../../unit/firmware/small-pe.ts'

test('PE-27 gives later stages to shim 16 under Secure Boot, else to the DXE core', () => {
  const inner = (name: string, secureBoot: boolean) => innerLoader(firmwareNamed(name), secureBoot).id
  expect([
    inner('shim-16', true),
    inner('shim-16', false),
    inner('shim-15.8', true),
    inner('u-boot-2022.01', true),
  ]).toEqual(['shim-16', 'edk2-2022.11', 'edk2-2022.11', 'u-boot-2022.01'])
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  const firmware = createFirmware({
    memory,
    recorder,
    map: SMALL_MAP,
    loader: firmwareNamed('edk2-2022.11').loader,
    inner: firmwareNamed('shim-16').loader,
    contents: 'ovmf',
    assume: () => undefined,
  })
  const source = smallPe(goodPe([{ ...FIRST, VirtualSize: 0 }]))
  memory.put(rangeAt(0x100000, 1).start, { source, at: 0, length: source.size }, 'file')
  const request = { name: 'kernel', ownerOf: () => ({ object: 'kernel', at: 0 }) }
  expect(firmware.loadImage({ ...request, from: { kind: 'file', source } }).status).toBe('EFI_SUCCESS')
  expect(
    firmware.loadImage({ ...request, from: { kind: 'memory', range: rangeAt(0x100000, source.size) } }),
  ).toMatchObject({ clause: 'PE-55' })
  // Where nobody replaced LoadImage there is no such step
  const plain = smallMachine()
  plain.memory.put(rangeAt(0x100000, 1).start, { source, at: 0, length: source.size }, 'file')
  plain.firmware.loadImage({ ...request, from: { kind: 'memory', range: rangeAt(0x100000, source.size) } })
  expect(plain.recorder.steps.some(({ clause }) => clause === 'PE-27')).toBe(false)
})

test('PE-28 adds SectionAlignment to the pages and leaves ImageBase alone', () => {
  for (const id of ['shim-13', 'shim-15.8', 'shim-16']) {
    expect(outcomeOf(id, { ...PLAIN, ImageBase: 0x200000n }).loaded, id).toMatchObject({
      // SizeOfImage and SectionAlignment; the page at the top has the file
      taken: 0x8000 + PAGE,
      base: TOP - PAGE - 0x9000,
    })
    expect(outcomeOf(id, { ...PLAIN, SectionAlignment: 0x4000 }).loaded, id).toMatchObject({
      taken: 0x8000 + 0x4000,
    })
    expect(Number(outcomeOf(id, { ...PLAIN, SectionAlignment: 0x4000 }).loaded?.base) % 0x4000).toBe(0)
  }
  expect(refusalBy('shim-16', { ...PLAIN, SizeOfImage: 0x2000000 })).toBe('EFI_OUT_OF_RESOURCES PE-28')
  expect(outcomeOf('edk2-2022.11', { ...PLAIN, ImageBase: 0x200000n }).loaded).toMatchObject({
    taken: 0x8000,
    base: 0x200000,
  })
})

test('PE-29 copies neither discardable nor unreadable sections', () => {
  const pe = (Characteristics: number) =>
    goodPe([FIRST, { VirtualAddress: 0x2000, VirtualSize: 0x200, raw: 0x100, Characteristics }])
  for (const id of ['shim-15.6', 'shim-15.8', 'shim-16']) {
    expect(loadedBy(id, pe(0x42000040))).toBe('0 headers, 400 stale, 1000 .s0, 1200 zero, 2000 stale')
    expect(loadedBy(id, pe(0x20000020))).toBe('0 headers, 400 stale, 1000 .s0, 1200 zero, 2000 stale')
    expect(loadedBy(id, pe(CODE))).toBe(
      '0 headers, 400 stale, 1000 .s0, 1200 zero, 2000 .s1, 2100 zero, 2200 stale',
    )
  }
  expect(loadedBy('shim-13', pe(0x20000020))).toBe(
    '0 headers, 400 stale, 1000 .s0, 1200 zero, 2000 .s1, 2100 zero, 2200 stale',
  )
})

test('PE-30 refuses sections that leave the image, have no size or lie in the headers', () => {
  for (const id of ['shim-13', 'shim-15.8', 'shim-16', 'grub-rhboot']) {
    for (const odd of [
      { VirtualAddress: 0x2000, VirtualSize: 0 },
      { VirtualAddress: 0x7000, VirtualSize: 0x1001 },
      { VirtualAddress: 0x9000, VirtualSize: 0x100 },
      { VirtualAddress: 0x200, VirtualSize: 0x100 },
    ]) {
      const far = odd.VirtualAddress === 0x7000 && id === 'shim-13'
      const refusal = `EFI_UNSUPPORTED ${['shim-13', 'grub-rhboot'].includes(id) ? 'PE-30' : 'PE-55'}`
      expect([id, odd, refusalBy(id, goodPe([FIRST, { ...odd, raw: 0x100 }]))]).toEqual([
        id,
        odd,
        far ? undefined : refusal,
      ])
    }
    expect(
      refusalBy(id, goodPe([FIRST, { VirtualAddress: 0x7000, VirtualSize: 0x1002, raw: 0x100 }])),
    ).toMatch(/^EFI_UNSUPPORTED PE-(?:30|55)$/)
    expect(
      refusalBy(
        id,
        goodPe([
          FIRST,
          { VirtualAddress: 0x9000, VirtualSize: 0x100, raw: 0x100, Characteristics: 0x42000040 },
        ]),
      ),
    ).toBe(undefined)
    expect(
      refusalBy(
        id,
        goodPe([
          FIRST,
          { VirtualAddress: 0x7000, VirtualSize: 0x1002, raw: 0x100, Characteristics: 0x42000040 },
        ]),
      ),
    ).toMatch(/^EFI_UNSUPPORTED PE-(?:30|55)$/)
  }
  expect(
    outcomeOf('shim-16', goodPe([FIRST, { VirtualAddress: 0x2000, VirtualSize: 0, raw: 0x100 }])).refused
      ?.message,
  ).toBe('Section 1 has negative size')
})

test('PE-31 wants the entry point in exactly one section', () => {
  const twice = goodPe([FIRST, { VirtualAddress: 0x1000, VirtualSize: 0x100, raw: 0x100 }])
  for (const id of ['shim-13', 'shim-15.6', 'shim-15.7', 'shim-15.8', 'shim-16', 'grub-rhboot']) {
    expect(outcomeOf(id, twice).refused).toMatchObject({
      status: 'EFI_UNSUPPORTED',
      clause: 'PE-31',
      message: '2 sections contain entry point',
    })
    expect(outcomeOf(id, { ...PLAIN, AddressOfEntryPoint: 0x2000 }).refused).toMatchObject({
      clause: 'PE-31',
      message: 'Entry point is not within sections',
    })
    expect(refusalBy(id, { ...PLAIN, AddressOfEntryPoint: 0x8000 })).toBe('EFI_UNSUPPORTED PE-31')
    expect(refusalBy(id, { ...PLAIN, AddressOfEntryPoint: 0x11fe })).toBe(undefined)
    expect([id, refusalBy(id, { ...PLAIN, AddressOfEntryPoint: 0x11ff })]).toEqual([
      id,
      ['shim-15.7', 'shim-15.8', 'shim-16'].includes(id) ? undefined : 'EFI_UNSUPPORTED PE-31',
    ])
  }
})

test('PE-32 reads headers and relocations as shim does', () => {
  for (const odd of [
    { Characteristics: 0x23 },
    { Machine: 0x14c },
    { FileAlignment: 3 },
    { NumberOfRvaAndSizes: 15 },
    { SizeOfHeaders: 0x180 },
    { SizeOfImage: 0x1a0 },
  ] satisfies SmallPe[])
    expect([odd, refusalBy('shim-16', { ...PLAIN, ...odd })]).toEqual([odd, 'EFI_UNSUPPORTED PE-32'])
  expect(outcomeOf('shim-16', { ...PLAIN, SectionAlignment: 0 }).loaded?.taken).toBe(0x8000 + PAGE)
  expect(
    outcomeOf('shim-16', { ...PLAIN, SectionAlignment: 0x1000, FileAlignment: 0x2000 }).loaded?.taken,
  ).toBe(0x8000 + 0x2000)
  const block = new Uint8Array(12)
  new DataView(block.buffer).setUint32(0, 0x1000, true)
  new DataView(block.buffer).setUint32(4, 12, true)
  new DataView(block.buffer).setUint16(8, 0xa008, true)
  const directories = Array.from({ length: 16 }, (_, i) =>
    i === 5 ? ([0x3000, 12] as const) : ([0, 0] as const),
  )
  const machine = machineOf('shim-16')
  const { image } = machine.load(
    goodPe(
      [
        FIRST,
        {
          name: '.reloc',
          VirtualAddress: 0x3000,
          VirtualSize: 12,
          raw: 12,
          bytes: block,
          Characteristics: 0x42000040,
        },
      ],
      { directories },
    ),
  )
  const word = (at: number) => u64At(machine.memory, (image?.base ?? 0) + at)
  expect(word(0x1008)).toBe(0x1010101010101010n + BigInt(image?.base ?? 0))
  expect(word(0x80 + 24 + 24)).toBe(0n)
  const reloc = (VirtualSize: number, size: number) =>
    goodPe(
      [
        FIRST,
        {
          name: '.reloc',
          VirtualAddress: 0x3000,
          VirtualSize,
          raw: 0x10,
          bytes: block,
          Characteristics: 0x42000040,
        },
      ],
      { directories: directories.map((entry, i) => (i === 5 ? ([0x3000, size] as const) : entry)) },
    )
  const relocated = (id: string, pe: SmallPe): boolean | string => {
    const bench = machineOf(id)
    const result = bench.load(pe)
    if (result.image === null) return `${result.status} ${result.clause}`
    return u64At(bench.memory, result.image.base + 0x1008) !== 0x1010101010101010n
  }
  for (const [id, longer] of [
    ['shim-13', false],
    ['shim-15.7', false],
    ['shim-15.8', true],
    ['shim-16', true],
  ] as const)
    expect([id, relocated(id, reloc(12, 12)), relocated(id, reloc(16, 12))]).toEqual([id, true, longer])
  expect([relocated('shim-15.7', reloc(8, 12)), relocated('shim-15.8', reloc(8, 12))]).toEqual([
    false,
    'EFI_UNSUPPORTED PE-32',
  ])
  expect(outcomeOf('shim-16', reloc(8, 12)).refused?.message).toBe('Relocation section is invalid')
})

test('PE-55 hashes the file first, and comes upon sections that it would not load', () => {
  const inHeaders = goodPe([
    FIRST,
    { VirtualAddress: 0x200, VirtualSize: 0x100, raw: 0x100, Characteristics: 0x42000040 },
  ])
  const twice = goodPe(
    [FIRST, { VirtualAddress: 0x2000, VirtualSize: 0x200, raw: 0x200, PointerToRawData: 0x400 }],
    { fileSize: 0x700 },
  )
  for (const id of ['shim-13', 'shim-15.6', 'shim-15.7', 'shim-15.8', 'shim-16', 'grub-rhboot']) {
    expect([id, refusalBy(id, inHeaders)]).toEqual([
      id,
      ['shim-13', 'grub-rhboot'].includes(id) ? undefined : 'EFI_UNSUPPORTED PE-55',
    ])
    expect(outcomeOf(id, twice).refused).toMatchObject({
      status: 'EFI_INVALID_PARAMETER',
      clause: 'PE-55',
      message: 'Malformed section 1 size',
    })
  }
  expect(refusalBy('edk2-2022.11', twice)).toBe(undefined)
})

test('PE-55 a file that lacks one byte of what is hashed, or of a section, is refused', () => {
  const exact = goodPe([FIRST])
  const length = 0x400 + FIRST.raw
  expect(outcomeOf('shim-16', { ...exact, fileSize: length }).refused).toBeNull()
  expect(outcomeOf('shim-16', { ...exact, fileSize: length - 1 }).refused).toMatchObject({
    clause: 'PE-55',
    message: 'Malformed section 0 size',
  })
  // With a gap before the section there are bytes enough, but not where the section says
  const apart = goodPe([{ ...FIRST, PointerToRawData: 0x600 }])
  expect(outcomeOf('shim-16', { ...apart, fileSize: 0x600 + FIRST.raw }).refused).toBeNull()
  expect(outcomeOf('shim-16', { ...apart, fileSize: 0x600 + FIRST.raw - 1 }).refused).toMatchObject({
    clause: 'PE-55',
    message: 'Malformed section header',
  })
})

test('PE-55 certificates must follow what is hashed; a section that is not loaded may lie anywhere', () => {
  const signed = (size: number) =>
    goodPe([FIRST], {
      fileSize: 0x700,
      directories: Array.from({ length: 16 }, (_, i) =>
        i === 4 ? ([0x700 - size, size] as const) : ([0, 0] as const),
      ),
    })
  expect(outcomeOf('shim-16', signed(0x100)).refused).toBeNull()
  expect(outcomeOf('shim-16', signed(0x108)).refused).toMatchObject({ clause: 'PE-55' })
  const discardable = { VirtualAddress: 0x9000, VirtualSize: 0x100, raw: 0, Characteristics: 0x42000040 }
  expect(outcomeOf('shim-16', goodPe([FIRST, discardable])).refused).toBeNull()
  const beyond = { VirtualAddress: 0x7000, VirtualSize: 0x1002, raw: 0x100 }
  expect(outcomeOf('shim-16', goodPe([FIRST, beyond])).refused?.message).toBe('Section 1 has zero size')
})
