/**
 * The RAM of a memory map as an allocator keeps it: sorted descriptors that are searched, split and joined
 * (chapter FW).
 */
import { intersect, range, sizeOf, type Range } from '../bytes/range.ts'
import { EfiConventionalMemory, type MemoryDescriptor } from '../image/memory-types.ts'
import { addJoined, elsewhere, firstPast, joinDescriptors, splitMap } from './memory-map.ts'

/** Is the descriptor's memory free? */
export const isFree = ({ type }: MemoryDescriptor): boolean => type === EfiConventionalMemory

/** Addresses and sizes are in bytes and page-aligned. Memory contents are not touched. */
export class DescriptorMap {
  /** Never changed: whoever changes the map replaces it. */
  #ram: readonly MemoryDescriptor[]
  #foreign: readonly MemoryDescriptor[]

  /**
   * From descriptors in any order, or as a copy of another map, independent of it. Throws UsageError when
   * descriptors overlap or are not made of pages.
   */
  constructor(from: readonly MemoryDescriptor[] | DescriptorMap) {
    const { ram, foreign } = from instanceof DescriptorMap ? from : splitMap(from)
    this.#ram = ram
    this.#foreign = foreign
  }

  /** RAM, ascending; the same list until the map changes. */
  get ram(): readonly MemoryDescriptor[] {
    return this.#ram
  }

  /** Everything but RAM, in the map's order (FW-2). */
  get foreign(): readonly MemoryDescriptor[] {
    return this.#foreign
  }

  /** The descriptor that contains this address. */
  holding(at: number): MemoryDescriptor | undefined {
    const held = this.#ram[firstPast(this.#ram, at)]
    return held !== undefined && held.range.start <= at ? held : undefined
  }

  /** Does one free descriptor contain [start, end)? */
  isFree(start: number, end: number): boolean {
    const held = this.holding(start)
    return held !== undefined && isFree(held) && end <= held.range.end
  }

  /** The parts of a range that lie in descriptors that pass, ascending. */
  parts(where: Range, passes: (descriptor: MemoryDescriptor) => boolean): Range[] {
    return this.#ram.flatMap(descriptor => {
      const part = passes(descriptor) ? intersect(descriptor.range, where) : null
      return part === null ? [] : [part]
    })
  }

  /**
   * Splits [start, end) from the descriptor that contains it, changes its type and joins it with its new
   * neighbours (FW-1). Returns its old type; null if no descriptor contains it.
   */
  convert(start: number, end: number, type: number): number | null {
    const index = this.#indexOf(start, end)
    const held = this.#ram[index]
    if (held === undefined) return null
    const [below, above] = [this.#ram[index - 1], this.#ram[index + 1]]
    const parts: MemoryDescriptor[] = below === undefined ? [] : [below]
    for (const part of cut(held, start, end, type)) addJoined(parts, part)
    if (above !== undefined) addJoined(parts, above)
    const from = Math.max(0, index - 1)
    this.#ram = this.#ram.toSpliced(from, index + 2 - from, ...parts)
    return held.type
  }

  /** The same without joining: adds up to two descriptors. */
  split(start: number, end: number, type: number): void {
    const index = this.#indexOf(start, end)
    const held = this.#ram[index]
    if (held !== undefined) this.#ram = this.#ram.toSpliced(index, 1, ...cut(held, start, end, type))
  }

  /** Number of descriptors into which `split` would divide the one that contains [start, end). */
  piecesOf(start: number, end: number): number {
    const held = this.#ram[this.#indexOf(start, end)]
    return held === undefined ? 0 : cut(held, start, end, held.type).length
  }

  /** Joins free neighbours regardless of their attributes; others are unchanged. */
  joinFree(): void {
    const joined: MemoryDescriptor[] = []
    for (const descriptor of this.#ram) {
      const last = joined.at(-1)
      if (last?.range.end === descriptor.range.start && isFree(last) && isFree(descriptor))
        joined[joined.length - 1] = { ...last, range: range(last.range.start, descriptor.range.end) }
      else joined.push(descriptor)
    }
    this.#ram = joined
  }

  /** Removes these ranges from the map, RAM or not, and adds RAM (FW-1). */
  replace(
    without: (descriptor: MemoryDescriptor) => readonly MemoryDescriptor[],
    added: readonly MemoryDescriptor[],
  ): void {
    this.#ram = joinDescriptors(
      [...this.#ram.flatMap(without), ...added].sort((a, b) => a.range.start - b.range.start),
    )
    this.#foreign = this.#foreign.flatMap(without)
  }

  #indexOf(start: number, end: number): number {
    const index = firstPast(this.#ram, start)
    const held = this.#ram[index]
    return held !== undefined && held.range.start <= start && end <= held.range.end ? index : -1
  }
}

/** A descriptor in up to three parts, of which [start, end) has the type. */
function cut(held: MemoryDescriptor, start: number, end: number, type: number): MemoryDescriptor[] {
  const { range: where } = held
  const parts: MemoryDescriptor[] = []
  if (where.start < start) parts.push(elsewhere(held, range(where.start, start)))
  parts.push({ type, range: range(start, end), attribute: held.attribute })
  if (end < where.end) parts.push(elsewhere(held, range(end, where.end)))
  return parts
}

/** Bytes of these ranges. */
export const bytesOf = (ranges: readonly Range[]): number => ranges.reduce((sum, one) => sum + sizeOf(one), 0)
