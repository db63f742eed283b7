/**
 * A small firmware for tests of stages: pages top-down in one range of RAM, pool without reuse, LoadImage by
 * the book. Any call can be made to fail.
 */
import { range, rangeAt, type Range } from '../../src/bytes/range.ts'
import { alignUp, byteCount, pagesOf, phys, type Phys, PAGE } from '../../src/bytes/units.ts'
import type { ByteSource } from '../../src/bytes/source.ts'
import type { Allocation, BootServices, LoadRequest, LoadResult } from '../../src/firmware/services.ts'
import { EfiLoaderCode } from '../../src/image/memory-types.ts'
import { parsePe, type PeFile } from '../../src/image/pe.ts'
import { viewUki } from '../../src/image/uki.ts'
import type { LoadedImage, LoadOptions } from '../../src/machine/model.ts'
import type { Memory } from '../../src/memory/memory.ts'

/** One AllocatePages, FreePages, AllocatePool, FreePool or LoadImage, as a test compares it. */
export interface Call {
  readonly call: 'pages' | 'free-pages' | 'pool' | 'free' | 'load'
  readonly label: string
  readonly size: number
  readonly type?: number
  readonly where?: string
  readonly at: number
}

export interface FakeFirmware extends BootServices {
  readonly calls: Call[]
}

/** `full`: labels whose allocation fails, `full below`: labels that fail only below a limit. */
export function fakeFirmware(
  memory: Memory,
  free: Range,
  full: readonly string[] = [],
  fullBelow: readonly string[] = [],
): FakeFirmware {
  const calls: Call[] = []
  const taken: Range[] = []
  let pool: { at: number; left: number } = { at: 0, left: 0 }
  const claim = (pages: number, limit: number, label: string): Phys | null => {
    let top = Math.min(free.end, Math.floor((limit + 1) / PAGE) * PAGE)
    for (;;) {
      const start = top - pages * PAGE
      if (start < free.start) return null
      const hit = taken.find(one => one.start < top && start < one.end)
      if (hit === undefined) {
        taken.push(range(start, top))
        memory.claim(range(start, top), label)
        return phys(start)
      }
      top = hit.start
    }
  }
  const no = { status: 'EFI_OUT_OF_RESOURCES', at: null } as const
  const firmware: FakeFirmware = {
    calls,
    memoryMap: () => [],
    allocatePages: (where, type, pages, label): Allocation => {
      const limit = where.kind === 'max' ? where.limit : Infinity
      const at =
        full.includes(label) || (where.kind === 'max' && fullBelow.includes(label))
          ? null
          : claim(pages, Math.min(limit, free.end), label)
      if (at === null) return no
      calls.push({
        call: 'pages',
        label,
        size: pages,
        type,
        where: where.kind === 'max' ? `max ${where.limit.toString(16)}` : where.kind,
        at,
      })
      return { status: 'EFI_SUCCESS', at }
    },
    freePages: (at, pages) => {
      calls.push({ call: 'free-pages', label: '', size: pages, at })
      return 'EFI_SUCCESS'
    },
    allocatePool: (type, size, label): Allocation => {
      if (full.includes(label)) return no
      const room = alignUp(size, 8) + 40
      if (room > pool.left) {
        const pages = pagesOf(room)
        const at = claim(pages, Infinity, 'pool')
        if (at === null) return no
        pool = { at, left: pages * PAGE }
      }
      const at = phys(pool.at + 24)
      pool = { at: pool.at + room, left: pool.left - room }
      calls.push({ call: 'pool', label, size, type, at })
      return { status: 'EFI_SUCCESS', at }
    },
    freePool: at => {
      calls.push({ call: 'free', label: calls.find(one => one.at === at)?.label ?? '', size: 0, at })
      return 'EFI_SUCCESS'
    },
    loadImage: request => load(memory, request, full, calls, (pages, label) => claim(pages, Infinity, label)),
    unloadImage: () => 'EFI_SUCCESS',
    exitBootServices: () => undefined,
  }
  return firmware
}

function load(
  memory: Memory,
  request: LoadRequest,
  full: readonly string[],
  calls: Call[],
  claim: (pages: number, label: string) => Phys | null,
): LoadResult {
  const refused = {
    status: 'EFI_UNSUPPORTED',
    image: null,
    clause: 'PE-1',
    why: 'the test says so',
    message: 'refused',
  } as const
  if (request.from.kind !== 'memory' || full.includes('load')) return refused
  const { range: from } = request.from
  const source: ByteSource = {
    size: byteCount(from.end - from.start),
    read: (at, length) =>
      memory.readRaw(rangeAt(from.start + at, Math.min(length, from.end - from.start - at))),
  }
  const { pe } = parsePe(source)
  if (pe === null) return refused
  const at = claim(pagesOf(pe.optional.SizeOfImage), request.name)
  if (at === null) return { ...refused, status: 'EFI_OUT_OF_RESOURCES' }
  memory.copy(at, rangeAt(from.start, pe.optional.SizeOfHeaders))
  for (const section of pe.sections) {
    const length = Math.min(section.VirtualSize, section.SizeOfRawData)
    memory.copy(phys(at + section.VirtualAddress), rangeAt(from.start + section.PointerToRawData, length))
    const owner = request.ownerOf(section)
    if (section.VirtualSize > length)
      memory.zero(
        rangeAt(at + section.VirtualAddress + length, section.VirtualSize - length),
        owner.object,
        owner.at + length,
      )
  }
  calls.push({ call: 'load', label: request.name, size: from.end - from.start, type: EfiLoaderCode, at })
  return { status: 'EFI_SUCCESS', image: imageAt(pe, at, request.name, null) }
}

function imageAt(pe: PeFile, base: Phys, name: string, loadOptions: LoadOptions | null): LoadedImage {
  const { SizeOfImage, AddressOfEntryPoint } = pe.optional
  return {
    name,
    base,
    size: byteCount(SizeOfImage),
    pages: rangeAt(base, alignUp(SizeOfImage, PAGE)),
    pe,
    entry: phys(base + AddressOfEntryPoint),
    loadOptions,
  }
}

/** Puts a UKI into memory as the firmware would: headers, then the sections in table order, tails zeroed. */
export function placeUki(
  memory: Memory,
  pe: PeFile,
  base: number,
  loadOptions: LoadOptions | null,
): LoadedImage {
  const image = imageAt(pe, phys(base), 'uki', loadOptions)
  memory.claim(image.pages, 'uki')
  memory.put(phys(base), { source: pe.source, at: 0, length: pe.optional.SizeOfHeaders }, 'uki:headers')
  for (const { section, object, content } of viewUki(pe).sections) {
    const at = phys(base + section.VirtualAddress)
    if (content.size > 0) memory.put(at, { source: content, at: 0, length: content.size }, object)
    if (section.VirtualSize > content.size)
      memory.zero(rangeAt(at + content.size, section.VirtualSize - content.size), object, content.size)
  }
  return image
}
