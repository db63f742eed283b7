/**
 * Debian's peimage for GRUB: an image loader below 4 GiB that zeroes each section before it copies it
 * (chapter PE).
 */
import { printed, TEXTS } from '../../messages/texts.ts'
import { hex, rangeAt } from '../../bytes/range.ts'
import type { ByteSource } from '../../bytes/source.ts'
import { alignUp, PAGE, pagesOf, phys, wrap32 } from '../../bytes/units.ts'
import { EfiLoaderCode } from '../../image/memory-types.ts'
import { DIRECTORY_BASERELOC, NATIVE_MACHINE, parsePe, type PeSection } from '../../image/pe.ts'
import { headersEdk2 } from '../edk2/image-loader.ts'
import type { LoadRequest } from '../services.ts'
import { bring, ownerOf, pin, zero } from './bring.ts'
import { checkedImage, EFI_APPLICATION, isMz, isPowerOfTwo, type CheckedImage } from './checked-image.ts'
import {
  nothing,
  refusal,
  type ImageLoader,
  type LoadStep,
  type Loading,
  type Place,
} from './image-loader.ts'
import type { LoaderPorts, LoadRefusal } from './ports.ts'
import { relocateInPlace } from './relocate-in-place.ts'

/**
 * Highest address that GRUB allocates on x86-64, where it is built for the large code model. Source:
 * grub@2.12 include/grub/x86_64/efi/memory.h, configure.ac.
 */
const GRUB_MAX_ADDRESS = 0xffffffff

/** Debian's peimage for GRUB: an application for this machine whose headers are in the file (PE-35). */
export function checkPeimage(source: ByteSource): CheckedImage | LoadRefusal {
  const { pe, problems } = parsePe(source)
  const no = (why: string, message: string) => refusal('EFI_LOAD_ERROR', 'PE-35', why, message)
  if (source.size >= 64 && !isMz(source))
    return refusal('EFI_UNSUPPORTED', 'PE-35', 'the file does not begin with MZ', 'not a PE-COFF file')
  if (pe === null) return no(problems.at(-1)?.what ?? 'no PE headers', TEXTS['peimage/truncated'])
  const { Magic, Subsystem, SizeOfHeaders, SectionAlignment, SizeOfImage } = pe.optional
  if (pe.coff.Machine !== NATIVE_MACHINE)
    return no(
      `machine ${hex(pe.coff.Machine)} is not x64`,
      printed('peimage/machine', { number: String(pe.coff.Machine) }),
    )
  if (Subsystem !== EFI_APPLICATION)
    return no(
      `Subsystem ${String(Subsystem)} with magic ${hex(Magic)} is not an EFI application`,
      TEXTS['peimage/subsystem'],
    )
  if (source.size < SizeOfHeaders)
    return no(`SizeOfHeaders ${hex(SizeOfHeaders)} exceeds the file`, TEXTS['peimage/truncated'])
  if (SectionAlignment !== 0 && !isPowerOfTwo(SectionAlignment))
    return no(`SectionAlignment ${hex(SectionAlignment)} is not a power of two`, TEXTS['peimage/alignment'])
  return checkedImage(pe, SizeOfImage, EfiLoaderCode)
}

/** Below 4 GiB, with room for an alignment above a page (PE-35). */
export function allocatePeimage(
  ports: LoaderPorts,
  request: LoadRequest,
  { imageSize, alignment, memoryType }: CheckedImage,
): Place | LoadRefusal {
  const pages = pagesOf(imageSize + Math.max(0, alignment - PAGE))
  const pinned = pin(ports, request, memoryType, pages)
  if (pinned !== null) return pinned
  const { at } = ports.allocatePages(
    { kind: 'max', limit: GRUB_MAX_ADDRESS },
    memoryType,
    pages,
    request.name,
  )
  return at === null
    ? refusal(
        'EFI_OUT_OF_RESOURCES',
        'PE-35',
        `no free range below 4 GiB holds ${hex(pages)} pages`,
        'out of memory',
      )
    : { pages: rangeAt(at, pages * PAGE), base: phys(alignUp(at, Math.max(1, alignment))) }
}

/** Zero VirtualSize, then all raw bytes; both ends must be inside (PE-35). */
export function sectionPeimage(loading: Loading, section: PeSection): LoadRefusal | null {
  const { imageSize, pe } = loading.checked
  const { name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData } = section
  const { SizeOfHeaders } = pe.optional
  const no = (why: string, message: string) => refusal('EFI_LOAD_ERROR', 'PE-35', why, message)
  if (VirtualAddress < SizeOfHeaders || (SizeOfRawData > 0 && PointerToRawData < SizeOfHeaders))
    return no(
      `section ${name} begins inside the headers of ${hex(SizeOfHeaders)} bytes`,
      TEXTS['peimage/section-in-header'],
    )
  if (wrap32(PointerToRawData + SizeOfRawData) > pe.source.size)
    return no(
      `the raw data of section ${name} ends at ${hex(PointerToRawData + SizeOfRawData)}, ` +
        `the file at ${hex(pe.source.size)}`,
      TEXTS['peimage/truncated'],
    )
  if (wrap32(VirtualAddress + VirtualSize) > imageSize)
    return no(
      `section ${name} ends at ${hex(VirtualAddress + VirtualSize)}, outside the image of ` +
        `${hex(imageSize)} bytes`,
      TEXTS['peimage/section-outside'],
    )
  loading.ports.step(SizeOfRawData > VirtualSize ? 'PE-33' : 'PE-35', `zeroes and copies ${name}`, () => {
    zero(loading, VirtualAddress, VirtualSize, ownerOf(loading, section))
    bring(loading, PointerToRawData, SizeOfRawData, VirtualAddress, ownerOf(loading, section))
  })
  return null
}

/** Debian's GRUB refuses a directory that ends outside the image (PE-51). */
export const relocatePeimage: LoadStep = loading => {
  const { pe, imageSize } = loading.checked
  const directory = pe.dataDirectories[DIRECTORY_BASERELOC]
  if (
    directory !== undefined &&
    directory.Size > 0 &&
    wrap32(directory.VirtualAddress + directory.Size) > imageSize
  )
    return refusal(
      'EFI_LOAD_ERROR',
      'PE-51',
      'the relocation directory ends outside the image',
      'relocation block outside image',
    )
  return relocateInPlace(loading)
}

export const GRUB_DEBIAN: ImageLoader = {
  buffer: { from: 'pages', type: EfiLoaderCode, until: 'image-ends', clause: 'PE-50' },
  notesImages: false,
  check: checkPeimage,
  pagesClause: 'PE-35',
  allocate: allocatePeimage,
  headers: headersEdk2,
  order: 'table',
  section: sectionPeimage,
  relocate: relocatePeimage,
  finish: nothing,
  givesBackFrom: 'pages',
  id: 'grub-debian',
  title: 'GRUB of Debian and Ubuntu with peimage',
  source: 'grub-debian@2.12-9+deb13u2',
}
