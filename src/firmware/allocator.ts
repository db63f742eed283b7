/**
 * EDK2's page allocator over a memory map: searched from the top, bin first, then the default range, then
 * everything (chapter FW).
 */
import { cutAtBins, highestOutside } from './bin-edges.ts'
import { ModelBug } from '../bytes/errors.ts'
import { intersect, range, subtract, type Range } from '../bytes/range.ts'
import { alignDown, PAGE, phys, PHYS_END, type Phys } from '../bytes/units.ts'
import {
  EFI_MEMORY_SP,
  EfiBootServicesData,
  EfiConventionalMemory,
  type MemoryDescriptor,
} from '../image/memory-types.ts'
import {
  isRefusedType,
  type AllocatorOptions,
  type FirmwareClause,
  type Freed,
  type PageAllocator,
  type PageAnswer,
} from './page-allocator.ts'
import { joinDescriptors, reported, SPECIAL_TYPES, splitMap } from './memory-map.ts'
import {
  addressClause,
  foundNothing,
  FREES_BY,
  inForeignBin,
  NOTHING_BACK,
  refusal,
  type Hit,
} from './answers.ts'
import { BinAccounts } from './bin-accounts.ts'
import { guardsPages, GuardMap, NO_GUARD, type HeapGuard } from './heap-guard.ts'
import type { Bin, FirmwareRow, SearchPolicy } from './policies.ts'
import type { AllocateType } from './services.ts'

/** Attribute of RAM that was untested: cached in all ways. */
const UNTESTED_ATTRIBUTE = 0xfn
/**
 * Each page holds so many entries of the map. Source: edk2@stable202211 Imem.h MEMORY_MAP, 64 bytes on X64.
 */
const ENTRIES_PER_PAGE = 64

/** Sizes are in pages, addresses in bytes; nothing here touches the contents of memory. */
export class Allocator implements PageAllocator {
  #map: MemoryDescriptor[]
  #foreign: readonly MemoryDescriptor[]
  readonly #search: SearchPolicy
  readonly #row: FirmwareRow
  readonly #guard: HeapGuard
  readonly #options: AllocatorOptions
  #guards = new GuardMap()
  /** Kept up for whoever asks what the bins of the next boot should hold. */
  accounts: BinAccounts
  #untested: readonly Range[]
  readonly #hidden: number
  /** Entries that there is room for. */
  #capacity: number
  /** Pages taken for entries since the last request. */
  #entryPages: Range[] = []

  /** Throws UsageError when descriptors overlap or are not made of pages. */
  constructor(
    map: readonly MemoryDescriptor[],
    search: SearchPolicy,
    row: FirmwareRow,
    options: AllocatorOptions = {},
  ) {
    const { ram, foreign } = splitMap(map)
    this.#map = [...ram]
    this.#foreign = foreign
    this.#search =
      row.search === 'top-down'
        ? { bins: row.foreignBins === 'never' ? search.bins : [], defaultMax: PHYS_END - 1 }
        : search
    this.#row = row
    this.#options = options
    this.accounts = new BinAccounts(this.#search)
    this.#guard = options.guard ?? NO_GUARD
    this.#untested = options.untested ?? []
    this.#hidden = options.mapEntries?.hidden ?? 0
    this.#capacity = options.mapEntries?.capacity ?? Infinity
  }

  fork(): Allocator {
    const twin = new Allocator([], this.#search, this.#row, this.#options)
    twin.#map = [...this.#map]
    twin.#foreign = this.#foreign
    twin.#guards = this.#guards.fork()
    twin.accounts = this.accounts.fork()
    twin.#untested = this.#untested
    twin.#capacity = this.#capacity
    twin.#entryPages = [...this.#entryPages]
    return twin
  }

  /**
   * GetMemoryMap: the allocator's descriptors ascending, then what is no RAM (FW-14); free pages of a special
   * bin as its type (FW-15).
   */
  memoryMap(): MemoryDescriptor[] {
    const shown = this.#shownParts().map(descriptor => {
      const bin =
        descriptor.type === EfiConventionalMemory
          ? this.#shownBins().find(
              one => one.base <= descriptor.range.start && descriptor.range.end - 1 <= one.max,
            )
          : undefined
      return reported(bin === undefined ? descriptor : { ...descriptor, type: bin.type })
    })
    return [...joinDescriptors(shown), ...this.#foreign]
  }

  mapClause(): FirmwareClause {
    if (this.#row.foreignBins === 'never') return 'FW-51'
    const shown = this.#shownParts().some(
      ({ type, range: { start, end } }) =>
        type === EfiConventionalMemory &&
        this.#shownBins().some(bin => bin.base <= start && end - 1 <= bin.max),
    )
    return !shown ? 'FW-14' : this.#row.freeInBin === 'split' ? 'FW-34' : 'FW-15'
  }

  /** Bins whose free pages are shown as their type: special ones, or all where nobody else may take them. */
  #shownBins(): readonly Bin[] {
    return this.#row.foreignBins === 'never'
      ? this.#search.bins
      : this.#search.bins.filter(bin => SPECIAL_TYPES.has(bin.type))
  }

  /** The descriptors, free ones cut at the edges of special bins where the release does that (FW-34). */
  #shownParts(): readonly MemoryDescriptor[] {
    if (this.#row.freeInBin === 'whole') return this.#map
    return cutAtBins(this.#map, this.#shownBins())
  }

  /** The descriptors that the allocator itself keeps, ascending. */
  descriptors(): readonly MemoryDescriptor[] {
    return this.#map
  }

  /** AllocatePages, with its checks in the firmware's order (FW-7). */
  allocate(where: AllocateType, type: number, pages: number): PageAnswer {
    if (isRefusedType(type, this.#row.refuses))
      return refusal(this.#row.refuses === 'edk2' ? 'FW-7' : 'FW-48', 'EFI_INVALID_PARAMETER')
    return where.kind === 'address'
      ? this.#allocateAddress(where.at, type, pages)
      : this.#allocateFound(where, type, pages, guardsPages(this.#guard, type))
  }

  /** Pages of a pool (FW-16, FW-39). */
  allocatePool(type: number, pages: number, guarded: boolean): PageAnswer {
    return this.#row.pool === 'blocks'
      ? this.#allocateFound({ kind: 'any' }, type, pages, guarded)
      : this.allocate({ kind: 'any' }, type, pages)
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
    if (!Number.isSafeInteger(pages) || pages < 0)
      throw new ModelBug(`AllocatePages of ${String(pages)} pages`)
    const limit = where.kind === 'any' ? PHYS_END - 1 : this.#highest(where.limit)
    const found = this.#find(limit, pages, type, guarded) ?? this.#findPromoted(limit, pages, type, guarded)
    if (found === null)
      return refusal(
        foundNothing(this.#row, pages > 0 && pages * PAGE <= limit + 1 && this.#isFree(0, pages * PAGE)),
        pages === 0 && this.#row.oddRequest === 'EFI_INVALID_PARAMETER'
          ? this.#row.oddRequest
          : where.kind === 'any'
            ? 'EFI_OUT_OF_RESOURCES'
            : this.#row.limitMiss,
      )
    const taken = range(found.at, found.at + pages * PAGE)
    const whole = guarded ? this.#guards.whole(taken) : taken
    this.#convert(whole.start, whole.end, type)
    if (guarded) this.#guards.guard(taken)
    return { status: 'EFI_SUCCESS', at: phys(found.at), clause: guarded ? this.#guardClause() : found.clause }
  }

  /** A guard page may lie anywhere (FW-36), or inside the searched range alone (FW-37). */
  #guardClause(): FirmwareClause {
    return this.#row.guardPage === 'inside' ? 'FW-37' : 'FW-36'
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

  /**
   * Takes what is free of these pages, whatever the firmware would say: the address was observed. False where
   * not all of them were free.
   */
  pin(at: Phys, pages: number, type: number): boolean {
    const wanted = range(at, at + pages * PAGE)
    const whole = this.#isFree(wanted.start, wanted.end)
    const free = this.#map
      .filter(descriptor => descriptor.type === EfiConventionalMemory)
      .map(descriptor => intersect(descriptor.range, wanted))
    for (const piece of free) if (piece !== null) this.#convert(piece.start, piece.end, type)
    return whole
  }

  /** FreePages (FW-10, FW-38, FW-49 to FW-51): what was freed before a failure stays freed. */
  free(at: number, pages: number): Freed {
    const held = this.#holding(at)
    const clause = FREES_BY[this.#row.free]
    if (held === undefined || (held.type === EfiConventionalMemory && this.#row.free !== 'pieces'))
      return { status: 'EFI_NOT_FOUND', ranges: [], clause }
    if (at % PAGE !== 0 || pages === 0 || (at === 0 && this.#row.refuses === 'from-persistent'))
      return { status: 'EFI_INVALID_PARAMETER', ranges: [], clause }
    const wanted = range(at, at + pages * PAGE)
    if (this.#row.free !== 'pieces') return this.#freeWhole(wanted, held)
    if (!guardsPages(this.#guard, held.type) || !this.#guards.isGuarded(at)) return this.#freePieces(wanted)
    return this.#freeGuarded(wanted)
  }

  /** Frees what was taken with guard pages (FW-38). */
  #freeGuarded(wanted: Range): Freed {
    const back = this.#guards.givenBack(wanted)
    this.#guards.unguard(wanted)
    return { ...(back === null ? NOTHING_BACK : this.#freePieces(back)), clause: 'FW-38' }
  }

  /** Descriptor by descriptor, stopping at the first piece that is free already (FW-10). */
  #freePieces({ start: at, end }: Range): Freed {
    const ranges: Range[] = []
    for (let next: number = at; next < end;) {
      const held = this.#holding(next)
      if (held === undefined || held.type === EfiConventionalMemory)
        return { status: 'EFI_NOT_FOUND', ranges, clause: 'FW-10' }
      const piece = range(next, Math.min(end, held.range.end))
      this.#convert(piece.start, piece.end, EfiConventionalMemory, (end - at) / PAGE)
      ranges.push(piece)
      next = piece.end
    }
    return { status: 'EFI_SUCCESS', ranges, clause: 'FW-10' }
  }

  /**
   * All of it or nothing: whatever it is (FW-49), if none of it is free (FW-50), if one descriptor has it
   * (FW-51).
   */
  #freeWhole(wanted: Range, held: MemoryDescriptor): Freed {
    const parts = this.#map.flatMap(({ type, range: where }) => {
      const part = type === EfiConventionalMemory ? null : intersect(where, wanted)
      return part === null ? [] : [part]
    })
    const taken = parts.reduce((sum, part) => sum + part.end - part.start, 0)
    const clause = FREES_BY[this.#row.free]
    if (this.#row.free === 'taken-range' && taken !== wanted.end - wanted.start)
      return { status: 'EFI_NOT_FOUND', ranges: [], clause }
    if (this.#row.free === 'one-descriptor' && wanted.end > held.range.end)
      return { status: 'EFI_NOT_FOUND', ranges: [], clause }
    for (const part of parts) this.#convert(part.start, part.end, EfiConventionalMemory)
    return { status: 'EFI_SUCCESS', ranges: parts, clause }
  }

  /** Highest byte that a limit allows (FW-11, FW-29). */
  #highest(limit: number): number {
    return this.#row.limit === 'exclusive' ? alignDown(limit, PAGE) - 1 : limit
  }

  /** All pages in one free descriptor (FW-25), none in a special bin of another type (FW-8). */
  #allocateAddress(at: number, type: number, pages: number): PageAnswer {
    const end = at + pages * PAGE
    const clause = addressClause(this.#row, inForeignBin(this.#search.bins, at, end, type))
    if (at % PAGE !== 0 || pages === 0) return refusal(clause, this.#row.oddRequest)
    if (at === 0 && this.#row.addressZero === 'refused') return refusal(clause, 'EFI_NOT_FOUND')
    const special = this.#search.bins.filter(bin => SPECIAL_TYPES.has(bin.type))
    if (this.#row.foreignBins === 'last' && inForeignBin(special, at, end, type))
      return refusal('FW-8', 'EFI_NOT_FOUND')
    const promoted = !this.#isFree(at, end) && this.#promote()
    if (!this.#isFree(at, end))
      return refusal(clause, this.#isFree(at, at + PAGE) ? this.#row.addressMiss : 'EFI_NOT_FOUND')
    this.#convert(at, end, type)
    return { status: 'EFI_SUCCESS', at: phys(at), clause: promoted ? 'FW-43' : clause }
  }

  /** Untested RAM becomes free, all of it at once; false when there is none (FW-43). */
  #promote(): boolean {
    if (this.#untested.length === 0) return false
    const added = this.#untested.map(where => ({
      type: EfiConventionalMemory,
      range: where,
      attribute: UNTESTED_ATTRIBUTE,
    }))
    const tested = (map: readonly MemoryDescriptor[]) =>
      map.flatMap(descriptor =>
        this.#untested
          .reduce<Range[]>((rest, where) => rest.flatMap(one => subtract(one, where)), [descriptor.range])
          .map(part => ({ ...descriptor, range: part })),
      )
    this.#map = joinDescriptors(
      [...tested(this.#map), ...added].sort((a, b) => a.range.start - b.range.start),
    )
    this.#foreign = tested(this.#foreign)
    this.#untested = []
    return true
  }

  /**
   * The bin of the type, the default range, everything up to the limit: each only when the limit reaches its
   * top (FW-4, FW-26).
   */
  #find(limit: number, pages: number, type: number, guarded: boolean): Hit | null {
    const { bins, defaultMax } = this.#search
    if (this.#row.foreignBins === 'never') {
      const foreign = bins.filter(one => one.type !== type)
      const at = this.#scanOutside(limit, pages, foreign)
      return at === null ? null : { at, clause: foreign.length > 0 ? 'FW-51' : 'FW-33' }
    }
    if (this.#row.search === 'top-down') {
      const at = this.#scan(limit, 0, pages, guarded)
      return at === null ? null : { at, clause: 'FW-29' }
    }
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

  /** Does special-purpose memory lie above, which an earlier release would have taken (FW-24)? */
  #passedOver(at: number, max: number): boolean {
    return (
      this.#row.specialPurpose === 'skipped' &&
      this.#map.some(
        ({ type, attribute, range: { start } }) =>
          type === EfiConventionalMemory && (attribute & EFI_MEMORY_SP) !== 0n && at < start && start <= max,
      )
    )
  }

  /**
   * From the free descriptor that ends highest between `min` and the highest byte `max` (FW-5, FW-11); never
   * page 0 (FW-6); FW-24.
   */
  #scan(max: number, min: number, pages: number, guarded: boolean): number | null {
    const top = alignDown(max + 1, PAGE)
    const bytes = pages * PAGE
    if (bytes === 0) return null
    for (let i = this.#map.length - 1; i >= 0; i--) {
      const { range: hole, type, attribute } = this.#map[i] as MemoryDescriptor
      if (
        type !== EfiConventionalMemory ||
        (this.#row.specialPurpose === 'skipped' && (attribute & EFI_MEMORY_SP) !== 0n)
      )
        continue
      const end = Math.min(hole.end, top)
      if (end - bytes < hole.start || end - bytes < min) continue
      const start = guarded
        ? this.#guards.fit(hole.start, end, bytes, this.#row.guardPage === 'inside', min)
        : end - bytes
      if (start !== null) return start === 0 ? null : start
    }
    return null
  }

  /** The highest pages at or below the limit that are in no other type's bin (FW-51). */
  #scanOutside(limit: number, pages: number, foreign: readonly Bin[]): number | null {
    return highestOutside(this.#map, limit, pages, foreign)
  }

  #holding(at: number): MemoryDescriptor | undefined {
    return this.#map.find(({ range: { start, end } }) => start <= at && at < end)
  }

  #isFree(start: number, end: number): boolean {
    const held = this.#holding(start)
    return held?.type === EfiConventionalMemory && end <= held.range.end
  }

  /** Cuts [start, end) out of the descriptor that holds it and joins it with its new neighbours (FW-1). */
  #convert(start: number, end: number, type: number, counted = (end - start) / PAGE): void {
    const index = this.#map.findIndex(({ range: where }) => where.start <= start && end <= where.end)
    const held = this.#map[index]
    if (held === undefined) return
    this.accounts.converted(start, counted, held.type, type)
    const { range: where } = held
    const from = Math.max(0, index - 1)
    const parts = this.#map.slice(from, index)
    if (where.start < start) parts.push({ ...held, range: range(where.start, start) })
    parts.push({ ...held, range: range(start, end), type })
    if (end < where.end) parts.push({ ...held, range: range(end, where.end) })
    parts.push(...this.#map.slice(index + 1, index + 2))
    this.#map.splice(from, index + 2 - from, ...joinDescriptors(parts))
    this.#makeRoom()
  }

  /** One more page of boot services data for entries, when there are more than fit (FW-53). */
  #makeRoom(): void {
    if (this.#map.length + this.#hidden <= this.#capacity) return
    this.#capacity += ENTRIES_PER_PAGE
    const { at } = this.#allocateFound({ kind: 'any' }, EfiBootServicesData, 1, false)
    if (at !== null) this.#entryPages.push(range(at, at + PAGE))
  }

  takeEntryPages(): Range[] {
    return this.#entryPages.splice(0)
  }
}
