/**
 * A pool that gives every buffer whole pages and a header, as in U-Boot and rust-hypervisor-firmware (chapter
 * FW).
 */
import { rangeAt, type Range } from '../bytes/range.ts'
import { PAGE, pagesOf } from '../bytes/units.ts'
import type { FirmwareClause } from './page-allocator.ts'
import { refusedPool, type Pool, type PoolAllocation, type PoolFreed, type PoolPages } from './pool.ts'

export class PagedPool implements Pool {
  readonly #pages: PoolPages
  readonly #head: number
  readonly services: { readonly allocate: FirmwareClause; readonly free: FirmwareClause }
  /** Pages of every buffer, by its address. */
  readonly #taken = new Map<number, Range>()

  /** `head`: bytes before the buffer; `clause`: the clause for that. */
  constructor(pages: PoolPages, head: number, clause: FirmwareClause) {
    this.#pages = pages
    this.#head = head
    this.services = { allocate: clause, free: clause }
  }

  fork(pages: PoolPages): PagedPool {
    const twin = new PagedPool(pages, this.#head, this.services.allocate)
    for (const [at, taken] of this.#taken) twin.#taken.set(at, taken)
    return twin
  }

  /** AllocatePool: pages of its own for every buffer (FW-30, FW-32). */
  allocate(type: number, request: number): PoolAllocation {
    const count = Math.max(1, pagesOf(request + this.#head))
    const allocation = this.#pages.allocate(type, count, false)
    if (allocation.status !== 'EFI_SUCCESS')
      return refusedPool(
        allocation.clause,
        allocation.status === 'EFI_INVALID_PARAMETER' ? 'EFI_INVALID_PARAMETER' : 'EFI_OUT_OF_RESOURCES',
      )
    const buffer = rangeAt(allocation.at + this.#head, Math.max(1, request))
    this.#taken.set(buffer.start, rangeAt(allocation.at, count * PAGE))
    return { status: 'EFI_SUCCESS', buffer, guessed: false, clause: this.services.allocate }
  }

  /** FreePool: the pages are freed immediately. */
  free(at: number): PoolFreed {
    const pages = this.#taken.get(at)
    if (pages === undefined)
      return { status: 'EFI_INVALID_PARAMETER', block: null, clause: this.services.free }
    this.#taken.delete(at)
    this.#pages.free(pages, false)
    return { status: 'EFI_SUCCESS', block: null, clause: this.services.free }
  }
}
