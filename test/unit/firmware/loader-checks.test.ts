import { expect, test } from 'vitest'
import { bytesSource } from '../../../src/bytes/source.ts'
import { checkAudk } from '../../../src/firmware/image-loaders/audk.ts'
import { checkPeimage } from '../../../src/firmware/image-loaders/grub-peimage.ts'
import { checkShim } from '../../../src/firmware/image-loaders/shim-checks.ts'
import { checkPatina } from '../../../src/firmware/patina/image-loader.ts'
import { checkRustHypervisorFirmware } from '../../../src/firmware/rust-hypervisor/image-loader.ts'
import { checkUBoot } from '../../../src/firmware/u-boot/image-loader.ts'
import { E_LFANEW, smallPe, smallPeBytes, type SmallPe } from './small-pe.ts'

const CHECKS = {
  shim: (source: ReturnType<typeof smallPe>) => checkShim(source, { everySection: true, beyond: 0 }),
  peimage: checkPeimage,
  'u-boot': (source: ReturnType<typeof smallPe>) => checkUBoot(source, section => section.VirtualSize),
  rhf: checkRustHypervisorFirmware,
  patina: checkPatina,
  audk: (source: ReturnType<typeof smallPe>) => checkAudk(source, 'relaxed'),
  'audk-strict': (source: ReturnType<typeof smallPe>) => checkAudk(source, 'strict'),
} as const
type Name = keyof typeof CHECKS
const NAMES = Object.keys(CHECKS) as Name[]

const GOOD: SmallPe = { FileAlignment: 0x200, SizeOfImage: 0x4000 }

/** Status, clause and reason, or the size and alignment of the image. */
function said(name: Name, source: ReturnType<typeof smallPe>): string {
  const result = CHECKS[name](source)
  return 'pe' in result
    ? `ok ${result.imageSize.toString(16)} ${result.alignment.toString(16)}`
    : `${result.status} ${result.clause}: ${result.why}`
}

test('a plain file passes every check', () => {
  expect(Object.fromEntries(NAMES.map(name => [name, said(name, smallPe(GOOD))]))).toEqual({
    shim: 'ok 4000 1000',
    peimage: 'ok 4000 1000',
    'u-boot': 'ok 2000 1000',
    rhf: 'ok 4000 1000',
    patina: 'ok 4000 1000',
    audk: 'ok 2000 1000',
    'audk-strict': 'ok 2000 1000',
  })
})

test('a file that is no PE file passes none', () => {
  expect(Object.fromEntries(NAMES.map(name => [name, said(name, bytesSource(new Uint8Array(16)))]))).toEqual({
    shim: 'EFI_UNSUPPORTED PE-32: the file begins with neither MZ nor a PE signature',
    peimage: 'EFI_LOAD_ERROR PE-35: the file begins with neither MZ nor a PE signature',
    'u-boot': 'EFI_LOAD_ERROR PE-39: the file begins with neither MZ nor a PE signature',
    rhf: 'EFI_LOAD_ERROR PE-42: the file begins with neither MZ nor a PE signature',
    patina: 'EFI_UNSUPPORTED PE-46: the file begins with neither MZ nor a PE signature',
    audk: 'EFI_UNSUPPORTED PE-48: the file begins with neither MZ nor a PE signature',
    'audk-strict': 'EFI_UNSUPPORTED PE-48: the file begins with neither MZ nor a PE signature',
  })
})

test('a file for another machine passes none', () => {
  expect(
    Object.fromEntries(NAMES.map(name => [name, said(name, smallPe({ ...GOOD, Machine: 0xaa64 }))])),
  ).toEqual({
    shim: 'EFI_UNSUPPORTED PE-32: machine 0xaa64 with magic 0x20b does not run on x64',
    peimage: 'EFI_LOAD_ERROR PE-35: machine 0xaa64 is not x64',
    'u-boot': 'EFI_LOAD_ERROR PE-39: machine 0xaa64 is not that of the firmware',
    rhf: 'EFI_LOAD_ERROR PE-42: machine 0xaa64 with magic 0x20b is not x64',
    patina: 'EFI_UNSUPPORTED PE-46: machine 0xaa64 is not x64',
    audk: 'EFI_UNSUPPORTED PE-48: machine 0xaa64 with Subsystem 10 is not loaded',
    'audk-strict': 'EFI_UNSUPPORTED PE-48: machine 0xaa64 with Subsystem 10 is not loaded',
  })
})

test('a PE32 file passes where the magic is not looked at', () => {
  expect(Object.fromEntries(NAMES.map(name => [name, said(name, smallPe({ ...GOOD, pe32: true }))]))).toEqual(
    {
      shim: 'EFI_UNSUPPORTED PE-32: machine 0x8664 with magic 0x10b does not run on x64',
      peimage: 'ok 4000 1000',
      'u-boot': 'ok 2000 1000',
      rhf: 'EFI_LOAD_ERROR PE-42: machine 0x8664 with magic 0x10b is not x64',
      patina: 'ok 4000 1000',
      audk: 'ok 2000 1000',
      'audk-strict': 'ok 2000 1000',
    },
  )
})

test('a file that begins with its PE header passes where MZ is not looked at', () => {
  const bytes = new Uint8Array(0x1400)
  bytes.set(smallPeBytes(GOOD).subarray(E_LFANEW))
  expect(Object.fromEntries(NAMES.map(name => [name, said(name, bytesSource(bytes))]))).toEqual({
    shim: 'ok 4000 1000',
    peimage: 'EFI_UNSUPPORTED PE-35: the file does not begin with MZ',
    'u-boot': 'EFI_LOAD_ERROR PE-39: no DOS header, or the file ends inside the headers',
    rhf: 'EFI_LOAD_ERROR PE-42: the PE header at 0x0 does not begin in the first 512 bytes of a file with MZ',
    patina: 'ok 4000 1000',
    audk: 'ok 2000 1000',
    'audk-strict': 'ok 2000 1000',
  })
})

test.each<[Name, string, SmallPe, string]>([
  [
    'shim',
    'an odd FileAlignment',
    { FileAlignment: 0x201 },
    'EFI_UNSUPPORTED PE-32: FileAlignment 0x201 is odd',
  ],
  [
    'shim',
    'more than sixteen data directories',
    { NumberOfRvaAndSizes: 17 },
    'EFI_UNSUPPORTED PE-32: NumberOfRvaAndSizes 17 is more than 16',
  ],
  [
    'shim',
    'data directories that do not fill the optional header',
    { NumberOfRvaAndSizes: 15 },
    'EFI_UNSUPPORTED PE-32: the data directories do not fill the optional header',
  ],
  [
    'shim',
    'an image that ends before the section table',
    { SizeOfImage: 0x100 },
    'EFI_UNSUPPORTED PE-32: SizeOfImage 0x100 has no room for the section table',
  ],
  [
    'shim',
    'an image that has no room for the section table',
    { SizeOfImage: 0x1b0 },
    'EFI_UNSUPPORTED PE-32: SizeOfImage 0x1b0 has no room for the section table',
  ],
  [
    'shim',
    'headers that end before the section table',
    { SizeOfHeaders: 0x100 },
    'EFI_UNSUPPORTED PE-32: SizeOfHeaders 0x100 has no room for the section table',
  ],
  [
    'shim',
    'headers without room for the section table',
    { SizeOfHeaders: 0x190 },
    'EFI_UNSUPPORTED PE-32: SizeOfHeaders 0x190 has no room for the section table',
  ],
  [
    'shim',
    'stripped relocations',
    { Characteristics: 0x23 },
    'EFI_UNSUPPORTED PE-32: the relocations are stripped',
  ],
  [
    'shim',
    'headers larger than the image',
    { SizeOfImage: 0x300 },
    'EFI_UNSUPPORTED PE-32: SizeOfImage 0x300 is less than SizeOfHeaders 0x400',
  ],
  [
    'shim',
    'certificates after the end of the file',
    {
      directories: Array.from({ length: 16 }, (_, i) =>
        i === 4 ? ([0x1400, 8] as const) : ([0, 0] as const),
      ),
    },
    'EFI_INVALID_PARAMETER PE-32: the certificate table begins past the end of the file',
  ],
  [
    'shim',
    'more raw data than the file has',
    {
      sections: [
        { VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0xc00 },
        { VirtualAddress: 0x2000, VirtualSize: 0x1000, raw: 0xc00, PointerToRawData: 0x400 },
      ],
    },
    'EFI_INVALID_PARAMETER PE-55: headers and sections up to .s1 have 0x1c00 bytes, the file 0x1000',
  ],
  [
    'shim',
    'a certificate table before the end of the file',
    {
      fileSize: 0x800,
      sections: [{ VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x200 }],
      directories: Array.from({ length: 16 }, (_, i) =>
        i === 4 ? ([0x600, 8] as const) : ([0, 0] as const),
      ),
    },
    'EFI_INVALID_PARAMETER PE-55: the certificate table is not the end of the file',
  ],
  [
    'shim',
    'a discardable section inside the headers',
    { sections: [{ VirtualAddress: 0x200, VirtualSize: 0x100, raw: 0x100, Characteristics: 0x42000040 }] },
    'EFI_UNSUPPORTED PE-55: section .s0 is inside image headers',
  ],
  [
    'peimage',
    'another Subsystem',
    { Subsystem: 11 },
    'EFI_LOAD_ERROR PE-35: Subsystem 11 with magic 0x20b is not an EFI application',
  ],
  [
    'peimage',
    'headers larger than the file',
    { SizeOfHeaders: 0x2000 },
    'EFI_LOAD_ERROR PE-35: SizeOfHeaders 0x2000 exceeds the file',
  ],
  [
    'peimage',
    'a SectionAlignment that is not a power of two',
    { SectionAlignment: 0x3000 },
    'EFI_LOAD_ERROR PE-35: SectionAlignment 0x3000 is not a power of two',
  ],
  ['peimage', 'no SectionAlignment', { SectionAlignment: 0 }, 'ok 4000 0'],
  [
    'patina',
    'headers larger than the image',
    { SizeOfHeaders: 0x4001 },
    'EFI_LOAD_ERROR PE-46: SizeOfHeaders 0x4001 exceeds the image or the file',
  ],
  [
    'audk',
    'a section that is not aligned',
    { sections: [{ VirtualAddress: 0x1010, VirtualSize: 0x100, raw: 0x100 }], AddressOfEntryPoint: 0x1010 },
    'ok 1110 1',
  ],
  [
    'audk',
    'seventeen data directories',
    { NumberOfRvaAndSizes: 17 },
    'EFI_VOLUME_CORRUPTED PE-48: NumberOfRvaAndSizes 17 is more than 16',
  ],
  [
    'audk',
    'certificates that are not aligned',
    {
      directories: Array.from({ length: 16 }, (_, i) =>
        i === 4 ? ([0x1001, 8] as const) : ([0, 0] as const),
      ),
    },
    'EFI_VOLUME_CORRUPTED PE-48: the certificate table ends past the end of the ' +
      'file, or is not aligned to 8 bytes',
  ],
  [
    'shim',
    'four data directories',
    { directories: Array.from({ length: 4 }, () => [0, 0] as const) },
    'ok 4000 1000',
  ],
  ['shim', 'neither alignment', { FileAlignment: 0, SectionAlignment: 0 }, 'ok 4000 1000'],
  [
    'u-boot',
    'a file that ends inside the headers',
    { sections: [], directories: [], fileSize: 0x140 },
    'EFI_LOAD_ERROR PE-39: no DOS header, or the file ends inside the headers',
  ],
  [
    'u-boot',
    'a section table after the end of the file',
    { NumberOfSections: 0x200 },
    'EFI_LOAD_ERROR PE-39: 512 section headers do not fit: the file ends at 0x1400',
  ],
  ['u-boot', 'an unknown Subsystem', { Subsystem: 3 }, 'ok 2000 1000'],
  ['u-boot', 'no sections', { sections: [] }, 'ok 0 1000'],
  [
    'rhf',
    'a section table after the first kilobyte',
    {
      sections: Array.from({ length: 17 }, (_, i) => ({
        VirtualAddress: 0x1000 * (i + 1),
        VirtualSize: 0x1000,
        raw: i === 0 ? 0x200 : 0,
        PointerToRawData: 0x800,
      })),
    },
    'EFI_LOAD_ERROR PE-42: the section table ends past the first 1024 bytes of the file',
  ],
  [
    'patina',
    'an unknown Subsystem',
    { Subsystem: 3 },
    'EFI_UNSUPPORTED PE-46: Subsystem 3 is not an EFI subsystem',
  ],
  [
    'patina',
    'no SectionAlignment',
    { SectionAlignment: 0 },
    'EFI_LOAD_ERROR PE-46: SectionAlignment 0x0 is not a multiple of a page',
  ],
  [
    'patina',
    'a SectionAlignment below a page',
    { SectionAlignment: 0x200 },
    'EFI_LOAD_ERROR PE-46: SectionAlignment 0x200 is not a multiple of a page',
  ],
  [
    'patina',
    'a size that is not aligned',
    { SizeOfImage: 0x4200 },
    'EFI_LOAD_ERROR PE-46: SizeOfImage 0x4200 is not a multiple of SectionAlignment 0x1000',
  ],
  [
    'audk',
    'an unknown Subsystem',
    { Subsystem: 3 },
    'EFI_UNSUPPORTED PE-48: machine 0x8664 with Subsystem 3 is not loaded',
  ],
  [
    'audk',
    'a SectionAlignment that is not a power of two',
    { SectionAlignment: 0x3000 },
    'EFI_VOLUME_CORRUPTED PE-48: SectionAlignment 0x3000 is not a power of two',
  ],
  [
    'audk',
    'no SectionAlignment',
    { SectionAlignment: 0 },
    'EFI_VOLUME_CORRUPTED PE-48: SectionAlignment 0x0 is not a power of two',
  ],
  ['audk', 'no sections', { sections: [] }, 'EFI_VOLUME_CORRUPTED PE-48: the image has no sections'],
  [
    'audk',
    'headers larger than the file',
    { SizeOfHeaders: 0x10000 },
    'EFI_VOLUME_CORRUPTED PE-48: SizeOfHeaders 0x10000 does not cover the section table, or exceeds the file',
  ],
  [
    'audk',
    'headers without room for the section table',
    { SizeOfHeaders: 0x190 },
    'EFI_VOLUME_CORRUPTED PE-48: SizeOfHeaders 0x190 does not cover the section table, or exceeds the file',
  ],
  [
    'audk',
    'a section at 0',
    { sections: [{ VirtualAddress: 0, VirtualSize: 0x1800, raw: 0x200 }] },
    'ok 2000 1000',
  ],
  [
    'audk',
    'a section over the headers',
    { sections: [{ VirtualAddress: 0x200, VirtualSize: 0x1800, raw: 0x200 }] },
    'EFI_VOLUME_CORRUPTED PE-48: section .s0 begins at 0x200, before 0x400, the end of the previous section',
  ],
  [
    'audk-strict',
    'a section after a hole',
    { sections: [{ VirtualAddress: 0x2000, VirtualSize: 0x1000, raw: 0x200 }] },
    'EFI_VOLUME_CORRUPTED PE-48: section .s0 begins at 0x2000, after 0x1000, the end of the previous section',
  ],
  [
    'audk',
    'raw data after the end of the file',
    { sections: [{ VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x200 }], fileSize: 0x500 },
    'EFI_VOLUME_CORRUPTED PE-48: the raw data of section .s0 ends at 0x600, the file at 0x500',
  ],
  [
    'audk',
    'a section that ends at 4 GiB',
    { sections: [{ VirtualAddress: 0x1000, VirtualSize: 0xfffff000, raw: 0x200 }] },
    'EFI_VOLUME_CORRUPTED PE-48: section .s0 ends past 4 GiB',
  ],
  [
    'audk',
    'an entry point after the image',
    { AddressOfEntryPoint: 0x2000 },
    'EFI_VOLUME_CORRUPTED PE-48: the entry point 0x2000 lies outside the image of 0x2000 bytes',
  ],
  [
    'audk',
    'an ImageBase that is not aligned',
    { ImageBase: 0x1200n },
    'EFI_VOLUME_CORRUPTED PE-48: ImageBase 0x1200 is not aligned to SectionAlignment 0x1000',
  ],
])('%s and a file: %s', (name, _, pe, expected) => {
  expect(said(name, smallPe({ ...GOOD, ...pe }))).toBe(expected)
})
