import { expect, expectTypeOf, test } from 'vitest'
import { ModelBug } from '../../../src/bytes/errors.ts'
import { groupsOf } from '../../../src/image/groups.ts'

test('groups are texts, empty where one took no part', () => {
  const read = groupsOf(/^(\d+)(?: (\w+))?$/, 2)
  expect(read('7 seven')).toEqual(['7', 'seven'])
  expect(read('7')).toEqual(['7', ''])
  expect(read('seven')).toBeNull()
  expectTypeOf(read).returns.toEqualTypeOf<readonly [string, string] | null>()
})

test('a number of groups that is not that of the expression is our mistake', () => {
  expect(() => groupsOf(/(a)(b)/, 3)('ab')).toThrow(new ModelBug('/(a)(b)/ has 2 groups, not 3'))
})
