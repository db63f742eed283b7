/** A pool of whole pages behind a head, as U-Boot and rust-hypervisor-firmware keep it (chapter FW). */
import { rangeAt, type Range } from '../bytes/range.ts'
import { PAGE, pagesOf } from '../bytes/units.ts'
import type { PoolAllocation, PoolPages } from './pool.ts'
import type { EfiStatus } from './status.ts'

export class PagePool {
  readonly #pages: PoolPages
  readonly #head: number
  /** Pages of every buffer, by its address. */
  readonly #taken = new Map<number, Range>()

  /** `head`: bytes before the buffer. */
  constructor(pages: PoolPages, head: number) {
    this.#pages = pages
    this.#head = head
  }

  /** A pool in the same state that takes its pages from `pages`. */
  fork(pages: PoolPages): PagePool {
    const twin = new PagePool(pages, this.#head)
    for (const [at, taken] of this.#taken) twin.#taken.set(at, taken)
    return twin
  }

  /** AllocatePool: pages of its own for every buffer (FW-30, FW-32). */
  allocate(type: number, request: number): PoolAllocation {
    const count = Math.max(1, pagesOf(request + this.#head))
    const allocation = this.#pages.allocate(type, count, false)
    if (allocation.status !== 'EFI_SUCCESS')
      return {
        status:
          allocation.status === 'EFI_INVALID_PARAMETER' ? 'EFI_INVALID_PARAMETER' : 'EFI_OUT_OF_RESOURCES',
        buffer: null,
        carved: false,
      }
    const buffer = rangeAt(allocation.at + this.#head, Math.max(1, request))
    this.#taken.set(buffer.start, rangeAt(allocation.at, count * PAGE))
    return { status: 'EFI_SUCCESS', buffer, carved: false }
  }

  /** FreePool: the pages go back at once. */
  free(at: number): { readonly status: EfiStatus; readonly block: null } {
    const pages = this.#taken.get(at)
    if (pages === undefined) return { status: 'EFI_INVALID_PARAMETER', block: null }
    this.#taken.delete(at)
    this.#pages.free(pages, false)
    return { status: 'EFI_SUCCESS', block: null }
  }
}
