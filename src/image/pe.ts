/**
 * PE32 and PE32+ as they are on disk. Keeps the table's order, repairs nothing; malformed fields are
 * problems. Source: Microsoft PE format.
 */
import { fileKind } from './file-kind.ts'
import { madeOf } from '../bytes/fixed-source.ts'
import { readExactly, type ByteSource } from '../bytes/source.ts'
import { struct, type Fields, type Struct, type Values } from '../bytes/struct.ts'
import { byteCount, fileOffset, rva, type ByteCount, type FileOffset, type Rva } from '../bytes/units.ts'
import { hex } from '../bytes/range.ts'
import type { Problem } from './problem.ts'

export const IMAGE_DOS_HEADER = struct('IMAGE_DOS_HEADER', 64, { e_magic: [0, 'u16'], e_lfanew: [60, 'u32'] })

export const IMAGE_FILE_HEADER = struct('IMAGE_FILE_HEADER', 20, {
  Machine: [0, 'u16'],
  NumberOfSections: [2, 'u16'],
  TimeDateStamp: [4, 'u32'],
  PointerToSymbolTable: [8, 'u32'],
  NumberOfSymbols: [12, 'u32'],
  SizeOfOptionalHeader: [16, 'u16'],
  Characteristics: [18, 'u16'],
})

/** The first fields of both optional headers. */
const UP_TO_BASE_OF_CODE = {
  Magic: [0, 'u16'],
  MajorLinkerVersion: [2, 'u8'],
  MinorLinkerVersion: [3, 'u8'],
  SizeOfCode: [4, 'u32'],
  SizeOfInitializedData: [8, 'u32'],
  SizeOfUninitializedData: [12, 'u32'],
  AddressOfEntryPoint: [16, 'u32'],
  BaseOfCode: [20, 'u32'],
} as const satisfies Fields

/** The fields at the same offsets in both optional headers, after ImageBase. */
const FROM_SECTION_ALIGNMENT = {
  SectionAlignment: [32, 'u32'],
  FileAlignment: [36, 'u32'],
  MajorOperatingSystemVersion: [40, 'u16'],
  MinorOperatingSystemVersion: [42, 'u16'],
  MajorImageVersion: [44, 'u16'],
  MinorImageVersion: [46, 'u16'],
  MajorSubsystemVersion: [48, 'u16'],
  MinorSubsystemVersion: [50, 'u16'],
  Win32VersionValue: [52, 'u32'],
  SizeOfImage: [56, 'u32'],
  SizeOfHeaders: [60, 'u32'],
  CheckSum: [64, 'u32'],
  Subsystem: [68, 'u16'],
  DllCharacteristics: [70, 'u16'],
} as const satisfies Fields

export const IMAGE_OPTIONAL_HEADER64 = struct('IMAGE_OPTIONAL_HEADER64', 112, {
  ...UP_TO_BASE_OF_CODE,
  ImageBase: [24, 'u64'],
  ...FROM_SECTION_ALIGNMENT,
  SizeOfStackReserve: [72, 'u64'],
  SizeOfStackCommit: [80, 'u64'],
  SizeOfHeapReserve: [88, 'u64'],
  SizeOfHeapCommit: [96, 'u64'],
  LoaderFlags: [104, 'u32'],
  NumberOfRvaAndSizes: [108, 'u32'],
})

export const IMAGE_OPTIONAL_HEADER32 = struct('IMAGE_OPTIONAL_HEADER32', 96, {
  ...UP_TO_BASE_OF_CODE,
  BaseOfData: [24, 'u32'],
  ImageBase: [28, 'u32'],
  ...FROM_SECTION_ALIGNMENT,
  SizeOfStackReserve: [72, 'u32'],
  SizeOfStackCommit: [76, 'u32'],
  SizeOfHeapReserve: [80, 'u32'],
  SizeOfHeapCommit: [84, 'u32'],
  LoaderFlags: [88, 'u32'],
  NumberOfRvaAndSizes: [92, 'u32'],
})

export const IMAGE_SECTION_HEADER = struct('IMAGE_SECTION_HEADER', 40, {
  Name: [0, [8]],
  VirtualSize: [8, 'u32'],
  VirtualAddress: [12, 'u32'],
  SizeOfRawData: [16, 'u32'],
  PointerToRawData: [20, 'u32'],
  PointerToRelocations: [24, 'u32'],
  PointerToLinenumbers: [28, 'u32'],
  NumberOfRelocations: [32, 'u16'],
  NumberOfLinenumbers: [34, 'u16'],
  Characteristics: [36, 'u32'],
})

export const IMAGE_DATA_DIRECTORY = struct('IMAGE_DATA_DIRECTORY', 8, {
  VirtualAddress: [0, 'u32'],
  Size: [4, 'u32'],
})

export const IMAGE_FILE_MACHINE_I386 = 0x14c
export const IMAGE_FILE_MACHINE_AMD64 = 0x8664
/** The machine type of the simulated CPU. */
export const NATIVE_MACHINE = IMAGE_FILE_MACHINE_AMD64
export const PE32_MAGIC = 0x10b
export const PE32_PLUS_MAGIC = 0x20b
/** Index of the base relocation directory. */
export const DIRECTORY_BASERELOC = 5
/** Index of the certificate table. */
export const DIRECTORY_SECURITY = 4

/** A section header under the specification's names, with its place in the table. */
export interface PeSection {
  /** Position in the table, from 0. */
  readonly index: number
  /** Up to 8 bytes, cut at the first NUL; non-ASCII is read as Latin-1. */
  readonly name: string
  readonly VirtualSize: ByteCount
  readonly VirtualAddress: Rva
  readonly SizeOfRawData: ByteCount
  readonly PointerToRawData: FileOffset
  readonly PointerToRelocations: number
  readonly Characteristics: number
}

/** Optional header: the fields of both formats; ImageBase is 64 bits wide in both. */
export type PeOptionalHeader = Omit<
  Values<typeof IMAGE_OPTIONAL_HEADER64.fields>,
  'SizeOfStackReserve' | 'SizeOfStackCommit' | 'SizeOfHeapReserve' | 'SizeOfHeapCommit'
>

/** A PE file, header by header, in the file's own order. */
export interface PeFile {
  readonly source: ByteSource
  /** Offset of the PE signature; 0 when the file has no DOS header. */
  readonly e_lfanew: FileOffset
  readonly coff: Values<typeof IMAGE_FILE_HEADER.fields>
  readonly optional: PeOptionalHeader
  readonly dataDirectories: readonly Values<typeof IMAGE_DATA_DIRECTORY.fields>[]
  /** Offset of the first section header. */
  readonly sectionTable: FileOffset
  /** In table order. */
  readonly sections: readonly PeSection[]
  readonly problems: readonly Problem[]
}

/** A parse: the file, or null with a fatal problem. */
export interface PeParse {
  readonly pe: PeFile | null
  readonly problems: readonly Problem[]
}

const PE_SIGNATURE = 'PE\0\0'

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

function nameOf(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0)
  return latin1(nul < 0 ? bytes : bytes.subarray(0, nul))
}

function readStruct<F extends Fields>(source: ByteSource, at: number, layout: Struct<F>): Values<F> | null {
  const bytes = readExactly(source, at, layout.size)
  return bytes === null ? null : layout.read(bytes)
}

/**
 * Reads the headers of a PE file. Never throws and never reads more than the headers (at most 65535 section
 * headers).
 */
export function parsePe(source: ByteSource): PeParse {
  return madeOf(source, readPe)
}

function readPe(source: ByteSource): PeParse {
  const problems: Problem[] = []
  const fail = (id: string, at: number, what: string): PeParse => ({
    pe: null,
    problems: [...problems, { id, at: fileOffset(at), what, fatal: true }],
  })
  if (source.size === 0) return fail('empty', 0, 'the file is empty')
  const at = headerAt(source)
  if (at === 'not-pe') {
    const kind = fileKind(source)
    const what = 'the file begins with neither MZ nor a PE signature'
    return fail('not-pe', 0, kind === null ? what : `${what}: it is ${kind}`)
  }
  if (at === 'truncated')
    return fail(
      'truncated',
      source.size,
      `the DOS header needs 64 bytes, the file has ${String(source.size)}`,
    )
  if (at > 0 && at < IMAGE_DOS_HEADER.size)
    problems.push({
      id: 'headers-overlap',
      at: fileOffset(60),
      what: `e_lfanew ${hex(at)} places the PE header inside the DOS header`,
      fatal: false,
    })
  const coff = readStruct(source, at + 4, IMAGE_FILE_HEADER)
  if (coff === null)
    return fail(
      'truncated',
      60,
      `e_lfanew ${hex(at)} leaves no room for the PE header: the file ends at ${hex(source.size)}`,
    )
  if (latin1(source.read(fileOffset(at), 4)) !== PE_SIGNATURE)
    return fail('not-pe', at, `no PE signature at ${hex(at)}`)
  const optionalAt = at + 24
  const [low = 0, high = 0] = source.read(fileOffset(optionalAt), 2)
  const magic = low | (high << 8)
  if (source.size >= optionalAt + 2 && magic !== PE32_MAGIC && magic !== PE32_PLUS_MAGIC)
    return fail('not-pe', optionalAt, `optional header magic ${hex(magic)} is neither PE32 nor PE32+`)
  const length = magic === PE32_MAGIC ? IMAGE_OPTIONAL_HEADER32.size : IMAGE_OPTIONAL_HEADER64.size
  const optional =
    magic === PE32_MAGIC
      ? readNarrow(source, optionalAt)
      : readStruct(source, optionalAt, IMAGE_OPTIONAL_HEADER64)
  if (optional === null) return fail('truncated', optionalAt, 'the file ends inside the optional header')
  if (coff.SizeOfOptionalHeader < length)
    return fail(
      'truncated',
      at + 20,
      `SizeOfOptionalHeader ${hex(coff.SizeOfOptionalHeader)} is less than the required ${hex(length)}`,
    )
  const dataDirectories = readDirectories(
    source,
    optionalAt + length,
    optional.NumberOfRvaAndSizes,
    coff.SizeOfOptionalHeader - length,
    problems,
  )
  const sectionTable = optionalAt + coff.SizeOfOptionalHeader
  if (sectionTable > source.size)
    return fail(
      'truncated',
      optionalAt,
      `SizeOfOptionalHeader ${hex(coff.SizeOfOptionalHeader)} exceeds the file`,
    )
  const sections = readSections(source, sectionTable, coff.NumberOfSections, problems)
  if (sections === null)
    return fail(
      'truncated',
      sectionTable,
      `${String(coff.NumberOfSections)} section headers do not fit: the file ends at ${hex(source.size)}`,
    )
  checkTable(sectionTable, optional.SizeOfHeaders, sections, problems)
  const pe = {
    source,
    e_lfanew: fileOffset(at),
    coff,
    optional,
    dataDirectories,
    sectionTable: fileOffset(sectionTable),
    sections,
    problems,
  }
  return { pe, problems }
}

/**
 * Offset of the PE signature: e_lfanew, or 0 for a file that has no DOS header, which firmware also accepts.
 */
function headerAt(source: ByteSource): number | 'not-pe' | 'truncated' {
  const start = latin1(source.read(fileOffset(0), 4))
  if (start === PE_SIGNATURE) return 0
  return start.startsWith('MZ')
    ? (readStruct(source, 0, IMAGE_DOS_HEADER)?.e_lfanew ?? 'truncated')
    : 'not-pe'
}

/** Firmware reads the table from the first SizeOfHeaders bytes; raw data must begin after it. */
function checkTable(
  at: number,
  sizeOfHeaders: number,
  sections: readonly PeSection[],
  problems: Problem[],
): void {
  const end = at + 40 * sections.length
  if (end > sizeOfHeaders)
    problems.push({
      id: 'section-table-outside-headers',
      at: fileOffset(at),
      what: `the section table ends at ${hex(end)}, SizeOfHeaders is ${hex(sizeOfHeaders)}`,
      fatal: false,
    })
  const first = sections.find(section => section.SizeOfRawData > 0 && section.PointerToRawData < end)
  if (first !== undefined)
    problems.push({
      id: 'section-over-headers',
      at: fileOffset(at + 40 * first.index),
      what: `section ${first.name} has its raw data at ${hex(first.PointerToRawData)}, inside the headers`,
      fatal: false,
    })
}

function readNarrow(source: ByteSource, at: number): PeOptionalHeader | null {
  const narrow = readStruct(source, at, IMAGE_OPTIONAL_HEADER32)
  return narrow === null ? null : { ...narrow, ImageBase: BigInt(narrow.ImageBase) }
}

function readDirectories(
  source: ByteSource,
  at: number,
  count: number,
  room: number,
  problems: Problem[],
): Values<typeof IMAGE_DATA_DIRECTORY.fields>[] {
  const fits = Math.min(count, Math.floor(room / 8), 16)
  if (fits < count)
    problems.push({
      id: 'directories-outside-header',
      at: fileOffset(at),
      what: `NumberOfRvaAndSizes ${String(count)} is more than the optional header can have`,
      fatal: false,
    })
  const table = source.read(fileOffset(at), 8 * fits)
  const directories = []
  for (let i = 0; i < fits; i++) {
    const directory = IMAGE_DATA_DIRECTORY.read(table, 8 * i)
    if (directory !== null) directories.push(directory)
  }
  return directories
}

function readSections(
  source: ByteSource,
  at: number,
  count: number,
  problems: Problem[],
): PeSection[] | null {
  const table = readExactly(source, at, 40 * count)
  const sections: PeSection[] = []
  for (let index = 0; index < count; index++) {
    const header = table === null ? null : IMAGE_SECTION_HEADER.read(table, 40 * index)
    if (header === null) return null
    const section: PeSection = {
      index,
      name: nameOf(header.Name),
      VirtualSize: byteCount(header.VirtualSize),
      VirtualAddress: rva(header.VirtualAddress),
      SizeOfRawData: byteCount(header.SizeOfRawData),
      PointerToRawData: fileOffset(header.PointerToRawData),
      PointerToRelocations: header.PointerToRelocations,
      Characteristics: header.Characteristics,
    }
    const rawEnd = section.PointerToRawData + section.SizeOfRawData
    if (section.SizeOfRawData > 0 && rawEnd > source.size) {
      problems.push({
        id: 'section-outside-file',
        at: fileOffset(at + 40 * index),
        what:
          `section ${section.name} has raw data up to ${hex(rawEnd)}, the file ends at ` + hex(source.size),
        fatal: false,
      })
    }
    sections.push(section)
  }
  return sections
}
