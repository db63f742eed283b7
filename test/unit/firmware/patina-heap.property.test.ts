import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PAGE, phys } from '../../../src/bytes/units.ts'
import { PatinaHeap } from '../../../src/firmware/patina/heap.ts'
import { MIB } from '../../support/bytes.ts'

const NODE = 64
const HEAD = 24
/** Pages for the heap, from here downwards. */
const TOP = 64 * MIB
const CELL = 8

/** One region, a flag for every eight bytes: is it handed out? */
interface Region {
  readonly start: number
  readonly taken: boolean[]
}

/** The heap of one type as a picture: slow, and plain enough to be believed. */
class Picture {
  /** The newest first. */
  readonly regions: Region[] = []
  /** Free blocks by size, the last one freed at the end. */
  readonly blocks = new Map<number, number[]>()
  next = TOP

  allocate(request: number): number {
    const block = Math.max(8, 2 ** Math.ceil(Math.log2(HEAD + request)))
    const [size, align] = block <= PAGE ? [block, block] : [Math.ceil((HEAD + request) / 8) * 8, 8]
    const again = block <= PAGE ? this.blocks.get(block)?.pop() : undefined
    if (again !== undefined) return again + HEAD
    const found = this.find(size, align)
    if (found !== null) return found + HEAD
    const bytes = Math.ceil(Math.max(MIB, Math.ceil(size / align) * align + NODE + 24) / PAGE) * PAGE
    this.next -= bytes
    const region = {
      start: this.next,
      taken: Array.from({ length: bytes / CELL }, (_, i) => i < NODE / CELL),
    }
    this.regions.unshift(region)
    return (this.find(size, align) ?? NaN) + HEAD
  }

  find(size: number, align: number): number | null {
    for (const region of this.regions) {
      const at = this.#inRegion(region, size, align)
      if (at !== null) return at
    }
    return null
  }

  /**
   * The first run of free cells in which what is left before and after is nothing, or holds a node of 16
   * bytes.
   */
  #inRegion({ start, taken }: Region, size: number, align: number): number | null {
    for (let cell = 0; cell < taken.length;) {
      let end = cell
      while (end < taken.length && taken[end] === false) end++
      for (let at = start + cell * CELL; end > cell && at + size <= start + end * CELL; at += CELL) {
        const before = at - start - cell * CELL
        if (at % align !== 0 || (before > 0 && before < 16)) continue
        const behind = start + end * CELL - at - size
        if (behind > 0 && behind < 16) break
        for (let i = 0; i < size / CELL; i++) taken[(at - start) / CELL + i] = true
        return at
      }
      cell = end + 1
    }
    return null
  }

  free(buffer: number, request: number): void {
    const at = buffer - HEAD
    const block = Math.max(8, 2 ** Math.ceil(Math.log2(HEAD + request)))
    if (block <= PAGE) {
      this.blocks.set(block, [...(this.blocks.get(block) ?? []), at])
      return
    }
    const region = this.regions.find(one => one.start <= at && at < one.start + one.taken.length * CELL)
    for (let i = 0; i < Math.ceil((HEAD + request) / 8); i++)
      if (region !== undefined) region.taken[(at - region.start) / CELL + i] = false
  }
}

test('every buffer lies where a picture of the regions has it, and no page comes back', () => {
  const size = fc.oneof(
    fc.integer({ min: 0, max: 5000 }),
    fc.integer({ min: 4000, max: 300_000 }),
    fc.integer({ min: 300_000, max: 1_300_000 }),
  )
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          size,
          fc.nat({ max: 20 }).map(i => -1 - i),
        ),
        { maxLength: 40 },
      ),
      actions => {
        let next = TOP
        const heap = new PatinaHeap({
          allocate: (_, pages) => ({
            status: 'EFI_SUCCESS',
            at: phys((next -= pages * PAGE)),
            clause: 'FW-33',
          }),
          free: () => expect.fail('pages came back'),
        })
        const picture = new Picture()
        const held: { at: number; request: number }[] = []
        for (const action of actions) {
          if (action < 0) {
            const [gone] = held.splice(-1 - action, 1)
            if (gone === undefined) continue
            expect(heap.free(gone.at).status).toBe('EFI_SUCCESS')
            picture.free(gone.at, gone.request)
            continue
          }
          const { buffer } = heap.allocate(2, action)
          expect([action, buffer?.start]).toEqual([action, picture.allocate(action)])
          held.push({ at: buffer?.start ?? 0, request: action })
        }
        expect(next).toBe(picture.next)
      },
    ),
    { numRuns: 60 },
  )
})
