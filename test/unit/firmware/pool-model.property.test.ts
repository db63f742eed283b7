import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PAGE } from '../../../src/bytes/units.ts'
import { edk2Behaviour } from '../../../src/firmware/edk2/behaviour.ts'
import { EDK2_RELEASES } from '../../../src/firmware/edk2/releases.ts'
import type { Edk2Pages } from '../../../src/firmware/edk2/pages.ts'
import { NO_GUARD, type HeapGuard } from '../../../src/firmware/edk2/heap-guard.ts'
import { binsAtTop, binsInRange } from '../../../src/firmware/edk2/place-bins.ts'
import { Edk2Pool } from '../../../src/firmware/edk2/pool.ts'
import { range, sizeOf } from '../../../src/bytes/range.ts'
import { descriptor, edk2Pages } from './small-machine.ts'
import { MIB } from '../../support/bytes.ts'

const SIZES = [128, 256, 384, 640, 1024, 1664, 2688]
const ANYWHERE = { bins: [], defaultMax: 2 ** 52 - 1 }
const RELEASE = edk2Behaviour('2022.11')

/**
 * EDK2's pool as a picture of bytes: every page is a row of blocks, and every size has a stack of free ones.
 * Slow, and plain enough to be believed.
 */
class Picture {
  readonly pages: Edk2Pages
  readonly guard: HeapGuard
  /** Blocks that carved pages consist of: start to size. */
  readonly blocks = new Map<number, number>()
  /** Stacks of free blocks, by type and size. */
  readonly stacks = new Map<string, number[]>()
  readonly held = new Map<number, { type: number; block: number; total: number; guarded: boolean }>()
  readonly users = new Map<number, { count: number; buffer: number }>()

  constructor(pages: Edk2Pages, guard: HeapGuard) {
    this.pages = pages
    this.guard = guard
  }

  stack(type: number, size: number): number[] {
    const key = `${String(type)}/${String(size)}`
    this.stacks.set(key, this.stacks.get(key) ?? [])
    return this.stacks.get(key) ?? []
  }

  allocate(type: number, request: number, nested = false): number {
    if (type >= 0x70000000 && !nested && !this.users.has(type))
      this.users.set(type, { count: 0, buffer: this.allocate(4, 232, true) })
    const user = this.users.get(type)
    if (user !== undefined) user.count++
    const total = Math.ceil(request / 8) * 8 + 40
    const vendor = type >= 0x80000000 ? 63 : 62
    const bit = type >= 0x70000000 ? vendor : type
    const guarded =
      !nested &&
      (this.guard.PcdHeapGuardPropertyMask & 2) > 0 &&
      ((this.guard.PcdHeapGuardPoolType >> BigInt(bit)) & 1n) === 1n
    const size = SIZES.find(one => one >= total)
    let block: number
    if (guarded || size === undefined) {
      const atHead = !guarded || (this.guard.PcdHeapGuardPropertyMask & 0x80) > 0
      const bytes = guarded && !atHead ? total - 16 : total
      const count = Math.ceil(bytes / PAGE)
      const at = Number(this.pages.allocatePool(type, count, guarded).at)
      block = atHead ? at : at + count * PAGE - bytes
      this.held.set(block + 24, { type, block: at, total: count * PAGE, guarded })
      return block + 24
    }
    const source = SIZES.filter(one => one >= size).find(one => this.stack(type, one).length > 0)
    block =
      source === undefined
        ? Number(this.pages.allocatePool(type, 1, false).at)
        : (this.stack(type, source).pop() ?? 0)
    const end = block + (source ?? PAGE)
    this.blocks.set(block, size)
    for (let at = block + size; at < end;) {
      const piece =
        [...SIZES].reverse().find(one => one <= end - at && (source === undefined || one < source)) ?? 128
      this.blocks.set(at, piece)
      this.stack(type, piece).push(at)
      at += piece
    }
    this.held.set(block + 24, { type, block, total: size, guarded: false })
    return block + 24
  }

  free(buffer: number): void {
    const held = this.held.get(buffer)
    if (held === undefined) return
    this.held.delete(buffer)
    const { type, block, total, guarded } = held
    if (guarded || total >= PAGE) this.pages.freePool(range(block, block + total), guarded)
    else {
      this.stack(type, total).push(block)
      const page = Math.floor(block / PAGE) * PAGE
      const parts = [...this.blocks].filter(([at]) => Math.floor(at / PAGE) * PAGE === page)
      if (parts.every(([at, size]) => this.stack(type, size).includes(at))) {
        for (const [at, size] of parts) {
          const stack = this.stack(type, size)
          stack.splice(stack.indexOf(at), 1)
          this.blocks.delete(at)
        }
        this.pages.freePool(range(page, page + PAGE), false)
      }
    }
    const user = this.users.get(type)
    if (user !== undefined && --user.count === 0) {
      this.users.delete(type)
      this.free(user.buffer)
    }
  }
}

const action = fc.oneof(
  fc.record({
    type: fc.constantFrom(2, 4, 4, 0x70000001),
    size: fc.oneof(fc.integer({ min: 0, max: 2700 }), fc.integer({ min: 2600, max: 9000 })),
  }),
  fc.nat({ max: 20 }),
)
const guard = fc.constantFrom<HeapGuard>(
  NO_GUARD,
  { PcdHeapGuardPropertyMask: 2, PcdHeapGuardPageType: 0n, PcdHeapGuardPoolType: 0x10n },
  { PcdHeapGuardPropertyMask: 0x83, PcdHeapGuardPageType: 4n, PcdHeapGuardPoolType: (1n << 62n) | 4n },
)

test('the pool puts every buffer where a picture of its pages has it, and frees the same pages', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), guard, (actions, heap) => {
      const make = () => edk2Pages([descriptor(7, MIB, 4 * MIB)], ANYWHERE, '2022.11', { guard: heap })
      const [mine, other] = [make(), make()]
      const pool = new Edk2Pool(
        {
          allocate: (type, count, guarded) => mine.allocatePool(type, count, guarded),
          free: (where, guarded) => {
            mine.freePool(where, guarded)
          },
        },
        RELEASE,
        { guard: heap },
      )
      const picture = new Picture(other, heap)
      const held: number[] = []
      for (const step of actions) {
        if (typeof step === 'number') {
          const [gone] = held.splice(step, 1)
          if (gone !== undefined) expect(pool.free(gone).status).toBe('EFI_SUCCESS')
          if (gone !== undefined) picture.free(gone)
        } else {
          const { buffer } = pool.allocate(step.type, step.size)
          expect(buffer?.start).toBe(picture.allocate(step.type, step.size))
          if (buffer !== null) held.push(buffer.start)
        }
        expect(mine.memoryMap()).toEqual(other.memoryMap())
      }
    }),
    { numRuns: 300 },
  )
})

test('bins lie one after the other below their memory, whatever their list and the release', () => {
  const list = fc.uniqueArray(
    fc.record({ type: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 9, 10), pages: fc.integer({ min: 0, max: 300 }) }),
    { selector: one => one.type },
  )
  fc.assert(
    fc.property(
      list,
      fc.integer({ min: 2, max: 1200 }),
      fc.constantFrom(...EDK2_RELEASES.map(edk2Behaviour)),
      (types, pages, row) => {
        const where = range(MIB, MIB + pages * PAGE)
        const wanted = types.filter(one => one.pages > 0)
        const total = wanted.reduce((sum, one) => sum + one.pages, 0)
        const { bins, defaultMax } = binsAtTop(types, where, row)
        const placed = total <= pages - 1 ? wanted : []
        expect(bins.map(bin => [bin.type, (bin.max + 1 - bin.base) / PAGE])).toEqual(
          placed.map(one => [one.type, one.pages]),
        )
        let top = where.end - PAGE
        for (const bin of bins) {
          expect(bin.max + 1).toBe(top)
          top = bin.base
        }
        if (bins.length > 0) expect(defaultMax).toBe(top - 1)
        const inRange = binsInRange(types, where)
        expect(inRange?.bins.map(bin => bin.max - where.end)).toEqual(
          sizeOf(where) < total * PAGE
            ? undefined
            : wanted.map((_, i) => -1 - wanted.slice(0, i).reduce((sum, one) => sum + one.pages * PAGE, 0)),
        )
      },
    ),
    { numRuns: 300 },
  )
})
