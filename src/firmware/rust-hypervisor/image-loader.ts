/**
 * rust-hypervisor-firmware's image loader: loads at ImageBase, allocates pages for the file size (chapter
 * PE).
 */
import { hex, rangeAt } from '../../bytes/range.ts'
import type { ByteSource } from '../../bytes/source.ts'
import { alignUp, PAGE, pagesOf, phys, physOf, PHYS_END } from '../../bytes/units.ts'
import { EfiLoaderCode } from '../../image/memory-types.ts'
import {
  DIRECTORY_BASERELOC,
  NATIVE_MACHINE,
  PE32_PLUS_MAGIC,
  parsePe,
  type PeSection,
} from '../../image/pe.ts'
import { bring, bringHeaders, ownerOf, zero } from '../image-loaders/bring.ts'
import { checkedImage, isMz, tableFits, type CheckedImage } from '../image-loaders/checked-image.ts'
import {
  nothing,
  refusal,
  type ImageLoader,
  type LoadStep,
  type Loading,
  type Place,
} from '../image-loaders/image-loader.ts'
import type { LoaderPorts, LoadRefusal } from '../image-loaders/ports.ts'
import { relocateInPlace } from '../image-loaders/relocate-in-place.ts'
import type { LoadRequest } from '../services.ts'

/**
 * Bytes it reads for headers and table, and the highest offset of the PE header. Source: rhf@82a9a4f4
 * src/pe.rs.
 */
const RHF_HEADERS = 1024
const RHF_PE_HEADER_MAX = 512
/**
 * Load address of an image without ImageBase. Source: rhf@82a9a4f4 src/arch/x86_64/layout.rs KERNEL_START.
 */
const RHF_LOAD_ADDRESS = 0x200000
/** Sector of its disks, in bytes. Source: rhf@82a9a4f4 src/pe.rs. */
const SECTOR = 512

/** rust-hypervisor-firmware reads 1024 bytes and finds everything in them (PE-42). */
export function checkRustHypervisorFirmware(source: ByteSource): CheckedImage | LoadRefusal {
  const { pe, problems } = parsePe(source)
  const no = (why: string) => refusal('EFI_LOAD_ERROR', 'PE-42', why)
  if (pe === null) return no(problems.at(-1)?.what ?? 'no PE headers')
  if (!isMz(source) || pe.e_lfanew >= RHF_PE_HEADER_MAX)
    return no(
      `the PE header at ${hex(pe.e_lfanew)} does not begin in the first ` +
        `${String(RHF_PE_HEADER_MAX)} bytes of a file with MZ`,
    )
  if (pe.coff.Machine !== NATIVE_MACHINE || pe.optional.Magic !== PE32_PLUS_MAGIC)
    return no(`machine ${hex(pe.coff.Machine)} with magic ${hex(pe.optional.Magic)} is not x64`)
  if (!tableFits(pe, RHF_HEADERS))
    return no(`the section table ends past the first ${String(RHF_HEADERS)} bytes of the file`)
  return checkedImage(pe, pe.optional.SizeOfImage, EfiLoaderCode)
}

/** rust-hypervisor-firmware skips relocations whose section it has not copied (PE-43). */
export const relocateRustHypervisorFirmware: LoadStep = loading => {
  const { pe } = loading.checked
  const at = pe.dataDirectories[DIRECTORY_BASERELOC]?.VirtualAddress
  return pe.sections.some(section => section.VirtualAddress === at && section.PointerToRawData % SECTOR !== 0)
    ? null
    : relocateInPlace(loading)
}

/** ImageBase or 2 MiB; allocates pages for the file size only (PE-42). */
export function allocateRustHypervisorFirmware(
  ports: LoaderPorts,
  { name, from }: LoadRequest,
  { pe, imageSize, memoryType }: CheckedImage,
): Place | LoadRefusal {
  if (from.kind === 'memory')
    return refusal(
      'EFI_UNSUPPORTED',
      'PE-42',
      'LoadImage does not support a buffer in memory: it requires a device path',
    )
  const wanted = pe.optional.ImageBase === 0n ? RHF_LOAD_ADDRESS : physOf(pe.optional.ImageBase)
  const pages = Math.max(1, pagesOf(pe.source.size))
  if (wanted === null || wanted + Math.max(imageSize, pages * PAGE) > PHYS_END)
    return refusal(
      'EFI_LOAD_ERROR',
      'PE-42',
      `ImageBase ${hex(pe.optional.ImageBase)} is not a physical address`,
    )
  const base = phys(wanted)
  const { at } = ports.allocatePages({ kind: 'address', at: base }, memoryType, pages, name)
  if (at === null)
    ports.assume('PE-42', `${name} is placed at ${hex(base)} although these pages are not free in the map`)
  return { pages: rangeAt(base, pages * PAGE), base }
}

const beyond = (what: string): LoadRefusal =>
  refusal('EFI_ABORTED', 'PE-44', `${what}: the firmware stops with a panic`)

/** Headers by whole sectors (PE-44). */
export const headersRustHypervisorFirmware: LoadStep = loading => {
  const length = alignUp(loading.checked.pe.optional.SizeOfHeaders, SECTOR)
  if (length > loading.checked.imageSize) return beyond('the headers exceed SizeOfImage')
  loading.ports.step('PE-44', `the headers of ${loading.request.name}`, () => {
    bringHeaders(loading, length)
  })
  return null
}

/** Zero VirtualSize; copy if the raw data begins at a sector (PE-43); never outside SizeOfImage (PE-44). */
export function sectionRustHypervisorFirmware(loading: Loading, section: PeSection): LoadRefusal | null {
  const { name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData } = section
  if (VirtualSize > 0 && VirtualAddress + VirtualSize > loading.checked.imageSize)
    return beyond(`section ${name} exceeds SizeOfImage`)
  const copied = PointerToRawData % SECTOR === 0 ? Math.min(VirtualSize, SizeOfRawData) : 0
  if (PointerToRawData + copied > loading.checked.pe.source.size)
    return refusal('EFI_LOAD_ERROR', 'PE-43', `the raw data of section ${name} ends past the end of the file`)
  loading.ports.step('PE-43', `zeroes and copies ${name}`, () => {
    zero(loading, VirtualAddress, VirtualSize, ownerOf(loading, section))
    bring(loading, PointerToRawData, copied, VirtualAddress, ownerOf(loading, section))
  })
  return null
}

export const RUST_HYPERVISOR_IMAGE_LOADER: ImageLoader = {
  buffer: { from: 'nowhere' },
  notesImages: false,
  check: checkRustHypervisorFirmware,
  pagesClause: 'PE-42',
  allocate: allocateRustHypervisorFirmware,
  headers: headersRustHypervisorFirmware,
  order: 'table',
  section: sectionRustHypervisorFirmware,
  relocate: relocateRustHypervisorFirmware,
  finish: nothing,
  givesBackFrom: 'pages',
  unusual: 'guests of cloud-hypervisor only; loads at ImageBase',
  id: 'rust-hypervisor-firmware',
  title: 'rust-hypervisor-firmware (cloud-hypervisor)',
  source: 'rhf@82a9a4f4',
}
