/**
 * EDK2's answer to GetMemoryMap: made from the allocator's descriptors once, and afterwards only around those
 * that have changed (chapter FW).
 */
import { range } from '../../bytes/range.ts'
import type { MemoryDescriptor } from '../../image/memory-types.ts'
import { edgesOf, piecesAt } from '../bin-edges.ts'
import { isFree } from '../descriptor-map.ts'
import { areOne, elsewhere, firstPast, reported } from '../memory-map.ts'
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

/** So many entries are no arguments of a call. */
const MANY = 1000

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
   * The answer for these lists, which are never changed. `known`: an answer of the same view to start from.
   */
  show(
    ram: readonly MemoryDescriptor[],
    foreign: readonly MemoryDescriptor[],
    known: ShownMap | null = null,
  ): ShownMap {
    const last = known?.foreign === foreign ? known : null
    const { from, same, kept } =
      last === null || ram.length === 0 ? { from: 0, same: Infinity, kept: 0 } : placeOf(ram, last)
    const made: MemoryDescriptor[] = []
    let before = kept === 0 ? undefined : last?.map[kept - 1]
    let rest = last?.count ?? 0
    for (let i = from; i < ram.length; i++) {
      const descriptor = ram[i] as MemoryDescriptor
      const pieces = this.#cuts ? piecesAt(descriptor, this.#edges) : null
      const count = pieces === null ? 1 : pieces.length
      let one = this.#entryOf(pieces === null ? descriptor : pieces[0])
      if (last !== null && i > same && (before === undefined || !areOne(before, one))) {
        rest = firstPast(last.map, one.range.start, last.count)
        break
      }
      for (let j = 1; j <= count; j++) {
        if (before !== undefined && areOne(before, one)) {
          one = elsewhere(before, range(before.range.start, one.range.end))
          made.pop()
        }
        made.push(one)
        before = one
        if (pieces !== null && j < count) one = this.#entryOf(pieces[j] as MemoryDescriptor)
      }
    }
    const inBin = this.#bins.some(bin => this.#showsFree(ram, bin))
    const ofBin = this.#cuts ? 'FW-34' : 'FW-15'
    const clause = inBin ? ofBin : 'FW-14'
    if (last === null) return { ram, foreign, map: made.concat(foreign), count: made.length, clause }
    const map =
      made.length < MANY
        ? last.map.toSpliced(kept, rest - kept, ...made)
        : last.map.slice(0, kept).concat(made, last.map.slice(rest))
    return { ram, foreign, map, count: map.length - foreign.length, clause }
  }

  #entryOf(piece: MemoryDescriptor): MemoryDescriptor {
    if (!isFree(piece)) return reported(piece)
    for (const { base, max, type } of this.#bins)
      if (isWithin(piece, base, max))
        return reported({ type, range: piece.range, attribute: piece.attribute })
    return piece
  }

  /** Are there free pages that are shown as the bin's? */
  #showsFree(ram: readonly MemoryDescriptor[], { base, max }: Bin): boolean {
    for (let i = firstPast(ram, base); i < ram.length; i++) {
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
 * Where the lists differ. `from`: the descriptor to begin with; `kept`: entries of the last answer before it;
 * `same`: the first descriptor after the change.
 */
function placeOf(
  ram: readonly MemoryDescriptor[],
  last: ShownMap,
): { readonly from: number; readonly same: number; readonly kept: number } {
  const shorter = Math.min(ram.length, last.ram.length)
  let changed = 0
  while (changed < shorter && ram[changed] === last.ram[changed]) changed++
  let tail = 0
  while (tail < shorter - changed && ram[ram.length - 1 - tail] === last.ram[last.ram.length - 1 - tail])
    tail++
  // One descriptor more, which the changed one may join
  let from = Math.max(0, Math.min(changed, ram.length - 1) - 1)
  const startOf = (i: number): number => (ram[i] as MemoryDescriptor).range.start
  let kept = firstPast(last.map, startOf(from), last.count)
  for (let before = -1; before !== from;) {
    before = from
    const next = kept < last.count ? (last.map[kept] as MemoryDescriptor).range.start : Infinity
    while (from > 0 && next < startOf(from)) from--
    while (kept > 0 && (last.map[kept - 1] as MemoryDescriptor).range.end > startOf(from)) kept--
  }
  return { from, same: ram.length - tail, kept }
}
