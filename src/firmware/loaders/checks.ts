/** The header checks of the loaders that are not EDK2's, each in its own order (chapter PE). */
import { hex } from '../../bytes/range.ts'
import { readExactly, type ByteSource } from '../../bytes/source.ts'
import { PAGE, wrap32 } from '../../bytes/units.ts'
import { EfiLoaderCode } from '../../image/memory-types.ts'
import {
  DIRECTORY_SECURITY,
  IMAGE_OPTIONAL_HEADER64,
  NATIVE_MACHINE,
  PE32_PLUS_MAGIC,
  parsePe,
  type PeFile,
} from '../../image/pe.ts'
import type { LoadRefusal } from '../loader-ports.ts'
import { IMAGE_TYPES, RELOCS_STRIPPED, type CheckedImage } from '../pe-checks.ts'
import { refusal } from './loader.ts'

/**
 * What a file must have behind e_lfanew. Source: u-boot@2023.01 efi_check_pe, IMAGE_NT_HEADERS32;
 * u-boot@2021.01 efi_load_pe, IMAGE_NT_HEADERS64.
 */
const NT_HEADERS32 = 248
export const NT_HEADERS64 = 264
const SECTION_HEADER = 40
const EFI_APPLICATION = 10
/** Characteristics. Source: pe@2024, section flags. */
const CNT_UNINITIALIZED_DATA = 0x80
const MEM_DISCARDABLE = 0x02000000
/**
 * How much of the file rust-hypervisor-firmware reads for headers and table, and how far in the PE header may
 * begin. Source: rhf@82a9a4f4 src/pe.rs.
 */
const RHF_HEADERS = 1024
const RHF_PE_HEADER_MAX = 512

/** Does the section table lie inside the first `end` bytes? */
const tableFits = (pe: PeFile, end: number): boolean =>
  pe.sectionTable + SECTION_HEADER * pe.coff.NumberOfSections <= end

function isMz(source: ByteSource): boolean {
  const magic = readExactly(source, 0, 2)
  return magic?.[0] === 0x4d && magic[1] === 0x5a
}

function checkedImage(
  pe: PeFile,
  imageSize: number,
  memoryType: number,
  alignment = pe.optional.SectionAlignment,
): CheckedImage {
  return {
    pe,
    imageSize,
    memoryType,
    alignment,
    relocationsStripped: (pe.coff.Characteristics & RELOCS_STRIPPED) !== 0,
  }
}

/**
 * What hashing looks at: every section or raw sizes alone; and how many bytes behind the image count as
 * inside.
 */
export interface ShimChecks {
  readonly everySection: boolean
  readonly beyond: 0 | 1
}

/**
 * shim's read_header, which rhboot's GRUB calls through the shim lock protocol (PE-32), and what hashing the
 * file comes upon (PE-55).
 */
export function checkShim(
  source: ByteSource,
  { everySection, beyond }: ShimChecks,
): CheckedImage | LoadRefusal {
  const no = (why: string, message: string) => refusal('EFI_UNSUPPORTED', 'PE-32', why, message)
  const { pe, problems } = parsePe(source)
  if (pe === null) return no(problems.at(-1)?.what ?? 'no PE headers', 'Invalid image')
  const { SizeOfImage, SizeOfHeaders, FileAlignment, SectionAlignment, NumberOfRvaAndSizes, Magic } =
    pe.optional
  if (pe.coff.Machine !== NATIVE_MACHINE || Magic !== PE32_PLUS_MAGIC)
    return no(
      `machine ${hex(pe.coff.Machine)} with magic ${hex(Magic)} does not run on x64`,
      'Platform does not support this image',
    )
  if (FileAlignment % 2 !== 0)
    return no(
      `FileAlignment ${hex(FileAlignment)} is odd`,
      `File Alignment is invalid (${String(FileAlignment)})`,
    )
  if (NumberOfRvaAndSizes > 16)
    return no(`NumberOfRvaAndSizes ${String(NumberOfRvaAndSizes)} is more than 16`, 'Image header too large')
  if (pe.coff.SizeOfOptionalHeader - IMAGE_OPTIONAL_HEADER64.size !== 8 * NumberOfRvaAndSizes)
    return no('the data directories do not fill the optional header', 'Image header overflows data directory')
  const end = pe.sectionTable
  const { NumberOfSections } = pe.coff
  if (SizeOfImage < end || Math.floor((SizeOfImage - end) / SECTION_HEADER) <= NumberOfSections)
    return no(
      `SizeOfImage ${hex(SizeOfImage)} has no room for the section table`,
      'Image sections overflow image size',
    )
  if (SizeOfHeaders < end || Math.floor((SizeOfHeaders - end) / SECTION_HEADER) < NumberOfSections)
    return no(
      `SizeOfHeaders ${hex(SizeOfHeaders)} has no room for the section table`,
      'Image sections overflow section headers',
    )
  if ((pe.coff.Characteristics & RELOCS_STRIPPED) !== 0)
    return no('the relocations are stripped', 'Unsupported image - Relocations have been stripped')
  if (SizeOfImage < SizeOfHeaders)
    return no(
      `SizeOfImage ${hex(SizeOfImage)} is less than SizeOfHeaders ${hex(SizeOfHeaders)}`,
      'Invalid image',
    )
  const certificates = pe.dataDirectories[DIRECTORY_SECURITY]
  if (
    certificates !== undefined &&
    (certificates.VirtualAddress > source.size ||
      (certificates.VirtualAddress === source.size && certificates.Size > 0))
  )
    return refusal(
      'EFI_INVALID_PARAMETER',
      'PE-32',
      'the certificate table begins behind the file',
      'Malformed security header',
    )
  return (
    hashed(pe, everySection, SizeOfImage + beyond) ??
    checkedImage(
      pe,
      SizeOfImage,
      EfiLoaderCode,
      Math.max(SectionAlignment === 0 ? PAGE : SectionAlignment, FileAlignment === 0 ? 0x200 : FileAlignment),
    )
  )
}

/** Why shim cannot hash the file; null when it can (PE-55). */
function hashed(
  { source, sections, dataDirectories, optional: { SizeOfHeaders } }: PeFile,
  everySection: boolean,
  limit: number,
): LoadRefusal | null {
  const no = (why: string, message: string) => refusal('EFI_INVALID_PARAMETER', 'PE-55', why, message)
  let hashedBytes = SizeOfHeaders
  for (const {
    index,
    name,
    VirtualAddress,
    VirtualSize,
    PointerToRawData,
    SizeOfRawData,
    Characteristics,
  } of sections) {
    const odd = everySection
      ? shimOddSection(VirtualAddress, VirtualSize, PointerToRawData, Characteristics, SizeOfHeaders, limit)
      : null
    if (odd !== null)
      return refusal('EFI_UNSUPPORTED', 'PE-55', `section ${name} ${odd}`, `Section ${String(index)} ${odd}`)
    hashedBytes += SizeOfRawData
    if (hashedBytes > source.size)
      return no(
        `headers and sections up to ${name} have ${hex(hashedBytes)} bytes, the file ${hex(source.size)}`,
        `Malformed section ${String(index)} size`,
      )
  }
  const beyond = sections.find(
    ({ PointerToRawData, SizeOfRawData }) =>
      SizeOfRawData > 0 && PointerToRawData + SizeOfRawData > source.size,
  )
  if (beyond !== undefined)
    return no(`the raw data of section ${beyond.name} end behind the file`, 'Malformed section header')
  const certificates = dataDirectories[DIRECTORY_SECURITY]
  const signed = certificates !== undefined && certificates.Size > 0 && source.size > hashedBytes
  const fits =
    certificates === undefined ||
    (source.size - hashedBytes >= certificates.Size &&
      certificates.VirtualAddress + certificates.Size === source.size)
  return signed && !fits
    ? no(
        'the certificate table is not the end of the file',
        'Malformed binary after Attribute Certificate Table',
      )
    : null
}

/** What shim has against a section even when it does not load it. */
function shimOddSection(
  VirtualAddress: number,
  VirtualSize: number,
  PointerToRawData: number,
  Characteristics: number,
  SizeOfHeaders: number,
  limit: number,
): string | null {
  const inside = VirtualAddress < limit
  const last = wrap32(VirtualAddress + VirtualSize - 1)
  if ((Characteristics & MEM_DISCARDABLE) === 0 && !inside) return 'has invalid base address'
  if ((Characteristics & MEM_DISCARDABLE) === 0 && last >= limit) return 'has zero size'
  if (
    (Characteristics & CNT_UNINITIALIZED_DATA) === 0 &&
    (VirtualAddress < SizeOfHeaders || PointerToRawData < SizeOfHeaders)
  )
    return 'is inside image headers'
  return inside && (last >= limit || last < VirtualAddress) ? 'has negative size' : null
}

/** Debian's peimage for GRUB: an application for this machine whose headers are in the file (PE-35). */
export function checkPeimage(source: ByteSource): CheckedImage | LoadRefusal {
  const { pe, problems } = parsePe(source)
  const no = (why: string, message: string) => refusal('EFI_LOAD_ERROR', 'PE-35', why, message)
  if (source.size >= 64 && !isMz(source))
    return refusal('EFI_UNSUPPORTED', 'PE-35', 'the file does not begin with MZ', 'not a PE-COFF file')
  if (pe === null) return no(problems.at(-1)?.what ?? 'no PE headers', 'truncated image')
  const { Magic, Subsystem, SizeOfHeaders, SectionAlignment, SizeOfImage } = pe.optional
  if (pe.coff.Machine !== NATIVE_MACHINE)
    return no(`machine ${hex(pe.coff.Machine)} is not x64`, `wrong machine type ${String(pe.coff.Machine)}`)
  if (Subsystem !== EFI_APPLICATION)
    return no(
      `Subsystem ${String(Subsystem)} with magic ${hex(Magic)} is not that of an EFI application`,
      'expected EFI application',
    )
  if (source.size < SizeOfHeaders)
    return no(`SizeOfHeaders ${hex(SizeOfHeaders)} is more than the file has`, 'truncated image')
  if (SectionAlignment !== 0 && !isPowerOfTwo(SectionAlignment))
    return no(`SectionAlignment ${hex(SectionAlignment)} is no power of two`, 'invalid section alignment')
  return checkedImage(pe, SizeOfImage, EfiLoaderCode)
}

/**
 * U-Boot looks at magic numbers, machine, and whether the table is in the file (PE-39). `sizeOf`: what a
 * section takes in memory (PE-37); `headers`: bytes that a file must have behind e_lfanew.
 */
export function checkUBoot(
  source: ByteSource,
  sizeOf: (section: PeFile['sections'][number]) => number,
  headers: number = NT_HEADERS32,
): CheckedImage | LoadRefusal {
  const no = (why: string, message: string) => refusal('EFI_LOAD_ERROR', 'PE-39', why, message)
  const { pe, problems } = parsePe(source)
  if (pe === null || !isMz(source) || pe.e_lfanew + headers > source.size)
    return no(
      problems.at(-1)?.what ?? 'no DOS header, or the file ends inside the headers',
      'Not a PE-COFF file',
    )
  if (pe.coff.Machine !== NATIVE_MACHINE)
    return no(
      `machine ${hex(pe.coff.Machine)} is not that of the firmware`,
      `Machine type ${hex(pe.coff.Machine)} is not supported`,
    )
  const size = Math.max(0, ...pe.sections.map(section => section.VirtualAddress + sizeOf(section)))
  return checkedImage(pe, size, IMAGE_TYPES[pe.optional.Subsystem] ?? EfiLoaderCode)
}

/** rust-hypervisor-firmware reads 1024 bytes and finds everything in them (PE-42). */
export function checkRustHypervisorFirmware(source: ByteSource): CheckedImage | LoadRefusal {
  const { pe, problems } = parsePe(source)
  const no = (why: string) => refusal('EFI_LOAD_ERROR', 'PE-42', why)
  if (pe === null) return no(problems.at(-1)?.what ?? 'no PE headers')
  if (!isMz(source) || pe.e_lfanew >= RHF_PE_HEADER_MAX)
    return no(
      `the PE header at ${hex(pe.e_lfanew)} does not begin in the first ${String(RHF_PE_HEADER_MAX)} bytes of a file with MZ`,
    )
  if (pe.coff.Machine !== NATIVE_MACHINE || pe.optional.Magic !== PE32_PLUS_MAGIC)
    return no(`machine ${hex(pe.coff.Machine)} with magic ${hex(pe.optional.Magic)} is not x64's`)
  if (!tableFits(pe, RHF_HEADERS))
    return no(`the section table ends behind the first ${String(RHF_HEADERS)} bytes of the file`)
  return checkedImage(pe, pe.optional.SizeOfImage, EfiLoaderCode)
}

/** patina: machine, subsystem, and two rules on SectionAlignment (PE-46). */
export function checkPatina(source: ByteSource): CheckedImage | LoadRefusal {
  const { pe, problems } = parsePe(source)
  if (pe === null) return refusal('EFI_UNSUPPORTED', 'PE-46', problems.at(-1)?.what ?? 'no PE headers')
  if (pe.coff.Machine !== NATIVE_MACHINE)
    return refusal('EFI_UNSUPPORTED', 'PE-46', `machine ${hex(pe.coff.Machine)} is not x64`)
  const memoryType = IMAGE_TYPES[pe.optional.Subsystem]
  if (memoryType === undefined)
    return refusal('EFI_UNSUPPORTED', 'PE-46', `Subsystem ${String(pe.optional.Subsystem)} is none of EFI's`)
  const { SectionAlignment, SizeOfImage, SizeOfHeaders } = pe.optional
  if (SectionAlignment === 0 || SectionAlignment % PAGE !== 0)
    return refusal(
      'EFI_LOAD_ERROR',
      'PE-46',
      `SectionAlignment ${hex(SectionAlignment)} is not a multiple of a page`,
    )
  if (SizeOfImage % SectionAlignment !== 0)
    return refusal(
      'EFI_LOAD_ERROR',
      'PE-46',
      `SizeOfImage ${hex(SizeOfImage)} is not a multiple of SectionAlignment ${hex(SectionAlignment)}`,
    )
  if (SizeOfHeaders > SizeOfImage || SizeOfHeaders > source.size)
    return refusal(
      'EFI_LOAD_ERROR',
      'PE-46',
      `SizeOfHeaders ${hex(SizeOfHeaders)} is more than the image or the file has`,
    )
  return checkedImage(pe, SizeOfImage, memoryType)
}

const isPowerOfTwo = (n: number): boolean => n > 0 && Number.isInteger(Math.log2(n))
const alignTo = (n: number, to: number): number => Math.ceil(n / to) * to

/**
 * Acidanthera's library: sections ascending and disjoint, by the strict policy adjacent (PE-48); the size is
 * the end of the last one (PE-49).
 */
export function checkAudk(source: ByteSource, policy: 'relaxed' | 'strict'): CheckedImage | LoadRefusal {
  const { pe, problems } = parsePe(source)
  const no = (why: string) => refusal('EFI_VOLUME_CORRUPTED', 'PE-48', why)
  if (pe === null) return refusal('EFI_UNSUPPORTED', 'PE-48', problems.at(-1)?.what ?? 'no PE headers')
  const { SizeOfHeaders, SectionAlignment, AddressOfEntryPoint, ImageBase, NumberOfRvaAndSizes } = pe.optional
  const memoryType = IMAGE_TYPES[pe.optional.Subsystem]
  if (NumberOfRvaAndSizes > 16)
    return no(`NumberOfRvaAndSizes ${String(NumberOfRvaAndSizes)} is more than 16`)
  if (!isPowerOfTwo(SectionAlignment))
    return no(`SectionAlignment ${hex(SectionAlignment)} is no power of two`)
  if (pe.sections.length === 0) return no('the image has no sections')
  if (SizeOfHeaders > source.size || !tableFits(pe, SizeOfHeaders))
    return no(`SizeOfHeaders ${hex(SizeOfHeaders)} does not hold the section table, or more than the file`)
  const certificates = pe.dataDirectories[DIRECTORY_SECURITY]
  if (
    certificates !== undefined &&
    (certificates.VirtualAddress + certificates.Size > source.size ||
      certificates.VirtualAddress % 8 !== 0 ||
      certificates.Size % 8 !== 0)
  )
    return no('the certificate table ends behind the file, or is not aligned to 8 bytes')
  const aligned = (n: number): number => (policy === 'strict' ? alignTo(n, SectionAlignment) : n)
  let alignment = SectionAlignment
  let next = pe.sections[0]?.VirtualAddress === 0 ? 0 : aligned(SizeOfHeaders)
  for (const { name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData } of pe.sections) {
    if (VirtualAddress < next || (policy === 'strict' && VirtualAddress !== next))
      return no(
        `section ${name} begins at ${hex(VirtualAddress)}, ${VirtualAddress < next ? 'before' : 'behind'} ${hex(next)}, where what lies before it ends`,
      )
    if (SizeOfRawData > 0 && PointerToRawData + SizeOfRawData > source.size)
      return no(
        `the raw data of section ${name} ends at ${hex(PointerToRawData + SizeOfRawData)}, the file at ${hex(source.size)}`,
      )
    if (VirtualAddress + VirtualSize >= 2 ** 32) return no(`section ${name} ends behind 4 GiB`)
    if (VirtualAddress % alignment !== 0) alignment = VirtualAddress % PAGE === 0 ? PAGE : 1
    next = aligned(VirtualAddress + VirtualSize)
  }
  next = alignTo(next, alignment)
  if (AddressOfEntryPoint >= next)
    return no(`the entry point ${hex(AddressOfEntryPoint)} lies outside the image of ${hex(next)} bytes`)
  if (ImageBase % BigInt(SectionAlignment) !== 0n)
    return no(`ImageBase ${hex(ImageBase)} is not aligned to SectionAlignment ${hex(SectionAlignment)}`)
  if (pe.coff.Machine !== NATIVE_MACHINE || memoryType === undefined)
    return refusal(
      'EFI_UNSUPPORTED',
      'PE-48',
      `machine ${hex(pe.coff.Machine)} with Subsystem ${String(pe.optional.Subsystem)} is not loaded`,
    )
  return checkedImage(pe, next, memoryType, alignment)
}
