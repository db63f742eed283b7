/** patina's image loader: any pages, zeroed as a whole, page-aligned sections (chapter PE). */
import { hex, rangeAt } from '../../bytes/range.ts'
import type { ByteSource } from '../../bytes/source.ts'
import { alignUp, PAGE, pagesOf, phys } from '../../bytes/units.ts'
import { NATIVE_MACHINE, parsePe, type PeSection } from '../../image/pe.ts'
import { edk2ImageLoader } from '../edk2/image-loader.ts'
import { bring, ownerOf, pin } from '../image-loaders/bring.ts'
import { checkedImage, IMAGE_TYPES, type CheckedImage } from '../image-loaders/checked-image.ts'
import { refusal, type ImageLoader, type Loading, type Place } from '../image-loaders/image-loader.ts'
import type { LoaderPorts, LoadRefusal } from '../image-loaders/ports.ts'
import { headersZeroed } from '../image-loaders/zeroed.ts'
import type { LoadRequest } from '../services.ts'

/** patina: machine, subsystem, and two rules on SectionAlignment (PE-46). */
export function checkPatina(source: ByteSource): CheckedImage | LoadRefusal {
  const { pe, problems } = parsePe(source)
  if (pe === null) return refusal('EFI_UNSUPPORTED', 'PE-46', problems.at(-1)?.what ?? 'no PE headers')
  if (pe.coff.Machine !== NATIVE_MACHINE)
    return refusal('EFI_UNSUPPORTED', 'PE-46', `machine ${hex(pe.coff.Machine)} is not x64`)
  const memoryType = IMAGE_TYPES[pe.optional.Subsystem]
  if (memoryType === undefined)
    return refusal(
      'EFI_UNSUPPORTED',
      'PE-46',
      `Subsystem ${String(pe.optional.Subsystem)} is not an EFI subsystem`,
    )
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
      `SizeOfHeaders ${hex(SizeOfHeaders)} exceeds the image or the file`,
    )
  return checkedImage(pe, SizeOfImage, memoryType)
}

/** Pages anywhere, plus SectionAlignment if that is more than a page; ImageBase is ignored (PE-56). */
export function allocatePatina(
  ports: LoaderPorts,
  request: LoadRequest,
  { imageSize, alignment, memoryType }: CheckedImage,
): Place | LoadRefusal {
  const pages = pagesOf(imageSize + (alignment > PAGE ? alignment : 0))
  const pinned = pin(ports, request, memoryType, pages)
  if (pinned !== null) return pinned
  const { at } = ports.allocatePages({ kind: 'any' }, memoryType, pages, request.name)
  return at === null
    ? refusal('EFI_OUT_OF_RESOURCES', 'PE-56', `no free range holds ${hex(pages)} pages`)
    : { pages: rangeAt(at, pages * PAGE), base: phys(alignUp(at, alignment)) }
}

/** Data only, since the tail is already zero: VirtualSize 0 means all raw bytes (PE-47). */
export function sectionPatina(loading: Loading, section: PeSection): LoadRefusal | null {
  const { name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData } = section
  const { imageSize, pe } = loading.checked
  const copied = VirtualSize === 0 ? SizeOfRawData : Math.min(VirtualSize, SizeOfRawData)
  if (VirtualAddress + copied > imageSize || PointerToRawData + copied > pe.source.size)
    return refusal(
      'EFI_LOAD_ERROR',
      'PE-47',
      `the data of section ${name} begins at ${hex(VirtualAddress)} and ends at ` +
        `${hex(VirtualAddress + copied)}, outside the image of ${hex(imageSize)} bytes or ` +
        'the file',
    )
  loading.ports.step('PE-47', `copies ${name}`, () => {
    bring(loading, PointerToRawData, copied, VirtualAddress, ownerOf(loading, section))
  })
  return null
}

/** Boot manager, file buffer and relocation are those of EDK2's DXE core. */
export const PATINA_IMAGE_LOADER: ImageLoader = {
  ...edk2ImageLoader('2025.02'),
  dxeCore: false,
  check: checkPatina,
  pagesClause: 'PE-56',
  allocate: allocatePatina,
  headers: headersZeroed('PE-45'),
  section: sectionPatina,
  givesBackFrom: 'pages',
  unusual: 'not known to be in a product',
  id: 'patina',
  title: 'patina, a DXE core in Rust',
  source: 'patina@80aa9c4c',
}
