import { expect, test } from 'vitest'
import { clauseIndex, placesText, upstreamLinks } from '../../../src/cli/clause-index.ts'

test('places are lines under three headings, each with its file and what to look for', () => {
  expect(
    placesText({
      upstream: ['https://a.example/misc.c', 'https://a.example/b.c'],
      code: [['src/kernel/x86/steps/extract.ts', 'extractTo']],
      tests: [
        ['test/spec/ZO/output.test.ts', 'ZO-12 the output is "whole"'],
        ['test/spec/HZ/damage.test.ts', null],
      ],
    }),
  ).toBe(`upstream  https://a.example/misc.c
          https://a.example/b.c
code      src/kernel/x86/steps/extract.ts extractTo
test      test/spec/ZO/output.test.ts "ZO-12 the output is \\"whole\\""
          test/spec/HZ/damage.test.ts
`)
})

test('a clause without places has no line', () => {
  expect(placesText({ upstream: [], code: [], tests: [] })).toBe('')
})

test('the built index gives the links of a clause, and none for one that is unknown', () => {
  expect(clauseIndex().size).toBeGreaterThan(300)
  const links = upstreamLinks()
  expect(links('ZO-12')[0]).toContain('arch/x86/boot/compressed/misc.c')
  expect(links('x-mine')).toEqual([])
})
