/**
 * EDK2's page allocator over a memory map: searched from the top, bin first, then the default range, then
 * everything (chapter FW).
 */
import { overlaps, range, subtract, union, type Range } from '../../bytes/range.ts'
import { alignDown, PAGE, phys, PHYS_END, type Phys } from '../../bytes/units.ts'
import {
  EfiBootServicesData,
  EfiConventionalMemory,
  isSpecialPurpose,
  type MemoryDescriptor,
} from '../../image/memory-types.ts'
import type { Build } from '../build.ts'
import { DescriptorMap, isFree } from '../descriptor-map.ts'
import { firstPast, SPECIAL_TYPES } from '../memory-map.ts'
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
  type SearchPolicy,
} from '../page-allocator.ts'
import type { AllocateType } from '../services.ts'
import { BinAccounts } from './bin-accounts.ts'
import { guardsPages, GuardMap, NO_GUARD, type HeapGuard } from './heap-guard.ts'
import { ENTRIES_PER_PAGE, type MapEntries } from './pool-state.ts'
import type { Edk2Behaviour } from './releases.ts'
import { MapView, type ShownMap } from './shown-map.ts'

/** Attribute of RAM that was untested: cached in all ways. */
const UNTESTED_ATTRIBUTE = 0xfn
const NO_ENTRIES: MapEntries = { hidden: 0, capacity: Infinity }

/** Pages found by a search, and the clause. */
interface Hit {
  readonly at: number
  readonly clause: FirmwareClause
}

/** Sizes are in pages, addresses in bytes; memory contents are not touched. */
export class Edk2Pages implements PageAllocator {
  readonly #map: DescriptorMap
  readonly #search: SearchPolicy
  readonly #release: Edk2Behaviour
  readonly #build: Build
  /** Bins whose free pages are reported as their type. */
  readonly #specialBins: readonly Bin[]
  readonly #guard: HeapGuard
  readonly #view: MapView
  #guards = new GuardMap()
  /** Statistics from which the next boot's bins are computed (FW-52). */
  accounts: BinAccounts
  #untested: readonly Range[]
  #readOnly: readonly Range[] = []
  #entries: MapEntries
  /** Pages taken for entries since the last request. */
  #entryPages: Range[] = []
  /** The last answer to GetMemoryMap, and of which descriptors it was made. */
  #shown: ShownMap | null = null

  /** Throws UsageError when descriptors overlap or are not made of pages. */
  constructor(
    map: readonly MemoryDescriptor[] | DescriptorMap,
    search: SearchPolicy,
    release: Edk2Behaviour,
    build: Build = {},
  ) {
    const { guard = NO_GUARD, untested = [], pool = 'unknown' } = build
    this.#map = new DescriptorMap(map)
    this.#search = search
    this.#release = release
    this.#build = build
    this.#specialBins = search.bins.filter(bin => SPECIAL_TYPES.has(bin.type))
    this.#view = new MapView(this.#specialBins, release.cutsAtBins)
    this.accounts = new BinAccounts(search)
    this.#guard = guard
    this.#untested = untested
    this.#entries = (pool === 'unknown' ? undefined : pool.mapEntries) ?? NO_ENTRIES
  }

  fork(): Edk2Pages {
    const twin = new Edk2Pages(this.#map, this.#search, this.#release, this.#build)
    twin.#guards = this.#guards.fork()
    twin.accounts = this.accounts.fork()
    twin.#untested = this.#untested
    twin.#readOnly = this.#readOnly
    twin.#entries = this.#entries
    twin.#entryPages = [...this.#entryPages]
    twin.#shown = this.#shown
    return twin
  }

  /**
   * GetMemoryMap: the allocator's descriptors sorted by address, followed by non-RAM descriptors (FW-14);
   * free pages of a special bin as its type (FW-15).
   */
  memoryMap(): readonly MemoryDescriptor[] {
    return this.#show().map
  }

  mapClause(): FirmwareClause {
    return this.#show().clause
  }

  #show(): ShownMap {
    const { ram, foreign } = this.#map
    const known = this.#shown
    if (known?.ram === ram && known.foreign === foreign) return known
    this.#shown = this.#view.show(ram, foreign, known)
    return this.#shown
  }

  descriptors(): readonly MemoryDescriptor[] {
    return this.#map.ram
  }

  /** AllocatePages, with its checks in the firmware's order (FW-7). */
  allocate(where: AllocateType, type: number, pages: number): PageAnswer {
    if (isRefusedType(type)) return refusedPages('FW-7', 'EFI_INVALID_PARAMETER')
    return where.kind === 'address'
      ? this.#allocateAddress(where.at, type, pages)
      : this.#allocateFound(where, type, pages, guardsPages(this.#guard, type))
  }

  /** Pages of a pool (FW-16, FW-39). */
  allocatePool(type: number, pages: number, guarded: boolean): PageAnswer {
    return this.#allocateFound({ kind: 'any' }, type, pages, guarded)
  }

  freePool(where: Range, guarded: boolean): Freed {
    return guarded ? this.#freeGuarded(where) : this.#freePieces(where)
  }

  #allocateFound(
    where: Exclude<AllocateType, { kind: 'address' }>,
    type: number,
    pages: number,
    guarded: boolean,
  ): PageAnswer {
    countOfPages(pages)
    const limit = where.kind === 'any' ? PHYS_END - 1 : where.limit
    const found = this.#find(limit, pages, type, guarded) ?? this.#findPromoted(limit, pages, type, guarded)
    if (found === null) return refusedPages(this.#failure(limit, pages), 'EFI_OUT_OF_RESOURCES')
    const taken = range(found.at, found.at + pages * PAGE)
    const whole = guarded ? this.#guards.whole(taken) : taken
    this.#convert(whole.start, whole.end, type)
    if (guarded) this.#guards.guard(taken)
    return { status: 'EFI_SUCCESS', at: phys(found.at), clause: guarded ? this.#guardClause() : found.clause }
  }

  /** A guard page may be anywhere (FW-36), or only inside the searched range (FW-37). */
  #guardClause(): FirmwareClause {
    return this.#release.guardsInside ? 'FW-37' : 'FW-36'
  }

  /** A search fails because page 0 is never used (FW-6), or because there is no free range (FW-26). */
  #failure(limit: number, pages: number): FirmwareClause {
    const end = pages * PAGE
    return pages > 0 && end <= limit + 1 && this.#map.isFree(0, end) ? 'FW-6' : 'FW-26'
  }

  #findPromoted(limit: number, pages: number, type: number, guarded: boolean): Hit | null {
    const found = this.#promote() ? this.#find(limit, pages, type, guarded) : null
    return found === null ? null : { ...found, clause: 'FW-43' }
  }

  guardPages(at: number, pages: number): Range[] {
    return this.#guards.isGuarded(at)
      ? [at - PAGE, at + pages * PAGE]
          .filter(page => this.#guards.isGuardPage(page))
          .map(page => range(page, page + PAGE))
      : []
  }

  pin(at: Phys, pages: number, type: number): boolean {
    const wanted = range(at, at + pages * PAGE)
    const whole = this.#map.isFree(wanted.start, wanted.end)
    for (const piece of this.#map.parts(wanted, isFree)) this.#convert(piece.start, piece.end, type)
    return whole
  }

  setReadOnly(where: Range, on: boolean): void {
    this.#readOnly = on
      ? union([...this.#readOnly, where])
      : this.#readOnly.flatMap(one => subtract(one, where))
  }

  /** FreePages (FW-10, FW-38, FW-44): pages freed before a failure stay freed. */
  free(at: number, pages: number): Freed {
    if (this.#keeps(range(at, at + Math.max(1, pages) * PAGE))) return freedNothing('FW-44', 'EFI_SUCCESS')
    const held = this.#map.holding(at)
    if (held === undefined) return freedNothing('FW-10', 'EFI_NOT_FOUND')
    if (at % PAGE !== 0 || pages === 0) return freedNothing('FW-10', 'EFI_INVALID_PARAMETER')
    const wanted = range(at, at + pages * PAGE)
    return guardsPages(this.#guard, held.type) && this.#guards.isGuarded(at)
      ? this.#freeGuarded(wanted)
      : this.#freePieces(wanted)
  }

  /** Does the release keep the pages, because some are read-only (FW-44)? */
  #keeps(where: Range): boolean {
    return this.#release.keepsReadOnly && this.#readOnly.some(one => overlaps(one, where))
  }

  /** Frees an allocation with guard pages (FW-38). */
  #freeGuarded(wanted: Range): Freed {
    const back = this.#guards.givenBack(wanted)
    this.#guards.unguard(wanted)
    return back === null
      ? freedNothing('FW-38', 'EFI_SUCCESS')
      : { ...this.#freePieces(back), clause: 'FW-38' }
  }

  /** Descriptor by descriptor, stopping at the first piece that is free already (FW-10). */
  #freePieces({ start: at, end }: Range): Freed {
    const ranges: Range[] = []
    for (let next: number = at; next < end;) {
      const held = this.#map.holding(next)
      if (held === undefined || isFree(held)) return { status: 'EFI_NOT_FOUND', ranges, clause: 'FW-10' }
      const piece = range(next, Math.min(end, held.range.end))
      this.#convert(piece.start, piece.end, EfiConventionalMemory, (end - at) / PAGE)
      ranges.push(piece)
      next = piece.end
    }
    return { status: 'EFI_SUCCESS', ranges, clause: 'FW-10' }
  }

  /** All pages must be in one free descriptor (FW-25), none in a special bin of another type (FW-8). */
  #allocateAddress(at: number, type: number, pages: number): PageAnswer {
    const end = at + pages * PAGE
    const whole = at % PAGE === 0 && pages > 0
    if (!whole || (at === 0 && !this.#release.grantsPageZero)) return refusedPages('FW-25', 'EFI_NOT_FOUND')
    if (inForeignBin(this.#specialBins, at, end, type)) return refusedPages('FW-8', 'EFI_NOT_FOUND')
    const promoted = !this.#map.isFree(at, end) && this.#promote()
    if (!this.#map.isFree(at, end)) return refusedPages('FW-25', 'EFI_NOT_FOUND')
    this.#convert(at, end, type)
    return { status: 'EFI_SUCCESS', at: phys(at), clause: promoted ? 'FW-43' : 'FW-25' }
  }

  /** Untested RAM becomes free, all of it at once; false when there is none (FW-43). */
  #promote(): boolean {
    const untested = this.#untested
    if (untested.length === 0) return false
    this.#untested = []
    this.#map.replace(
      descriptor =>
        untested
          .reduce<Range[]>((rest, where) => rest.flatMap(one => subtract(one, where)), [descriptor.range])
          .map(part => ({ ...descriptor, range: part })),
      untested.map(where => ({
        type: EfiConventionalMemory,
        range: where,
        attribute: UNTESTED_ATTRIBUTE,
      })),
    )
    return true
  }

  /**
   * The bin of the type, the default range, everything up to the limit: each only when the limit reaches its
   * top (FW-4, FW-26).
   */
  #find(limit: number, pages: number, type: number, guarded: boolean): Hit | null {
    const { bins, defaultMax } = this.#search
    const bin = bins.find(one => one.type === type)
    const inBin = bin !== undefined && limit >= bin.max ? this.#scan(bin.max, bin.base, pages, guarded) : null
    if (inBin !== null) return { at: inBin, clause: 'FW-4' }
    const inDefault = limit >= defaultMax ? this.#scan(defaultMax, 0, pages, guarded) : null
    if (inDefault !== null) {
      this.accounts.found(inDefault)
      return { at: inDefault, clause: this.#passedOver(inDefault, defaultMax) ? 'FW-24' : 'FW-5' }
    }
    const at = this.#scan(limit, 0, pages, guarded)
    if (at === null) return null
    return { at, clause: limit < PHYS_END - 1 && (limit + 1) % PAGE !== 0 ? 'FW-11' : 'FW-4' }
  }

  #isPassedOver(descriptor: MemoryDescriptor): boolean {
    return this.#release.skipsSpecialPurpose && isSpecialPurpose(descriptor)
  }

  /** Is there special-purpose memory above, which an earlier release would have used (FW-24)? */
  #passedOver(at: number, max: number): boolean {
    if (!this.#release.skipsSpecialPurpose) return false
    const { ram } = this.#map
    for (let i = firstPast(ram, at); i < ram.length; i++) {
      const one = ram[i] as MemoryDescriptor
      if (one.range.start > max) return false
      if (at < one.range.start && isFree(one) && this.#isPassedOver(one)) return true
    }
    return false
  }

  /**
   * From the free descriptor that ends highest between `min` and the highest byte `max` (FW-5, FW-11); never
   * page 0 (FW-6); FW-24.
   */
  #scan(max: number, min: number, pages: number, guarded: boolean): number | null {
    const top = alignDown(max + 1, PAGE)
    const bytes = pages * PAGE
    if (bytes === 0) return null
    const { ram } = this.#map
    for (let i = ram.length - 1; i >= 0; i--) {
      const descriptor = ram[i] as MemoryDescriptor
      if (!isFree(descriptor) || this.#isPassedOver(descriptor)) continue
      const { range: hole } = descriptor
      const end = Math.min(hole.end, top)
      if (end - bytes < hole.start || end - bytes < min) continue
      const start = guarded
        ? this.#guards.fit(hole.start, end, bytes, this.#release.guardsInside, min)
        : end - bytes
      if (start !== null) return start === 0 ? null : start
    }
    return null
  }

  #convert(start: number, end: number, type: number, counted = (end - start) / PAGE): void {
    const before = this.#map.convert(start, end, type)
    if (before === null) return
    this.accounts.converted(start, counted, before, type)
    this.#makeRoom()
  }

  /** Allocates one more page of boot services data for map entries if they no longer fit (FW-53). */
  #makeRoom(): void {
    const { hidden, capacity } = this.#entries
    if (this.#map.ram.length + hidden <= capacity) return
    this.#entries = { hidden, capacity: capacity + ENTRIES_PER_PAGE }
    const { at } = this.#allocateFound({ kind: 'any' }, EfiBootServicesData, 1, false)
    if (at !== null) this.#entryPages.push(range(at, at + PAGE))
  }

  takeEntryPages(): Range[] {
    return this.#entryPages.splice(0)
  }
}
