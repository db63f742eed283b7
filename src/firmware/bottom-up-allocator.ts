/**
 * rust-hypervisor-firmware's page allocator: a list of descriptors, taken from the bottom, given back one by
 * one (chapter FW).
 */
import { ModelBug } from '../bytes/errors.ts'
import { intersect, range, rangeAt, sizeOf, type Range } from '../bytes/range.ts'
import { alignDown, PAGE, phys, type Phys } from '../bytes/units.ts'
import { EfiConventionalMemory, type MemoryDescriptor } from '../image/memory-types.ts'
import type { FirmwareClause, Freed, PageAllocator, PageAnswer } from './page-allocator.ts'
import { reported, splitMap } from './memory-map.ts'
import type { AllocateType } from './services.ts'

/**
 * AllocateAnyPages wants a descriptor that begins above this address. Source: rhf@82a9a4f4 src/efi/alloc.rs
 * find_free_memory.
 */
const LOWEST_ANY = 0x100000
/** Descriptors that there is room for. Source: rhf@82a9a4f4 src/efi/alloc.rs MAX_ALLOCATIONS. */
const DESCRIPTORS_MAX = 512

const free = (descriptor: MemoryDescriptor): boolean => descriptor.type === EfiConventionalMemory

/** Neighbours are never joined except free ones; sizes are in pages, addresses in bytes. */
export class BottomUpAllocator implements PageAllocator {
  #map: MemoryDescriptor[]
  #foreign: readonly MemoryDescriptor[]

  /** Throws UsageError when descriptors overlap or are not made of pages. */
  constructor(map: readonly MemoryDescriptor[]) {
    const { ram, foreign } = splitMap(map)
    this.#map = [...ram]
    this.#foreign = foreign
  }

  fork(): BottomUpAllocator {
    const twin = new BottomUpAllocator([])
    twin.#map = [...this.#map]
    twin.#foreign = this.#foreign
    return twin
  }

  memoryMap(): MemoryDescriptor[] {
    return [...this.#map.map(reported), ...this.#foreign]
  }

  mapClause(): FirmwareClause {
    return 'FW-32'
  }

  descriptors(): readonly MemoryDescriptor[] {
    return this.#map
  }

  /** The first free descriptor that will do, at its start; every failure is EFI_OUT_OF_RESOURCES (FW-31). */
  allocate(where: AllocateType, type: number, pages: number): PageAnswer {
    if (!Number.isSafeInteger(pages) || pages < 0)
      throw new ModelBug(`AllocatePages of ${String(pages)} pages`)
    const bytes = pages * PAGE
    const found = this.#map.find(descriptor => {
      const { start, end } = descriptor.range
      if (!free(descriptor)) return false
      if (where.kind === 'address') return start <= where.at && where.at + bytes <= end
      return (
        sizeOf(descriptor.range) >= bytes &&
        (where.kind === 'any' ? start > LOWEST_ANY : start + bytes <= where.limit)
      )
    })
    const at =
      found === undefined ? null : where.kind === 'address' ? alignDown(where.at, PAGE) : found.range.start
    if (found === undefined || at === null || bytes === 0 || !this.#cut(found, at, at + bytes, type))
      return { status: 'EFI_OUT_OF_RESOURCES', at: null, clause: 'FW-31' }
    return { status: 'EFI_SUCCESS', at: phys(at), clause: 'FW-31' }
  }

  pin(at: Phys, pages: number, type: number): boolean {
    const wanted = rangeAt(at, pages * PAGE)
    let taken = 0
    for (const descriptor of this.#map.filter(free)) {
      const piece = intersect(descriptor.range, wanted)
      if (piece !== null && this.#cut(descriptor, piece.start, piece.end, type)) taken += sizeOf(piece)
    }
    return taken === sizeOf(wanted)
  }

  allocatePool(type: number, pages: number): PageAnswer {
    return this.allocate({ kind: 'any' }, type, pages)
  }

  freePool({ start }: Range): Freed {
    return this.free(start)
  }

  /** There are none. */
  takeEntryPages(): [] {
    return []
  }

  /** There are none. */
  guardPages(): [] {
    return []
  }

  /** The descriptor that begins here becomes free as a whole, whatever count is given (FW-32). */
  free(at: number): Freed {
    const found = this.#map.find(descriptor => descriptor.range.start === at)
    if (found === undefined) return { status: 'EFI_NOT_FOUND', ranges: [], clause: 'FW-32' }
    const joined: MemoryDescriptor[] = []
    for (const descriptor of this.#map.map(one =>
      one === found ? { ...one, type: EfiConventionalMemory } : one,
    )) {
      const last = joined.at(-1)
      if (last !== undefined && free(last) && free(descriptor) && last.range.end === descriptor.range.start)
        joined[joined.length - 1] = { ...last, range: range(last.range.start, descriptor.range.end) }
      else joined.push(descriptor)
    }
    this.#map = joined
    return { status: 'EFI_SUCCESS', ranges: [found.range], clause: 'FW-32' }
  }

  /** Cuts a descriptor in up to three; false when there is no room for them. */
  #cut(found: MemoryDescriptor, start: number, end: number, type: number): boolean {
    const { range: where } = found
    const parts: MemoryDescriptor[] = []
    if (where.start < start) parts.push({ ...found, range: range(where.start, start) })
    parts.push({ ...found, type, range: range(start, end) })
    if (end < where.end) parts.push({ ...found, range: range(end, where.end) })
    if (this.#map.length + parts.length - 1 > DESCRIPTORS_MAX) return false
    this.#map = this.#map.flatMap(descriptor => (descriptor === found ? parts : [descriptor]))
    return true
  }
}
