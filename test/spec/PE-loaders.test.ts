import { expect, test } from 'vitest'
import { rangeAt } from '../../src/bytes/range.ts'
import { PAGE } from '../../src/bytes/units.ts'
import { createFirmware } from '../../src/firmware/boot-services.ts'
import { firmwareNamed, innerLoader } from '../../src/firmware/firmwares.ts'
import type { LoadResult } from '../../src/firmware/services.ts'
import { Memory } from '../../src/memory/memory.ts'
import { Recorder } from '../../src/memory/recorder.ts'
import { CODE, goodPe, loadedBy, outcomeOf } from '../unit/firmware/loader-bench.ts'
import { descriptor, SMALL_MAP } from '../unit/firmware/small-machine.ts'
import { smallPe, type SmallPe } from '../unit/firmware/small-pe.ts'

const TOP = 0x1000000
const first = { VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x200 }
const plain = goodPe([first])
const status = (loader: string, pe: SmallPe): string | undefined => {
  const { refused } = outcomeOf(loader, pe)
  return refused === null ? undefined : `${refused.status} ${refused.clause}`
}

function machineOf(name: string, map = SMALL_MAP) {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  const { allocator, loader, contents } = firmwareNamed(name)
  const firmware = createFirmware({
    memory,
    recorder,
    map,
    allocator,
    loader,
    contents,
    assume: () => undefined,
  })
  const load = (pe: SmallPe): LoadResult =>
    firmware.loadImage({
      from: { kind: 'file', source: smallPe(pe) },
      name: 'uki',
      ownerOf: ({ name: object }) => ({ object, at: 0 }),
    })
  return { memory, recorder, firmware, load }
}

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
  const source = smallPe(goodPe([{ ...first, VirtualSize: 0 }]))
  memory.put(rangeAt(0x100000, 1).start, { source, at: 0, length: source.size }, 'file')
  const request = { name: 'kernel', ownerOf: () => ({ object: 'kernel', at: 0 }) }
  expect(firmware.loadImage({ ...request, from: { kind: 'file', source } }).status).toBe('EFI_SUCCESS')
  expect(
    firmware.loadImage({ ...request, from: { kind: 'memory', range: rangeAt(0x100000, source.size) } }),
  ).toMatchObject({ clause: 'PE-55' })
})

test('PE-28 adds SectionAlignment to the pages and leaves ImageBase alone', () => {
  for (const id of ['shim-13', 'shim-15.8', 'shim-16']) {
    expect(outcomeOf(id, { ...plain, ImageBase: 0x200000n }).loaded, id).toMatchObject({
      taken: 0x9000,
      base: TOP - PAGE - 0x9000,
    })
    expect(outcomeOf(id, { ...plain, SectionAlignment: 0x4000 }).loaded, id).toMatchObject({ taken: 0xc000 })
    expect(Number(outcomeOf(id, { ...plain, SectionAlignment: 0x4000 }).loaded?.base) % 0x4000).toBe(0)
  }
  expect(status('shim-16', { ...plain, SizeOfImage: 0x2000000 })).toBe('EFI_OUT_OF_RESOURCES PE-28')
  expect(outcomeOf('edk2-2022.11', { ...plain, ImageBase: 0x200000n }).loaded).toMatchObject({
    taken: 0x8000,
    base: 0x200000,
  })
})

test('PE-29 copies neither discardable nor unreadable sections', () => {
  const pe = (Characteristics: number) =>
    goodPe([first, { VirtualAddress: 0x2000, VirtualSize: 0x200, raw: 0x100, Characteristics }])
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
      expect([id, odd, status(id, goodPe([first, { ...odd, raw: 0x100 }]))]).toEqual([
        id,
        odd,
        far
          ? undefined
          : ['shim-13', 'grub-rhboot'].includes(id)
            ? 'EFI_UNSUPPORTED PE-30'
            : 'EFI_UNSUPPORTED PE-55',
      ])
    }
    expect(status(id, goodPe([first, { VirtualAddress: 0x7000, VirtualSize: 0x1002, raw: 0x100 }]))).toMatch(
      /^EFI_UNSUPPORTED PE-(?:30|55)$/,
    )
    expect(
      status(
        id,
        goodPe([
          first,
          { VirtualAddress: 0x9000, VirtualSize: 0x100, raw: 0x100, Characteristics: 0x42000040 },
        ]),
      ),
    ).toBe(undefined)
    expect(
      status(
        id,
        goodPe([
          first,
          { VirtualAddress: 0x7000, VirtualSize: 0x1002, raw: 0x100, Characteristics: 0x42000040 },
        ]),
      ),
    ).toMatch(/^EFI_UNSUPPORTED PE-(?:30|55)$/)
  }
  expect(
    outcomeOf('shim-16', goodPe([first, { VirtualAddress: 0x2000, VirtualSize: 0, raw: 0x100 }])).refused
      ?.message,
  ).toBe('Section 1 has negative size')
})

test('PE-31 wants the entry point in exactly one section', () => {
  const twice = goodPe([first, { VirtualAddress: 0x1000, VirtualSize: 0x100, raw: 0x100 }])
  for (const id of ['shim-13', 'shim-15.6', 'shim-15.7', 'shim-15.8', 'shim-16', 'grub-rhboot']) {
    expect(outcomeOf(id, twice).refused).toMatchObject({
      status: 'EFI_UNSUPPORTED',
      clause: 'PE-31',
      message: '2 sections contain entry point',
    })
    expect(outcomeOf(id, { ...plain, AddressOfEntryPoint: 0x2000 }).refused).toMatchObject({
      clause: 'PE-31',
      message: 'Entry point is not within sections',
    })
    expect(status(id, { ...plain, AddressOfEntryPoint: 0x8000 })).toBe('EFI_UNSUPPORTED PE-31')
    expect(status(id, { ...plain, AddressOfEntryPoint: 0x11fe })).toBe(undefined)
    expect([id, status(id, { ...plain, AddressOfEntryPoint: 0x11ff })]).toEqual([
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
    expect([odd, status('shim-16', { ...plain, ...odd })]).toEqual([odd, 'EFI_UNSUPPORTED PE-32'])
  expect(outcomeOf('shim-16', { ...plain, SectionAlignment: 0 }).loaded?.taken).toBe(0x9000)
  expect(
    outcomeOf('shim-16', { ...plain, SectionAlignment: 0x1000, FileAlignment: 0x2000 }).loaded?.taken,
  ).toBe(0xa000)
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
        first,
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
  const word = (at: number) =>
    new DataView(machine.memory.readRaw(rangeAt((image?.base ?? 0) + at, 8)).buffer).getBigUint64(0, true)
  expect(word(0x1008)).toBe(0x1010101010101010n + BigInt(image?.base ?? 0))
  expect(word(0x80 + 24 + 24)).toBe(0n)
  const reloc = (VirtualSize: number, size: number) =>
    goodPe(
      [
        first,
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
    return (
      new DataView(bench.memory.readRaw(rangeAt(result.image.base + 0x1008, 8)).buffer).getBigUint64(
        0,
        true,
      ) !== 0x1010101010101010n
    )
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

test('PE-33 copies all raw bytes over whatever follows', () => {
  const long = goodPe([first, { VirtualAddress: 0x7f00, VirtualSize: 0x100, raw: 0x400 }])
  for (const id of ['shim-13', 'grub-rhboot', 'grub-debian', 'u-boot-2020.10'])
    expect([
      id,
      loadedBy(id, goodPe([first, { VirtualAddress: 0x2000, VirtualSize: 0x100, raw: 0x400 }])).includes(
        '2000 .s1, 2400 stale',
      ),
    ]).toEqual([id, true])
  const machine = machineOf('u-boot-2020.10')
  const { image } = machine.load(long)
  expect(
    [...machine.memory.extents(rangeAt((image?.base ?? 0) + 0x8000, 0x100))].map(({ content }) => content),
  ).toMatchObject([{ kind: 'bytes' }])
  expect(
    loadedBy('shim-15.8', goodPe([first, { VirtualAddress: 0x2000, VirtualSize: 0x100, raw: 0x400 }])),
  ).toContain('2000 .s1, 2100 stale')
})

test('PE-34 takes a pool buffer of loader data', () => {
  const machine = machineOf('grub-rhboot')
  const { image } = machine.load(plain)
  expect(
    machine.recorder.steps.some(step => step.what.startsWith('AllocatePool(EfiLoaderData, 0x9000 bytes)')),
  ).toBe(true)
  expect(Number(image?.base) % PAGE).toBe(0)
  expect(machine.firmware.unloadImage(image ?? expect.fail('refused'))).toBe('EFI_SUCCESS')
  expect(machine.load({ ...plain, SizeOfImage: 0x2000000 })).toMatchObject({
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
  expect(Number(outcomeOf('grub-debian', plain, map).loaded?.base)).toBeGreaterThan(0x80000000)
  expect(Number(outcomeOf('grub-debian', plain, map).loaded?.base)).toBeLessThan(0x90000000)
  expect(
    outcomeOf('grub-debian', goodPe([first, { VirtualAddress: 0x200, VirtualSize: 0x100, raw: 0 }])).refused,
  ).toMatchObject({ clause: 'PE-35', message: 'section inside header' })
  expect(outcomeOf('grub-debian', { ...plain, SectionAlignment: 0x4000 }).loaded?.taken).toBe(0xb000)
  expect(
    status('grub-debian', goodPe([first, { VirtualAddress: 0x7000, VirtualSize: 0x1001, raw: 0 }])),
  ).toBe('EFI_LOAD_ERROR PE-35')
  expect(
    status(
      'grub-debian',
      goodPe([first, { VirtualAddress: 0x2000, VirtualSize: 0x100, raw: 0x200 }], { fileSize: 0x700 }),
    ),
  ).toBe('EFI_LOAD_ERROR PE-35')
  expect(status('grub-debian', { ...plain, Machine: 0x14c })).toBe('EFI_LOAD_ERROR PE-35')
  expect(status('grub-debian', { ...plain, Subsystem: 11 })).toBe('EFI_LOAD_ERROR PE-35')
})

test('PE-36 has the firmware load a copy in pages of loader code', () => {
  const machine = machineOf('grub')
  const { image } = machine.load(plain)
  expect(image?.pages).toEqual(rangeAt(TOP - PAGE - 0x8000, 0x8000))
  expect(
    machine.recorder.steps.some(
      step => step.what === 'AllocatePages(AnyPages, EfiLoaderCode, 0x1 pages) for uki:file',
    ),
  ).toBe(true)
  expect(machine.load({ ...plain, Subsystem: 9 })).toMatchObject({
    status: 'EFI_UNSUPPORTED',
    clause: 'PE-8',
    message: null,
  })
})

test('PE-37 computes the size of the image from the sections', () => {
  const odd = goodPe([first, { VirtualAddress: 0x9000, VirtualSize: 0, raw: 0x1800 }], {
    SizeOfImage: 0x1000,
  })
  expect(outcomeOf('u-boot-2022.01', odd).loaded).toMatchObject({ taken: 0xb000, imageSize: 0xa800 })
  expect(outcomeOf('u-boot-2021.04', odd).loaded).toMatchObject({ taken: 0x9000, imageSize: 0x9000 })
  expect(outcomeOf('u-boot-2022.01', goodPe([{ ...first, VirtualSize: 0x2000000 }])).refused).toMatchObject({
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
    expect(machine.load({ ...plain, ...odd })).toMatchObject({ status: 'EFI_LOAD_ERROR', clause: 'PE-39' })
  }
  for (const odd of [
    { Subsystem: 99 },
    { NumberOfRvaAndSizes: 15 },
    { SizeOfHeaders: 0 },
    { Characteristics: 0x23 },
  ] satisfies SmallPe[])
    expect([odd, status('u-boot-2022.01', { ...plain, ...odd })]).toEqual([odd, undefined])
  expect(loadedBy('u-boot-2022.01', plain)).toMatch(/^0 headers, 250 stale, /)
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
  const pe = { ...plain, SectionAlignment: 0x4000 }
  expect(outcomeOf('u-boot-2022.01', pe, map).loaded).toMatchObject({ base: 0x1000000, taken: 0x2000 })
  expect(Number(outcomeOf('u-boot-2021.10', pe, map).loaded?.base) % 0x4000).not.toBe(0)
  expect(status('u-boot-2022.01', { ...plain, SectionAlignment: 0x3000 })).toBe('EFI_OUT_OF_RESOURCES PE-37')
  const machine = machineOf('u-boot-2022.01', map)
  machine.load(pe)
  expect(machine.firmware.memoryMap().filter(({ type }) => type === 1)).toEqual([
    descriptor(1, 0x1000000, 0x1002000),
  ])
})

test('PE-42 takes pages for the file, at ImageBase or 2 MiB', () => {
  const { loaded, strayed } = outcomeOf(
    'rust-hypervisor-firmware',
    goodPe([first, { VirtualAddress: 0x4000, VirtualSize: 0x1000, raw: 0x200 }]),
  )
  expect(loaded).toEqual({ base: 0x200000, taken: PAGE, imageSize: 0x8000 })
  expect(strayed[0]).toMatchObject({ from: 0x1000 })
  expect(outcomeOf('rust-hypervisor-firmware', { ...plain, ImageBase: 0x300000n }).loaded?.base).toBe(
    0x300000,
  )
  expect(
    outcomeOf('rust-hypervisor-firmware', { ...plain, ImageBase: 0x800000n }).assumptions.join(),
  ).toMatch(/although these pages are not free in the map/)
  expect(status('rust-hypervisor-firmware', { ...plain, ImageBase: 2n ** 60n })).toBe('EFI_LOAD_ERROR PE-42')
  expect(status('rust-hypervisor-firmware', goodPe(Array.from({ length: 20 }, () => first)))).toBe(
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
      goodPe([first, { VirtualAddress: 0x2000, VirtualSize: 0x300, raw: 0x200, PointerToRawData: 0x600 }]),
    ),
  ).toContain('2000 .s1, 2200 zero, 2300 stale')
  expect(
    loadedBy(
      'rust-hypervisor-firmware',
      goodPe([first, { VirtualAddress: 0x2000, VirtualSize: 0x300, raw: 0x200, PointerToRawData: 0x700 }]),
    ),
  ).toContain('1200 zero, 2300 stale')
  expect(
    status(
      'rust-hypervisor-firmware',
      goodPe([first, { VirtualAddress: 0x2000, VirtualSize: 0x200, raw: 0x200 }], { fileSize: 0x700 }),
    ),
  ).toBe('EFI_LOAD_ERROR PE-43')
})

test('PE-44 stops where SizeOfImage ends', () => {
  expect(status('rust-hypervisor-firmware', { ...plain, SizeOfImage: 0x1fff })).toBe('EFI_ABORTED PE-44')
  expect(status('rust-hypervisor-firmware', { ...plain, SizeOfImage: 0x2000 })).toBe(undefined)
  expect(status('rust-hypervisor-firmware', { ...plain, SizeOfImage: 0x380 })).toBe('EFI_ABORTED PE-44')
})

test('PE-45 zeroes the whole image before anything else', () => {
  expect(
    loadedBy('patina', goodPe([first, { VirtualAddress: 0x3000, VirtualSize: 0x100, raw: 0x100 }])),
  ).toBe('0 headers, 400 zero, 1000 .s0, 1200 zero, 3000 .s1, 3100 zero')
})

test('PE-46 wants alignments of whole pages', () => {
  for (const odd of [
    { SectionAlignment: 0 },
    { SectionAlignment: 0x200 },
    { SizeOfImage: 0x8800 },
  ] satisfies SmallPe[])
    expect([odd, status('patina', { ...plain, ...odd })]).toEqual([odd, 'EFI_LOAD_ERROR PE-46'])
  for (const odd of [{ Machine: 0x14c }] satisfies SmallPe[])
    expect([odd, status('patina', { ...plain, ...odd })]).toEqual([odd, 'EFI_UNSUPPORTED PE-46'])
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
    loadedBy('patina', goodPe([first, { VirtualAddress: 0x2000, VirtualSize: 0, raw: 0x200 }])),
  ).toContain('2000 .s1, 2200 zero')
  expect(status('patina', goodPe([first, { VirtualAddress: 0x7000, VirtualSize: 0x1001, raw: 0 }]))).toBe(
    undefined,
  )
  expect(status('patina', goodPe([first, { VirtualAddress: 0x7f00, VirtualSize: 0x200, raw: 0x200 }]))).toBe(
    'EFI_LOAD_ERROR PE-47',
  )
})

test('PE-48 refuses what is not ascending and disjoint', () => {
  const second = (VirtualAddress: number) =>
    goodPe([first, { VirtualAddress, VirtualSize: 0x800, raw: 0x100 }])
  for (const id of ['audk', 'audk-strict']) {
    expect(status(id, second(0x1fff))).toBe('EFI_VOLUME_CORRUPTED PE-48')
    expect(status(id, second(0x2000))).toBe(undefined)
    for (const odd of [
      { sections: [] },
      { SectionAlignment: 0x3000 },
      { AddressOfEntryPoint: 0x2000 },
      { ImageBase: 0x800n },
      { SizeOfHeaders: 0x180 },
      { Machine: 0x14c },
    ] satisfies SmallPe[])
      expect([odd, status(id, { ...plain, ...odd })]).toEqual([
        odd,
        odd.Machine === undefined ? 'EFI_VOLUME_CORRUPTED PE-48' : 'EFI_UNSUPPORTED PE-48',
      ])
  }
  expect([status('audk', second(0x3000)), status('audk-strict', second(0x3000))]).toEqual([
    undefined,
    'EFI_VOLUME_CORRUPTED PE-48',
  ])
  expect(status('audk', goodPe([{ ...first, VirtualAddress: 0x200 }], { AddressOfEntryPoint: 0x300 }))).toBe(
    'EFI_VOLUME_CORRUPTED PE-48',
  )
})

test('PE-49 ends the image with its last section and zeroes the rest', () => {
  expect(
    outcomeOf('audk', goodPe([first, { VirtualAddress: 0x3000, VirtualSize: 0x100, raw: 0x80 }])).loaded
      ?.imageSize,
  ).toBe(0x4000)
  expect(
    outcomeOf('audk', goodPe([first, { VirtualAddress: 0x3010, VirtualSize: 0x100, raw: 0x80 }])).loaded
      ?.imageSize,
  ).toBe(0x3110)
  expect(
    loadedBy('audk', goodPe([first, { VirtualAddress: 0x3000, VirtualSize: 0x100, raw: 0x80 }])),
  ).toMatch(/^0 headers, 400 zero, 1000 .s0, 1200 zero, 3000 .s1, 3080 zero, 4000 stale/)
  expect(loadedBy('audk', goodPe([{ VirtualAddress: 0, VirtualSize: 0x2000, raw: 0x200 }]))).toMatch(
    /^0 .s0, 200 zero, 2000 /,
  )
})

test('PE-50 keeps the file while the image runs, or gives it back', () => {
  const kept = (name: string) =>
    machineOf(name).load(plain).image !== null &&
    [...loadedMachine(name).memory.claims()].some(({ label }) => label === 'uki:file')
  const loadedMachine = (name: string) => {
    const machine = machineOf(name)
    machine.load(plain)
    return machine
  }
  for (const id of ['shim-13', 'shim-15.8', 'grub-rhboot']) expect([id, kept(id)]).toEqual([id, true])
  for (const id of ['edk2-2022.11', 'shim-16', 'u-boot-2022.01', 'grub', 'rust-hypervisor-firmware'])
    expect([id, kept(id)]).toEqual([id, false])
  const failed = machineOf('shim-15.8')
  expect(failed.load({ ...plain, Machine: 0x14c }).image).toBe(null)
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
  const pe = (bytes: Uint8Array, at = 0x2000) =>
    goodPe([first, { name: '.reloc', VirtualAddress: 0x2000, VirtualSize: 12, raw: 12, bytes }], {
      directories: directories(at),
    })
  for (const id of ['u-boot-2022.01', 'grub-debian', 'rust-hypervisor-firmware', 'audk']) {
    const machine = machineOf(id)
    const { image } = machine.load(pe(block(10)))
    const word = (at: number) =>
      new DataView(machine.memory.readRaw(rangeAt((image?.base ?? 0) + at, 8)).buffer).getBigUint64(0, true)
    expect([id, word(0x1008), word(0x80 + 24 + 24)]).toEqual([
      id,
      0x1010101010101010n + BigInt(image?.base ?? 0),
      0n,
    ])
    expect([id, status(id, pe(block(7))), status(id, pe(block(10, 0)))]).toEqual([
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

test('PE-52 takes pages up to the furthest section', () => {
  const pe = goodPe([first, { VirtualAddress: 0x4000, VirtualSize: 0x1800, raw: 0x200 }], {
    SizeOfImage: 0x1000,
    Machine: 0xaa64,
    Subsystem: 1,
    SectionAlignment: 0x4000,
  })
  expect(outcomeOf('lanzaboote', pe).loaded).toMatchObject({ taken: 0x2000 + 0x4000, imageSize: 0x5800 })
  expect(
    status('lanzaboote', goodPe([first, { VirtualAddress: 0xfffff000, VirtualSize: 0x2000, raw: 0 }])),
  ).toBe('EFI_LOAD_ERROR PE-52')
  expect(status('lanzaboote', goodPe([{ ...first, VirtualSize: 0x2000000 }]))).toBe(
    'EFI_OUT_OF_RESOURCES PE-52',
  )
  expect(status('lanzaboote', goodPe([{ VirtualAddress: 0, VirtualSize: 0, raw: 0 }]))).toBe(
    'EFI_NOT_FOUND PE-52',
  )
})

test('PE-53 zeroes the image, copies sections and never the headers', () => {
  expect(
    loadedBy('lanzaboote', goodPe([first, { VirtualAddress: 0x2000, VirtualSize: 0x280, raw: 0x300 }])),
  ).toBe('0 zero, 1000 .s0, 1200 zero, 2000 .s1, 2280 stale, 3000 no-memory')
  expect(loadedBy('lanzaboote', goodPe([first], { fileSize: 0x500 }))).toBe('EFI_LOAD_ERROR PE-53')
})

test('PE-54 refuses relocations, and an entry point after the sections', () => {
  const directories = Array.from({ length: 16 }, (_, i) => (i === 5 ? ([0, 1] as const) : ([0, 0] as const)))
  expect(status('lanzaboote', { ...plain, directories })).toBe('EFI_INCOMPATIBLE_VERSION PE-54')
  expect(status('lanzaboote', { ...plain, AddressOfEntryPoint: 0x2000 })).toBe('EFI_LOAD_ERROR PE-54')
  expect(status('lanzaboote', plain)).toBeUndefined()
})

test('PE-55 hashes the file first, and comes upon sections that it would not load', () => {
  const inHeaders = goodPe([
    first,
    { VirtualAddress: 0x200, VirtualSize: 0x100, raw: 0x100, Characteristics: 0x42000040 },
  ])
  const twice = goodPe(
    [first, { VirtualAddress: 0x2000, VirtualSize: 0x200, raw: 0x200, PointerToRawData: 0x400 }],
    { fileSize: 0x700 },
  )
  for (const id of ['shim-13', 'shim-15.6', 'shim-15.7', 'shim-15.8', 'shim-16', 'grub-rhboot']) {
    expect([id, status(id, inHeaders)]).toEqual([
      id,
      ['shim-13', 'grub-rhboot'].includes(id) ? undefined : 'EFI_UNSUPPORTED PE-55',
    ])
    expect(outcomeOf(id, twice).refused).toMatchObject({
      status: 'EFI_INVALID_PARAMETER',
      clause: 'PE-55',
      message: 'Malformed section 1 size',
    })
  }
  expect(status('edk2-2022.11', twice)).toBe(undefined)
})

test('PE-56 puts patina’s image anywhere', () => {
  expect(outcomeOf('patina', { ...plain, ImageBase: 0x200000n }).loaded?.base).toBe(
    outcomeOf('patina', plain).loaded?.base,
  )
  expect(outcomeOf('edk2-2022.11', { ...plain, ImageBase: 0x200000n }).loaded?.base).toBe(0x200000)
  expect(outcomeOf('patina', { ...plain, SectionAlignment: 0x4000 }).loaded).toMatchObject({ taken: 0xc000 })
  expect(status('patina', { ...plain, SizeOfImage: 0x2000000 })).toBe('EFI_OUT_OF_RESOURCES PE-56')
})
