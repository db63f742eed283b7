/**
 * A cache of a loaded image's bytes for many small reads and writes: pages are read from memory once, and all
 * changes are stored in one event.
 */
import { range, rangeAt, union, type Range } from '../../bytes/range.ts'
import { alignDown, alignUp, PAGE, phys, type Phys } from '../../bytes/units.ts'
import type { Memory } from '../../memory/memory.ts'

/** Offsets are relative to the image base. Bytes that are not modelled read as zero. */
export class LoadedBytes {
  readonly #memory: Memory
  readonly #base: Phys
  /** Pages by their address. */
  readonly #pages = new Map<number, DataView>()
  /** What was written, each place and width once: offset times 16, and the width. */
  readonly #changed = new Set<number>()

  constructor(memory: Memory, base: Phys) {
    this.#memory = memory
    this.#base = base
  }

  /** A little-endian number of two or four bytes, including earlier writes. */
  number(offset: number, width: 2 | 4): number {
    const at = this.#base + offset
    const inPage = at % PAGE
    if (inPage + width > PAGE) return Number(this.#byByte(at, width))
    const page = this.#page(at - inPage)
    return width === 2 ? page.getUint16(inPage, true) : page.getUint32(inPage, true)
  }

  /** A little-endian number of two, four or eight bytes, including earlier writes. */
  read(offset: number, width: 2 | 4 | 8): bigint {
    if (width !== 8) return BigInt(this.number(offset, width))
    const at = this.#base + offset
    const inPage = at % PAGE
    return inPage + width > PAGE
      ? this.#byByte(at, width)
      : this.#page(at - inPage).getBigUint64(inPage, true)
  }

  /** The low `width` bytes of a number, little-endian. */
  write(offset: number, width: number, value: bigint): void {
    const at = this.#base + offset
    const inPage = at % PAGE
    if (width === 8 && inPage + width <= PAGE)
      this.#page(at - inPage).setBigUint64(inPage, BigInt.asUintN(64, value), true)
    else
      for (let i = 0; i < width; i++) {
        const within = (at + i) % PAGE
        this.#page(at + i - within).setUint8(within, Number(BigInt.asUintN(8, value >> BigInt(8 * i))))
      }
    this.#changed.add(offset * 16 + width)
  }

  /**
   * Stores the changes. Unowned bytes become those of `object`, at their offset in the image; all others keep
   * their owner.
   */
  store(object: string): void {
    const changed = union(
      Array.from(this.#changed, key => rangeAt(this.#base + Math.floor(key / 16), key % 16)),
    )
    const [first] = changed
    const last = changed.at(-1)
    if (first === undefined || last === undefined) return
    const kept: { readonly at: Phys; readonly bytes: Uint8Array }[] = []
    const taken: typeof kept = []
    let next = 0
    for (const extent of this.#memory.extents(range(first.start, last.end))) {
      for (; next < changed.length; next++) {
        const { start, end } = changed[next] as Range
        const [from, to] = [Math.max(start, extent.range.start), Math.min(end, extent.range.end)]
        if (from < to)
          (extent.whose === null ? taken : kept).push({ at: phys(from), bytes: this.#bytes(from, to) })
        if (end > extent.range.end) break
      }
    }
    if (kept.length > 0) this.#memory.amend(kept)
    for (const { at, bytes } of taken) this.#memory.patch(at, bytes, object, at - this.#base)
  }

  #bytes(from: number, to: number): Uint8Array {
    return Uint8Array.from({ length: to - from }, (_, i) => {
      const inPage = (from + i) % PAGE
      return this.#page(from + i - inPage).getUint8(inPage)
    })
  }

  #byByte(at: number, width: number): bigint {
    return this.#bytes(at, at + width).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n)
  }

  #page(at: number): DataView {
    const known = this.#pages.get(at)
    if (known !== undefined) return known
    const { bytes } = this.#memory.peek(range(alignDown(at, PAGE), alignUp(at + 1, PAGE)))
    const page = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#pages.set(at, page)
    return page
  }
}
