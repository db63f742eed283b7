/** shim's header checks and hashing (chapter PE). */
import { printed, TEXTS } from '../../messages/texts.ts'
import { hex } from '../../bytes/range.ts'
import type { ByteSource } from '../../bytes/source.ts'
import { PAGE, wrap32 } from '../../bytes/units.ts'
import { EfiLoaderCode } from '../../image/memory-types.ts'
import {
  DIRECTORY_SECURITY,
  NATIVE_MACHINE,
  IMAGE_OPTIONAL_HEADER64,
  PE32_PLUS_MAGIC,
  parsePe,
  type PeFile,
} from '../../image/pe.ts'
import { checkedImage, RELOCS_STRIPPED, SECTION_HEADER, type CheckedImage } from './checked-image.ts'
import { refusal } from './image-loader.ts'
import type { LoadRefusal } from './ports.ts'

/** Characteristics. Source: pe@2024, section flags. */
const CNT_UNINITIALIZED_DATA = 0x80
const MEM_DISCARDABLE = 0x02000000

/**
 * What hashing checks: every section or only raw sizes; and the number of bytes past the image that count as
 * inside.
 */
export interface ShimChecks {
  readonly everySection: boolean
  readonly beyond: 0 | 1
}

/**
 * shim's read_header, which rhboot's GRUB calls through the shim lock protocol (PE-32), and the errors of
 * hashing the file (PE-55).
 */
export function checkShim(
  source: ByteSource,
  { everySection, beyond }: ShimChecks,
): CheckedImage | LoadRefusal {
  const no = (why: string, message: string) => refusal('EFI_UNSUPPORTED', 'PE-32', why, message)
  const { pe, problems } = parsePe(source)
  if (pe === null) return no(problems.at(-1)?.what ?? 'no PE headers', TEXTS['shim/invalid-image'])
  const { SizeOfImage, SizeOfHeaders, FileAlignment, SectionAlignment, NumberOfRvaAndSizes, Magic } =
    pe.optional
  if (pe.coff.Machine !== NATIVE_MACHINE || Magic !== PE32_PLUS_MAGIC)
    return no(
      `machine ${hex(pe.coff.Machine)} with magic ${hex(Magic)} does not run on x64`,
      TEXTS['shim/platform'],
    )
  if (FileAlignment % 2 !== 0)
    return no(
      `FileAlignment ${hex(FileAlignment)} is odd`,
      printed('shim/file-alignment', { number: String(FileAlignment) }),
    )
  if (NumberOfRvaAndSizes > 16)
    return no(
      `NumberOfRvaAndSizes ${String(NumberOfRvaAndSizes)} is more than 16`,
      TEXTS['shim/header-too-large'],
    )
  if (pe.coff.SizeOfOptionalHeader - IMAGE_OPTIONAL_HEADER64.size !== 8 * NumberOfRvaAndSizes)
    return no('the data directories do not fill the optional header', TEXTS['shim/data-directory'])
  const end = pe.sectionTable
  const { NumberOfSections } = pe.coff
  if (SizeOfImage < end || Math.floor((SizeOfImage - end) / SECTION_HEADER) <= NumberOfSections)
    return no(
      `SizeOfImage ${hex(SizeOfImage)} has no room for the section table`,
      TEXTS['shim/sections-overflow-size'],
    )
  if (SizeOfHeaders < end || Math.floor((SizeOfHeaders - end) / SECTION_HEADER) < NumberOfSections)
    return no(
      `SizeOfHeaders ${hex(SizeOfHeaders)} has no room for the section table`,
      TEXTS['shim/sections-overflow-headers'],
    )
  if ((pe.coff.Characteristics & RELOCS_STRIPPED) !== 0)
    return no('the relocations are stripped', TEXTS['shim/relocations-stripped'])
  if (SizeOfImage < SizeOfHeaders)
    return no(
      `SizeOfImage ${hex(SizeOfImage)} is less than SizeOfHeaders ${hex(SizeOfHeaders)}`,
      TEXTS['shim/invalid-image'],
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
      'the certificate table begins past the end of the file',
      TEXTS['shim/security-header'],
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

/** Why shim cannot hash the file; null if it can (PE-55). */
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
      return refusal(
        'EFI_UNSUPPORTED',
        'PE-55',
        `section ${name} ${odd}`,
        printed('shim/section', { number: String(index), why: odd }),
      )
    hashedBytes += SizeOfRawData
    if (hashedBytes > source.size)
      return no(
        `headers and sections up to ${name} have ${hex(hashedBytes)} bytes, the file ${hex(source.size)}`,
        printed('shim/section-size', { number: String(index) }),
      )
  }
  const beyond = sections.find(
    ({ PointerToRawData, SizeOfRawData }) =>
      SizeOfRawData > 0 && PointerToRawData + SizeOfRawData > source.size,
  )
  if (beyond !== undefined)
    return no(
      `the raw data of section ${beyond.name} ends past the end of the file`,
      TEXTS['shim/section-header'],
    )
  const certificates = dataDirectories[DIRECTORY_SECURITY]
  const signed = certificates !== undefined && certificates.Size > 0 && source.size > hashedBytes
  const fits =
    certificates === undefined ||
    (source.size - hashedBytes >= certificates.Size &&
      certificates.VirtualAddress + certificates.Size === source.size)
  return signed && !fits
    ? no('the certificate table is not the end of the file', TEXTS['shim/certificate-table'])
    : null
}

/** shim's objection to a section, even if it does not load it. */
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
