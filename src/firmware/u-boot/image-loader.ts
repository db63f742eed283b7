/** U-Boot's image loaders: sizes from the sections, the last section first (chapter PE). */
import { printed, TEXTS } from '../../messages/texts.ts'
import { hex, rangeAt } from '../../bytes/range.ts'
import type { ByteSource } from '../../bytes/source.ts'
import { alignUp, PAGE, pagesOf, phys } from '../../bytes/units.ts'
import { EfiBootServicesData, EfiLoaderCode } from '../../image/memory-types.ts'
import { NATIVE_MACHINE, parsePe, type PeFile, type PeSection } from '../../image/pe.ts'
import { bring, bringHeaders, ownerOf, pin, zero } from '../image-loaders/bring.ts'
import { checkedImage, IMAGE_TYPES, isMz, type CheckedImage } from '../image-loaders/checked-image.ts'
import {
  nothing,
  refusal,
  type ImageLoader,
  type LoadStep,
  type Loading,
  type Place,
} from '../image-loaders/image-loader.ts'
import type { LoaderPorts, LoadRefusal } from '../image-loaders/ports.ts'
import { relocateUBoot } from '../image-loaders/relocate-in-place.ts'
import type { LoadRequest } from '../services.ts'

/**
 * Bytes a file must have after e_lfanew. Source: u-boot@2023.01 efi_check_pe, IMAGE_NT_HEADERS32;
 * u-boot@2021.01 efi_load_pe, IMAGE_NT_HEADERS64.
 */
const NT_HEADERS32 = 248
const NT_HEADERS64 = 264

/**
 * U-Boot checks magic numbers, machine, and that the table is in the file (PE-39). `sizeOf`: a section's size
 * in memory (PE-37); `headers`: bytes that a file must have after e_lfanew.
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
      TEXTS['u-boot/no-pe'],
    )
  if (pe.coff.Machine !== NATIVE_MACHINE)
    return no(
      `machine ${hex(pe.coff.Machine)} is not that of the firmware`,
      printed('u-boot/machine', { number: hex(pe.coff.Machine) }),
    )
  const size = Math.max(0, ...pe.sections.map(section => section.VirtualAddress + sizeOf(section)))
  return checkedImage(pe, size, IMAGE_TYPES[pe.optional.Subsystem] ?? EfiLoaderCode)
}

/** Pages anywhere for the extent of the sections, aligned or not depending on the release (PE-37, PE-41). */
export function allocateUBoot(
  aligns: boolean,
): (ports: LoaderPorts, request: LoadRequest, checked: CheckedImage) => Place | LoadRefusal {
  return (ports, request, { imageSize, alignment, memoryType }) => {
    const pages = pagesOf(imageSize)
    const pinned = pin(ports, request, memoryType, pages)
    if (pinned !== null) return pinned
    const none = (why: string) => refusal('EFI_OUT_OF_RESOURCES', 'PE-37', why, 'Out of memory')
    if (aligns && Number(BigInt(alignment) & (BigInt(alignment) - 1n)) !== 0 && alignment > 0)
      return none(`SectionAlignment ${hex(alignment)} is not a power of two`)
    const more = aligns && alignment >= PAGE ? pagesOf(alignment) - 1 : 0
    const { at } = ports.allocatePages({ kind: 'any' }, memoryType, pages + more, request.name)
    if (at === null) return none(`no free range holds ${hex(pages + more)} pages`)
    const base = phys(more === 0 ? at : alignUp(at, alignment))
    const before = (base - at) / PAGE
    if (more > 0)
      ports.step('PE-41', `${request.name} is aligned to ${hex(alignment)}`, () => {
        if (before > 0) ports.freePages(at, before)
        if (more - before > 0) ports.freePages(phys(base + pages * PAGE), more - before)
      })
    return { pages: rangeAt(base, pages * PAGE), base }
  }
}

/** DOS header, PE headers, optional header and table, each counted once more than needed (PE-39). */
export const headersUBoot: LoadStep = loading => {
  const { coff } = loading.checked.pe
  loading.ports.step('PE-39', `the headers of ${loading.request.name}`, () => {
    bringHeaders(loading, 64 + 248 + coff.SizeOfOptionalHeader + 40 * coff.NumberOfSections)
  })
  return null
}

/** A section's size in memory: VirtualSize; with `orRaw`, SizeOfRawData if that is 0 (PE-37). */
export function sizeUBoot(orRaw: boolean): (section: PeSection) => number {
  return ({ VirtualSize, SizeOfRawData }) => (orRaw && VirtualSize === 0 ? SizeOfRawData : VirtualSize)
}

/** Zero VirtualSize, copy over it: clamped, or all raw bytes before v2021.04 (PE-40). */
export function sectionUBoot(habits: {
  readonly copies: 'clamped' | 'raw'
  readonly orRaw: boolean
}): (loading: Loading, section: PeSection) => null {
  const sizeOf = sizeUBoot(habits.orRaw)
  return (loading, section) => {
    const { VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData } = section
    const copied = habits.copies === 'raw' ? SizeOfRawData : Math.min(sizeOf(section), SizeOfRawData)
    const clause = copied > sizeOf(section) ? 'PE-33' : 'PE-40'
    loading.ports.step(clause, `zeroes and copies ${section.name}`, () => {
      zero(
        loading,
        VirtualAddress + Math.min(copied, VirtualSize),
        VirtualSize - copied,
        ownerOf(loading, section, Math.min(copied, VirtualSize)),
      )
      bring(loading, PointerToRawData, copied, VirtualAddress, ownerOf(loading, section))
    })
    return null
  }
}

/** Differences between releases. */
interface UBootVariant {
  readonly copies: 'clamped' | 'raw'
  readonly orRaw: boolean
  readonly aligns: boolean
  readonly headers?: number
}

function uBoot(id: string, title: string, source: string, variant: UBootVariant): ImageLoader {
  const { copies, orRaw, aligns, headers } = variant
  return {
    buffer: { from: 'pages', type: EfiBootServicesData, until: 'loaded', clause: 'PE-1' },
    notesImages: false,
    check: file => checkUBoot(file, sizeUBoot(orRaw), headers),
    pagesClause: 'PE-37',
    allocate: allocateUBoot(aligns),
    headers: headersUBoot,
    order: 'reverse',
    section: sectionUBoot({ copies, orRaw }),
    relocate: relocateUBoot,
    finish: nothing,
    givesBackFrom: 'pages',
    id,
    title,
    source,
  }
}

/** By release, oldest first. */
export const U_BOOT_IMAGE_LOADERS: readonly ImageLoader[] = [
  uBoot('u-boot-2020.10', 'U-Boot before v2021.04', 'u-boot@2020.10', {
    copies: 'raw',
    orRaw: false,
    aligns: false,
    headers: NT_HEADERS64,
  }),
  uBoot('u-boot-2021.04', 'U-Boot v2021.04 and v2021.07', 'u-boot@2021.10', {
    copies: 'clamped',
    orRaw: false,
    aligns: false,
  }),
  uBoot('u-boot-2021.10', 'U-Boot v2021.10', 'u-boot@2021.10', {
    copies: 'clamped',
    orRaw: true,
    aligns: false,
  }),
  uBoot('u-boot-2022.01', 'U-Boot v2022.01 and later', 'u-boot@2023.01', {
    copies: 'clamped',
    orRaw: true,
    aligns: true,
  }),
]
