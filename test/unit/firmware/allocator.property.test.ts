import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { PAGE } from '../../../src/bytes/units.ts'
import { NO_GUARD, type HeapGuard } from '../../../src/firmware/edk2/heap-guard.ts'
import { allocatorNamed } from '../../../src/firmware/firmwares.ts'
import type { SearchPolicy } from '../../../src/firmware/page-allocator.ts'
import type { AllocateType } from '../../../src/firmware/services.ts'
import { EFI_MEMORY_SP, type MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { tries } from '../../support/depth.ts'
import { HABITS, type Habits } from './habits.ts'

const PAGES = 48
const SPECIAL = [0, 5, 6, 9, 10]

interface PageState {
  type: number
  readonly attribute: bigint
}

/** The machine page by page; null is no RAM. Slow, and plain enough to be believed. */
class PageArray {
  readonly pages: (PageState | null)[]
  readonly search: SearchPolicy
  readonly row: Habits
  /** Pages that were asked for with a guard. */
  readonly guarded = new Set<number>()
  readonly guard: HeapGuard

  constructor(pages: (PageState | null)[], search: SearchPolicy, row: Habits, guard: HeapGuard) {
    this.pages = pages
    this.search =
      row.search === 'bins-then-top'
        ? search
        : { bins: row.foreignBins === 'never' ? search.bins : [], defaultMax: Infinity }
    this.row = row
    this.guard = guard
  }

  guards(type: number): boolean {
    const vendor = type >= 0x80000000 ? 63n : 62n
    const bit = type >= 0x70000000 ? vendor : BigInt(type)
    return (
      (this.guard.PcdHeapGuardPropertyMask & 1) === 1 &&
      bit < 64n &&
      ((this.guard.PcdHeapGuardPageType >> bit) & 1n) === 1n
    )
  }

  isGuardPage(page: number): boolean {
    return !this.guarded.has(page) && (this.guarded.has(page - 1) || this.guarded.has(page + 1))
  }

  /** Is the page in the bin of another type, where nobody else may have it? */
  isForeign(page: number, type: number): boolean {
    return (
      this.row.foreignBins === 'never' &&
      this.search.bins.some(bin => bin.type !== type && bin.base <= page * PAGE && page * PAGE <= bin.max)
    )
  }

  /** First and last page of the free descriptor that holds this page. */
  hole(page: number): [first: number, last: number] | null {
    const state = this.pages[page]
    if (state?.type !== 7) return null
    const same = (other: number) =>
      this.pages[other]?.type === 7 && this.pages[other].attribute === state.attribute
    let [first, last] = [page, page]
    while (same(first - 1)) first--
    while (same(last + 1)) last++
    return [first, last]
  }

  scan(lowest: number, highest: number, count: number, type: number): number | null {
    const tops = new Set<string>()
    for (let last = Math.min(highest, PAGES - 1); last >= 0; last--) {
      const hole = this.hole(last)
      if (hole === null || this.isForeign(last, type)) continue
      const above =
        this.row.foreignBins === 'never'
          ? String(this.search.bins.filter(bin => bin.base > last * PAGE).length)
          : ''
      const run = `${String(hole[0])} ${above}`
      if (this.row.foreignBins === 'never' ? false : tops.has(run)) continue
      tops.add(run)
      if (
        this.row.specialPurpose === 'skipped' &&
        this.row.foreignBins === 'last' &&
        ((this.pages[last]?.attribute ?? 0n) & EFI_MEMORY_SP) !== 0n
      )
        continue
      if (count === 0 || last - count + 1 < hole[0] || last - count + 1 < lowest) continue
      let first = last - count + 1
      if (this.guards(type)) {
        if (!this.isGuardPage(last + 1)) first--
        const head = this.isGuardPage(first - 1) ? first : first - 1
        if (first < hole[0] || (first === hole[0] && head < first)) continue
        if (this.row.guardPage === 'inside' && (first <= 1 || head < lowest)) continue
      }
      const pages = Array.from({ length: count }, (_, i) => first + i)
      if (pages.some(page => this.isForeign(page, type))) continue
      return first === 0 ? null : first
    }
    return null
  }

  find(limit: number, type: number, count: number): number | null {
    const lastWhole = (max: number) => Math.floor((max + 1) / PAGE) - 1
    if (this.row.foreignBins === 'last') {
      for (const bin of this.search.bins) {
        if (bin.type !== type || limit < bin.max) continue
        const found = this.scan(bin.base / PAGE, lastWhole(bin.max), count, type)
        if (found !== null) return found
      }
      if (limit >= this.search.defaultMax) {
        const found = this.scan(0, lastWhole(this.search.defaultMax), count, type)
        if (found !== null) return found
      }
    }
    return this.scan(0, lastWhole(limit), count, type)
  }

  allocate(where: AllocateType, type: number, count: number): string {
    if ((type === 7 && this.row.refuses === 'edk2') || type === 14 || (type >= 15 && type < 0x70000000))
      return 'EFI_INVALID_PARAMETER'
    let first: number | null
    if (where.kind === 'address') {
      if (where.at % PAGE !== 0 || count === 0) return this.row.oddRequest
      first = where.at / PAGE
      if (first === 0 && this.row.addressZero === 'refused') return 'EFI_NOT_FOUND'
      for (let page = first; page < first + count && this.row.foreignBins === 'last'; page++) {
        if (
          this.search.bins.some(
            bin =>
              bin.type !== type &&
              SPECIAL.includes(bin.type) &&
              page * PAGE >= bin.base &&
              page * PAGE <= bin.max,
          )
        )
          return 'EFI_NOT_FOUND'
      }
      const hole = this.hole(first)
      if (hole === null) return 'EFI_NOT_FOUND'
      if (first + count - 1 > hole[1]) return this.row.addressMiss
    } else {
      const last = (limit: number): number =>
        this.row.limit === 'exclusive' ? Math.floor(limit / PAGE) * PAGE - 1 : limit
      first = this.find(where.kind === 'any' ? 2 ** 52 - 1 : last(where.limit), type, count)
    }
    if (first === null) {
      if (count === 0 && this.row.oddRequest === 'EFI_INVALID_PARAMETER') return this.row.oddRequest
      return where.kind === 'any' ? 'EFI_OUT_OF_RESOURCES' : this.row.limitMiss
    }
    const guarded = where.kind !== 'address' && this.guards(type)
    const [from, to] = guarded
      ? [
          this.isGuardPage(first - 1) ? first : first - 1,
          this.isGuardPage(first + count) ? first + count - 1 : first + count,
        ]
      : [first, first + count - 1]
    for (let page = from; page <= to; page++) (this.pages[page] as PageState).type = type
    for (let page = first; guarded && page < first + count; page++) this.guarded.add(page)
    return `EFI_SUCCESS ${String(first * PAGE)}`
  }

  free(at: number, count: number): string {
    const first = at / PAGE
    const held = this.pages[Math.floor(first)] ?? null
    if (held === null || (held.type === 7 && this.row.free !== 'pieces')) return 'EFI_NOT_FOUND'
    if (!Number.isInteger(first) || count === 0 || (first === 0 && this.row.refuses === 'from-persistent'))
      return 'EFI_INVALID_PARAMETER'
    const wanted = Array.from({ length: count }, (_, i) => this.pages[first + i] ?? null)
    if (this.row.free === 'taken-range' && wanted.some(state => state === null || state.type === 7))
      return 'EFI_NOT_FOUND'
    if (
      this.row.free === 'one-descriptor' &&
      wanted.some(state => state?.type !== held.type || state.attribute !== held.attribute)
    )
      return 'EFI_NOT_FOUND'
    if (this.row.free !== 'pieces') {
      for (const state of wanted) if (state !== null) state.type = 7
      return 'EFI_SUCCESS'
    }
    let [from, to] = [first, first + count]
    if (this.guards(held.type) && this.guarded.has(first)) {
      if (this.guarded.has(first - 1)) from++
      else if (!this.guarded.has(first - 2)) from--
      if (this.guarded.has(to)) to--
      else if (!this.guarded.has(to + 1)) to++
      for (let page = first; page < first + count; page++) this.guarded.delete(page)
    }
    for (let page = from; page < to; page++) {
      const state = this.pages[page] ?? null
      if (state === null || state.type === 7) return 'EFI_NOT_FOUND'
      state.type = 7
    }
    return 'EFI_SUCCESS'
  }

  /** `type/attribute` of every page, as GetMemoryMap shows it. */
  shown(): string[] {
    return this.pages.map((state, page) => {
      if (state === null) return 'none'
      const hole = this.hole(page)
      const shown = hole === null || this.row.freeInBin === 'whole' ? hole : [page, page]
      const bin =
        shown === null
          ? undefined
          : this.search.bins.find(
              one =>
                (SPECIAL.includes(one.type) || this.row.foreignBins === 'never') &&
                one.base <= (shown[0] ?? 0) * PAGE &&
                ((shown[1] ?? 0) + 1) * PAGE - 1 <= one.max,
            )
      const type = bin?.type ?? state.type
      const runtime = type === 5 || type === 6 || type === 13 ? 1n << 63n : 0n
      return `${String(type)}/${String(state.attribute | runtime)}`
    })
  }
}

function shownBy(map: readonly MemoryDescriptor[]): string[] {
  const pages = Array.from({ length: PAGES }, () => 'none')
  for (const { type, range: where, attribute } of map)
    for (let at = where.start; at < where.end; at = (at + PAGE) as typeof at)
      pages[at / PAGE] = `${String(type)}/${String(attribute)}`
  return pages
}

const run = fc.record({
  type: fc.constantFrom(7, 7, 7, 4, 6, 2, 99),
  length: fc.integer({ min: 1, max: 9 }),
  attribute: fc.constantFrom(0xfn, 0xfn, 0x7n, 0xfn | EFI_MEMORY_SP),
})
const bin = fc
  .record({
    type: fc.constantFrom(0, 4, 6, 9),
    first: fc.integer({ min: 0, max: PAGES - 1 }),
    pages: fc.integer({ min: 1, max: 10 }),
  })
  .map(({ type, first, pages }) => ({ type, base: first * PAGE, max: (first + pages) * PAGE - 1 }))
const anyType = fc.constantFrom(0, 1, 2, 4, 4, 6, 9, 7, 8, 13, 14, 15, 16, 0x6fffffff, 0x70000000, 0x80000001)
const limit = fc.oneof(
  fc.integer({ min: 0, max: PAGES * PAGE }),
  fc.integer({ min: 0, max: PAGES }).map(page => page * PAGE),
  fc.integer({ min: 1, max: PAGES }).map(page => page * PAGE - 1),
)
const where: fc.Arbitrary<AllocateType> = fc.oneof(
  fc.constant({ kind: 'any' } as const),
  limit.map(max => ({ kind: 'max', limit: max }) as const),
  fc.integer({ min: 0, max: PAGES }).map(page => ({ kind: 'address', at: page * PAGE }) as const),
  fc.integer({ min: 0, max: PAGES * PAGE }).map(at => ({ kind: 'address', at }) as const),
)
const guard: fc.Arbitrary<HeapGuard> = fc.record({
  PcdHeapGuardPropertyMask: fc.constantFrom(0, 1),
  PcdHeapGuardPageType: fc.constantFrom(0x10n, 0x16n, ~(-1n << 64n)),
  PcdHeapGuardPoolType: fc.constant(0n),
})
const action = fc.oneof(
  fc.record({
    do: fc.constant('allocate' as const),
    where,
    type: anyType,
    pages: fc.integer({ min: 0, max: 8 }),
  }),
  fc.record({
    do: fc.constant('free' as const),
    at: fc.oneof(
      fc.integer({ min: 0, max: PAGES }).map(page => page * PAGE),
      fc.constant(PAGE + 1),
    ),
    pages: fc.integer({ min: 0, max: 12 }),
  }),
)

test('the allocator does what a machine kept page by page does', () => {
  fc.assert(
    fc.property(
      fc.array(run, { minLength: 1, maxLength: 16 }),
      fc.uniqueArray(bin, { maxLength: 2, selector: one => one.type }),
      limit,
      fc.constantFrom(...Object.entries(HABITS)),
      guard,
      fc.array(action, { minLength: 1, maxLength: 25 }),
      (runs, bins, defaultMax, [id, row], guards, actions) => {
        const pages: (PageState | null)[] = []
        const map: MemoryDescriptor[] = []
        for (const { type, length, attribute } of runs) {
          const fits = Math.min(length, PAGES - pages.length)
          if (fits <= 0) break
          if (type !== 99) map.push({ type, range: rangeAt(pages.length * PAGE, fits * PAGE), attribute })
          for (let i = 0; i < fits; i++) pages.push(type === 99 ? null : { type, attribute })
        }
        const search = { bins, defaultMax }
        const heap = row.free === 'pieces' ? guards : NO_GUARD
        const slow = new PageArray(pages, search, row, heap)
        const fast = allocatorNamed(id).pages(map, { search, guard: heap }, () => undefined)
        for (const step of actions) {
          if (step.do === 'allocate') {
            const { status, at } = fast.allocate(step.where, step.type, step.pages)
            expect(at === null ? status : `${status} ${String(at)}`).toBe(
              slow.allocate(step.where, step.type, step.pages),
            )
          } else expect(fast.free(step.at, step.pages).status).toBe(slow.free(step.at, step.pages))
          expect(shownBy(fast.memoryMap())).toEqual(
            slow.shown().concat(Array.from({ length: PAGES - pages.length }, () => 'none')),
          )
        }
        expect(
          fast.memoryMap().every((one, i, all) => i === 0 || (all[i - 1]?.range.end ?? 0) <= one.range.start),
        ).toBe(true)
      },
    ),
    tries(600, 2500),
  )
})
