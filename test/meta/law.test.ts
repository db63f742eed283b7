import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clausesFor } from '../../src/releases/law.ts'
import { stubEras } from '../../src/stub/eras.ts'
import { STUB_LAW } from '../../src/stub/law.ts'
import { DERIVED, withApplies } from '../support/applies.ts'
import { readClauses } from '../support/clauses.ts'
import { runStub, type StubRun } from '../support/stub-run.ts'
import { settings } from '../support/stub-settings.ts'

/** Clauses that no data decides: all releases follow them. */
const EVERYWHERE = [
  ...['ST-1', 'ST-2', 'ST-3', 'ST-45', 'ST-86', 'ST-98', 'ST-99', 'LZ-18', 'LZ-19', 'LZ-20', 'LZ-21'],
  // EP-39 came with point releases that no data tells apart; ZO-34 says itself what of it was read
  ...['EP-1', 'EP-39', 'EP-55', 'EP-56', 'ZO-1', 'ZO-2', 'ZO-34'],
  ...Array.from({ length: 9 }, (_, i) => `ZO-${String(12 + i)}`),
  ...Array.from({ length: 12 }, (_, i) => `ZO-${String(22 + i)}`),
  ...['ZO-36', 'ZO-37', 'ZO-38', 'ZO-51', 'ZO-54'],
]

test.each(Object.keys(DERIVED))(
  '%s says which releases a clause applies to (update with vitest -u)',
  async file => {
    await expect(withApplies(file)).toMatchFileSnapshot(`../../${file}`)
  },
)

test('every clause of these chapters is told by data, or all releases follow it', () => {
  const told = Object.values(DERIVED).flatMap(lines => [...lines.keys()])
  const clauses = readClauses().clauses.filter(
    ({ chapter, withdrawn }) => /ST|LZ|EP|ZO/.test(chapter) && !withdrawn,
  )
  expect([...told, ...EVERYWHERE].sort()).toEqual(clauses.map(({ id }) => id).sort())
})

/** Clauses of chapter ST under which something ran or was refused. */
function followed({ recorder, outcome }: StubRun): Set<string> {
  const steps = recorder.steps.map(({ clause }) => clause)
  const refused = outcome?.kind === 'refused' ? [outcome.refusal.clause] : []
  return new Set([...steps, ...refused].filter(clause => clause.startsWith('ST-')))
}

test('no era runs under a clause that does not apply to it', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(settings, setting => {
      for (const { id, behaviour } of Object.values(stubEras)) {
        const applies = new Set([...clausesFor(STUB_LAW, behaviour), ...EVERYWHERE])
        const clauses = followed(runStub(id, setting))
        for (const clause of clauses) seen.add(clause)
        expect([id, [...clauses].filter(clause => !applies.has(clause))]).toEqual([id, []])
      }
    }),
    { numRuns: 25, seed: 20261130 },
  )
  expect(seen.size).toBeGreaterThan(70)
})
