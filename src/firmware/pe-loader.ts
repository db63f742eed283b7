/** LoadImage as EDK2 does it: file buffer, checks, pages, headers, sections in table order, relocation (chapter PE). */
import { hex, rangeAt, sizeOf, type Range } from '../bytes/range.ts'
import { sliceSource, type ByteSource } from '../bytes/source.ts'
import { add, byteCount, PAGE, pagesOf, phys, physOf, PHYS_END, wrap32, type FileOffset, type Phys } from '../bytes/units.ts'
import type { PeFile, PeSection } from '../image/pe.ts'
import type { Memory } from '../memory/memory.ts'
import { checkBootOption, checkImage, type CheckedImage } from './pe-checks.ts'
import { bootManagerMessage } from './messages.ts'
import { relocate } from './pe-relocate.ts'
import type { LoaderPorts, LoadRefusal } from './loader-ports.ts'
import type { LoadedImage, LoadRequest, LoadResult, SectionOwner } from './services.ts'

/** Below this address the loader does not try the image's own ImageBase. Source: edk2@stable202211 Image.c CoreLoadPeImage. */
const LOWEST_PREFERRED = 0x100000n

/** Bytes that lie in memory, as a file: what is not modelled reads as zero. */
export function memorySource(memory: Memory, where: Range): ByteSource {
  const size = sizeOf(where)
  return {
    size,
    read: (at: FileOffset, length: number) => {
      const count = Math.min(length, size - at)
      return count > 0 ? memory.readRaw(rangeAt(where.start + at, count)) : new Uint8Array(0)
    },
  }
}

/** Where an image's pages are, and where in them it begins. */
interface Place {
  readonly pages: Range
  readonly base: Phys
}

/** LoadImage (chapter PE). A file is first read into a buffer of the firmware's own, which it gives back in the end (PE-1). */
export function loadImage(ports: LoaderPorts, request: LoadRequest): LoadResult {
  const { from, name } = request
  if (from.kind === 'memory') return answer(load(ports, request, memorySource(ports.memory, from.range)), false)
  const { source } = from
  const refusal = ports.step('PE-2', `BDS looks at the headers of ${name}`, () => checkBootOption(source))
  if (refusal !== null) return answer(refusal, true)
  const buffer = ports.step('PE-1', `the firmware reads ${name} into a buffer of its own`, () => {
    const where = ports.allocateFileBuffer(source.size, `${name}:file`)
    if (where !== null) ports.memory.put(where.start, { source, at: 0, length: source.size }, `${name}:file`)
    return where
  })
  if (buffer === null) return answer({ status: 'EFI_NOT_FOUND', clause: 'PE-1', why: `no memory for a buffer of ${hex(source.size)} bytes that holds the file` }, true)
  const result = load(ports, request, source)
  ports.step('PE-1', `the firmware gives the file buffer of ${name} back`, () => {
    ports.freeFileBuffer(buffer)
  })
  return answer(result, true)
}

function answer(result: LoadedImage | LoadRefusal, byBootManager: boolean): LoadResult {
  return 'clause' in result ? { ...result, image: null, message: byBootManager ? bootManagerMessage('load', result.status) : null } : { status: 'EFI_SUCCESS', image: result }
}

/** The image in memory, or why not; its entry point is 0 when it lies outside (PE-25). */
function load(ports: LoaderPorts, request: LoadRequest, source: ByteSource): LoadedImage | LoadRefusal {
  const { name } = request
  const checked = checkImage(source)
  if ('clause' in checked) return checked
  const place = ports.step('PE-11', `pages for ${name}`, () => allocate(ports, request, checked))
  if ('clause' in place) return place
  const failure = fill(ports, request, checked, place)
  if (failure !== null) {
    ports.step('PE-22', `the loader frees the pages of ${name}`, () => {
      ports.freePages(place.base, sizeOf(place.pages) / PAGE)
    })
    return failure
  }
  const { pe, imageSize } = checked
  const { AddressOfEntryPoint } = pe.optional
  return { name, base: place.base, size: byteCount(imageSize), pages: place.pages, pe, entry: AddressOfEntryPoint < imageSize ? add(place.base, AddressOfEntryPoint) : phys(0), loadOptions: null }
}

/** Pages at the preferred address or anywhere (PE-11, PE-12), and the image aligned in them (PE-13). */
function allocate(ports: LoaderPorts, { name, pinned }: LoadRequest, { pe, imageSize, memoryType, relocationsStripped }: CheckedImage): Place | LoadRefusal {
  const { ImageBase, SectionAlignment } = pe.optional
  const pages = pagesOf(imageSize + (SectionAlignment > PAGE ? SectionAlignment : 0))
  const place = (at: Phys): Place | LoadRefusal => {
    const pagesAt = rangeAt(at, pages * PAGE)
    const base = pinned ?? alignAsLoader(at, SectionAlignment)
    const usable = base > 0 && base + imageSize <= PHYS_END && (!relocationsStripped || BigInt(base) === ImageBase)
    return usable ? { pages: pagesAt, base: phys(base) } : { status: 'EFI_INVALID_PARAMETER', clause: 'PE-13', why: `SectionAlignment ${hex(SectionAlignment)} turns the load address ${hex(at)} into ${hex(base)}` }
  }
  if (pinned !== undefined) {
    ports.pinPages(pinned, memoryType, pages, name)
    return place(pinned)
  }
  const preferred = ImageBase >= LOWEST_PREFERRED || relocationsStripped ? ports.allocatePages({ kind: 'address', at: physOf(ImageBase) ?? PHYS_END }, memoryType, pages, name) : null
  if (preferred?.status === 'EFI_SUCCESS') return place(preferred.at)
  if (preferred !== null && relocationsStripped) return { status: preferred.status, clause: 'PE-11', why: `the relocations are stripped and ${hex(ImageBase)} is not free for ${hex(pages)} pages` }
  const anywhere = ports.allocatePages({ kind: 'any' }, memoryType, pages, name)
  return anywhere.status === 'EFI_SUCCESS' ? place(anywhere.at) : { status: anywhere.status, clause: 'PE-12', why: `no free range holds the ${hex(pages)} pages of the image (SizeOfImage ${hex(pe.optional.SizeOfImage)})` }
}

/** (at + alignment - 1) & ~(alignment - 1), as the loader computes it for any alignment whatsoever (PE-13). */
function alignAsLoader(at: Phys, alignment: number): number {
  const step = BigInt(alignment)
  return Number((BigInt(at) + step - 1n) & BigInt.asUintN(64, ~(step - 1n)) & (2n ** 64n - 1n))
}

function fill(ports: LoaderPorts, request: LoadRequest, { pe, imageSize, relocationsStripped }: CheckedImage, { base }: Place): LoadRefusal | null {
  const { memory, step, assume } = ports
  const { name } = request
  const headers = request.headers ?? { object: `${name}:headers`, at: 0 }
  step('PE-14', `the headers of ${name}`, () => {
    bring(memory, request, pe, 0, pe.optional.SizeOfHeaders, base, headers)
  })
  for (const section of pe.sections) {
    const refusal = step('PE-15', `section ${section.name} of ${name}`, () => placeSection(ports, request, pe, section, imageSize, base))
    if (refusal !== null) return refusal
  }
  if (relocationsStripped) return null
  return step('PE-19', `relocation of ${name}`, () => relocate(memory, pe, base, imageSize, name, assume))
}

/** Bytes of the file come into memory: from the file as `owner`, from memory with the owner that they have there. */
function bring(memory: Memory, { from }: LoadRequest, pe: PeFile, at: number, length: number, to: Phys, owner: SectionOwner): void {
  if (from.kind === 'memory') memory.copy(to, rangeAt(from.range.start + at, length))
  else memory.put(to, { source: sliceSource(pe.source, at, length), at: 0, length }, owner.object, owner.at)
}

/** One section: min(VirtualSize, SizeOfRawData) bytes copied, the rest zeroed (PE-7); what lies around it stays (PE-18). */
function placeSection({ memory, row, step }: LoaderPorts, request: LoadRequest, pe: PeFile, section: PeSection, imageSize: number, base: Phys): LoadRefusal | null {
  const { name, VirtualSize, VirtualAddress, SizeOfRawData, PointerToRawData } = section
  const copied = VirtualSize === 0 || VirtualSize > SizeOfRawData ? SizeOfRawData : VirtualSize
  const owner = request.ownerOf(section)
  const startsInside = VirtualAddress < imageSize
  const last = wrap32(VirtualAddress + VirtualSize - 1)
  if (copied > 0) {
    if (!startsInside || last >= imageSize) {
      return { status: 'EFI_LOAD_ERROR', clause: 'PE-16', why: `section ${name} lies at ${hex(VirtualAddress)} and ends at ${hex(VirtualAddress + VirtualSize)}, outside the image of ${hex(imageSize)} bytes` }
    }
    bring(memory, request, pe, PointerToRawData, copied, add(base, VirtualAddress), owner)
  }
  if (copied >= VirtualSize) return null
  if (!startsInside && row.emptySectionOutside === 'skipped') return null
  const where = rangeAt((startsInside ? add(base, VirtualAddress) : 0) + copied, VirtualSize - copied)
  step(zeroClause(startsInside, last < imageSize), `zeroes up to the VirtualSize of ${name}`, () => {
    memory.zero(where, owner.object, owner.at + copied)
  })
  return null
}

/** Inside the image, past its end (PE-17), or at address 0 because the section begins outside (PE-26). */
function zeroClause(startsInside: boolean, endsInside: boolean): 'PE-7' | 'PE-17' | 'PE-26' {
  if (!startsInside) return 'PE-26'
  return endsInside ? 'PE-7' : 'PE-17'
}
