/**
 * How EDK2's DXE core finds its first memory and places the bins of memory types, from the HOB list (chapter
 * FW).
 */
import { contains, range, rangeOrNull, sizeOf, type Range } from '../../bytes/range.ts'
import { alignDown, alignUp, PAGE, PHYS_END } from '../../bytes/units.ts'
import { EfiBootServicesData, EfiConventionalMemory } from '../../image/memory-types.ts'
import type { Bin, SearchPolicy } from '../page-allocator.ts'
import type { HeapGuard } from './heap-guard.ts'
import { Edk2Pages } from './pages.ts'
import type { Edk2Behaviour } from './releases.ts'
import type { TypeInformation } from './type-information.ts'

/**
 * Free memory the core requires besides the bins, in bytes. Source: edk2@stable202211 Gcd.c
 * MINIMUM_INITIAL_MEMORY_SIZE.
 */
const INITIAL_MEMORY = 0x10000
/** End of the memory type numbers. Source: edk2@stable202211 EfiMaxMemoryType. */
const MAX_TYPE = 16

/** The parts of the HOB list that the core reads. */
export interface HobList {
  /** The PHIT HOB: PEI's memory ends at `memoryTop`; free in it is [freeBottom, freeTop). */
  readonly phit: {
    readonly memoryTop: number
    readonly freeBottom: number
    readonly freeTop: number
    /** start of the HOB list itself */ readonly hobStart: number
  }
  /**
   * Resource descriptors of tested system memory, in the list's order. `bins`: the owner is
   * gEfiMemoryTypeInformationGuid.
   */
  readonly resources: readonly { readonly range: Range; readonly bins?: boolean }[]
  /** Memory allocation HOBs. */
  readonly allocations: readonly Range[]
  /** The memory type information HOB, in its order. */
  readonly memoryTypeInformation: readonly TypeInformation[]
}

const wanted = (list: readonly TypeInformation[]): TypeInformation[] =>
  list.filter(({ type, pages }) => type <= MAX_TYPE && pages > 0)
const total = (list: readonly TypeInformation[]): number =>
  list.reduce((sum, { pages }) => sum + pages * PAGE, 0)

/**
 * The larger part before or after the first allocation inside, further allocations excluded; the upper one if
 * equal.
 */
function largestFree(where: Range | null, allocations: readonly Range[]): Range | null {
  if (where === null) return null
  const first = allocations.findIndex(one => contains(where, one))
  const taken = allocations[first]
  if (taken === undefined) return where
  const rest = allocations.slice(first + 2)
  const lower = largestFree(rangeOrNull(where.start, taken.start - where.start), rest)
  const upper = largestFree(rangeOrNull(taken.end, where.end - taken.end), rest)
  return (upper === null ? 0 : sizeOf(upper)) >= (lower === null ? 0 : sizeOf(lower)) ? upper : lower
}

const pagesIn = (start: number, end: number): Range | null => {
  const [from, to] = [alignUp(start, PAGE), alignDown(end, PAGE)]
  return to > from ? range(from, to) : null
}

/**
 * The range that a HOB reserves for the bins, or null: there must be exactly one, large enough, and not the
 * one with PEI's memory (FW-42).
 */
export function binRangeOf({ phit, resources, memoryTypeInformation }: HobList): Range | null {
  const [only, ...more] = resources.filter(({ bins }) => bins === true)
  const home = resources.find(one => contains(one.range, range(phit.freeBottom, phit.freeTop)))
  return only === undefined ||
    more.length > 0 ||
    only === home ||
    sizeOf(only.range) < total(memoryTypeInformation)
    ? null
    : only.range
}

/**
 * The memory that is added first: next to PEI's, if that is large enough for the bins and 64 KiB; otherwise
 * the highest other that is (FW-40). Null if there is none.
 */
export function firstDescriptor(hobs: HobList): Range | null {
  const { phit, resources, allocations, memoryTypeInformation } = hobs
  const least = INITIAL_MEMORY + total(memoryTypeInformation)
  const enough = (where: Range | null): where is Range => where !== null && sizeOf(where) >= least
  const home = resources.find(one => contains(one.range, range(phit.freeBottom, phit.freeTop)))
  if (home !== undefined) {
    const { start, end } = home.range
    const places = [
      () => largestFree(pagesIn(phit.memoryTop, end), allocations),
      () => pagesIn(phit.freeBottom, phit.freeTop),
      () => largestFree(pagesIn(start, phit.hobStart), allocations),
    ]
    for (const place of places) {
      const found = place()
      if (enough(found)) return found
    }
  }
  const bins = binRangeOf(hobs)
  const others = resources
    .filter(one => one !== home && one.range !== bins)
    .sort((a, b) => b.range.start - a.range.start)
  for (const { range: where } of others) {
    const found = largestFree(pagesIn(where.start, where.end), allocations)
    if (enough(found)) return found
  }
  return null
}

/**
 * Adjacent bins from the top of the range down, in the list's order; the default range ends below the lowest
 * (FW-42). Null if they do not fit.
 */
export function binsInRange(list: readonly TypeInformation[], where: Range): SearchPolicy | null {
  if (total(wanted(list)) > sizeOf(where)) return null
  const bins: Bin[] = []
  let top: number = where.end
  for (const { type, pages } of wanted(list)) {
    bins.push({ type, base: top - pages * PAGE, max: top - 1 })
    top -= pages * PAGE
  }
  return { bins, defaultMax: bins.length === 0 ? PHYS_END - 1 : top - 1 }
}

/**
 * Allocated from the top of the first memory, in the list's order, after one page for the map's own entries
 * (FW-41). If a bin does not fit there are none, and the next memory is tried; the default range then ends
 * below the last bin that did.
 */
export function binsAtTop(
  list: readonly TypeInformation[],
  first: Range,
  release: Edk2Behaviour,
  guard?: HeapGuard,
): SearchPolicy & { readonly placed: boolean } {
  const allocator = new Edk2Pages(
    [{ type: EfiConventionalMemory, range: first, attribute: 0xfn }],
    { bins: [], defaultMax: PHYS_END - 1 },
    release,
    guard === undefined ? {} : { guard },
  )
  allocator.allocatePool(EfiBootServicesData, 1, false)
  const bins: Bin[] = []
  let defaultMax = PHYS_END - 1
  if (release.binsAsOneRange) {
    const { at } =
      total(wanted(list)) === 0
        ? { at: null }
        : allocator.allocate({ kind: 'any' }, EfiBootServicesData, total(wanted(list)) / PAGE)
    const found = at === null ? null : binsInRange(list, range(at, at + total(wanted(list))))
    return { bins: found?.bins ?? [], defaultMax: found?.defaultMax ?? defaultMax, placed: found !== null }
  }
  for (const { type, pages } of wanted(list)) {
    const { at } = allocator.allocate({ kind: 'any' }, type, pages)
    if (at === null) return { bins: [], defaultMax, placed: false }
    bins.push({ type, base: at, max: at + pages * PAGE - 1 })
    defaultMax = Math.min(defaultMax, at - 1)
  }
  return { bins, defaultMax, placed: true }
}

/**
 * The whole procedure: the HOB's range if the release reads it, otherwise the top of the first memory (FW-40
 * to FW-42).
 */
export function placeBins(hobs: HobList, release: Edk2Behaviour, guard?: HeapGuard): SearchPolicy | null {
  const given = release.binRangeHob ? binRangeOf(hobs) : null
  const inRange = given === null ? null : binsInRange(hobs.memoryTypeInformation, given)
  if (inRange !== null) return inRange
  const first = firstDescriptor(hobs)
  return first === null ? null : binsAtTop(hobs.memoryTypeInformation, first, release, guard)
}
