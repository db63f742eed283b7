/**
 * The free parts of one region of patina's heap: first fit, split and merged as by the crate
 * linked_list_allocator (chapter FW).
 */
import { alignUp } from '../../bytes/units.ts'

/**
 * Bytes of a hole's own node, the minimum of an allocation and of a remainder. Source:
 * linked-list-allocator@0.10.5 src/hole.rs HoleList::min_size.
 */
const HOLE = 16
/** Alignment of a hole's node. */
const ALIGN = 8

interface Hole {
  readonly at: number
  readonly size: number
}

/** Bytes that a request takes. Source: linked-list-allocator@0.10.5 src/hole.rs align_layout. */
const taken = (size: number): number => alignUp(Math.max(size, HOLE), ALIGN)

/** A region from `bottom` to `top`, both aligned to 8 bytes. */
export class HoleList {
  readonly bottom: number
  readonly top: number
  /** Ascending. */
  #holes: readonly Hole[]

  constructor(bottom: number, top: number) {
    this.bottom = bottom
    this.top = top
    this.#holes = [{ at: bottom, size: top - bottom }]
  }

  fork(): HoleList {
    const twin = new HoleList(this.bottom, this.top)
    twin.#holes = this.#holes
    return twin
  }

  /**
   * The first hole with room, or null. The remainders before and after must be empty or large enough for a
   * hole.
   */
  allocate(size: number, align: number): number | null {
    const bytes = taken(size)
    for (const [i, { at, size: length }] of this.#holes.entries()) {
      const start = at % align === 0 ? at : alignUp(at + HOLE, align)
      const rest = at + length - (start + bytes)
      if (rest < 0 || (rest > 0 && rest < HOLE)) continue
      const left = [
        ...(start > at ? [{ at, size: start - at }] : []),
        ...(rest > 0 ? [{ at: start + bytes, size: rest }] : []),
      ]
      this.#holes = [...this.#holes.slice(0, i), ...left, ...this.#holes.slice(i + 1)]
      return start
    }
    return null
  }

  /** Frees an allocation of this size; neighbouring holes are merged. */
  free(at: number, size: number): void {
    const holes = [...this.#holes, { at, size: taken(size) }].sort((a, b) => a.at - b.at)
    const merged: Hole[] = []
    for (const hole of holes) {
      const last = merged.at(-1)
      if (last !== undefined && last.at + last.size === hole.at)
        merged[merged.length - 1] = { at: last.at, size: last.size + hole.size }
      else merged.push(hole)
    }
    this.#holes = merged
  }
}
