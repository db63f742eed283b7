/**
 * EDK2's image loader, that of its DXE core: ImageBase or anywhere, table order, tails zeroed, bounds with
 * holes (chapter PE).
 */
import { once } from '../../bytes/once.ts'
import { hex, rangeAt, rangeOrNull } from '../../bytes/range.ts'
import { PAGE, pagesOf, phys, physOf, PHYS_END, wrap32, type Phys } from '../../bytes/units.ts'
import type { PeSection } from '../../image/pe.ts'
import type { LoaderPorts, LoadRefusal } from '../image-loaders/ports.ts'
import type { CheckedImage } from '../image-loaders/checked-image.ts'
import { relocate } from '../image-loaders/relocate.ts'
import { EfiBootServicesData } from '../../image/memory-types.ts'
import type { LoadRequest } from '../services.ts'
import { BDS } from './boot-manager.ts'
import { checkImage } from './image-checks.ts'
import { edk2Behaviour } from './behaviour.ts'
import type { Edk2Behaviour, Edk2Release } from './releases.ts'
import { bring, bringHeaders, ownerOf, zeroAt } from '../image-loaders/bring.ts'
import {
  nothing,
  refusal,
  type ImageLoader,
  type Loading,
  type Place,
} from '../image-loaders/image-loader.ts'

/**
 * Below this address the loader does not try the image's own ImageBase. Source: edk2@stable202211 Image.c
 * CoreLoadPeImage.
 */
const LOWEST_PREFERRED = 0x100000n

/** Pages at the preferred address or anywhere (PE-11, PE-12), and the image aligned in them (PE-13). */
function allocateEdk2(
  ports: LoaderPorts,
  { name, pinned }: LoadRequest,
  { pe, imageSize, memoryType, relocationsStripped }: CheckedImage,
): Place | LoadRefusal {
  const { ImageBase, SectionAlignment } = pe.optional
  const pages = pagesOf(imageSize + (SectionAlignment > PAGE ? SectionAlignment : 0))
  const place = (at: Phys): Place | LoadRefusal => {
    const pagesAt = rangeAt(at, pages * PAGE)
    const base = pinned ?? aligned(ports, name, at, SectionAlignment)
    const usable =
      base > 0 && base + imageSize <= PHYS_END && (!relocationsStripped || BigInt(base) === ImageBase)
    return usable
      ? { pages: pagesAt, base: phys(base) }
      : refusal(
          'EFI_INVALID_PARAMETER',
          'PE-13',
          `SectionAlignment ${hex(SectionAlignment)} changes the load address ${hex(at)} to ${hex(base)}`,
        )
  }
  if (pinned !== undefined) {
    ports.pinPages(pinned, memoryType, pages, name)
    return place(pinned)
  }
  const preferred =
    ImageBase >= LOWEST_PREFERRED || relocationsStripped
      ? ports.allocatePages({ kind: 'address', at: physOf(ImageBase) ?? PHYS_END }, memoryType, pages, name)
      : null
  if (preferred?.status === 'EFI_SUCCESS') return place(preferred.at)
  if (preferred !== null && relocationsStripped)
    return refusal(
      preferred.status,
      'PE-11',
      `the relocations are stripped and ${hex(ImageBase)} is not free for ${hex(pages)} pages`,
    )
  const anywhere = ports.step('PE-12', `pages for ${name}, anywhere`, () =>
    ports.allocatePages({ kind: 'any' }, memoryType, pages, name),
  )
  return anywhere.status === 'EFI_SUCCESS'
    ? place(anywhere.at)
    : refusal(
        anywhere.status,
        'PE-12',
        `no free range holds the ${hex(pages)} pages of the image (SizeOfImage ` +
          `${hex(pe.optional.SizeOfImage)})`,
      )
}

/** The load address; a separate step if the alignment is larger than a page (PE-13). */
function aligned(ports: LoaderPorts, name: string, at: number, alignment: number): number {
  const base = alignByMask(at, alignment)
  return base === at ? at : ports.step('PE-13', `${name} is aligned to ${hex(alignment)}`, () => base)
}

/**
 * (at + alignment - 1) & ~(alignment - 1), as the loader computes it for any alignment, power of two or not
 * (PE-13).
 */
export function alignByMask(at: number, alignment: number): number {
  const step = BigInt(alignment)
  return Number((BigInt(at) + step - 1n) & BigInt.asUintN(64, ~(step - 1n)) & (2n ** 64n - 1n))
}

/** SizeOfHeaders bytes (PE-14). */
export function headersEdk2(loading: Loading): null {
  loading.ports.step('PE-14', `the headers of ${loading.request.name}`, () => {
    bringHeaders(loading, loading.checked.pe.optional.SizeOfHeaders)
  })
  return null
}

/**
 * One section: min(VirtualSize, SizeOfRawData) bytes copied, the rest zeroed (PE-7); bytes around it are
 * unchanged (PE-18).
 */
export function edk2Section(
  release: () => Edk2Behaviour,
): (loading: Loading, section: PeSection) => LoadRefusal | null {
  return (loading, section) => {
    const { ports, checked, place } = loading
    const { imageSize } = checked
    const { name, VirtualSize, VirtualAddress, SizeOfRawData, PointerToRawData } = section
    const copied = VirtualSize === 0 || VirtualSize > SizeOfRawData ? SizeOfRawData : VirtualSize
    const startsInside = VirtualAddress < imageSize
    const last = wrap32(VirtualAddress + VirtualSize - 1)
    if (copied > 0) {
      if (!startsInside || last >= imageSize) {
        return refusal(
          'EFI_LOAD_ERROR',
          'PE-16',
          `section ${name} begins at ${hex(VirtualAddress)} and ends at ` +
            `${hex(VirtualAddress + VirtualSize)}, outside the image of ${hex(imageSize)} bytes`,
        )
      }
      bring(loading, PointerToRawData, copied, VirtualAddress, ownerOf(loading, section))
    }
    if (copied >= VirtualSize) return null
    if (!startsInside && !release().zeroesAddressZero) return null
    const from = (startsInside ? place.base + VirtualAddress : 0) + copied
    const where = rangeOrNull(from, Math.min(VirtualSize - copied, PHYS_END - from))
    if (where === null) return null
    ports.step(zeroClause(startsInside, last < imageSize), `zeroes up to the VirtualSize of ${name}`, () => {
      zeroAt(loading, where, ownerOf(loading, section, copied))
    })
    return null
  }
}

/** Inside the image, past its end (PE-17), or at address 0 because the section begins outside (PE-26). */
function zeroClause(startsInside: boolean, endsInside: boolean): 'PE-7' | 'PE-17' | 'PE-26' {
  if (!startsInside) return 'PE-26'
  return endsInside ? 'PE-7' : 'PE-17'
}

/** Relocation by the directory of the loaded image (PE-19), not at all when relocations are stripped. */
function relocateEdk2({ ports, request, checked, place }: Loading): LoadRefusal | null {
  if (checked.relocationsStripped) return null
  return ports.step('PE-19', `relocation of ${request.name}`, () =>
    relocate(ports.memory, checked.pe, place.base, checked.imageSize, request.name, ports.assume),
  )
}

/** LoadImage of the DXE core, for any caller. */
export function dxeCoreLoader(release: Edk2Release): Omit<ImageLoader, 'id' | 'title' | 'source'> {
  return {
    buffer: { from: 'pool', type: EfiBootServicesData, until: 'loaded', clause: 'PE-1' },
    notesImages: false,
    dxeCore: true,
    check: checkImage,
    pagesClause: 'PE-11',
    allocate: allocateEdk2,
    headers: headersEdk2,
    order: 'table',
    section: edk2Section(once(() => edk2Behaviour(release))),
    relocate: relocateEdk2,
    finish: nothing,
    givesBackFrom: 'base',
  }
}

/**
 * The image loader of a release: boot manager and DXE core. `tag`: the release that was read, if it differs.
 */
export function edk2ImageLoader(release: Edk2Release, tag: string = release): ImageLoader {
  return {
    ...dxeCoreLoader(release),
    bootManager: BDS,
    notesImages: true,
    id: `edk2-${release}`,
    title: `EDK2 ${release}: BDS and DXE core`,
    source: `edk2@stable${tag.replace('.', '')}`,
  }
}

/** Releases that differ in loading or were read, oldest first. */
export const EDK2_IMAGE_LOADERS: readonly ImageLoader[] = [
  edk2ImageLoader('2020.11'),
  edk2ImageLoader('2022.11'),
  edk2ImageLoader('2024.11', '2025.02'),
  edk2ImageLoader('2025.02'),
  edk2ImageLoader('2025.08', '2026.05'),
  edk2ImageLoader('2026.05'),
]
