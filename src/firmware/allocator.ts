/** EDK2's page allocator over a memory map: searched from the top, bin first, then the default range, then everything (chapter FW). */
import { ModelBug } from '../bytes/errors.ts'
import { intersect, range, type Range } from '../bytes/range.ts'
import { alignDown, PAGE, phys, PHYS_END, type Phys } from '../bytes/units.ts'
import { EFI_MEMORY_SP, EfiConventionalMemory, EfiPersistentMemory, EfiUnacceptedMemoryType, type MemoryDescriptor } from '../image/memory-types.ts'
import { joinDescriptors, reported, SPECIAL_TYPES, splitMap } from './memory-map.ts'
import type { Bin, FirmwareRow, SearchPolicy } from './policies.ts'
import type { AllocateType, Allocation } from './services.ts'
import type { EfiError, EfiStatus } from './status.ts'

/** First type number that OEMs and loaders may choose. Source: UEFI 2.10, EFI_MEMORY_TYPE. */
const OEM_TYPES = 0x70000000

/** What FreePages did: pages freed before a failure stay freed. */
export interface Freed {
  readonly status: EfiStatus
  readonly ranges: readonly Range[]
}

const refusal = (status: EfiError): Allocation => ({ status, at: null })

/** A type that AllocatePages and AllocatePool turn down (FW-7). */
export function isRefusedType(type: number): boolean {
  return type === EfiConventionalMemory || type === EfiPersistentMemory || (type >= EfiUnacceptedMemoryType && type < OEM_TYPES)
}

/** What the boot services need of a page allocator. */
export interface PageAllocator {
  memoryMap(): MemoryDescriptor[]
  descriptors(): readonly MemoryDescriptor[]
  allocate(where: AllocateType, type: number, pages: number): Allocation
  pin(at: Phys, pages: number, type: number): boolean
  free(at: number, pages: number): Freed
}

/** Sizes are in pages, addresses in bytes; nothing here touches the contents of memory. */
export class Allocator implements PageAllocator {
  #map: MemoryDescriptor[]
  readonly #foreign: readonly MemoryDescriptor[]
  readonly #search: SearchPolicy
  readonly #row: FirmwareRow

  /** Throws UsageError when descriptors overlap or are not made of pages. */
  constructor(map: readonly MemoryDescriptor[], search: SearchPolicy, row: FirmwareRow) {
    const { ram, foreign } = splitMap(map)
    this.#map = [...ram]
    this.#foreign = foreign
    this.#search = row.search === 'top-down' ? { bins: [], defaultMax: PHYS_END - 1 } : search
    this.#row = row
  }

  /** GetMemoryMap: the allocator's descriptors ascending, then what is no RAM (FW-14); free pages of a special bin as its type (FW-15). */
  memoryMap(): MemoryDescriptor[] {
    const shown = this.#shownParts().map(descriptor => {
      const bin = descriptor.type === EfiConventionalMemory ? this.#search.bins.find(one => SPECIAL_TYPES.has(one.type) && one.base <= descriptor.range.start && descriptor.range.end - 1 <= one.max) : undefined
      return reported(bin === undefined ? descriptor : { ...descriptor, type: bin.type })
    })
    return [...joinDescriptors(shown), ...this.#foreign]
  }

  /** The descriptors, free ones cut at the edges of special bins where the release does that (FW-34). */
  #shownParts(): readonly MemoryDescriptor[] {
    if (this.#row.freeInBin === 'whole') return this.#map
    const edges = this.#search.bins.filter(bin => SPECIAL_TYPES.has(bin.type)).flatMap(bin => [bin.base, bin.max + 1])
    return this.#map.flatMap(descriptor => {
      const { start, end } = descriptor.range
      const cuts = descriptor.type === EfiConventionalMemory ? edges.filter(edge => start < edge && edge < end).sort((a, b) => a - b) : []
      const bounds = [start, ...new Set(cuts), end]
      return bounds.slice(1).map((to, i) => ({ ...descriptor, range: range(bounds[i] as number, to) }))
    })
  }

  /** The descriptors that the allocator itself keeps, ascending. */
  descriptors(): readonly MemoryDescriptor[] {
    return this.#map
  }

  /** AllocatePages, with its checks in the firmware's order (FW-7). */
  allocate(where: AllocateType, type: number, pages: number): Allocation {
    if (!Number.isSafeInteger(pages) || pages < 0) throw new ModelBug(`AllocatePages of ${String(pages)} pages`)
    if (isRefusedType(type)) return refusal('EFI_INVALID_PARAMETER')
    if (where.kind === 'address') return this.#allocateAddress(where.at, type, pages)
    const found = this.#find(where.kind === 'any' ? PHYS_END - 1 : this.#highest(where.limit), pages, type)
    if (found === null) return refusal('EFI_OUT_OF_RESOURCES')
    this.#convert(found, found + pages * PAGE, type)
    return { status: 'EFI_SUCCESS', at: phys(found) }
  }

  /** Takes what is free of these pages, whatever the firmware would say: the address was observed. False where not all of them were free. */
  pin(at: Phys, pages: number, type: number): boolean {
    const wanted = range(at, at + pages * PAGE)
    const whole = this.#isFree(wanted.start, wanted.end)
    const free = this.#map.filter(descriptor => descriptor.type === EfiConventionalMemory).map(descriptor => intersect(descriptor.range, wanted))
    for (const piece of free) if (piece !== null) this.#convert(piece.start, piece.end, type)
    return whole
  }

  /** FreePages: descriptor by descriptor, stopping at the first piece that is free already (FW-10). */
  free(at: number, pages: number): Freed {
    if (this.#holding(at) === undefined) return { status: 'EFI_NOT_FOUND', ranges: [] }
    if (at % PAGE !== 0 || pages === 0) return { status: 'EFI_INVALID_PARAMETER', ranges: [] }
    const end = at + pages * PAGE
    const ranges: Range[] = []
    for (let next = at; next < end; ) {
      const held = this.#holding(next)
      if (held === undefined || held.type === EfiConventionalMemory) return { status: 'EFI_NOT_FOUND', ranges }
      const piece = range(next, Math.min(end, held.range.end))
      this.#convert(piece.start, piece.end, EfiConventionalMemory)
      ranges.push(piece)
      next = piece.end
    }
    return { status: 'EFI_SUCCESS', ranges }
  }

  /** Highest byte that a limit allows (FW-11, FW-29). */
  #highest(limit: number): number {
    return this.#row.limit === 'exclusive' ? alignDown(limit, PAGE) - 1 : limit
  }

  /** All pages in one free descriptor (FW-25), none in a special bin of another type (FW-8). */
  #allocateAddress(at: number, type: number, pages: number): Allocation {
    const end = at + pages * PAGE
    const foreignBin = (bin: Bin) => bin.type !== type && SPECIAL_TYPES.has(bin.type) && at <= bin.max && bin.base < end
    if (at % PAGE !== 0 || pages === 0) return refusal('EFI_NOT_FOUND')
    if (at === 0 && this.#row.addressZero === 'refused') return refusal('EFI_NOT_FOUND')
    if (this.#search.bins.some(foreignBin) || !this.#isFree(at, end)) return refusal('EFI_NOT_FOUND')
    this.#convert(at, end, type)
    return { status: 'EFI_SUCCESS', at: phys(at) }
  }

  /** The bin of the type, the default range, everything up to the limit: each only when the limit reaches its top (FW-4, FW-26). */
  #find(limit: number, pages: number, type: number): number | null {
    const { bins, defaultMax } = this.#search
    const bin = bins.find(one => one.type === type)
    const inBin = bin !== undefined && limit >= bin.max ? this.#scan(bin.max, bin.base, pages) : null
    if (inBin !== null) return inBin
    const inDefault = limit >= defaultMax ? this.#scan(defaultMax, 0, pages) : null
    return inDefault ?? this.#scan(limit, 0, pages)
  }

  /** From the free descriptor that ends highest between `min` and the highest byte `max` (FW-5, FW-11); never page 0 (FW-6); FW-24. */
  #scan(max: number, min: number, pages: number): number | null {
    const top = alignDown(max + 1, PAGE)
    const bytes = pages * PAGE
    if (bytes === 0) return null
    for (let i = this.#map.length - 1; i >= 0; i--) {
      const { range: hole, type, attribute } = this.#map[i] as MemoryDescriptor
      if (type !== EfiConventionalMemory || (this.#row.specialPurpose === 'skipped' && (attribute & EFI_MEMORY_SP) !== 0n)) continue
      const start = Math.min(hole.end, top) - bytes
      if (start >= hole.start && start >= min) return start === 0 ? null : start
    }
    return null
  }

  #holding(at: number): MemoryDescriptor | undefined {
    return this.#map.find(({ range: { start, end } }) => start <= at && at < end)
  }

  #isFree(start: number, end: number): boolean {
    const held = this.#holding(start)
    return held?.type === EfiConventionalMemory && end <= held.range.end
  }

  /** Cuts [start, end) out of the descriptor that holds it and joins it with its new neighbours (FW-1). */
  #convert(start: number, end: number, type: number): void {
    const index = this.#map.findIndex(({ range: where }) => where.start <= start && end <= where.end)
    const held = this.#map[index]
    if (held === undefined) return
    const { range: where } = held
    const from = Math.max(0, index - 1)
    const parts = this.#map.slice(from, index)
    if (where.start < start) parts.push({ ...held, range: range(where.start, start) })
    parts.push({ ...held, range: range(start, end), type })
    if (end < where.end) parts.push({ ...held, range: range(end, where.end) })
    parts.push(...this.#map.slice(index + 1, index + 2))
    this.#map.splice(from, index + 2 - from, ...joinDescriptors(parts))
  }
}
