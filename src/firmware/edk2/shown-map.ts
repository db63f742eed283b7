/**
 * EDK2's answer to GetMemoryMap: made from the allocator's descriptors once, and afterwards only around those
 * that have changed (chapter FW).
 */
import { range } from '../../bytes/range.ts'
import type { MemoryDescriptor } from '../../image/memory-types.ts'
import { edgesOf, piecesAt } from '../bin-edges.ts'
import { isFree } from '../descriptor-map.ts'
import { areOne, reported } from '../memory-map.ts'
import type { Bin, FirmwareClause } from '../page-allocator.ts'

/** The answer for these descriptors. */
export interface ShownMap {
  readonly ram: readonly MemoryDescriptor[]
  readonly foreign: readonly MemoryDescriptor[]
  /** RAM ascending, neighbours joined, then the rest. */
  readonly map: readonly MemoryDescriptor[]
  /** Entries of RAM. */
  readonly count: number
  readonly clause: FirmwareClause
}

/** Shows maps by the habits of one release. */
export class MapView {
  readonly #bins: readonly Bin[]
  readonly #edges: readonly number[]
  readonly #cuts: boolean

  /**
   * `bins`: those whose free pages are shown as their type (FW-15); `cuts`: pages that share a descriptor,
   * too (FW-34).
   */
  constructor(bins: readonly Bin[], cuts: boolean) {
    this.#bins = bins
    this.#cuts = cuts
    this.#edges = cuts ? edgesOf(bins) : []
  }

  /**
   * The answer for these lists, which are never changed. `last`: an answer of the same view to start from.
   */
  show(
    ram: readonly MemoryDescriptor[],
    foreign: readonly MemoryDescriptor[],
    last: ShownMap | null = null,
  ): ShownMap {
    const map: MemoryDescriptor[] = []
    const resumed = last === null || ram.length === 0 ? null : resume(ram, last, map)
    const same = resumed?.same ?? Infinity
    for (let i = resumed?.from ?? 0; i < ram.length; i++) {
      const descriptor = ram[i] as MemoryDescriptor
      const pieces = piecesAt(descriptor, this.#edges)
      const first = this.#entryOf(pieces[0])
      const before = map.at(-1)
      if (last !== null && i > same && (before === undefined || !areOne(before, first))) {
        for (let j = firstPast(last.map, last.count, first.range.start); j < last.count; j++)
          map.push(last.map[j] as MemoryDescriptor)
        break
      }
      add(map, first)
      for (let j = 1; j < pieces.length; j++) add(map, this.#entryOf(pieces[j] as MemoryDescriptor))
    }
    const count = map.length
    for (const one of foreign) map.push(one)
    const inBin = this.#bins.some(bin => this.#showsFree(ram, bin))
    const ofBin = this.#cuts ? 'FW-34' : 'FW-15'
    return { ram, foreign, map, count, clause: inBin ? ofBin : 'FW-14' }
  }

  #entryOf(piece: MemoryDescriptor): MemoryDescriptor {
    const bin = isFree(piece) ? this.#bins.find(({ base, max }) => isWithin(piece, base, max)) : undefined
    return reported(bin === undefined ? piece : { ...piece, type: bin.type })
  }

  /** Are there free pages that are shown as the bin's? */
  #showsFree(ram: readonly MemoryDescriptor[], { base, max }: Bin): boolean {
    for (let i = firstPast(ram, ram.length, base); i < ram.length; i++) {
      const descriptor = ram[i] as MemoryDescriptor
      if (descriptor.range.start > max) return false
      if (isFree(descriptor) && (this.#cuts || isWithin(descriptor, base, max))) return true
    }
    return false
  }
}

function isWithin({ range: { start, end } }: MemoryDescriptor, base: number, max: number): boolean {
  return base <= start && end - 1 <= max
}

/**
 * Takes the entries before a change from the last answer. `from`: the descriptor to go on with; `same`: the
 * first one after the change.
 */
function resume(
  ram: readonly MemoryDescriptor[],
  last: ShownMap,
  map: MemoryDescriptor[],
): { readonly from: number; readonly same: number } {
  const shorter = Math.min(ram.length, last.ram.length)
  let changed = 0
  while (changed < shorter && ram[changed] === last.ram[changed]) changed++
  let tail = 0
  while (tail < shorter - changed && ram[ram.length - 1 - tail] === last.ram[last.ram.length - 1 - tail])
    tail++
  // One descriptor more, which the changed one may join
  let from = Math.max(0, Math.min(changed, ram.length - 1) - 1)
  const startOf = (i: number): number => (ram[i] as MemoryDescriptor).range.start
  let kept = firstPast(last.map, last.count, startOf(from))
  for (let before = -1; before !== from;) {
    before = from
    const next = kept < last.count ? (last.map[kept] as MemoryDescriptor).range.start : Infinity
    while (from > 0 && next < startOf(from)) from--
    while (kept > 0 && (last.map[kept - 1] as MemoryDescriptor).range.end > startOf(from)) kept--
  }
  for (let i = 0; i < kept; i++) map.push(last.map[i] as MemoryDescriptor)
  return { from, same: ram.length - tail }
}

/** Index of the first of `count` ascending descriptors that ends after `at`; `count` when there is none. */
function firstPast(list: readonly MemoryDescriptor[], count: number, at: number): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if ((list[middle] as MemoryDescriptor).range.end > at) high = middle
    else low = middle + 1
  }
  return low
}

/** Appends an entry, joined with the last one where they are one (FW-1). */
function add(map: MemoryDescriptor[], one: MemoryDescriptor): void {
  const last = map.at(-1)
  if (last !== undefined && areOne(last, one))
    map[map.length - 1] = { ...last, range: range(last.range.start, one.range.end) }
  else map.push(one)
}
