/**
 * patina's pool: per memory type, fixed-size blocks over regions of a mebibyte or more, which are never freed
 * (chapter FW).
 */
import { rangeAt } from '../../bytes/range.ts'
import { alignUp, PAGE, pagesOf } from '../../bytes/units.ts'
import { EfiLoaderCode, EfiLoaderData } from '../../image/memory-types.ts'
import { isRefusedType } from '../page-allocator.ts'
import { refusedPool, type Pool, type PoolAllocation, type PoolFreed, type PoolPages } from '../pool.ts'
import { HoleList } from './hole-list.ts'

/**
 * Minimum growth of a pool, in bytes. Source: patina@80aa9c4c fixed_size_block_allocator.rs MIN_EXPANSION.
 */
const MIN_EXPANSION = 0x100000
/** Source: patina@80aa9c4c fixed_size_block_allocator.rs BLOCK_SIZES. */
const BLOCK_SIZES = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096] as const
/** Bytes before a buffer. Source: patina@80aa9c4c uefi_allocator.rs AllocationInfo. */
const HEAD = 24
/** Alignment of a buffer. Source: patina@80aa9c4c uefi_allocator.rs UEFI_POOL_ALIGN. */
const ALIGN = 8
/**
 * Bytes of a region's own list node, at its start. Source: patina@80aa9c4c fixed_size_block_allocator.rs
 * AllocatorListNode.
 */
const NODE = 64
/** Further overhead of the region. Source: patina@80aa9c4c fixed_size_block_allocator.rs fallback_alloc. */
const SPARE = 24

/** Types whose pools only the modelled boot uses: initially without a region (FW-19). */
const FRESH_POOLS: ReadonlySet<number> = new Set([EfiLoaderCode, EfiLoaderData])

/** Bytes and alignment of a request. */
interface Layout {
  readonly size: number
  readonly align: number
  /** Index in BLOCK_SIZES, or null if larger than all. */
  readonly block: number | null
}

function layoutOf(request: number): Layout {
  const size = HEAD + request
  const block = BLOCK_SIZES.findIndex(one => one >= size)
  const fixed = BLOCK_SIZES[block]
  return fixed === undefined ? { size, align: ALIGN, block: null } : { size: fixed, align: fixed, block }
}

/** The pool of one memory type. */
interface TypePool {
  /** Newest first, in search order. */
  readonly regions: readonly HoleList[]
  /** Free blocks by size; the last one is handed out first. */
  readonly free: readonly (readonly number[])[]
}

const EMPTY: TypePool = { regions: [], free: BLOCK_SIZES.map(() => []) }

/**
 * A map does not show the regions of the firmware's own types: their pools also start without any (FW-19).
 */
export class PatinaHeap implements Pool {
  readonly services = { allocate: 'FW-54', free: 'FW-54', note: 'FW-54' } as const
  readonly #pages: PoolPages
  readonly #pools = new Map<number, TypePool>()
  /** Type and layout of every buffer, by its address. */
  readonly #buffers = new Map<number, { readonly type: number; readonly layout: Layout }>()

  constructor(pages: PoolPages) {
    this.#pages = pages
  }

  fork(pages: PoolPages): PatinaHeap {
    const twin = new PatinaHeap(pages)
    for (const [type, { regions, free }] of this.#pools)
      twin.#pools.set(type, { regions: regions.map(region => region.fork()), free })
    for (const [at, buffer] of this.#buffers) twin.#buffers.set(at, buffer)
    return twin
  }

  /** The record is small; whether it fits into an existing region is unknown (FW-19). */
  noteImage(): { readonly buffer: null; readonly guessed: true } {
    return { buffer: null, guessed: true }
  }

  /** A free block of the size, the first hole of a region, or a new region (FW-54). */
  allocate(type: number, request: number): PoolAllocation {
    if (isRefusedType(type)) return refusedPool('FW-7', 'EFI_INVALID_PARAMETER')
    const layout = layoutOf(request)
    const ready = this.#take(type, layout)
    if (ready !== null) return this.#handOut(ready, type, layout, request, false)
    const needed = alignUp(layout.size, layout.align) + NODE + SPARE
    const pages = pagesOf(Math.max(needed, MIN_EXPANSION))
    const region = this.#pages.allocate(type, pages, false)
    if (region.at === null) return refusedPool(region.clause, 'EFI_OUT_OF_RESOURCES')
    const pool = this.#poolOf(type)
    const holes = new HoleList(region.at + NODE, region.at + pages * PAGE)
    this.#pools.set(type, { ...pool, regions: [holes, ...pool.regions] })
    const at = this.#take(type, layout)
    if (at === null) return refusedPool('FW-54', 'EFI_OUT_OF_RESOURCES')
    return this.#handOut(at, type, layout, request, !FRESH_POOLS.has(type))
  }

  #poolOf(type: number): TypePool {
    return this.#pools.get(type) ?? EMPTY
  }

  #take(type: number, { size, align, block }: Layout): number | null {
    const { regions, free } = this.#poolOf(type)
    const at = block === null ? undefined : free[block]?.at(-1)
    if (at !== undefined) {
      this.#setFree(type, block, list => list.slice(0, -1))
      return at
    }
    for (const region of regions) {
      const found = region.allocate(size, align)
      if (found !== null) return found
    }
    return null
  }

  #setFree(type: number, block: number | null, next: (list: readonly number[]) => readonly number[]): void {
    const pool = this.#poolOf(type)
    this.#pools.set(type, { ...pool, free: pool.free.map((list, i) => (i === block ? next(list) : list)) })
  }

  #handOut(at: number, type: number, layout: Layout, request: number, guessed: boolean): PoolAllocation {
    const buffer = rangeAt(at + HEAD, Math.max(1, request))
    this.#buffers.set(buffer.start, { type, layout })
    return { status: 'EFI_SUCCESS', buffer, guessed, clause: 'FW-54' }
  }

  /** A block returns to the free list of its size, a larger buffer to the holes of its region (FW-54). */
  free(at: number): PoolFreed {
    const found = this.#buffers.get(at)
    if (found === undefined) return { status: 'EFI_INVALID_PARAMETER', block: null, clause: 'FW-54' }
    this.#buffers.delete(at)
    const { type, layout } = found
    const start = at - HEAD
    if (layout.block === null) {
      const region = this.#poolOf(type).regions.find(({ bottom, top }) => bottom <= start && start < top)
      region?.free(start, layout.size)
    } else this.#setFree(type, layout.block, list => [...list, start])
    return { status: 'EFI_SUCCESS', block: rangeAt(start, layout.size), clause: 'FW-54' }
  }
}
