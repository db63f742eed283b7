/** What the boot services need of a pool (chapter FW). */
import type { Range } from '../bytes/range.ts'
import type { FirmwareClause, PageAnswer } from './page-allocator.ts'
import type { EfiStatus } from './status.ts'

/** Where a pool gets its pages: the page allocator, with guard pages or without. */
export interface PoolPages {
  allocate(type: number, pages: number, guarded: boolean): PageAnswer
  free(range: Range, guarded: boolean): void
}

/** A buffer handed out, and the clause that decided. */
export type PoolAllocation = { readonly clause: FirmwareClause } & (
  | {
      readonly status: 'EFI_SUCCESS'
      readonly buffer: Range
      /**
       * Pages were taken for it, though the firmware's own pool may have had room: its state is unknown
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

/** What FreePool did: `block` is what the firmware may clear; null when its pages went back with it. */
export interface PoolFreed {
  readonly status: EfiStatus
  readonly block: Range | null
  readonly clause: FirmwareClause
}

/** What the boot services need of a pool. */
export interface Pool {
  /** By which clauses AllocatePool, FreePool and a note of an image work. */
  readonly services: {
    readonly allocate: FirmwareClause
    readonly free: FirmwareClause
    readonly note?: FirmwareClause
  }
  /** A pool in the same state that takes its pages from `pages`. */
  fork(pages: PoolPages): Pool
  /** AllocatePool. A request of 0 bytes is granted. */
  allocate(type: number, request: number): PoolAllocation
  /** FreePool. */
  free(at: number): PoolFreed
  /**
   * Room for what LoadImage notes of an image: a buffer of the firmware where that takes new pages (FW-46).
   * Absent: it notes nothing that would matter.
   */
  noteImage?(): { readonly buffer: Range | null; readonly guessed: boolean }
}

export const refusedPool = (
  clause: FirmwareClause,
  status: 'EFI_INVALID_PARAMETER' | 'EFI_OUT_OF_RESOURCES',
): PoolAllocation => ({ status, buffer: null, guessed: false, clause })
