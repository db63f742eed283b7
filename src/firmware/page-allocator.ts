/** What the boot services need of a page allocator (chapter FW). */
import { ModelBug } from '../bytes/errors.ts'
import type { Range } from '../bytes/range.ts'
import type { Phys } from '../bytes/units.ts'
import {
  EfiConventionalMemory,
  EfiPersistentMemory,
  EfiUnacceptedMemoryType,
  type MemoryDescriptor,
} from '../image/memory-types.ts'
import type { AllocateType, Allocation } from './services.ts'
import type { EfiError, EfiStatus } from './status.ts'

/** First type number that OEMs and loaders may choose. Source: UEFI 2.10, EFI_MEMORY_TYPE. */
export const OEM_TYPES = 0x70000000

/** A clause of chapter FW: what an allocator answers by. */
export type FirmwareClause = `FW-${number}`

/** What AllocatePages answers, and the clause that decided. */
export type PageAnswer = Allocation & { readonly clause: FirmwareClause }

/** What FreePages did, and the clause that decided: pages freed before a failure stay freed. */
export interface Freed {
  readonly status: EfiStatus
  readonly clause: FirmwareClause
  readonly ranges: readonly Range[]
}

/** What the boot services need of a page allocator. */
export interface PageAllocator {
  /** An allocator in the same state; what is done to one of the two is not seen by the other. */
  fork(): PageAllocator
  memoryMap(): readonly MemoryDescriptor[]
  /** By which clause the map is shown as it is now. */
  mapClause(): FirmwareClause
  descriptors(): readonly MemoryDescriptor[]
  allocate(where: AllocateType, type: number, pages: number): PageAnswer
  /**
   * Takes what is free of these pages, whatever the firmware would say: the address was observed. False where
   * not all of them were free.
   */
  pin(at: Phys, pages: number, type: number): boolean
  free(at: number, pages: number): Freed
  /** Pages for a pool, and back. */
  allocatePool(type: number, pages: number, guarded: boolean): PageAnswer
  freePool(where: Range, guarded: boolean): Freed
  /** SetMemoryAttributes of EFI_MEMORY_RO, where FreePages looks at it (FW-44). */
  setReadOnly?(where: Range, on: boolean): void
  /** Pages that the map's own entries have taken since it was last asked (FW-53). */
  takeEntryPages?(): Range[]
  /** The guard pages that belong to an allocation alone (FW-36). */
  guardPages?(at: number, pages: number): Range[]
}

/** A range that one memory type is steered into. */
export interface Bin {
  /** UEFI's number. */
  readonly type: number
  /** Lowest address of the bin. */
  readonly base: number
  /** Highest byte of the bin. */
  readonly max: number
}

/** Where a firmware searches first. */
export interface SearchPolicy {
  readonly bins: readonly Bin[]
  /** Highest byte of the default search range. */
  readonly defaultMax: number
}

/** A type that AllocatePages turns down: EDK2's (FW-7), where free memory is granted all others (FW-48). */
export function isRefusedType(type: number, grantsFree = false): boolean {
  return (
    (type === EfiConventionalMemory && !grantsFree) ||
    type === EfiPersistentMemory ||
    (type >= EfiUnacceptedMemoryType && type < OEM_TYPES)
  )
}

export const refusedPages = (clause: FirmwareClause, status: EfiError): PageAnswer => ({
  status,
  at: null,
  clause,
})

export const freedNothing = (clause: FirmwareClause, status: EfiStatus): Freed => ({
  status,
  ranges: [],
  clause,
})

/** The count of pages as a caller may give it. Throws ModelBug for any other. */
export function countOfPages(pages: number): number {
  if (!Number.isSafeInteger(pages) || pages < 0) throw new ModelBug(`AllocatePages of ${String(pages)} pages`)
  return pages
}

/** Does [at, end) share a page with the bin of another type? */
export const inForeignBin = (bins: readonly Bin[], at: number, end: number, type: number): boolean =>
  bins.some(bin => bin.type !== type && at <= bin.max && bin.base < end)
