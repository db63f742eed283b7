/** U-Boot's page allocator: the highest pages below a limit, and the rules of FreePages (chapter FW). */
import { range, type Range } from '../../bytes/range.ts'
import { alignDown, PAGE, phys, PHYS_END, type Phys } from '../../bytes/units.ts'
import { EfiConventionalMemory, type MemoryDescriptor } from '../../image/memory-types.ts'
import { bytesOf, DescriptorMap, isFree } from '../descriptor-map.ts'
import { joinDescriptors, reported } from '../memory-map.ts'
import {
  countOfPages,
  freedNothing,
  isRefusedType,
  refusedPages,
  type FirmwareClause,
  type Freed,
  type PageAllocator,
  type PageAnswer,
} from '../page-allocator.ts'
import type { AllocateType } from '../services.ts'

/** Up to v2024.10 `efi_mem`, from v2025.01 on LMB (FW-48 to FW-50). */
export type UBootEra = 'efi_mem' | 'lmb'

/** Sizes are in pages, addresses in bytes; memory contents are not touched. */
export class UBootPages implements PageAllocator {
  readonly #map: DescriptorMap
  readonly #era: UBootEra

  /** Throws UsageError when descriptors overlap or are not made of pages. */
  constructor(map: readonly MemoryDescriptor[] | DescriptorMap, era: UBootEra) {
    this.#map = new DescriptorMap(map)
    this.#era = era
  }

  fork(): UBootPages {
    return new UBootPages(this.#map, this.#era)
  }

  memoryMap(): MemoryDescriptor[] {
    return [...joinDescriptors(this.#map.ram.map(reported)), ...this.#map.foreign]
  }

  mapClause(): FirmwareClause {
    return 'FW-14'
  }

  descriptors(): readonly MemoryDescriptor[] {
    return this.#map.ram
  }

  allocate(where: AllocateType, type: number, pages: number): PageAnswer {
    if (isRefusedType(type, true)) return refusedPages('FW-48', 'EFI_INVALID_PARAMETER')
    if (where.kind === 'address') return this.#allocateAddress(where.at, type, pages)
    const at = this.#find(where.kind === 'any' ? PHYS_END : where.limit, countOfPages(pages))
    if (at === null) return refusedPages('FW-29', 'EFI_OUT_OF_RESOURCES')
    this.#map.convert(at, at + pages * PAGE, type)
    return { status: 'EFI_SUCCESS', at: phys(at), clause: 'FW-29' }
  }

  allocatePool(type: number, pages: number): PageAnswer {
    return this.allocate({ kind: 'any' }, type, pages)
  }

  /** From the highest free descriptor with room below the limit, which is excluded (FW-29). */
  #find(limit: number, pages: number): number | null {
    const top = alignDown(limit, PAGE)
    if (pages === 0) return null
    for (const descriptor of this.#map.ram.toReversed()) {
      const at = Math.min(descriptor.range.end, top) - pages * PAGE
      if (isFree(descriptor) && at >= descriptor.range.start) return at === 0 ? null : at
    }
    return null
  }

  /** Up to v2024.10, a first page that is not free is distinguished from a later one (FW-48). */
  #allocateAddress(at: number, type: number, pages: number): PageAnswer {
    const end = at + pages * PAGE
    if (at % PAGE !== 0 || pages === 0) return refusedPages('FW-48', 'EFI_NOT_FOUND')
    if (!this.#map.isFree(at, end))
      return refusedPages(
        'FW-48',
        this.#era === 'efi_mem' && this.#map.isFree(at, at + PAGE) ? 'EFI_OUT_OF_RESOURCES' : 'EFI_NOT_FOUND',
      )
    this.#map.convert(at, end, type)
    return { status: 'EFI_SUCCESS', at: phys(at), clause: 'FW-48' }
  }

  pin(at: Phys, pages: number, type: number): boolean {
    const wanted = range(at, at + pages * PAGE)
    const whole = this.#map.isFree(wanted.start, wanted.end)
    for (const piece of this.#map.parts(wanted, isFree)) this.#map.convert(piece.start, piece.end, type)
    return whole
  }

  /** Frees a range whose first page is allocated (FW-49), or one that is allocated as a whole (FW-50). */
  free(at: number, pages: number): Freed {
    const clause = this.#era === 'lmb' ? 'FW-50' : 'FW-49'
    const held = this.#map.holding(at)
    if (held === undefined || isFree(held)) return freedNothing(clause, 'EFI_NOT_FOUND')
    if (at === 0 || at % PAGE !== 0 || pages === 0) return freedNothing(clause, 'EFI_INVALID_PARAMETER')
    const wanted = range(at, at + pages * PAGE)
    const taken = this.#map.parts(wanted, descriptor => !isFree(descriptor))
    if (this.#era === 'lmb' && bytesOf(taken) !== wanted.end - wanted.start)
      return freedNothing(clause, 'EFI_NOT_FOUND')
    for (const part of taken) this.#map.convert(part.start, part.end, EfiConventionalMemory)
    return { status: 'EFI_SUCCESS', ranges: taken, clause }
  }

  freePool(where: Range): Freed {
    return this.free(where.start, (where.end - where.start) / PAGE)
  }
}
