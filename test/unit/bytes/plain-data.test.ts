import { expect, test } from 'vitest'
import { DEPTH_MAX, JSON_MAX, parseJson, VALUES_MAX, whyUnbounded } from '../../../src/bytes/plain-data.ts'

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

test('JSON is taken up to a depth and a length, and refused beyond without an exception', () => {
  expect(parseJson(nested(DEPTH_MAX))).toHaveProperty('value')
  expect(parseJson(nested(DEPTH_MAX + 1))).toEqual({
    why: `it is nested more than ${String(DEPTH_MAX)} deep`,
    isJson: true,
  })
  expect(parseJson('{"a":'.repeat(5000) + '1' + '}'.repeat(5000))).toMatchObject({ isJson: true })
  expect(parseJson(nested(JSON_MAX / 2 + 1))).toMatchObject({ isJson: true })
  expect(parseJson('{"a":')).toMatchObject({ isJson: false })
})

test('data that contains itself is nested too deeply', () => {
  const cycle: Record<string, unknown> = {}
  cycle['inner'] = [cycle]
  expect(whyUnbounded(cycle)).toBe(`it is nested more than ${String(DEPTH_MAX)} deep`)
})

test('shared data counts as often as it is reached, and nothing is looked at beyond the bound', () => {
  let looks = 0
  let shared: unknown = 1
  for (let i = 0; i < 30; i++) {
    const inner = shared
    shared = Object.defineProperty({}, 'a', { enumerable: true, get: () => (looks++, [inner, inner]) })
  }
  expect(whyUnbounded(shared)).toBe(`it has more than ${String(VALUES_MAX)} values`)
  expect(looks).toBeLessThanOrEqual(VALUES_MAX)
  expect(whyUnbounded(Array(VALUES_MAX).fill(1))).toMatch(/values/)
  expect(whyUnbounded(Array(VALUES_MAX - 1).fill(1))).toBeNull()
})
