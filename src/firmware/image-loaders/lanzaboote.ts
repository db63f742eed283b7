/** The kernel loader of lanzaboote's stub: zeroed pages, sections, no headers, no relocation (chapter PE). */
import { hex, rangeAt } from '../../bytes/range.ts'
import type { ByteSource } from '../../bytes/source.ts'
import { PAGE, pagesOf } from '../../bytes/units.ts'
import { EfiLoaderCode } from '../../image/memory-types.ts'
import { DIRECTORY_BASERELOC, parsePe, type PeSection } from '../../image/pe.ts'
import type { LoaderPorts, LoadRefusal } from './ports.ts'
import { RELOCS_STRIPPED, type CheckedImage } from './checked-image.ts'
import type { LoadRequest } from '../services.ts'
import { bring, ownerOf, zero } from './bring.ts'
import { refusal, type ImageLoader, type LoadStep, type Loading, type Place } from './image-loader.ts'

const UINT32_MAX = 0xffffffff

/**
 * Accepts any file with PE headers, for any machine; the image ends with its last section by address (PE-52).
 */
export function checkLanzaboote(source: ByteSource): CheckedImage | LoadRefusal {
  const { pe, problems } = parsePe(source)
  if (pe === null) return refusal('EFI_LOAD_ERROR', 'PE-52', problems.at(-1)?.what ?? 'no PE headers')
  const beyond = pe.sections.find(
    ({ VirtualAddress, VirtualSize }) => VirtualAddress + VirtualSize > UINT32_MAX,
  )
  if (beyond !== undefined)
    return refusal('EFI_LOAD_ERROR', 'PE-52', `section ${beyond.name} ends past 4 GiB`)
  const imageSize = Math.max(
    0,
    ...pe.sections.map(({ VirtualAddress, VirtualSize }) => VirtualAddress + VirtualSize),
  )
  return {
    pe,
    imageSize,
    memoryType: EfiLoaderCode,
    alignment: PAGE,
    relocationsStripped: (pe.coff.Characteristics & RELOCS_STRIPPED) !== 0,
  }
}

/** Any pages (PE-52). */
function allocate(
  ports: LoaderPorts,
  { name, pinned }: LoadRequest,
  { imageSize, memoryType }: CheckedImage,
): Place | LoadRefusal {
  const pages = pagesOf(imageSize)
  if (pinned !== undefined) {
    ports.pinPages(pinned, memoryType, pages, name)
    return { pages: rangeAt(pinned, pages * PAGE), base: pinned }
  }
  const { status, at } =
    pages === 0
      ? { status: 'EFI_NOT_FOUND' as const, at: null }
      : ports.allocatePages({ kind: 'any' }, memoryType, pages, name)
  return at === null
    ? refusal(
        status,
        'PE-52',
        `no free range holds the ${hex(pages)} pages up to the end of the last section`,
      )
    : { pages: rangeAt(at, pages * PAGE), base: at }
}

/** Zeroes all bytes up to the end of the last section; zeros inside a section belong to it (PE-53). */
const zeroed: LoadStep = loading => {
  const { imageSize, pe } = loading.checked
  loading.ports.step('PE-53', `zeroes the image of ${loading.request.name}`, () => {
    zero(loading, 0, imageSize, null)
    for (const section of pe.sections)
      zero(loading, section.VirtualAddress, section.VirtualSize, ownerOf(loading, section))
  })
  return null
}

/** The smaller of VirtualSize and SizeOfRawData (PE-53). */
function section(
  loading: Loading,
  { name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData, ...rest }: PeSection,
): LoadRefusal | null {
  const copied = Math.min(VirtualSize, SizeOfRawData)
  const { pe } = loading.checked
  if (PointerToRawData + copied > pe.source.size)
    return refusal(
      'EFI_LOAD_ERROR',
      'PE-53',
      `the raw data of section ${name} ends at ${hex(PointerToRawData + copied)}, the file ` +
        `at ${hex(pe.source.size)}`,
    )
  loading.ports.step('PE-53', `copies ${name}`, () => {
    bring(
      loading,
      PointerToRawData,
      copied,
      VirtualAddress,
      ownerOf(loading, { name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData, ...rest }),
    )
  })
  return null
}

/** Refuses an image with a relocation directory, after everything is copied (PE-54). */
const relocate: LoadStep = ({ checked }) => {
  const directory = checked.pe.dataDirectories[DIRECTORY_BASERELOC]
  const none = directory === undefined || (directory.VirtualAddress === 0 && directory.Size === 0)
  return none
    ? null
    : refusal('EFI_INCOMPATIBLE_VERSION', 'PE-54', 'the image has a directory of base relocations')
}

/** The entry point must be inside the image (PE-54). */
const finish: LoadStep = ({ checked: { pe, imageSize } }) => {
  const { AddressOfEntryPoint } = pe.optional
  return AddressOfEntryPoint < imageSize
    ? null
    : refusal(
        'EFI_LOAD_ERROR',
        'PE-54',
        `the entry point ${hex(AddressOfEntryPoint)} lies past the last section, which ends ` +
          `at ${hex(imageSize)}`,
      )
}

/** The row. */
export const LANZABOOTE: ImageLoader = {
  id: 'lanzaboote',
  title: "lanzaboote's stub, its own loader for the kernel",
  source: 'lanzaboote@1.1.0',
  buffer: { from: 'nowhere' },
  notesImages: false,
  check: checkLanzaboote,
  pagesClause: 'PE-52',
  allocate,
  headers: zeroed,
  order: 'table',
  section,
  relocate,
  finish,
  givesBackFrom: 'pages',
}
