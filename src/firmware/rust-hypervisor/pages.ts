/**
 * rust-hypervisor-firmware's page allocator: a list of descriptors, allocated bottom-up, freed one by one
 * (chapter FW).
 */
import { rangeAt, sizeOf, type Range } from '../../bytes/range.ts'
import { alignDown, PAGE, phys, type Phys } from '../../bytes/units.ts'
import { EfiConventionalMemory, type MemoryDescriptor } from '../../image/memory-types.ts'
import { DescriptorMap, isFree } from '../descriptor-map.ts'
import { reported } from '../memory-map.ts'
import {
  countOfPages,
  freedNothing,
  refusedPages,
  type FirmwareClause,
  type Freed,
  type PageAllocator,
  type PageAnswer,
} from '../page-allocator.ts'
import type { AllocateType } from '../services.ts'

/**
 * AllocateAnyPages uses a descriptor that begins above this address. Source: rhf@82a9a4f4 src/efi/alloc.rs
 * find_free_memory.
 */
const LOWEST_ANY = 0x100000
/** Maximum number of descriptors. Source: rhf@82a9a4f4 src/efi/alloc.rs MAX_ALLOCATIONS. */
const DESCRIPTORS_MAX = 512

/** Only free neighbours are joined; sizes are in pages, addresses in bytes. */
export class RustHypervisorPages implements PageAllocator {
  readonly #map: DescriptorMap

  /** Throws UsageError when descriptors overlap or are not made of pages. */
  constructor(map: readonly MemoryDescriptor[] | DescriptorMap) {
    this.#map = new DescriptorMap(map)
  }

  fork(): RustHypervisorPages {
    return new RustHypervisorPages(this.#map)
  }

  memoryMap(): MemoryDescriptor[] {
    return [...this.#map.ram.map(reported), ...this.#map.foreign]
  }

  mapClause(): FirmwareClause {
    return 'FW-32'
  }

  descriptors(): readonly MemoryDescriptor[] {
    return this.#map.ram
  }

  /** The start of the first suitable free descriptor; every failure is EFI_OUT_OF_RESOURCES (FW-31). */
  allocate(where: AllocateType, type: number, pages: number): PageAnswer {
    const bytes = countOfPages(pages) * PAGE
    const found = this.#map.ram.find(descriptor => isFree(descriptor) && fits(where, bytes, descriptor))
    const at = where.kind === 'address' ? alignDown(where.at, PAGE) : found?.range.start
    if (found === undefined || at === undefined || bytes === 0 || !this.#take(at, at + bytes, type))
      return refusedPages('FW-31', 'EFI_OUT_OF_RESOURCES')
    return { status: 'EFI_SUCCESS', at: phys(at), clause: 'FW-31' }
  }

  allocatePool(type: number, pages: number): PageAnswer {
    return this.allocate({ kind: 'any' }, type, pages)
  }

  pin(at: Phys, pages: number, type: number): boolean {
    const wanted = rangeAt(at, pages * PAGE)
    let taken = 0
    for (const piece of this.#map.parts(wanted, isFree))
      if (this.#take(piece.start, piece.end, type)) taken += sizeOf(piece)
    return taken === sizeOf(wanted)
  }

  /** The descriptor that begins here is freed as a whole, regardless of the count (FW-32). */
  free(at: number): Freed {
    const found = this.#map.ram.find(descriptor => descriptor.range.start === at)
    if (found === undefined) return freedNothing('FW-32', 'EFI_NOT_FOUND')
    this.#map.split(found.range.start, found.range.end, EfiConventionalMemory)
    this.#map.joinFree()
    return { status: 'EFI_SUCCESS', ranges: [found.range], clause: 'FW-32' }
  }

  freePool({ start }: Range): Freed {
    return this.free(start)
  }

  /** False if there is no room for the descriptors. */
  #take(start: number, end: number, type: number): boolean {
    if (this.#map.ram.length + this.#map.piecesOf(start, end) - 1 > DESCRIPTORS_MAX) return false
    this.#map.split(start, end, type)
    return true
  }
}

function fits(where: AllocateType, bytes: number, { range: hole }: MemoryDescriptor): boolean {
  if (where.kind === 'address') return hole.start <= where.at && where.at + bytes <= hole.end
  if (sizeOf(hole) < bytes) return false
  return where.kind === 'any' ? hole.start > LOWEST_ANY : hole.start + bytes <= where.limit
}
