/** Long tests do a part of their work in `npm test`, and all of it in .ci/run. */
import { expect, test } from 'vitest'
import { filesBelow, textOf } from '../support/files.ts'
import { depth, share, THOROUGH, tries } from '../support/depth.ts'

const HELPER = /from '[./]*\/support\/depth\.ts'/

test('.ci/run does all of both suites, with coverage, and a clone as it comes', () => {
  const run = textOf('.ci/run')
  expect(run).toMatch(/^part 'fast tests' \d+ npm test$/m)
  expect(run).toMatch(/^part 'both suites, [^']*' \d+ env THOROUGH=1 npm run test:coverage$/m)
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }
  expect(scripts['test:coverage']).toMatch(/vitest run --project fast --project real --coverage$/)
})

const LONG = [
  'test/cli/hostile.test.ts',
  'test/meta/recordings/kernels.ts',
  'test/stories/builders.test.ts',
  'test/unit/boot/prepare.test.ts',
  'test/unit/decode/corruption.property.test.ts',
  'test/unit/decode/window.test.ts',
  'test/unit/firmware/allocator.property.test.ts',
  'test/unit/image/clothing.test.ts',
  'test/unit/image/lost-rows.test.ts',
  'test/unit/image/memmap-dialects.test.ts',
  'test/unit/image/memmap-round-trips.property.test.ts',
  'test/unit/image/pe.test.ts',
  'test/unit/many-sections.test.ts',
  'test/unit/memory/memory.property.test.ts',
  'test/unit/memory/run-map.property.test.ts',
  'test/unit/messages/clothing.test.ts',
  'test/unit/naive.property.test.ts',
]

test('these tests do a part of their work, and no other', () => {
  const tests = filesBelow('test').filter(path => path.endsWith('.ts'))
  expect(tests.filter(path => HELPER.test(textOf(path)) && path !== 'test/meta/depth.test.ts')).toEqual(LONG)
  expect(tests.filter(path => textOf(path).includes('THOROUGH'))).toEqual([
    'test/meta/depth.test.ts',
    'test/support/depth.ts',
  ])
})

test('a part is the same in every run, and its turns together are the whole', () => {
  const list = Array.from({ length: 20 }, (_, i) => i)
  const turns = [5, 6, 7].map(turn => share(list, 3, turn))
  if (THOROUGH) {
    expect([depth(2, 9), tries(2, 9)]).toEqual([9, { numRuns: 9 }])
    expect(turns).toEqual([list, list, list])
  } else {
    expect([depth(2, 9), tries(2, 9)]).toEqual([2, { numRuns: 2, seed: expect.any(Number) as number }])
    expect(turns.flat().sort((a, b) => a - b)).toEqual(list)
  }
})
