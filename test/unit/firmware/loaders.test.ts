import { expect, test } from 'vitest'
import { FIRMWARES, firmwareNamed, innerLoader } from '../../../src/firmware/firmwares.ts'
import { IMAGE_LOADERS, imageLoaderNamed } from '../../../src/firmware/image-loaders/image-loaders.ts'
import { textOf } from '../../support/files.ts'
import { goodPe, loadedBy } from './loader-bench.ts'
import type { SmallPe } from './small-pe.ts'

const first = { VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x200 }

/**
 * What each loader leaves of one odd section, from offset 0x1000 on where it loads. The rest of a row's
 * loaders do as EDK2 does.
 */
const CASES: readonly {
  readonly title: string
  readonly pe: SmallPe
  readonly edk2: string
  readonly others: Readonly<Record<string, string>>
}[] = [
  {
    title: 'a short section over a long one',
    pe: goodPe([
      { VirtualAddress: 0x1000, VirtualSize: 0x2000, raw: 0x1800 },
      { VirtualAddress: 0x2000, VirtualSize: 0x1800, raw: 0x200 },
    ]),
    edk2: '1000 .s0, 2000 .s1, 2200 zero, 3800 stale',
    others: {
      'u-boot': '1000 .s0, 2800 zero, 3800 stale',
      patina: '1000 .s0, 2000 .s1, 2200 .s0+1200, 2800 zero',
      audk: 'EFI_VOLUME_CORRUPTED PE-48',
      lanzaboote: '1000 .s0, 2000 .s1, 2200 .s0+1200, 2800 zero',
    },
  },
  {
    title: 'VirtualSize 0 with raw data',
    pe: goodPe([first, { VirtualAddress: 0x2000, VirtualSize: 0, raw: 0x200 }]),
    edk2: '1000 .s0, 1200 zero, 2000 .s1, 2200 stale',
    others: {
      shim: 'EFI_UNSUPPORTED PE-55',
      'shim-13': 'EFI_UNSUPPORTED PE-30',
      'grub-rhboot': 'EFI_UNSUPPORTED PE-30',
      'u-boot-2020.10': '1000 .s0, 1200 zero, 2000 stale',
      'u-boot-2021.04': '1000 .s0, 1200 zero, 2000 stale',
      'rust-hypervisor-firmware': '1000 .s0, 1200 zero, 2000 stale',
      patina: '1000 .s0, 1200 zero, 2000 .s1, 2200 zero',
      audk: '1000 .s0, 1200 zero, 2000 stale',
      lanzaboote: '1000 .s0, 1200 zero',
    },
  },
  {
    title: 'no raw data',
    pe: goodPe([first, { VirtualAddress: 0x2000, VirtualSize: 0x800, raw: 0, Characteristics: 0xc0000080 }]),
    edk2: '1000 .s0, 1200 zero, 2800 stale',
    others: { patina: '1000 .s0, 1200 zero', audk: '1000 .s0, 1200 zero, 3000 stale' },
  },
  {
    title: 'a tail past the end of the image',
    pe: goodPe([first, { VirtualAddress: 0x7000, VirtualSize: 0x1200, raw: 0x200 }]),
    edk2: 'EFI_LOAD_ERROR PE-16',
    others: {
      shim: 'EFI_UNSUPPORTED PE-55',
      'shim-13': 'EFI_UNSUPPORTED PE-30',
      'grub-rhboot': 'EFI_UNSUPPORTED PE-30',
      'grub-debian': 'EFI_LOAD_ERROR PE-35',
      'u-boot': '1000 .s0, 1200 zero, 2000 stale, 7000 .s1, 7200 zero',
      'rust-hypervisor-firmware': 'EFI_ABORTED PE-44',
      patina: '1000 .s0, 1200 zero, 7000 .s1, 7200 zero',
      'audk-strict': 'EFI_VOLUME_CORRUPTED PE-48',
      audk: '1000 .s0, 1200 zero, 7000 .s1, 7200 zero',
      lanzaboote: '1000 .s0, 1200 zero, 7000 .s1, 7200 zero',
    },
  },
  {
    title: 'more raw data than VirtualSize',
    pe: goodPe([first, { VirtualAddress: 0x2000, VirtualSize: 0x100, raw: 0x400 }]),
    edk2: '1000 .s0, 1200 zero, 2000 .s1, 2100 stale',
    others: {
      'shim-13': '1000 .s0, 1200 zero, 2000 .s1, 2400 stale',
      'grub-rhboot': '1000 .s0, 1200 zero, 2000 .s1, 2400 stale',
      'grub-debian': '1000 .s0, 1200 zero, 2000 .s1, 2400 stale',
      'u-boot-2020.10': '1000 .s0, 1200 zero, 2000 .s1, 2400 stale',
      patina: '1000 .s0, 1200 zero, 2000 .s1, 2100 zero',
      audk: '1000 .s0, 1200 zero, 2000 .s1, 2100 zero, 3000 stale',
    },
  },
  {
    title: 'a discardable section',
    pe: goodPe([
      first,
      { VirtualAddress: 0x2000, VirtualSize: 0x200, raw: 0x200, Characteristics: 0x42000040 },
    ]),
    edk2: '1000 .s0, 1200 zero, 2000 .s1, 2200 stale',
    others: {
      shim: '1000 .s0, 1200 zero, 2000 stale',
      'grub-rhboot': '1000 .s0, 1200 zero, 2000 stale',
      patina: '1000 .s0, 1200 zero, 2000 .s1, 2200 zero',
      audk: '1000 .s0, 1200 zero, 2000 .s1, 2200 zero, 3000 stale',
    },
  },
  {
    title: 'raw data inside a sector',
    pe: goodPe([first, { VirtualAddress: 0x2000, VirtualSize: 0x200, raw: 0x100, PointerToRawData: 0x610 }]),
    edk2: '1000 .s0, 1200 zero, 2000 .s1, 2100 zero, 2200 stale',
    others: {
      'rust-hypervisor-firmware': '1000 .s0, 1200 zero, 2200 stale',
      patina: '1000 .s0, 1200 zero, 2000 .s1, 2100 zero',
      audk: '1000 .s0, 1200 zero, 2000 .s1, 2100 zero, 3000 stale',
    },
  },
  {
    title: 'two sections around the entry point',
    pe: goodPe([
      { ...first, raw: 0x800 },
      { VirtualAddress: 0x1000, VirtualSize: 0x400, raw: 0x400 },
    ]),
    edk2: '1000 .s1, 1400 .s0+400, 1800 zero, 2000 stale',
    others: {
      shim: 'EFI_UNSUPPORTED PE-31',
      'grub-rhboot': 'EFI_UNSUPPORTED PE-31',
      'u-boot': '1000 .s0, 1800 zero, 2000 stale',
      patina: '1000 .s1, 1400 .s0+400, 1800 zero',
      audk: 'EFI_VOLUME_CORRUPTED PE-48',
    },
  },
]

test.each(CASES)('$title: every loader does what is written here', ({ pe, edk2, others }) => {
  for (const { id } of IMAGE_LOADERS) {
    const named = Object.keys(others)
      .filter(name => id === name || id.startsWith(`${name}-`))
      .sort((a, b) => b.length - a.length)[0]
    const expected = named === undefined ? edk2 : others[named]
    const tail = loadedBy(id, pe)
      .replace(/^0 (?:headers, [0-9a-f]+ (?:stale|zero)|zero), /u, '')
      .replace(/, [0-9a-f]+ no-memory$/u, '')
    expect([id, tail.replace(/(?:, [0-9a-f]+ stale)$/u, '')]).toEqual([
      id,
      expected?.replace(/(?:, [0-9a-f]+ stale)$/u, ''),
    ])
  }
})

test('every row has a name of its own, a firmware, and a source that sources.md knows', () => {
  expect(new Set(IMAGE_LOADERS.map(loader => loader.id)).size).toBe(IMAGE_LOADERS.length)
  expect(FIRMWARES.map(firmware => firmware.id)).toEqual(IMAGE_LOADERS.map(loader => loader.id))
  for (const { id, source } of IMAGE_LOADERS) expect(textOf('spec/sources.md'), id).toContain(`| ${source} |`)
  expect(imageLoaderNamed('patina').title).toMatch(/Rust/)
  expect(() => imageLoaderNamed('lilo')).toThrow('known are edk2-2020.11')
  expect(() => firmwareNamed('lilo')).toThrow('known are edk2-2020.11')
})

test('an EDK2 release brings its own allocator, others what lies below them', () => {
  const below = Object.fromEntries(
    FIRMWARES.map(({ id, allocator, contents }) => [id, `${allocator.id} ${contents}`]),
  )
  expect(below).toMatchObject({
    'edk2-2025.08': 'edk2-2025.08 ovmf',
    'shim-15.8': 'edk2-2022.11 ovmf',
    'u-boot-2022.01': 'u-boot residue',
    patina: 'patina residue',
    'rust-hypervisor-firmware': 'rust-hypervisor-firmware residue',
  })
  expect(innerLoader(firmwareNamed('edk2-2025.02'), false).id).toBe('edk2-2025.02')
})
