/**
 * The steps of Debian's peimage, U-Boot, rust-hypervisor-firmware, patina and Acidanthera's library (chapter
 * PE).
 */
import { hex, rangeAt } from '../../bytes/range.ts'
import { alignUp, PAGE, pagesOf, phys, physOf, PHYS_END, wrap32, wrap64 } from '../../bytes/units.ts'
import { DIRECTORY_BASERELOC, type PeSection } from '../../image/pe.ts'
import type { LoaderPorts, LoadRefusal } from '../loader-ports.ts'
import type { CheckedImage } from '../pe-checks.ts'
import { applyBlocks } from '../pe-relocate.ts'
import type { LoadRequest } from '../services.ts'
import { bring, bringHeaders, ownerOf, zero } from './bring.ts'
import { refusal, type LoaderStep, type Loading, type Place } from './loader.ts'

/**
 * Highest address that GRUB takes memory at on x86-64, which is built for the large code model. Source:
 * grub@2.12 include/grub/x86_64/efi/memory.h, configure.ac.
 */
const GRUB_MAX_ADDRESS = 0xffffffff
/**
 * Where rust-hypervisor-firmware puts an image without ImageBase. Source: rhf@82a9a4f4
 * src/arch/x86_64/layout.rs KERNEL_START.
 */
const RHF_LOAD_ADDRESS = 0x200000
/** Sector of rust-hypervisor-firmware's disks, in bytes. Source: rhf@82a9a4f4 src/pe.rs. */
const SECTOR = 512

type Allocated = Place | LoadRefusal

function pin(ports: LoaderPorts, { name, pinned }: LoadRequest, type: number, pages: number): Place | null {
  if (pinned === undefined) return null
  ports.pinPages(pinned, type, pages, name)
  return { pages: rangeAt(pinned, pages * PAGE), base: pinned }
}

/** Below 4 GiB, with room for an alignment above a page (PE-35). */
export function allocatePeimage(
  ports: LoaderPorts,
  request: LoadRequest,
  { imageSize, alignment, memoryType }: CheckedImage,
): Allocated {
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
      'section inside header',
    )
  if (wrap32(PointerToRawData + SizeOfRawData) > pe.source.size)
    return no(
      `the raw data of section ${name} ends at ${hex(PointerToRawData + SizeOfRawData)}, the file at ${hex(pe.source.size)}`,
      'truncated image',
    )
  if (wrap32(VirtualAddress + VirtualSize) > imageSize)
    return no(
      `section ${name} ends at ${hex(VirtualAddress + VirtualSize)}, outside the image of ${hex(imageSize)} bytes`,
      'section outside image',
    )
  loading.ports.step(SizeOfRawData > VirtualSize ? 'PE-33' : 'PE-35', `zeroes and copies ${name}`, () => {
    zero(loading, VirtualAddress, VirtualSize, ownerOf(loading, section))
    bring(loading, PointerToRawData, SizeOfRawData, VirtualAddress, ownerOf(loading, section))
  })
  return null
}

/** Pages anywhere for the sections' extent, aligned or not by release (PE-37, PE-41). */
export function allocateUBoot(
  aligns: boolean,
): (ports: LoaderPorts, request: LoadRequest, checked: CheckedImage) => Allocated {
  return (ports, request, { imageSize, alignment, memoryType }) => {
    const pages = pagesOf(imageSize)
    const pinned = pin(ports, request, memoryType, pages)
    if (pinned !== null) return pinned
    const none = (why: string) => refusal('EFI_OUT_OF_RESOURCES', 'PE-37', why, 'Out of memory')
    if (aligns && Number(BigInt(alignment) & (BigInt(alignment) - 1n)) !== 0 && alignment > 0)
      return none(`SectionAlignment ${hex(alignment)} is no power of two`)
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
export const headersUBoot: LoaderStep = loading => {
  const { coff } = loading.checked.pe
  loading.ports.step('PE-39', `the headers of ${loading.request.name}`, () => {
    bringHeaders(loading, 64 + 248 + coff.SizeOfOptionalHeader + 40 * coff.NumberOfSections)
  })
  return null
}

/** What a section takes in memory: VirtualSize; where `orRaw`, SizeOfRawData when that is 0 (PE-37). */
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

/** Fixups where the directory of the file says; the headers stay (PE-51). */
export const relocateInPlace: LoaderStep = loading => relocateBy(loading, false)

/** The same, where a block of size 0 is the end (PE-51). */
export const relocateUBoot: LoaderStep = loading => relocateBy(loading, true)

function relocateBy({ ports, request, checked, place }: Loading, zeroBlockEnds: boolean): LoadRefusal | null {
  const { pe, imageSize } = checked
  const directory = pe.dataDirectories[DIRECTORY_BASERELOC]
  const adjust = wrap64(BigInt(place.base) - pe.optional.ImageBase)
  if (directory === undefined || directory.Size === 0 || adjust === 0n) return null
  if (directory.VirtualAddress + directory.Size > imageSize) {
    ports.assume('PE-51', `${request.name}: a relocation directory outside the image is not applied`)
    return null
  }
  const failed = ports.step('PE-51', `relocation of ${request.name}`, () =>
    applyBlocks(
      {
        memory: ports.memory,
        base: place.base,
        size: imageSize,
        adjust,
        name: request.name,
        zeroBlockEnds,
      },
      { start: directory.VirtualAddress, size: directory.Size },
    ),
  )
  return failed === null ? null : refusal('EFI_LOAD_ERROR', 'PE-51', failed.why)
}

/** Debian's GRUB refuses a directory that leaves the image (PE-51). */
export const relocatePeimage: LoaderStep = loading => {
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

/** rust-hypervisor-firmware passes over relocations whose section it has not copied (PE-43). */
export const relocateRustHypervisorFirmware: LoaderStep = loading => {
  const { pe } = loading.checked
  const at = pe.dataDirectories[DIRECTORY_BASERELOC]?.VirtualAddress
  return pe.sections.some(section => section.VirtualAddress === at && section.PointerToRawData % SECTOR !== 0)
    ? null
    : relocateInPlace(loading)
}

/**
 * Pages anywhere, and SectionAlignment more when that is above a page; ImageBase is not looked at (PE-56).
 */
export function allocatePatina(
  ports: LoaderPorts,
  request: LoadRequest,
  { imageSize, alignment, memoryType }: CheckedImage,
): Allocated {
  const pages = pagesOf(imageSize + (alignment > PAGE ? alignment : 0))
  const pinned = pin(ports, request, memoryType, pages)
  if (pinned !== null) return pinned
  const { at } = ports.allocatePages({ kind: 'any' }, memoryType, pages, request.name)
  return at === null
    ? refusal('EFI_OUT_OF_RESOURCES', 'PE-56', `no free range holds ${hex(pages)} pages`)
    : { pages: rangeAt(at, pages * PAGE), base: phys(alignUp(at, alignment)) }
}

/** ImageBase or 2 MiB; only as many pages are taken as the file has (PE-42). */
export function allocateRustHypervisorFirmware(
  ports: LoaderPorts,
  { name, from }: LoadRequest,
  { pe, imageSize, memoryType }: CheckedImage,
): Allocated {
  if (from.kind === 'memory')
    return refusal(
      'EFI_UNSUPPORTED',
      'PE-42',
      'LoadImage does not look at a buffer in memory: it wants a device path',
    )
  const wanted = pe.optional.ImageBase === 0n ? RHF_LOAD_ADDRESS : physOf(pe.optional.ImageBase)
  const pages = Math.max(1, pagesOf(pe.source.size))
  if (wanted === null || wanted + Math.max(imageSize, pages * PAGE) > PHYS_END)
    return refusal(
      'EFI_LOAD_ERROR',
      'PE-42',
      `ImageBase ${hex(pe.optional.ImageBase)} is no address of memory`,
    )
  const base = phys(wanted)
  const { at } = ports.allocatePages({ kind: 'address', at: base }, memoryType, pages, name)
  if (at === null)
    ports.assume('PE-42', `${name} is put at ${hex(base)} although the map does not have these pages free`)
  return { pages: rangeAt(base, pages * PAGE), base }
}

const beyond = (what: string): LoadRefusal =>
  refusal('EFI_ABORTED', 'PE-44', `${what}: the firmware stops with a panic`)

/** Headers by whole sectors (PE-44). */
export const headersRustHypervisorFirmware: LoaderStep = loading => {
  const length = alignUp(loading.checked.pe.optional.SizeOfHeaders, SECTOR)
  if (length > loading.checked.imageSize) return beyond('the headers leave SizeOfImage')
  loading.ports.step('PE-44', `the headers of ${loading.request.name}`, () => {
    bringHeaders(loading, length)
  })
  return null
}

/** Zero VirtualSize; copy if the raw data begin at a sector (PE-43); never outside SizeOfImage (PE-44). */
export function sectionRustHypervisorFirmware(loading: Loading, section: PeSection): LoadRefusal | null {
  const { name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData } = section
  if (VirtualSize > 0 && VirtualAddress + VirtualSize > loading.checked.imageSize)
    return beyond(`section ${name} leaves SizeOfImage`)
  const copied = PointerToRawData % SECTOR === 0 ? Math.min(VirtualSize, SizeOfRawData) : 0
  if (PointerToRawData + copied > loading.checked.pe.source.size)
    return refusal('EFI_LOAD_ERROR', 'PE-43', `the raw data of section ${name} end behind the file`)
  loading.ports.step('PE-43', `zeroes and copies ${name}`, () => {
    zero(loading, VirtualAddress, VirtualSize, ownerOf(loading, section))
    bring(loading, PointerToRawData, copied, VirtualAddress, ownerOf(loading, section))
  })
  return null
}

/** The whole image is zeroed, then the headers come (PE-45). Zeros inside a section are that section's. */
export const headersZeroed =
  (clause: 'PE-45' | 'PE-49'): LoaderStep =>
  loading => {
    const { imageSize, pe } = loading.checked
    loading.ports.step(clause, `zeroes the image of ${loading.request.name} and brings its headers`, () => {
      zero(loading, 0, imageSize, null)
      for (const section of pe.sections)
        zero(
          loading,
          section.VirtualAddress,
          Math.min(section.VirtualSize, imageSize - section.VirtualAddress),
          ownerOf(loading, section),
        )
      if (clause === 'PE-45' || pe.sections[0]?.VirtualAddress !== 0)
        bringHeaders(loading, Math.min(pe.optional.SizeOfHeaders, imageSize))
    })
    return null
  }

/** Data only, for the tail is zero already: VirtualSize 0 means all raw bytes (PE-47). */
export function sectionPatina(loading: Loading, section: PeSection): LoadRefusal | null {
  const { name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData } = section
  const { imageSize, pe } = loading.checked
  const copied = VirtualSize === 0 ? SizeOfRawData : Math.min(VirtualSize, SizeOfRawData)
  if (VirtualAddress + copied > imageSize || PointerToRawData + copied > pe.source.size)
    return refusal(
      'EFI_LOAD_ERROR',
      'PE-47',
      `the data of section ${name} lie at ${hex(VirtualAddress)} and end at ${hex(VirtualAddress + copied)}, outside the image of ${hex(imageSize)} bytes or the file`,
    )
  loading.ports.step('PE-47', `copies ${name}`, () => {
    bring(loading, PointerToRawData, copied, VirtualAddress, ownerOf(loading, section))
  })
  return null
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
