/**
 * Acidanthera's image library, in OpenCore and OpenDuet: sections disjoint, everything else zero (chapter
 * PE).
 */
import { hex } from '../../bytes/range.ts'
import type { ByteSource } from '../../bytes/source.ts'
import { PAGE } from '../../bytes/units.ts'
import { DIRECTORY_SECURITY, NATIVE_MACHINE, parsePe, type PeSection } from '../../image/pe.ts'
import { edk2ImageLoader } from '../edk2/image-loader.ts'
import { bring, ownerOf } from './bring.ts'
import { checkedImage, IMAGE_TYPES, isPowerOfTwo, tableFits, type CheckedImage } from './checked-image.ts'
import { refusal, type ImageLoader, type Loading } from './image-loader.ts'
import type { LoadRefusal } from './ports.ts'
import { relocateInPlace } from './relocate-in-place.ts'
import { headersZeroed } from './zeroed.ts'

const alignTo = (n: number, to: number): number => Math.ceil(n / to) * to

/**
 * Acidanthera's library: sections ascending and disjoint, adjacent under the strict policy (PE-48); the size
 * is the end of the last one (PE-49).
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
    return no(`SectionAlignment ${hex(SectionAlignment)} is not a power of two`)
  if (pe.sections.length === 0) return no('the image has no sections')
  if (SizeOfHeaders > source.size || !tableFits(pe, SizeOfHeaders))
    return no(`SizeOfHeaders ${hex(SizeOfHeaders)} does not cover the section table, or exceeds the file`)
  const certificates = pe.dataDirectories[DIRECTORY_SECURITY]
  if (
    certificates !== undefined &&
    (certificates.VirtualAddress + certificates.Size > source.size ||
      certificates.VirtualAddress % 8 !== 0 ||
      certificates.Size % 8 !== 0)
  )
    return no('the certificate table ends past the end of the file, or is not aligned to 8 bytes')
  const aligned = (n: number): number => (policy === 'strict' ? alignTo(n, SectionAlignment) : n)
  let alignment = SectionAlignment
  let next = pe.sections[0]?.VirtualAddress === 0 ? 0 : aligned(SizeOfHeaders)
  for (const { name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData } of pe.sections) {
    if (VirtualAddress < next || (policy === 'strict' && VirtualAddress !== next))
      return no(
        `section ${name} begins at ${hex(VirtualAddress)}, ` +
          `${VirtualAddress < next ? 'before' : 'after'} ${hex(next)}, the end of the previous ` +
          'section',
      )
    if (SizeOfRawData > 0 && PointerToRawData + SizeOfRawData > source.size)
      return no(
        `the raw data of section ${name} ends at ${hex(PointerToRawData + SizeOfRawData)}, ` +
          `the file at ${hex(source.size)}`,
      )
    if (VirtualAddress + VirtualSize >= 2 ** 32) return no(`section ${name} ends past 4 GiB`)
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
/** Data only: everything else is zero already (PE-49). */
export function sectionAudk(loading: Loading, section: PeSection): null {
  loading.ports.step('PE-49', `copies ${section.name}`, () => {
    bring(
      loading,
      section.PointerToRawData,
      Math.min(section.VirtualSize, section.SizeOfRawData),
      section.VirtualAddress,
      ownerOf(loading, section),
    )
  })
  return null
}

function audk(policy: 'relaxed' | 'strict', row: Pick<ImageLoader, 'id' | 'title' | 'unusual'>): ImageLoader {
  return {
    ...edk2ImageLoader('2022.11'),
    dxeCore: false,
    check: source => checkAudk(source, policy),
    headers: headersZeroed('PE-49'),
    section: sectionAudk,
    relocate: relocateInPlace,
    givesBackFrom: 'pages',
    source: 'audk@a77501f2',
    ...row,
  }
}

export const AUDK = audk('relaxed', {
  id: 'audk',
  title: 'AUDK (OpenCore, OpenDuet), unaligned sections allowed',
})
export const AUDK_STRICT = audk('strict', {
  unusual: 'a build option that is not known to ship',
  id: 'audk-strict',
  title: 'AUDK (OpenCore, OpenDuet), sections adjacent',
})
