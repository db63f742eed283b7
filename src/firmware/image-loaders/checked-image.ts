/** The result of an image loader's header checks, and checks shared by several loaders (chapter PE). */
import { readExactly, type ByteSource } from '../../bytes/source.ts'
import { EfiBootServicesCode, EfiLoaderCode, EfiRuntimeServicesCode } from '../../image/memory-types.ts'
import type { PeFile } from '../../image/pe.ts'

/** Subsystem of an application. Source: pe@2024, Windows Subsystem. */
export const EFI_APPLICATION = 10
/** Bytes of a section header. */
export const SECTION_HEADER = 40
/** Memory type of an image by Subsystem. Source: edk2@stable202211 Image.c CoreLoadPeImage. */
export const IMAGE_TYPES: Readonly<Record<number, number>> = {
  [EFI_APPLICATION]: EfiLoaderCode,
  11: EfiBootServicesCode,
  12: EfiRuntimeServicesCode,
  13: EfiRuntimeServicesCode,
}
/** IMAGE_FILE_RELOCS_STRIPPED. */
export const RELOCS_STRIPPED = 1

/** The checked header values. */
export interface CheckedImage {
  readonly pe: PeFile
  /** SizeOfImage, and the size of CodeView data that has no address of its own. */
  readonly imageSize: number
  /** UEFI's memory type of the pages. */
  readonly memoryType: number
  readonly relocationsStripped: boolean
  /** SectionAlignment as used by the loader, in bytes. */
  readonly alignment: number
}

/** Does the section table lie inside the first `end` bytes? */
export const tableFits = (pe: PeFile, end: number): boolean =>
  pe.sectionTable + SECTION_HEADER * pe.coff.NumberOfSections <= end

/** Does the file begin with MZ? */
export function isMz(source: ByteSource): boolean {
  const magic = readExactly(source, 0, 2)
  return magic?.[0] === 0x4d && magic[1] === 0x5a
}

/** The values of a loader that uses SizeOfImage and SectionAlignment unchanged. */
export function checkedImage(
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

export const isPowerOfTwo = (n: number): boolean => n > 0 && Number.isInteger(Math.log2(n))
