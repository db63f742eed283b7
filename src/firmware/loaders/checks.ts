/** The header checks of the loaders that are not EDK2's, each in its own order (chapter PE). */
import { hex } from '../../bytes/range.ts'
import { readExactly, type ByteSource } from '../../bytes/source.ts'
import { PAGE } from '../../bytes/units.ts'
import { EfiLoaderCode } from '../../image/memory-types.ts'
import { DIRECTORY_SECURITY, IMAGE_FILE_MACHINE_AMD64, IMAGE_OPTIONAL_HEADER64, PE32_PLUS_MAGIC, parsePe, type PeFile } from '../../image/pe.ts'
import type { LoadRefusal } from '../loader-ports.ts'
import { IMAGE_TYPES, RELOCS_STRIPPED, type CheckedImage } from '../pe-checks.ts'
import { refusal } from './loader.ts'

/** sizeof(EFI_IMAGE_NT_HEADERS32): what a file must have behind e_lfanew. Source: u-boot@2023.01 include/pe.h IMAGE_NT_HEADERS32. */
const NT_HEADERS32 = 248
const SECTION_HEADER = 40
/** How much of the file rust-hypervisor-firmware reads for headers and table, and how far in the PE header may begin. Source: rhf@82a9a4f4 src/pe.rs. */
const RHF_HEADERS = 1024
const RHF_PE_HEADER_MAX = 512

/** Does the section table lie inside the first `end` bytes? */
const tableFits = (pe: PeFile, end: number): boolean => pe.sectionTable + SECTION_HEADER * pe.coff.NumberOfSections <= end

function isMz(source: ByteSource): boolean {
  const magic = readExactly(source, 0, 2)
  return magic?.[0] === 0x4d && magic[1] === 0x5a
}

function checkedImage(pe: PeFile, imageSize: number, memoryType: number, alignment = pe.optional.SectionAlignment): CheckedImage {
  return { pe, imageSize, memoryType, alignment, relocationsStripped: (pe.coff.Characteristics & RELOCS_STRIPPED) !== 0 }
}

/** shim's read_header, which rhboot's GRUB calls through the shim lock protocol (PE-32). */
export function checkShim(source: ByteSource): CheckedImage | LoadRefusal {
  const no = (why: string, message: string) => refusal('EFI_UNSUPPORTED', 'PE-32', why, message)
  const { pe, problems } = parsePe(source)
  if (pe === null) return no(problems.at(-1)?.what ?? 'no PE headers', 'Invalid image')
  const { SizeOfImage, SizeOfHeaders, FileAlignment, SectionAlignment, NumberOfRvaAndSizes, Magic } = pe.optional
  if (pe.coff.Machine !== IMAGE_FILE_MACHINE_AMD64 || Magic !== PE32_PLUS_MAGIC) return no(`machine ${hex(pe.coff.Machine)} with magic ${hex(Magic)} does not run on x64`, 'Platform does not support this image')
  if (FileAlignment % 2 !== 0) return no(`FileAlignment ${hex(FileAlignment)} is odd`, `File Alignment is invalid (${String(FileAlignment)})`)
  if (NumberOfRvaAndSizes > 16) return no(`NumberOfRvaAndSizes ${String(NumberOfRvaAndSizes)} is more than 16`, 'Image header too large')
  if (pe.coff.SizeOfOptionalHeader - IMAGE_OPTIONAL_HEADER64.size !== 8 * NumberOfRvaAndSizes) return no('the data directories do not fill the optional header', 'Image header overflows data directory')
  const end = pe.sectionTable
  const { NumberOfSections } = pe.coff
  if (SizeOfImage < end || Math.floor((SizeOfImage - end) / SECTION_HEADER) <= NumberOfSections) return no(`SizeOfImage ${hex(SizeOfImage)} has no room for the section table`, 'Image sections overflow image size')
  if (SizeOfHeaders < end || Math.floor((SizeOfHeaders - end) / SECTION_HEADER) < NumberOfSections) return no(`SizeOfHeaders ${hex(SizeOfHeaders)} has no room for the section table`, 'Image sections overflow section headers')
  if ((pe.coff.Characteristics & RELOCS_STRIPPED) !== 0) return no('the relocations are stripped', 'Unsupported image - Relocations have been stripped')
  if (SizeOfImage < SizeOfHeaders) return no(`SizeOfImage ${hex(SizeOfImage)} is less than SizeOfHeaders ${hex(SizeOfHeaders)}`, 'Invalid image')
  const certificates = pe.dataDirectories[DIRECTORY_SECURITY]
  if (certificates !== undefined && certificates.VirtualAddress + certificates.Size > source.size) return no('the certificate table ends behind the file', 'Malformed security header')
  return checkedImage(pe, SizeOfImage, EfiLoaderCode, Math.max(SectionAlignment === 0 ? PAGE : SectionAlignment, FileAlignment === 0 ? 0x200 : FileAlignment))
}

/** Debian's peimage for GRUB: a PE32+ file for this machine whose table is there (PE-35). */
export function checkPeimage(source: ByteSource): CheckedImage | LoadRefusal {
  const { pe, problems } = parsePe(source)
  const no = (why: string) => refusal('EFI_UNSUPPORTED', 'PE-35', why)
  if (pe === null) return no(problems.at(-1)?.what ?? 'no PE headers')
  if (pe.coff.Machine !== IMAGE_FILE_MACHINE_AMD64 || pe.optional.Magic !== PE32_PLUS_MAGIC) return no(`machine ${hex(pe.coff.Machine)} with magic ${hex(pe.optional.Magic)} does not run on x64`)
  return checkedImage(pe, pe.optional.SizeOfImage, EfiLoaderCode)
}

/** U-Boot looks at magic numbers, machine, and whether the table is in the file (PE-39). `sizeOf`: what a section takes in memory (PE-37). */
export function checkUBoot(source: ByteSource, sizeOf: (section: PeFile['sections'][number]) => number): CheckedImage | LoadRefusal {
  const no = (why: string, message: string) => refusal('EFI_LOAD_ERROR', 'PE-39', why, message)
  const { pe, problems } = parsePe(source)
  if (pe === null || !isMz(source) || pe.e_lfanew + NT_HEADERS32 > source.size) return no(problems.at(-1)?.what ?? 'no DOS header, or the file ends inside the headers', 'Not a PE-COFF file')
  if (pe.coff.Machine !== IMAGE_FILE_MACHINE_AMD64) return no(`machine ${hex(pe.coff.Machine)} is not that of the firmware`, `Machine type ${hex(pe.coff.Machine)} is not supported`)
  const size = Math.max(0, ...pe.sections.map(section => section.VirtualAddress + sizeOf(section)))
  return checkedImage(pe, size, IMAGE_TYPES[pe.optional.Subsystem] ?? EfiLoaderCode)
}

/** rust-hypervisor-firmware reads 1024 bytes and finds everything in them (PE-42). */
export function checkRustHypervisorFirmware(source: ByteSource): CheckedImage | LoadRefusal {
  const { pe, problems } = parsePe(source)
  const no = (why: string) => refusal('EFI_LOAD_ERROR', 'PE-42', why)
  if (pe === null) return no(problems.at(-1)?.what ?? 'no PE headers')
  if (!isMz(source) || pe.e_lfanew >= RHF_PE_HEADER_MAX) return no(`the PE header at ${hex(pe.e_lfanew)} does not begin in the first ${String(RHF_PE_HEADER_MAX)} bytes of a file with MZ`)
  if (pe.coff.Machine !== IMAGE_FILE_MACHINE_AMD64 || pe.optional.Magic !== PE32_PLUS_MAGIC) return no(`machine ${hex(pe.coff.Machine)} with magic ${hex(pe.optional.Magic)} is not x64's`)
  if (!tableFits(pe, RHF_HEADERS)) return no(`the section table ends behind the first ${String(RHF_HEADERS)} bytes of the file`)
  return checkedImage(pe, pe.optional.SizeOfImage, EfiLoaderCode)
}

/** patina: machine, subsystem, and two rules on SectionAlignment (PE-46). */
export function checkPatina(source: ByteSource): CheckedImage | LoadRefusal {
  const { pe, problems } = parsePe(source)
  if (pe === null) return refusal('EFI_UNSUPPORTED', 'PE-46', problems.at(-1)?.what ?? 'no PE headers')
  if (pe.coff.Machine !== IMAGE_FILE_MACHINE_AMD64) return refusal('EFI_UNSUPPORTED', 'PE-46', `machine ${hex(pe.coff.Machine)} is not x64`)
  const memoryType = IMAGE_TYPES[pe.optional.Subsystem]
  if (memoryType === undefined) return refusal('EFI_UNSUPPORTED', 'PE-46', `Subsystem ${String(pe.optional.Subsystem)} is none of EFI's`)
  const { SectionAlignment, SizeOfImage } = pe.optional
  if (SectionAlignment === 0 || SectionAlignment % PAGE !== 0) return refusal('EFI_LOAD_ERROR', 'PE-46', `SectionAlignment ${hex(SectionAlignment)} is not a multiple of a page`)
  if (SizeOfImage % SectionAlignment !== 0) return refusal('EFI_LOAD_ERROR', 'PE-46', `SizeOfImage ${hex(SizeOfImage)} is not a multiple of SectionAlignment ${hex(SectionAlignment)}`)
  return checkedImage(pe, SizeOfImage, memoryType)
}

const isPowerOfTwo = (n: number): boolean => n > 0 && Number.isInteger(Math.log2(n))
const alignTo = (n: number, to: number): number => Math.ceil(n / to) * to

/** Acidanthera's library: sections ascending and disjoint, by the strict policy adjacent (PE-48); the size is the end of the last one (PE-49). */
export function checkAudk(source: ByteSource, policy: 'relaxed' | 'strict'): CheckedImage | LoadRefusal {
  const { pe, problems } = parsePe(source)
  const no = (why: string) => refusal('EFI_UNSUPPORTED', 'PE-48', why)
  if (pe === null) return no(problems.at(-1)?.what ?? 'no PE headers')
  const { SizeOfHeaders, SectionAlignment, AddressOfEntryPoint, ImageBase } = pe.optional
  const memoryType = IMAGE_TYPES[pe.optional.Subsystem]
  if (pe.coff.Machine !== IMAGE_FILE_MACHINE_AMD64 || memoryType === undefined) return no(`machine ${hex(pe.coff.Machine)} with Subsystem ${String(pe.optional.Subsystem)} is not loaded`)
  if (!isPowerOfTwo(SectionAlignment)) return no(`SectionAlignment ${hex(SectionAlignment)} is no power of two`)
  if (pe.sections.length === 0) return no('the image has no sections')
  if (SizeOfHeaders > source.size || !tableFits(pe, SizeOfHeaders)) return no(`SizeOfHeaders ${hex(SizeOfHeaders)} does not hold the section table, or more than the file`)
  const aligned = (n: number): number => (policy === 'strict' ? alignTo(n, SectionAlignment) : n)
  let next = pe.sections[0]?.VirtualAddress === 0 ? 0 : aligned(SizeOfHeaders)
  for (const { name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData } of pe.sections) {
    if (VirtualAddress < next || (policy === 'strict' && VirtualAddress !== next)) return no(`section ${name} begins at ${hex(VirtualAddress)}, ${VirtualAddress < next ? 'before' : 'behind'} ${hex(next)}, where what lies before it ends`)
    if (SizeOfRawData > 0 && PointerToRawData + SizeOfRawData > source.size) return no(`the raw data of section ${name} ends at ${hex(PointerToRawData + SizeOfRawData)}, the file at ${hex(source.size)}`)
    if (VirtualAddress + VirtualSize >= 2 ** 32) return no(`section ${name} ends behind 4 GiB`)
    next = aligned(VirtualAddress + VirtualSize)
  }
  if (AddressOfEntryPoint >= next) return no(`the entry point ${hex(AddressOfEntryPoint)} lies outside the image of ${hex(next)} bytes`)
  if (ImageBase % BigInt(SectionAlignment) !== 0n) return no(`ImageBase ${hex(ImageBase)} is not aligned to SectionAlignment ${hex(SectionAlignment)}`)
  return checkedImage(pe, next, memoryType)
}
