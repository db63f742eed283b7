import { expect, test } from 'vitest'
import { textOf } from '../support/repository.ts'

interface Recorded {
  readonly id: string
  readonly stub: string
  readonly kernel: string
  readonly outcome: unknown
  readonly trace: Readonly<Record<string, unknown>>
  readonly layout: readonly unknown[]
}

/** Boots that were recorded; the number only grows. */
const MINIMUM = 234

const lines = textOf('test/oracle/observations.jsonl').trimEnd().split('\n')

test('the recorded boots are all there, and every one can be read', () => {
  expect(lines.length).toBeGreaterThanOrEqual(MINIMUM)
  const boots = lines.map((line, i) => {
    try {
      return JSON.parse(line) as Recorded
    } catch {
      throw new Error(`recording ${String(i + 1)} cannot be read`)
    }
  })
  const incomplete = boots.filter(
    ({ id, stub, kernel, outcome, trace, layout }) =>
      !(
        id &&
        stub &&
        kernel &&
        outcome &&
        layout.length > 0 &&
        ('image_base' in trace || outcome === 'firmware refuses to load')
      ),
  )
  expect(incomplete.map(boot => boot.id)).toEqual([])
  expect(new Set(boots.map(boot => boot.id)).size).toBe(boots.length)
})
