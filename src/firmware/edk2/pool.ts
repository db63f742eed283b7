/**
 * EDK2's pool: small blocks split from pages of one memory type, large ones as pages of their own (chapter
 * FW).
 */
import { rangeAt, type Range } from '../../bytes/range.ts'
import { alignDown, alignUp, PAGE, pagesOf, phys } from '../../bytes/units.ts'
import {
  EfiBootServicesData,
  EfiLoaderCode,
  EfiLoaderData,
  EfiUnacceptedMemoryType,
} from '../../image/memory-types.ts'
import type { Build } from '../build.ts'
import { isRefusedType, OEM_TYPES } from '../page-allocator.ts'
import { refusedPool, type Pool, type PoolAllocation, type PoolFreed, type PoolPages } from '../pool.ts'
import { guardedBlock, guardsPool, NO_GUARD, type HeapGuard } from './heap-guard.ts'
import type { PoolState } from './pool-state.ts'
import type { Edk2Behaviour } from './releases.ts'

/** Bytes before the buffer of a block: its head. Source: edk2@stable202211 Pool.c POOL_HEAD. */
export const POOL_HEAD = 0x18
/** Bytes of a block besides its buffer: head and tail. Source: edk2@stable202211 Pool.c POOL_OVERHEAD. */
export const POOL_OVERHEAD = 0x28
/**
 * Block sizes below a page; each is the sum of the two before it. Source: edk2@stable202211 Pool.c
 * mPoolSizeTable.
 */
export const POOL_SIZES = [128, 256, 384, 640, 1024, 1664, 2688] as const

/** Bytes that describe the pool of such a type. Source: edk2@stable202211 Pool.c POOL. */
export const POOL_OF_OEM_TYPE = 0xe8

/** Bytes of EDK2's record of an image. Source: edk2@stable202211 Image.h LOADED_IMAGE_PRIVATE_DATA. */
const IMAGE_RECORD = 0x188

/** Types whose pools only the modelled boot uses: initially empty (FW-19). */
const FRESH_POOLS: ReadonlySet<number> = new Set([EfiLoaderCode, EfiLoaderData])

interface Block {
  readonly type: number
  /** Index in POOL_SIZES, or null for pages of its own. */
  readonly size: number | null
  /** Head, buffer, tail. */
  readonly range: Range
  readonly buffer: Range
  /** Pages of its own that have guard pages, or null. */
  readonly guarded: Range | null
}

/** Bytes of a block for a request, head and tail included (FW-16). */
export function poolBlockSize(request: number): number {
  return alignUp(request, 8) + POOL_OVERHEAD
}

/**
 * The pools start empty: a map does not show free blocks of the firmware's own pools (FW-19); the build has
 * what is known.
 */
export class Edk2Pool implements Pool {
  readonly services = { allocate: 'FW-16', free: 'FW-18', note: 'FW-46' } as const
  readonly #pages: PoolPages
  /** Heads of free blocks by type and size; last in, first out. */
  readonly #free = new Map<number, number[][]>()
  /** Size index of every free block, by its head. */
  readonly #freeSize = new Map<number, number>()
  /** Allocated blocks, by the address of their buffer. */
  readonly #blocks = new Map<number, Block>()
  readonly #guard: HeapGuard
  readonly #release: Edk2Behaviour
  readonly #build: Build
  readonly #state: PoolState | 'unknown'
  /** Pools of OEM types (FW-47): the address of the pool's descriptor, and its number of blocks in use. */
  readonly #oem = new Map<number, { readonly at: number; used: number }>()

  constructor(pages: PoolPages, release: Edk2Behaviour, build: Build = {}) {
    this.#pages = pages
    this.#release = release
    this.#build = build
    this.#guard = build.guard ?? NO_GUARD
    this.#state = build.pool ?? 'unknown'
  }

  fork(pages: PoolPages): Edk2Pool {
    const twin = new Edk2Pool(pages, this.#release, this.#build)
    for (const [type, lists] of this.#free)
      twin.#free.set(
        type,
        lists.map(heads => [...heads]),
      )
    for (const [head, size] of this.#freeSize) twin.#freeSize.set(head, size)
    for (const [at, block] of this.#blocks) twin.#blocks.set(at, block)
    for (const [type, oem] of this.#oem) twin.#oem.set(type, { ...oem })
    return twin
  }

  noteImage(): { readonly buffer: Range | null; readonly guessed: boolean } {
    if (this.#state === 'unknown') return { buffer: null, guessed: true }
    const { buffer } =
      this.#state.imageRecord === 'room'
        ? { buffer: null }
        : this.#block(EfiBootServicesData, IMAGE_RECORD, guardsPool(this.#guard, EfiBootServicesData))
    return { buffer, guessed: false }
  }

  allocate(type: number, request: number): PoolAllocation {
    if (isRefusedType(type) && !(type === EfiUnacceptedMemoryType && this.#release.poolGrantsUnaccepted))
      return refusedPool('FW-7', 'EFI_INVALID_PARAMETER')
    const described = type >= OEM_TYPES && !this.#oem.has(type)
    if (described) {
      const { buffer, clause } = this.#block(EfiBootServicesData, POOL_OF_OEM_TYPE, false)
      if (buffer === null) return refusedPool(clause, 'EFI_OUT_OF_RESOURCES')
      this.#oem.set(type, { at: buffer.start, used: 0 })
    }
    const allocation = this.#block(type, request, guardsPool(this.#guard, type))
    const oem = this.#oem.get(type)
    if (oem !== undefined && allocation.buffer !== null) oem.used++
    if (described) return { ...allocation, clause: 'FW-47' }
    return type === EfiUnacceptedMemoryType ? { ...allocation, clause: 'FW-45' } : allocation
  }

  #block(type: number, request: number, guarded: boolean): PoolAllocation {
    const total = poolBlockSize(request)
    if (guarded) return this.#guardedBlock(type, total)
    const size = POOL_SIZES.findIndex(one => one >= total)
    const ready = size < 0 ? null : this.#take(type, size)
    const fresh = ready === null ? this.#pages.allocate(type, size < 0 ? pagesOf(total) : 1, false) : null
    const head = ready ?? fresh?.at ?? null
    if (head === null) return refusedPool(fresh?.clause ?? 'FW-17', 'EFI_OUT_OF_RESOURCES')
    if (fresh !== null && size >= 0) this.#carve(type, head, PAGE, size, POOL_SIZES.length - 1)
    const buffer = rangeAt(head + POOL_HEAD, Math.max(1, total - POOL_OVERHEAD))
    this.#blocks.set(buffer.start, {
      type,
      size: size < 0 ? null : size,
      range: rangeAt(head, total),
      buffer,
      guarded: null,
    })
    return {
      status: 'EFI_SUCCESS',
      buffer,
      guessed: fresh !== null && size >= 0 && !FRESH_POOLS.has(type),
      clause: size < 0 ? 'FW-16' : 'FW-17',
    }
  }

  /** Pages of its own, at whose end or beginning the block lies (FW-39). */
  #guardedBlock(type: number, total: number): PoolAllocation {
    const { pages, offset, bytes } = guardedBlock(this.#guard, total)
    const { at, clause } = this.#pages.allocate(type, pages, true)
    if (at === null) return refusedPool(clause, 'EFI_OUT_OF_RESOURCES')
    const buffer = rangeAt(at + offset + POOL_HEAD, Math.max(1, total - POOL_OVERHEAD))
    this.#blocks.set(buffer.start, {
      type,
      size: null,
      range: rangeAt(at + offset, bytes),
      buffer,
      guarded: rangeAt(at, pages * PAGE),
    })
    return { status: 'EFI_SUCCESS', buffer, guessed: false, clause: 'FW-39' }
  }

  /** FreePool (FW-18): pages are freed immediately, small blocks once their whole page is free. */
  free(at: number): PoolFreed {
    const block = this.#blocks.get(at)
    if (block === undefined) return { status: 'EFI_INVALID_PARAMETER', block: null, clause: 'FW-18' }
    this.#blocks.delete(at)
    const kept = this.#giveBack(block)
    const oem = this.#oem.get(block.type)
    const last = oem !== undefined && --oem.used === 0
    if (last) {
      this.#oem.delete(block.type)
      this.free(oem.at)
    }
    return { status: 'EFI_SUCCESS', block: kept ? block.range : null, clause: last ? 'FW-47' : 'FW-18' }
  }

  /** False if the pages of the block were freed with it. */
  #giveBack(block: Block): boolean {
    if (block.size === null) {
      this.#pages.free(
        block.guarded ?? rangeAt(block.range.start, pagesOf(block.range.end - block.range.start) * PAGE),
        block.guarded !== null,
      )
      return false
    }
    const page = alignDown(block.range.start, PAGE)
    this.#give(block.type, block.range.start, block.size)
    return !this.#releasePage(block.type, page)
  }

  /**
   * A block of this size from the free lists: of the exact size, or the head of the next larger free block
   * (FW-17).
   */
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

  /**
   * The remainder after the block at the start of `length` bytes becomes free blocks, the largest possible
   * first.
   */
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
    for (let at = page; at < page + PAGE;) {
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
    this.#pages.free(rangeAt(phys(page), PAGE), false)
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
