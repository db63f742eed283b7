/**
 * EDK2's heap guard: an inaccessible page before and after every guarded allocation, shared between
 * neighbours (chapter FW).
 */
import { UsageError } from '../../bytes/errors.ts'
import { range, subtract, type Range } from '../../bytes/range.ts'
import { alignUp, PAGE } from '../../bytes/units.ts'

/** The settings of a build. Source: edk2@stable202211 MdeModulePkg/MdeModulePkg.dec. */
export interface HeapGuard {
  /**
   * Bit 0: pages, bit 1: pools, bit 7: buffers of guarded pools begin at the head instead of ending at the
   * tail.
   */
  readonly PcdHeapGuardPropertyMask: number
  /** One bit for each memory type; bit 62 for OEM types, bit 63 for those of operating systems. */
  readonly PcdHeapGuardPageType: bigint
  readonly PcdHeapGuardPoolType: bigint
}

const PAGE_GUARD = 0x01
const POOL_GUARD = 0x02
const FREED_GUARD = 0x10
const AT_HEAD = 0x80
/** Bytes of a block's tail. Source: edk2@stable202211 Pool.c POOL_TAIL. */
const POOL_TAIL = 0x10

export const NO_GUARD: HeapGuard = {
  PcdHeapGuardPropertyMask: 0,
  PcdHeapGuardPageType: 0n,
  PcdHeapGuardPoolType: 0n,
}

/** Throws UsageError if freed memory is guarded, too: it is not reused until memory runs out. */
export function checkGuard(guard: HeapGuard): HeapGuard {
  if ((guard.PcdHeapGuardPropertyMask & FREED_GUARD) !== 0)
    throw new UsageError('PcdHeapGuardPropertyMask: bit 4, the guard of freed memory, is not supported')
  return guard
}

/** Bit of a memory type. Source: edk2@stable202211 HeapGuard.c IsMemoryTypeToGuard. */
function typeBit(type: number): bigint {
  if (type >= 0x80000000) return 1n << 63n
  if (type >= 0x70000000) return 1n << 62n
  return type < 16 ? 1n << BigInt(type) : 0n
}

export function guardsPages(
  { PcdHeapGuardPropertyMask: mask, PcdHeapGuardPageType: types }: HeapGuard,
  type: number,
): boolean {
  return (mask & PAGE_GUARD) !== 0 && (types & typeBit(type)) !== 0n
}

export function guardsPool(
  { PcdHeapGuardPropertyMask: mask, PcdHeapGuardPoolType: types }: HeapGuard,
  type: number,
): boolean {
  return (mask & POOL_GUARD) !== 0 && (types & typeBit(type)) !== 0n
}

/**
 * A guarded pool buffer: pages of its block, and the block's offset in them (FW-39). `block` includes head
 * and tail.
 */
export function guardedBlock(
  { PcdHeapGuardPropertyMask: mask }: HeapGuard,
  block: number,
): { readonly pages: number; readonly offset: number; readonly bytes: number } {
  const bytes = (mask & AT_HEAD) === 0 ? block - POOL_TAIL : block
  const pages = alignUp(bytes, PAGE) / PAGE
  return { pages, bytes, offset: (mask & AT_HEAD) === 0 ? pages * PAGE - alignUp(bytes, 8) : 0 }
}

/** Which pages are guarded; guard pages follow from that. */
export class GuardMap {
  #guarded: Range[] = []

  /** An independent copy. */
  fork(): GuardMap {
    const twin = new GuardMap()
    twin.#guarded = [...this.#guarded]
    return twin
  }

  isGuarded(at: number): boolean {
    return this.#guarded.some(({ start, end }) => start <= at && at < end)
  }

  /** Is this the page before or after a guarded one, and not guarded itself (FW-36)? */
  isGuardPage(at: number): boolean {
    return !this.isGuarded(at) && (this.isGuarded(at - PAGE) || this.isGuarded(at + PAGE))
  }

  guard(where: Range): void {
    this.#guarded.push(where)
  }

  unguard(where: Range): void {
    this.#guarded = this.#guarded.flatMap(one => subtract(one, where))
  }

  /**
   * Start of `bytes` at the end of the free [start, end), after the guard pages that cannot be shared
   * (FW-36), or null. `inside`: must they be in the searched range from `min` on, and not page 0 (FW-37)?
   */
  fit(start: number, end: number, bytes: number, inside: boolean, min: number): number | null {
    const at = end - bytes - (this.isGuardPage(end) ? 0 : PAGE)
    const head = this.isGuardPage(at - PAGE) ? 0 : PAGE
    if (at < start || (at === start && head > 0)) return null
    return inside && (at <= PAGE || at - head < min) ? null : at
  }

  /** An allocation with the guard pages that it does not share. */
  whole({ start, end }: Range): Range {
    return range(
      this.isGuardPage(start - PAGE) ? start : start - PAGE,
      this.isGuardPage(end) ? end : end + PAGE,
    )
  }

  /**
   * The pages that FreePages frees of a guarded range: shared guard pages stay, a remainder gets a new one
   * (FW-38); null for none.
   */
  givenBack({ start, end }: Range): Range | null {
    const before = this.isGuarded(start - 2 * PAGE) ? start : start - PAGE
    const first = this.isGuarded(start - PAGE) ? start + PAGE : before
    const after = this.isGuarded(end + PAGE) ? end : end + PAGE
    const last = this.isGuarded(end) ? end - PAGE : after
    return last > first ? range(first, last) : null
  }
}
