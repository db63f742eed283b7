/** What the boot services need of a page allocator, and what a build adds to its row (chapter FW). */
import type { Range } from '../bytes/range.ts'
import type { Phys } from '../bytes/units.ts'
import {
  EfiConventionalMemory,
  EfiPersistentMemory,
  EfiUnacceptedMemoryType,
  type MemoryDescriptor,
} from '../image/memory-types.ts'
import type { HeapGuard } from './heap-guard.ts'
import type { FirmwareRow } from './policies.ts'
import type { AllocateType, Allocation } from './services.ts'
import type { EfiStatus } from './status.ts'

/** A clause of chapter FW: what an allocator answers by. */
export type FirmwareClause = `FW-${number}`

/** What AllocatePages answers, and the clause that decided. */
export type PageAnswer = Allocation & { readonly clause: FirmwareClause }

/** First type number that OEMs and loaders may choose. Source: UEFI 2.10, EFI_MEMORY_TYPE. */
const OEM_TYPES = 0x70000000

/** What FreePages did, and the clause that decided: pages freed before a failure stay freed. */
export interface Freed {
  readonly status: EfiStatus
  readonly clause: FirmwareClause
  readonly ranges: readonly Range[]
}

/** A type that AllocatePages turns down (FW-7, FW-48). */
export function isRefusedType(type: number, refuses: FirmwareRow['refuses'] = 'edk2'): boolean {
  return (
    (type === EfiConventionalMemory && refuses === 'edk2') ||
    type === EfiPersistentMemory ||
    (type >= EfiUnacceptedMemoryType && type < OEM_TYPES)
  )
}

/** What the boot services need of a page allocator. */
export interface PageAllocator {
  /** An allocator in the same state; what is done to one of the two is not seen by the other. */
  fork(): PageAllocator
  memoryMap(): MemoryDescriptor[]
  /** By which clause the map is shown as it is now. */
  mapClause(): FirmwareClause
  descriptors(): readonly MemoryDescriptor[]
  allocate(where: AllocateType, type: number, pages: number): PageAnswer
  pin(at: Phys, pages: number, type: number): boolean
  free(at: number, pages: number): Freed
  /** Pages for a pool, and back. */
  allocatePool(type: number, pages: number, guarded: boolean): PageAnswer
  freePool(where: Range, guarded: boolean): Freed
  /** Pages that the map's own entries have taken since it was last asked (FW-53). */
  takeEntryPages(): Range[]
  /** The guard pages that belong to an allocation alone (FW-36). */
  guardPages(at: number, pages: number): Range[]
}

/** What a build of EDK2, or one boot of it, has beside its row. */
export interface AllocatorOptions {
  readonly guard?: HeapGuard
  /** RAM that nobody has tested: reserved until a search fails (FW-43). */
  readonly untested?: readonly Range[]
  /**
   * Entries of the map that it does not show, and how many there is room for; absent where nobody looked
   * (FW-53).
   */
  readonly mapEntries?: MapEntries
}

export interface MapEntries {
  readonly hidden: number
  readonly capacity: number
}
