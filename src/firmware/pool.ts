/** What the boot services need of a pool (chapter FW). */
import type { Range } from '../bytes/range.ts'
import type { FirmwareClause, PageAnswer } from './page-allocator.ts'
import type { EfiStatus } from './status.ts'

/** The source of a pool's pages: the page allocator, with or without guard pages. */
export interface PoolPages {
  allocate(type: number, pages: number, guarded: boolean): PageAnswer
  free(range: Range, guarded: boolean): void
}

/** An allocated buffer, and the clause that decided. */
export type PoolAllocation = { readonly clause: FirmwareClause } & (
  | {
      readonly status: 'EFI_SUCCESS'
      readonly buffer: Range
      /**
       * Pages were allocated for it, although the firmware's own pool may have had room: its state is unknown
       * (FW-19).
       */
      readonly guessed: boolean
    }
  | {
      readonly status: 'EFI_INVALID_PARAMETER' | 'EFI_OUT_OF_RESOURCES'
      readonly buffer: null
      readonly guessed: false
    }
)

/** The result of FreePool: `block` is the range that the firmware may clear; null if its pages were freed. */
export interface PoolFreed {
  readonly status: EfiStatus
  readonly block: Range | null
  readonly clause: FirmwareClause
}

/** What the boot services need of a pool. */
export interface Pool {
  /** The clauses of AllocatePool, FreePool and of an image record. */
  readonly services: {
    readonly allocate: FirmwareClause
    readonly free: FirmwareClause
    readonly note?: FirmwareClause
  }
  /** A copy in the same state that gets its pages from `pages`. */
  fork(pages: PoolPages): Pool
  /** AllocatePool. A request of 0 bytes is granted. */
  allocate(type: number, request: number): PoolAllocation
  /** FreePool. */
  free(at: number): PoolFreed
  /**
   * Room for LoadImage's record of an image: a buffer of the firmware if that needs new pages (FW-46).
   * Absent: no record that matters.
   */
  noteImage?(): { readonly buffer: Range | null; readonly guessed: boolean }
}

export const refusedPool = (
  clause: FirmwareClause,
  status: 'EFI_INVALID_PARAMETER' | 'EFI_OUT_OF_RESOURCES',
): PoolAllocation => ({ status, buffer: null, guessed: false, clause })
