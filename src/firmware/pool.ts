/** EDK2's pool: small blocks carved from pages of one memory type, large ones as pages of their own (chapter FW). */
import { rangeAt, type Range } from '../bytes/range.ts'
import { alignDown, alignUp, PAGE, pagesOf, phys } from '../bytes/units.ts'
import { isRefusedType } from './allocator.ts'
import type { Allocation } from './services.ts'
import type { EfiStatus } from './status.ts'

/** Bytes before the buffer of a block: its head. Source: edk2@stable202211 Pool.c POOL_HEAD. */
export const POOL_HEAD = 0x18
/** Bytes that a block needs beside its buffer: head and tail. Source: edk2@stable202211 Pool.c POOL_OVERHEAD. */
export const POOL_OVERHEAD = 0x28
/** Block sizes below a page; each is the sum of the two before it. Source: edk2@stable202211 Pool.c mPoolSizeTable. */
export const POOL_SIZES = [128, 256, 384, 640, 1024, 1664, 2688] as const

/** Where the pool gets its pages: AllocatePages Any and FreePages. */
export interface PoolPages {
  allocate(type: number, pages: number): Allocation
  free(range: Range): void
}

interface Block {
  readonly type: number
  /** Index in POOL_SIZES, or null for pages of its own. */
  readonly size: number | null
  /** Head, buffer, tail. */
  readonly range: Range
  readonly buffer: Range
}

/** A buffer handed out: its bytes, and whether a new page was carved up for it. */
export type PoolAllocation = { readonly status: 'EFI_SUCCESS'; readonly buffer: Range; readonly carved: boolean } | { readonly status: 'EFI_INVALID_PARAMETER' | 'EFI_OUT_OF_RESOURCES'; readonly buffer: null; readonly carved: false }

/** Bytes of a block for a request, head and tail included (FW-16). */
export function poolBlockSize(request: number): number {
  return alignUp(request, 8) + POOL_OVERHEAD
}

/** All pools start empty. */
export class Pool {
  readonly #pages: PoolPages
  /** Heads of free blocks by type and size; the last one is handed out first. */
  readonly #free = new Map<number, number[][]>()
  /** Size index of every free block, by its head. */
  readonly #freeSize = new Map<number, number>()
  /** Blocks handed out, by the address of their buffer. */
  readonly #blocks = new Map<number, Block>()

  constructor(pages: PoolPages) {
    this.#pages = pages
  }

  /** AllocatePool. A request of 0 bytes is granted. */
  allocate(type: number, request: number): PoolAllocation {
    if (isRefusedType(type)) return { status: 'EFI_INVALID_PARAMETER', buffer: null, carved: false }
    const total = poolBlockSize(request)
    const size = POOL_SIZES.findIndex(one => one >= total)
    const ready = size < 0 ? null : this.#take(type, size)
    const fresh = ready === null ? this.#pages.allocate(type, size < 0 ? pagesOf(total) : 1) : null
    const head = ready ?? fresh?.at ?? null
    if (head === null) return { status: 'EFI_OUT_OF_RESOURCES', buffer: null, carved: false }
    if (fresh !== null && size >= 0) this.#carve(type, head, PAGE, size, POOL_SIZES.length - 1)
    const buffer = rangeAt(head + POOL_HEAD, Math.max(1, total - POOL_OVERHEAD))
    this.#blocks.set(buffer.start, { type, size: size < 0 ? null : size, range: rangeAt(head, total), buffer })
    return { status: 'EFI_SUCCESS', buffer, carved: fresh !== null && size >= 0 }
  }

  /** FreePool (FW-18): pages go back at once, a small block when its whole page is free. `block` is what the firmware may clear. */
  free(at: number): { readonly status: EfiStatus; readonly block: Range | null } {
    const block = this.#blocks.get(at)
    if (block === undefined) return { status: 'EFI_INVALID_PARAMETER', block: null }
    this.#blocks.delete(at)
    if (block.size === null) {
      this.#pages.free(rangeAt(block.range.start, pagesOf(block.range.end - block.range.start) * PAGE))
      return { status: 'EFI_SUCCESS', block: null }
    }
    this.#give(block.type, block.range.start, block.size)
    const page = alignDown(block.range.start, PAGE)
    return { status: 'EFI_SUCCESS', block: this.#releasePage(block.type, page) ? null : block.range }
  }

  /** A block of this size from the free lists: the size itself, or the head of the next larger free block (FW-17). */
  #take(type: number, size: number): number | null {
    const lists = this.#lists(type)
    for (let larger = size; larger < POOL_SIZES.length; larger++) {
      const head = lists[larger]?.pop()
      if (head === undefined) continue
      this.#freeSize.delete(head)
      if (larger > size) this.#carve(type, head, POOL_SIZES[larger] as number, size, larger - 1)
      return head
    }
    return null
  }

  /** What is left behind the block at the head of `length` bytes becomes free blocks, the largest that fit first. */
  #carve(type: number, head: number, length: number, size: number, from: number): void {
    let offset: number = POOL_SIZES[size] as number
    for (let smaller = from; offset < length; smaller--) {
      const bytes = POOL_SIZES[smaller] as number
      for (; offset + bytes <= length; offset += bytes) this.#give(type, head + offset, smaller)
    }
  }

  #give(type: number, head: number, size: number): void {
    this.#lists(type)[size]?.push(head)
    this.#freeSize.set(head, size)
  }

  #releasePage(type: number, page: number): boolean {
    const heads: number[] = []
    for (let at = page; at < page + PAGE; ) {
      const size = this.#freeSize.get(at)
      if (size === undefined) return false
      heads.push(at)
      at += POOL_SIZES[size] as number
    }
    const lists = this.#lists(type)
    for (const head of heads) {
      const list = lists[this.#freeSize.get(head) as number] as number[]
      list.splice(list.indexOf(head), 1)
      this.#freeSize.delete(head)
    }
    this.#pages.free(rangeAt(phys(page), PAGE))
    return true
  }

  #lists(type: number): number[][] {
    const known = this.#free.get(type)
    if (known !== undefined) return known
    const lists = POOL_SIZES.map(() => [])
    this.#free.set(type, lists)
    return lists
  }
}
