/** patina's page allocator: the highest pages outside the bins of other types (chapter FW). */
import { range, type Range } from '../../bytes/range.ts'
import { PAGE, phys, PHYS_END, type Phys } from '../../bytes/units.ts'
import { EfiConventionalMemory, type MemoryDescriptor } from '../../image/memory-types.ts'
import { cutAtBins, highestOutside } from '../bin-edges.ts'
import { DescriptorMap, isFree } from '../descriptor-map.ts'
import { joinDescriptors, reported } from '../memory-map.ts'
import {
  countOfPages,
  freedNothing,
  inForeignBin,
  isRefusedType,
  refusedPages,
  type Bin,
  type FirmwareClause,
  type Freed,
  type PageAllocator,
  type PageAnswer,
} from '../page-allocator.ts'
import type { AllocateType } from '../services.ts'

/** Sizes are in pages, addresses in bytes; memory contents are not touched. */
export class PatinaPages implements PageAllocator {
  readonly #map: DescriptorMap
  readonly #bins: readonly Bin[]

  /** Throws UsageError when descriptors overlap or are not made of pages. */
  constructor(map: readonly MemoryDescriptor[] | DescriptorMap, bins: readonly Bin[]) {
    this.#map = new DescriptorMap(map)
    this.#bins = bins
  }

  fork(): PatinaPages {
    return new PatinaPages(this.#map, this.#bins)
  }

  /** Free pages of a bin are reported as its type, to the page (FW-51). */
  memoryMap(): MemoryDescriptor[] {
    const shown = cutAtBins(this.#map.ram, this.#bins).map(descriptor => {
      const { start, end } = descriptor.range
      const bin = isFree(descriptor)
        ? this.#bins.find(one => one.base <= start && end - 1 <= one.max)
        : undefined
      return reported(bin === undefined ? descriptor : { ...descriptor, type: bin.type })
    })
    return [...joinDescriptors(shown), ...this.#map.foreign]
  }

  mapClause(): FirmwareClause {
    return 'FW-51'
  }

  descriptors(): readonly MemoryDescriptor[] {
    return this.#map.ram
  }

  allocate(where: AllocateType, type: number, pages: number): PageAnswer {
    if (isRefusedType(type)) return refusedPages('FW-7', 'EFI_INVALID_PARAMETER')
    if (where.kind === 'address') return this.#allocateAddress(where.at, type, pages)
    if (countOfPages(pages) === 0) return refusedPages('FW-33', 'EFI_INVALID_PARAMETER')
    const foreign = this.#bins.filter(bin => bin.type !== type)
    const at = highestOutside(
      this.#map.ram,
      where.kind === 'any' ? PHYS_END - 1 : where.limit,
      pages,
      foreign,
    )
    if (at === null)
      return refusedPages('FW-33', where.kind === 'any' ? 'EFI_OUT_OF_RESOURCES' : 'EFI_NOT_FOUND')
    this.#map.convert(at, at + pages * PAGE, type)
    return { status: 'EFI_SUCCESS', at: phys(at), clause: foreign.length > 0 ? 'FW-51' : 'FW-33' }
  }

  allocatePool(type: number, pages: number): PageAnswer {
    return this.allocate({ kind: 'any' }, type, pages)
  }

  /** AllocateAddress may enter a bin (FW-51). */
  #allocateAddress(at: number, type: number, pages: number): PageAnswer {
    const end = at + pages * PAGE
    const clause = inForeignBin(this.#bins, at, end, type) ? 'FW-51' : 'FW-33'
    if (at % PAGE !== 0 || pages === 0) return refusedPages(clause, 'EFI_INVALID_PARAMETER')
    if (at === 0 || !this.#map.isFree(at, end)) return refusedPages(clause, 'EFI_NOT_FOUND')
    this.#map.convert(at, end, type)
    return { status: 'EFI_SUCCESS', at: phys(at), clause }
  }

  pin(at: Phys, pages: number, type: number): boolean {
    const wanted = range(at, at + pages * PAGE)
    const whole = this.#map.isFree(wanted.start, wanted.end)
    for (const piece of this.#map.parts(wanted, isFree)) this.#map.convert(piece.start, piece.end, type)
    return whole
  }

  /** Frees a range inside one descriptor, otherwise nothing (FW-51). */
  free(at: number, pages: number): Freed {
    const held = this.#map.holding(at)
    if (held === undefined || isFree(held)) return freedNothing('FW-51', 'EFI_NOT_FOUND')
    if (at % PAGE !== 0 || pages === 0) return freedNothing('FW-51', 'EFI_INVALID_PARAMETER')
    const wanted = range(at, at + pages * PAGE)
    if (wanted.end > held.range.end) return freedNothing('FW-51', 'EFI_NOT_FOUND')
    this.#map.convert(wanted.start, wanted.end, EfiConventionalMemory)
    return { status: 'EFI_SUCCESS', ranges: [wanted], clause: 'FW-51' }
  }

  freePool(where: Range): Freed {
    return this.free(where.start, (where.end - where.start) / PAGE)
  }
}
