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

/** A clause of chapter FW, returned with every answer. */
export type FirmwareClause = `FW-${number}`

/** The result of AllocatePages, and the clause that decided it. */
export type PageAnswer = Allocation & { readonly clause: FirmwareClause }

/** The result of FreePages, and the clause that decided it: pages freed before a failure stay freed. */
export interface Freed {
  readonly status: EfiStatus
  readonly clause: FirmwareClause
  readonly ranges: readonly Range[]
}

/** What the boot services need of a page allocator. */
export interface PageAllocator {
  /** An independent copy in the same state. */
  fork(): PageAllocator
  memoryMap(): readonly MemoryDescriptor[]
  /** The clause by which the map is reported. */
  mapClause(): FirmwareClause
  descriptors(): readonly MemoryDescriptor[]
  allocate(where: AllocateType, type: number, pages: number): PageAnswer
  /**
   * Allocates the free ones of these pages unconditionally: the address was observed. False if not all of
   * them were free.
   */
  pin(at: Phys, pages: number, type: number): boolean
  free(at: number, pages: number): Freed
  /** Pages for a pool, and back. */
  allocatePool(type: number, pages: number, guarded: boolean): PageAnswer
  freePool(where: Range, guarded: boolean): Freed
  /** SetMemoryAttributes of EFI_MEMORY_RO, for firmware whose FreePages checks it (FW-44). */
  setReadOnly?(where: Range, on: boolean): void
  /** Pages allocated for the map's own entries since the last call (FW-53). */
  takeEntryPages?(): Range[]
  /** The guard pages that belong to one allocation only (FW-36). */
  guardPages?(at: number, pages: number): Range[]
}

/** A range preferred for one memory type. */
export interface Bin {
  /** UEFI's number. */
  readonly type: number
  /** Lowest address of the bin. */
  readonly base: number
  /** Highest byte of the bin. */
  readonly max: number
}

/** The ranges a firmware searches first. */
export interface SearchPolicy {
  readonly bins: readonly Bin[]
  /** Highest byte of the default search range. */
  readonly defaultMax: number
}

/** A type that AllocatePages refuses: by EDK2's check (FW-7), or only free memory (FW-48). */
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

/** Validates a caller's page count. Throws ModelBug if it is invalid. */
export function countOfPages(pages: number): number {
  if (!Number.isSafeInteger(pages) || pages < 0) throw new ModelBug(`AllocatePages of ${String(pages)} pages`)
  return pages
}

/** Does [at, end) share a page with the bin of another type? */
export const inForeignBin = (bins: readonly Bin[], at: number, end: number, type: number): boolean =>
  bins.some(bin => bin.type !== type && at <= bin.max && bin.base < end)
