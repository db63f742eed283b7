import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ModelBug } from '../../../src/bytes/errors.ts'
import { PAGE, phys } from '../../../src/bytes/units.ts'
import { PagedPool } from '../../../src/firmware/paged-pool.ts'
import { RustHypervisorPages } from '../../../src/firmware/rust-hypervisor/pages.ts'
import type { AllocateType } from '../../../src/firmware/services.ts'
import { descriptor } from './small-machine.ts'
import { MIB } from '../../support/bytes.ts'

/** First page that is looked at: the machine begins one page below 1 MiB. */
const FIRST = MIB / PAGE - 2
const PAGES = 24

/** Blocks as [first page, pages, type], ascending. Nothing is clever here. */
class Blocks {
  blocks: [first: number, pages: number, type: number][]

  constructor(blocks: [number, number, number][]) {
    this.blocks = blocks
  }

  allocate(where: AllocateType, type: number, pages: number): number | null {
    for (const [i, [first, length, held]] of this.blocks.entries()) {
      if (held !== 7 || pages === 0) continue
      let at = first
      if (where.kind === 'any' && !(first * PAGE > MIB)) continue
      if (where.kind === 'max' && (first + pages) * PAGE > where.limit) continue
      if (where.kind === 'address') {
        if (where.at % PAGE !== 0 || where.at / PAGE < first) continue
        at = where.at / PAGE
      }
      if (at + pages > first + length) continue
      const parts: [number, number, number][] = [
        [first, at - first, 7],
        [at, pages, type],
        [at + pages, first + length - at - pages, 7],
      ]
      this.blocks.splice(i, 1, ...parts.filter(([, count]) => count > 0))
      return at * PAGE
    }
    return null
  }

  free(at: number): boolean {
    const found = this.blocks.find(([first]) => first * PAGE === at)
    if (found === undefined) return false
    found[2] = 7
    for (let i = 1; i < this.blocks.length;) {
      const [one, two] = [this.blocks[i - 1], this.blocks[i]]
      if (one?.[2] === 7 && two?.[2] === 7 && one[0] + one[1] === two[0]) {
        one[1] += two[1]
        this.blocks.splice(i, 1)
      } else i++
    }
    return true
  }
}

const page = fc.integer({ min: FIRST, max: FIRST + PAGES })
const where: fc.Arbitrary<AllocateType> = fc.oneof(
  fc.constant({ kind: 'any' } as const),
  page.map(at => ({ kind: 'address', at: at * PAGE }) as const),
  page.map(at => ({ kind: 'max', limit: at * PAGE }) as const),
  page.map(at => ({ kind: 'max', limit: at * PAGE - 1 }) as const),
)
const action = fc.oneof(
  fc.record({
    do: fc.constant('allocate' as const),
    where,
    type: fc.constantFrom(1, 2, 4, 6),
    pages: fc.integer({ min: 0, max: 6 }),
  }),
  fc.record({ do: fc.constant('free' as const), at: page.map(at => at * PAGE) }),
)

test('the list that is taken from the bottom does what a list of blocks does', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.constantFrom(7, 7, 4, 1)), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.array(action, { maxLength: 25 }),
      (runs, actions) => {
        let next = FIRST
        let before = 0
        const blocks: [number, number, number][] = []
        for (const [length, type] of runs) {
          const last = blocks.at(-1)
          if (last !== undefined && before === type) last[1] += length
          else blocks.push([next, length, type])
          before = type
          next += length
        }
        const fast = new RustHypervisorPages(
          blocks.map(([first, length, type]) => descriptor(type, first * PAGE, (first + length) * PAGE)),
        )
        const slow = new Blocks(blocks)
        for (const step of actions) {
          if (step.do === 'allocate')
            expect(fast.allocate(step.where, step.type, step.pages).at).toBe(
              slow.allocate(step.where, step.type, step.pages),
            )
          else expect(fast.free(step.at).status).toBe(slow.free(step.at) ? 'EFI_SUCCESS' : 'EFI_NOT_FOUND')
          expect(
            fast
              .descriptors()
              .map(one => [one.range.start / PAGE, (one.range.end - one.range.start) / PAGE, one.type]),
          ).toEqual(slow.blocks)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('there is room for 512 descriptors, and an observed image takes what is free of its pages', () => {
  const allocator = new RustHypervisorPages([descriptor(7, 2 * MIB, 16 * MIB)])
  for (let i = 0; i < 511; i++) expect(allocator.allocate({ kind: 'any' }, 2, 1).status).toBe('EFI_SUCCESS')
  expect(allocator.allocate({ kind: 'any' }, 2, 1)).toEqual({
    status: 'EFI_OUT_OF_RESOURCES',
    at: null,
    clause: 'FW-31',
  })
  const other = new RustHypervisorPages([descriptor(7, 2 * MIB, 3 * MIB), descriptor(4, 3 * MIB, 4 * MIB)])
  expect(other.pin(phys(2 * MIB), 4, 1)).toBe(true)
  expect(other.pin(phys(3 * MIB - PAGE), 2, 1)).toBe(false)
  expect(other.memoryMap().map(({ type }) => type)).toEqual([1, 7, 1, 4])
  expect(() => other.allocate({ kind: 'any' }, 1, -1)).toThrow(ModelBug)
})

test('a pool of whole pages gives each buffer pages of its own', () => {
  const freed: number[] = []
  let next = 0x10000
  const pool = new PagedPool(
    {
      allocate: (_type, pages) =>
        pages > 4
          ? { status: 'EFI_OUT_OF_RESOURCES', at: null, clause: 'FW-29' }
          : { status: 'EFI_SUCCESS', at: phys((next += PAGE * pages) - PAGE * pages), clause: 'FW-29' },
      free: where => freed.push(where.start, where.end),
    },
    64,
    'FW-30',
  )
  const first = pool.allocate(2, PAGE)
  expect(first).toMatchObject({ status: 'EFI_SUCCESS', buffer: { start: 0x10040, end: 0x11040 } })
  expect(pool.allocate(2, 1).buffer?.start).toBe(0x12040)
  expect(pool.allocate(2, 5 * PAGE)).toMatchObject({ status: 'EFI_OUT_OF_RESOURCES', buffer: null })
  expect(pool.free(0x10040).status).toBe('EFI_SUCCESS')
  expect(pool.free(0x10040).status).toBe('EFI_INVALID_PARAMETER')
  expect(freed).toEqual([0x10000, 0x12000])
})
