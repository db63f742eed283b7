/** The steps of shim's own loader, and of rhboot's GRUB, which copied it (chapter PE). */
import { printed, TEXTS } from '../../messages/texts.ts'
import { hex, rangeAt } from '../../bytes/range.ts'
import { numberIn } from '../../bytes/struct.ts'
import { alignUp, PAGE, pagesOf, phys, wrap32, wrap64, fileOffset } from '../../bytes/units.ts'
import { EfiLoaderCode, EfiLoaderData } from '../../image/memory-types.ts'
import { DIRECTORY_BASERELOC, type PeSection } from '../../image/pe.ts'
import type { LoaderPorts, LoadRefusal } from './ports.ts'
import { checkShim } from './shim-checks.ts'
import type { CheckedImage } from './checked-image.ts'
import { applyBlocks } from './relocate.ts'
import type { LoadRequest } from '../services.ts'
import { bring, bringHeaders, ownerOf, zero } from './bring.ts'
import { refusal, type ImageLoader, type Loading, type LoadStep, type Place } from './image-loader.ts'

/** Characteristics. Source: pe@2024, section flags. */
const CNT_UNINITIALIZED_DATA = 0x80
const MEM_DISCARDABLE = 0x02000000
const MEM_READ = 0x40000000

/** What differs from release to release. */
export interface ShimVariant {
  /** `clamped`: min(VirtualSize, SizeOfRawData). `raw`: SizeOfRawData, regardless of VirtualSize (PE-33). */
  readonly copies: 'clamped' | 'raw'
  /** Are sections without MEM_READ skipped (PE-29)? */
  readonly unreadable: 'skipped' | 'loaded'
  /** The size used to test a section for the entry point (PE-31). */
  readonly entryBy: 'VirtualSize' | 'SizeOfRawData'
  /** Are sections of uninitialised data zeroed whole (PE-33)? */
  readonly uninitialised: 'zeroed' | 'copied'
  /** Does the byte after the image count as inside (PE-30)? */
  readonly reaches: 'one-too-far' | 'the-image'
  /** Handling of a `.reloc` that differs from the directory (PE-32). */
  readonly oddRelocations: 'ignored' | 'refused'
}

const discardable = ({ Characteristics }: PeSection): boolean => (Characteristics & MEM_DISCARDABLE) !== 0
const passedOver = (section: PeSection, { unreadable }: ShimVariant): boolean =>
  unreadable === 'skipped' &&
  ((discardable(section) && section.VirtualSize === 0) || (section.Characteristics & MEM_READ) === 0)

/** Pages anywhere, SectionAlignment more than the image size, regardless of ImageBase (PE-28). */
export function allocateShim(
  ports: LoaderPorts,
  { name, pinned }: LoadRequest,
  { imageSize, alignment, memoryType }: CheckedImage,
): Place | LoadRefusal {
  const pages = pagesOf(imageSize + alignment)
  if (pinned !== undefined) {
    ports.pinPages(pinned, memoryType, pages, name)
    return { pages: rangeAt(pinned, pages * PAGE), base: pinned }
  }
  const { at } = ports.allocatePages({ kind: 'any' }, memoryType, pages, name)
  if (at === null)
    return refusal(
      'EFI_OUT_OF_RESOURCES',
      'PE-28',
      `no free range holds the ${hex(pages)} pages of image and alignment`,
      TEXTS['shim/image-buffer'],
    )
  return { pages: rangeAt(at, pages * PAGE), base: phys(alignUp(at, alignment)) }
}

/** A pool buffer of loader data (PE-34). */
export function allocateRhboot(
  ports: LoaderPorts,
  { name, pinned }: LoadRequest,
  { imageSize, alignment }: CheckedImage,
): Place | LoadRefusal {
  if (pinned !== undefined) {
    ports.pinPages(pinned, EfiLoaderData, pagesOf(imageSize), name)
    return { pages: rangeAt(pinned, pagesOf(imageSize) * PAGE), base: pinned }
  }
  const buffer = ports.allocatePool(EfiLoaderData, imageSize + alignment, name)
  return buffer === null
    ? refusal(
        'EFI_OUT_OF_RESOURCES',
        'PE-34',
        `no pool buffer of ${hex(imageSize + alignment)} bytes`,
        'out of memory',
      )
    : { pages: buffer, base: phys(alignUp(buffer.start, alignment)), pool: true }
}

/** SizeOfHeaders bytes, and an entry point inside the image (PE-31). */
export const headersShim: LoadStep = loading => {
  const { AddressOfEntryPoint, SizeOfHeaders } = loading.checked.pe.optional
  loading.ports.step('PE-14', `the headers of ${loading.request.name}`, () => {
    bringHeaders(loading, SizeOfHeaders)
  })
  return AddressOfEntryPoint < loading.checked.imageSize
    ? null
    : refusal(
        'EFI_UNSUPPORTED',
        'PE-31',
        `the entry point ${hex(AddressOfEntryPoint)} lies outside the image`,
        'Entry point is invalid',
      )
}

/**
 * One section; discardable ones are not copied (PE-29), all others must lie inside the image and have a size
 * (PE-30).
 */
export function sectionShim(
  variant: ShimVariant,
): (loading: Loading, section: PeSection) => LoadRefusal | null {
  return (loading, section) => {
    const { imageSize, pe } = loading.checked
    const { index, name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData, Characteristics } =
      section
    if (passedOver(section, variant)) return null
    const no = (why: string, message: string) =>
      refusal(
        'EFI_UNSUPPORTED',
        'PE-30',
        `section ${name} ${why}`,
        printed('shim/section', { number: String(index), why: message }),
      )
    const limit = variant.reaches === 'one-too-far' ? imageSize + 1 : imageSize
    const inside = VirtualAddress < limit
    const last = wrap32(VirtualAddress + VirtualSize - 1)
    const ends = last < limit
    if ((inside && !ends) || (inside && last < VirtualAddress))
      return no(
        `ends at ${hex(VirtualAddress + VirtualSize)}, before it begins or outside the image ` +
          `of ${hex(imageSize)} bytes`,
        'has negative size',
      )
    if (discardable(section)) return null
    if (!inside)
      return no(
        `begins at ${hex(VirtualAddress)}, outside the image of ${hex(imageSize)} bytes`,
        'has invalid base address',
      )
    const uninitialised = (Characteristics & CNT_UNINITIALIZED_DATA) !== 0
    const { SizeOfHeaders } = pe.optional
    if (!uninitialised && (VirtualAddress < SizeOfHeaders || PointerToRawData < SizeOfHeaders))
      return no(`begins inside the headers of ${hex(SizeOfHeaders)} bytes`, 'is inside image headers')
    const wanted = variant.copies === 'raw' ? SizeOfRawData : Math.min(VirtualSize, SizeOfRawData)
    const copied = uninitialised && variant.uninitialised === 'zeroed' ? 0 : wanted
    loading.ports.step(copied > VirtualSize ? 'PE-33' : 'PE-29', `copies and zero-fills ${name}`, () => {
      bring(loading, PointerToRawData, copied, VirtualAddress, ownerOf(loading, section))
      zero(loading, VirtualAddress + copied, VirtualSize - copied, ownerOf(loading, section, copied))
    })
    return null
  }
}

/**
 * Fixups of the section `.reloc`, read from the file if it matches the directory; the headers are not changed
 * (PE-32).
 */
export function relocateShim(variant: ShimVariant): LoadStep {
  return ({ ports, request, checked, place }) => {
    const { pe, imageSize } = checked
    const directory = pe.dataDirectories[DIRECTORY_BASERELOC]
    if (directory === undefined)
      return refusal(
        'EFI_UNSUPPORTED',
        'PE-32',
        'the image has no relocation directory',
        'Image has no relocation entry',
      )
    const named = pe.sections.filter(section => section.name === '.reloc' && !passedOver(section, variant))
    const [section, second] = named
    if (second !== undefined)
      return refusal(
        'EFI_UNSUPPORTED',
        'PE-32',
        'two sections are named .reloc',
        'Image has multiple relocation sections',
      )
    const matches = section !== undefined && isDirectory(section, directory, variant)
    if (section !== undefined && !matches && variant.oddRelocations === 'refused')
      return refusal(
        'EFI_UNSUPPORTED',
        'PE-32',
        `section .reloc at ${hex(section.VirtualAddress)} is not the relocation directory at ` +
          hex(directory.VirtualAddress),
        'Relocation section is invalid',
      )
    const adjust = wrap64(BigInt(place.base) - pe.optional.ImageBase)
    if (!matches || adjust === 0n || directory.Size === 0) return null
    const read = (at: number, width: 2 | 4): number => {
      const bytes = pe.source.read(
        fileOffset(section.PointerToRawData + at - directory.VirtualAddress),
        width,
      )
      return numberIn(bytes)
    }
    const size = Math.min(directory.Size, section.SizeOfRawData)
    const failed = ports.step('PE-32', `relocation of ${request.name}`, () =>
      applyBlocks(
        { memory: ports.memory, base: place.base, size: imageSize, adjust, name: request.name, read },
        { start: directory.VirtualAddress, size },
      ),
    )
    return failed === null ? null : refusal('EFI_UNSUPPORTED', 'PE-32', failed.why, 'Relocation failed')
  }
}

/** Does the directory begin and end with the section, or (in releases that refuse others) end inside it? */
function isDirectory(
  { VirtualAddress, VirtualSize, SizeOfRawData }: PeSection,
  directory: { readonly VirtualAddress: number; readonly Size: number },
  { oddRelocations }: ShimVariant,
): boolean {
  const end = wrap32(VirtualAddress + VirtualSize)
  const last = wrap32(directory.VirtualAddress + directory.Size)
  return (
    SizeOfRawData > 0 &&
    VirtualSize > 0 &&
    VirtualAddress === directory.VirtualAddress &&
    (oddRelocations === 'refused' ? last <= end : last === end)
  )
}

/** The entry point must be in exactly one section (PE-31). */
export function finishShim(variant: ShimVariant): LoadStep {
  return ({ checked: { pe } }) => {
    const { AddressOfEntryPoint } = pe.optional
    const holds = (section: PeSection) =>
      section.VirtualAddress <= AddressOfEntryPoint &&
      AddressOfEntryPoint < wrap32(section.VirtualAddress + section[variant.entryBy] - 1)
    const holding = pe.sections.filter(section => !passedOver(section, variant) && holds(section))
    if (holding.length === 1) return null
    const names = holding.map(section => section.name).join(', ')
    return refusal(
      'EFI_UNSUPPORTED',
      'PE-31',
      `the entry point ${hex(AddressOfEntryPoint)} lies in ${holding.length === 0 ? 'no section' : names}`,
      holding.length === 0
        ? 'Entry point is not within sections'
        : `${String(holding.length)} sections contain entry point`,
    )
  }
}

function shim(
  variant: ShimVariant,
  everySection: boolean,
  row: Pick<ImageLoader, 'id' | 'title' | 'source'>,
): ImageLoader {
  return {
    buffer: { from: 'pool', type: EfiLoaderData, until: 'image-ends', clause: 'PE-50' },
    notesImages: false,
    check: source => checkShim(source, { everySection, beyond: variant.reaches === 'one-too-far' ? 1 : 0 }),
    pagesClause: 'PE-28',
    allocate: allocateShim,
    headers: headersShim,
    order: 'table',
    section: sectionShim(variant),
    relocate: relocateShim(variant),
    finish: finishShim(variant),
    givesBackFrom: 'pages',
    ...row,
  }
}

const EARLY: ShimVariant = {
  copies: 'raw',
  unreadable: 'loaded',
  entryBy: 'SizeOfRawData',
  uninitialised: 'zeroed',
  reaches: 'one-too-far',
  oddRelocations: 'ignored',
}
const MIDDLE: ShimVariant = { ...EARLY, copies: 'clamped', unreadable: 'skipped' }
const SINCE_15_7: ShimVariant = { ...MIDDLE, entryBy: 'VirtualSize' }
const LATE: ShimVariant = { ...SINCE_15_7, reaches: 'the-image', oddRelocations: 'refused' }
const RHBOOT: ShimVariant = { ...EARLY, uninitialised: 'copied', reaches: 'the-image' }

/** By release, oldest first. */
export const SHIM_IMAGE_LOADERS: readonly ImageLoader[] = [
  shim(EARLY, false, {
    id: 'shim-13',
    title: 'shim 13 to 15.5, its own loader for the second stage',
    source: 'shim@13',
  }),
  shim(MIDDLE, true, {
    id: 'shim-15.6',
    title: 'shim 15.6, its own loader for the second stage',
    source: 'shim@15.6',
  }),
  shim(SINCE_15_7, true, {
    id: 'shim-15.7',
    title: 'shim 15.7, its own loader for the second stage',
    source: 'shim@15.7',
  }),
  shim(LATE, true, {
    id: 'shim-15.8',
    title: 'shim 15.8, its own loader for the second stage',
    source: 'shim@15.8',
  }),
  {
    ...shim(LATE, true, {
      id: 'shim-16',
      title: 'shim 16, which replaces LoadImage under Secure Boot',
      source: 'shim@16.1',
    }),
    buffer: { from: 'pool', type: EfiLoaderData, until: 'loaded', clause: 'PE-1' },
  },
]

/** rhboot's GRUB, which copied shim's loader. */
export const GRUB_RHBOOT: ImageLoader = {
  ...shim(RHBOOT, false, {
    id: 'grub-rhboot',
    title: 'GRUB of rhboot (Fedora) under Secure Boot',
    source: 'grub-rhboot@fedora-44',
  }),
  buffer: { from: 'pages', type: EfiLoaderCode, until: 'image-ends', clause: 'PE-50' },
  pagesClause: 'PE-34',
  allocate: allocateRhboot,
}
