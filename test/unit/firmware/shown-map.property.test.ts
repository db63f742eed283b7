import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PAGE } from '../../../src/bytes/units.ts'
import { DescriptorMap } from '../../../src/firmware/descriptor-map.ts'
import { MapView, type ShownMap } from '../../../src/firmware/edk2/shown-map.ts'
import { memoryMap } from '../../../src/vitest/builders.ts'

const PAGES = 40
const TYPES = [0, 2, 3, 4, 5, 6, 7, 9, 10]

const span = fc
  .tuple(fc.nat(PAGES - 1), fc.integer({ min: 1, max: 6 }))
  .map(([first, count]) => ({ first, end: Math.min(PAGES, first + count) }))
const change = fc.record({ span, type: fc.constantFrom(...TYPES) })

test('FW-15 FW-34 a map shown anew where it has changed is the map shown anew', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ span, type: fc.constantFrom(6, 5, 10, 0) }), { maxLength: 4 }),
      fc.boolean(),
      fc.array(fc.array(change, { maxLength: 3 }), { minLength: 1, maxLength: 12 }),
      (bins, cuts, rounds) => {
        const view = new MapView(
          bins.map(({ span: { first, end }, type }) => ({ type, base: first * PAGE, max: end * PAGE - 1 })),
          cuts,
        )
        const map = new DescriptorMap(
          memoryMap(
            ['EfiConventionalMemory', 0, 20 * PAGE],
            ['EfiMemoryMappedIO', 20 * PAGE, 22 * PAGE],
            ['EfiConventionalMemory', 22 * PAGE, PAGES * PAGE],
          ),
        )
        let last: ShownMap | null = null
        for (const changes of rounds) {
          for (const { span: where, type } of changes) map.convert(where.first * PAGE, where.end * PAGE, type)
          last = view.show(map.ram, map.foreign, last)
          expect(last).toEqual(view.show(map.ram, map.foreign))
        }
      },
    ),
    { numRuns: 300 },
  )
})
