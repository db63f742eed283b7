/**
 * The checks that EDK2's PE loader makes on the headers, in order, before memory is allocated for the image
 * (chapter PE).
 */
import { hex } from '../../bytes/range.ts'
import { readExactly, type ByteSource } from '../../bytes/source.ts'
import {
  DIRECTORY_SECURITY,
  IMAGE_DOS_HEADER,
  IMAGE_FILE_MACHINE_AMD64,
  IMAGE_FILE_MACHINE_I386,
  IMAGE_OPTIONAL_HEADER32,
  IMAGE_OPTIONAL_HEADER64,
  PE32_PLUS_MAGIC,
  parsePe,
  type PeFile,
  type PeSection,
} from '../../image/pe.ts'
import { IMAGE_TYPES, RELOCS_STRIPPED, type CheckedImage } from '../image-loaders/checked-image.ts'
import type { LoadRefusal } from '../image-loaders/ports.ts'
import type { EfiError } from '../status.ts'

/**
 * sizeof(EFI_IMAGE_OPTIONAL_HEADER_UNION). Source: edk2@stable202211
 * MdePkg/Include/IndustryStandard/PeImage.h.
 */
export const NT_HEADERS = 264
export const DOS_HEADER = IMAGE_DOS_HEADER.size
export const MZ = 0x5a4d
/**
 * Machine types that the library supports: i386, x64, EBC, ARM64. Source: edk2@stable202211 BasePeCoffLib
 * PeCoffLoaderImageFormatSupported.
 */
const READABLE = new Set([IMAGE_FILE_MACHINE_I386, IMAGE_FILE_MACHINE_AMD64, 0xebc, 0xaa64])
/** Machine types that an x64 firmware loads (it refuses to start i386). */
const LOADABLE = new Set([IMAGE_FILE_MACHINE_AMD64, IMAGE_FILE_MACHINE_I386])
const DIRECTORY_DEBUG = 6
const DEBUG_ENTRY = 28
const DEBUG_TYPE_CODEVIEW = 2
/** Maximum of debug entries read: real images have a handful. */
const DEBUG_ENTRIES_MAX = 1024

export const refuse = (
  clause: `PE-${number}`,
  why: string,
  status: EfiError = 'EFI_UNSUPPORTED',
): LoadRefusal => ({
  status,
  clause,
  why,
})
export const u32 = (bytes: Uint8Array, at: number) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true)
export const u16 = (bytes: Uint8Array, at: number) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint16(at, true)

/** All header checks of LoadImage; returns their result, or the first that failed. */
export function checkImage(source: ByteSource): CheckedImage | LoadRefusal {
  const pe = checkReadable(source)
  if ('clause' in pe) return pe
  const refusal =
    checkDirectories(pe) ?? checkSizes(pe) ?? checkCertificates(pe) ?? checkMachine(pe) ?? checkSections(pe)
  if (refusal !== null) return refusal
  const codeView = codeViewSize(pe)
  if (typeof codeView !== 'number') return codeView
  const { Machine, Characteristics } = pe.coff
  if (!LOADABLE.has(Machine)) return refuse('PE-8', `machine ${hex(Machine)} does not run on an x64 firmware`)
  const memoryType = IMAGE_TYPES[pe.optional.Subsystem]
  if (memoryType === undefined)
    return refuse('PE-8', `Subsystem ${String(pe.optional.Subsystem)} is not an EFI subsystem`)
  return {
    pe,
    imageSize: pe.optional.SizeOfImage + codeView,
    memoryType,
    relocationsStripped: (Characteristics & RELOCS_STRIPPED) !== 0,
    alignment: pe.optional.SectionAlignment,
  }
}

function checkReadable(source: ByteSource): PeFile | LoadRefusal {
  if (source.size === 0) return refuse('PE-3', 'the file is empty', 'EFI_LOAD_ERROR')
  const dos = readExactly(source, 0, DOS_HEADER)
  if (dos === null)
    return refuse('PE-3', `the DOS header needs 64 bytes, the file has ${String(source.size)}`)
  const at = u16(dos, 0) === MZ ? u32(dos, 60) : 0
  if (readExactly(source, at, NT_HEADERS) === null)
    return refuse(
      'PE-3',
      `the file ends at ${hex(source.size)}, before the ${String(NT_HEADERS)} bytes of PE ` +
        `headers at ${hex(at)}`,
    )
  const { pe, problems } = parsePe(source)
  return pe ?? refuse('PE-3', problems.at(-1)?.what ?? 'no PE headers')
}

/** End of the optional header: where the section table begins. */
function headerEnd(pe: PeFile): number {
  return pe.e_lfanew + 24 + pe.coff.SizeOfOptionalHeader
}

function checkDirectories(pe: PeFile): LoadRefusal | null {
  const { NumberOfRvaAndSizes, Magic } = pe.optional
  const room =
    pe.coff.SizeOfOptionalHeader -
    (Magic === PE32_PLUS_MAGIC ? IMAGE_OPTIONAL_HEADER64.size : IMAGE_OPTIONAL_HEADER32.size)
  if (NumberOfRvaAndSizes > 16)
    return refuse('PE-4', `NumberOfRvaAndSizes ${String(NumberOfRvaAndSizes)} is more than 16`)
  if (room !== 8 * NumberOfRvaAndSizes)
    return refuse(
      'PE-4',
      `SizeOfOptionalHeader leaves ${String(room)} bytes for ` +
        `${String(NumberOfRvaAndSizes)} data directories of 8 bytes`,
    )
  return null
}

function checkSizes(pe: PeFile): LoadRefusal | null {
  const { SizeOfImage, SizeOfHeaders } = pe.optional
  const { NumberOfSections } = pe.coff
  const end = headerEnd(pe)
  const table = `${String(NumberOfSections)} section headers from ${hex(end)} on`
  if (SizeOfImage <= end || Math.floor((SizeOfImage - end) / 40) <= NumberOfSections)
    return refuse('PE-5', `SizeOfImage ${hex(SizeOfImage)} has no room for ${table}`)
  if (SizeOfHeaders <= end || Math.floor((SizeOfHeaders - end) / 40) < NumberOfSections)
    return refuse('PE-5', `SizeOfHeaders ${hex(SizeOfHeaders)} has no room for ${table}`)
  if (SizeOfHeaders >= SizeOfImage)
    return refuse(
      'PE-5',
      `SizeOfHeaders ${hex(SizeOfHeaders)} is not less than SizeOfImage ${hex(SizeOfImage)}`,
    )
  if (SizeOfHeaders > pe.source.size)
    return refuse(
      'PE-5',
      `SizeOfHeaders ${hex(SizeOfHeaders)} is past the end of the file at ${hex(pe.source.size)}`,
    )
  return null
}

function checkCertificates(pe: PeFile): LoadRefusal | null {
  const directory = pe.dataDirectories[DIRECTORY_SECURITY]
  if (directory === undefined || directory.Size === 0) return null
  const end = directory.VirtualAddress + directory.Size
  return end > pe.source.size
    ? refuse('PE-6', `the certificate table ends at ${hex(end)}, the file at ${hex(pe.source.size)}`)
    : null
}

function checkMachine(pe: PeFile): LoadRefusal | null {
  return READABLE.has(pe.coff.Machine)
    ? null
    : refuse('PE-8', `machine ${hex(pe.coff.Machine)} is not supported by the loader`)
}

function checkSections(pe: PeFile): LoadRefusal | null {
  const { SizeOfHeaders } = pe.optional
  for (const section of pe.sections) {
    const { name, SizeOfRawData, VirtualAddress, PointerToRawData } = section
    if (SizeOfRawData === 0) continue
    const end = PointerToRawData + SizeOfRawData
    if (VirtualAddress < SizeOfHeaders)
      return refuse(
        'PE-9',
        `section ${name} begins at ${hex(VirtualAddress)}, inside the headers of ${hex(SizeOfHeaders)} bytes`,
      )
    if (PointerToRawData < SizeOfHeaders)
      return refuse(
        'PE-9',
        `the raw data of section ${name} begins at ${hex(PointerToRawData)}, inside the ` +
          `headers of ${hex(SizeOfHeaders)} bytes`,
      )
    if (end > pe.source.size)
      return refuse(
        'PE-9',
        `the raw data of section ${name} ends at ${hex(end)}, the file at ${hex(pe.source.size)}`,
      )
  }
  return null
}

/** Bytes that the loader adds to the image for CodeView data without an address (PE-10). */
function codeViewSize(pe: PeFile): number | LoadRefusal {
  const directory = pe.dataDirectories[DIRECTORY_DEBUG]
  if (directory === undefined) return 0
  const holds = ({ VirtualAddress, VirtualSize }: PeSection) =>
    VirtualAddress <= directory.VirtualAddress && directory.VirtualAddress < VirtualAddress + VirtualSize
  const section = pe.sections.find(holds)
  if (section === undefined) return 0
  const at = directory.VirtualAddress - section.VirtualAddress + section.PointerToRawData
  for (
    let offset = 0;
    at !== 0 && offset < Math.min(directory.Size, DEBUG_ENTRIES_MAX * DEBUG_ENTRY);
    offset += DEBUG_ENTRY
  ) {
    const entry = readExactly(pe.source, at + offset, DEBUG_ENTRY)
    if (entry === null)
      return refuse('PE-10', `the debug directory ends past the end of the file at ${hex(pe.source.size)}`)
    if (u32(entry, 12) === DEBUG_TYPE_CODEVIEW)
      return u32(entry, 20) === 0 && u32(entry, 24) !== 0 ? u32(entry, 16) : 0
  }
  return 0
}
