import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { canonical } from '../../../src/releases/change.ts'
import { behaviour, faultsOf } from '../../../src/releases/history.ts'
import { erasFor } from '../../../src/releases/version.ts'
import { stubEra, stubEras } from '../../../src/stub/eras.ts'
import { stubHistory } from '../../../src/stub/history.ts'
import { lanzabooteEras } from '../../../src/stub/lanzaboote/eras.ts'
import { fatHistory, thinHistory } from '../../../src/stub/lanzaboote/history.ts'
import { SYSTEMD_RELEASES } from '../../fixtures/systemd-releases.ts'
import { eraOf, runModel, runStub } from '../../support/stub-run.ts'
import { stubModel } from '../../../src/stub/boot.ts'

type Cells = Readonly<Record<string, string>>

/**
 * What was true of every era when changes took the place of rows: spans by era, and for each record its data
 * with the eras that have it. Frozen: a difference is a change of some verdict.
 */
const frozen = JSON.parse(
  readFileSync(new URL('../../fixtures/stub-eras.json', import.meta.url), 'utf8'),
) as {
  readonly spans: Cells
  readonly stub: Readonly<Record<string, Cells>>
  readonly lanzaboote: Readonly<Record<string, Cells>>
}

interface Shown {
  readonly id: string
  readonly behaviour: object
}
const short = (id: string): string => id.replace('systemd-stub/', '')
const recordOf = ({ behaviour: data }: Shown, record: string): unknown =>
  (data as Readonly<Record<string, unknown>>)[record]

/** Data of a record, and the eras that have it. */
function grouped(eras: readonly Shown[], record: string): Cells {
  const groups = new Map<string, string[]>()
  for (const era of eras) {
    const data = canonical(recordOf(era, record))
    groups.set(data, [...(groups.get(data) ?? []), short(era.id)])
  }
  return Object.fromEntries([...groups].map(([data, ids]) => [data, ids.join(' ')]))
}

describe('changes fold to what the rows said', () => {
  const systemd = Object.values(stubEras)

  test('spans', () => {
    const spans = [...systemd, ...lanzabooteEras].map(era => [
      short(era.id),
      era.spans.map(({ from, to }) => `${from} to ${to}`).join(', '),
    ])
    expect(Object.fromEntries(spans)).toEqual(frozen.spans)
  })

  test.each(Object.keys(frozen.stub))('systemd-stub: %s', record => {
    expect(grouped(systemd, record)).toEqual(frozen.stub[record])
  })

  test.each(Object.keys(frozen.lanzaboote))('lanzaboote: %s', record => {
    expect(grouped(lanzabooteEras, record)).toEqual(frozen.lanzaboote[record])
  })

  test('no record is missing', () => {
    for (const era of systemd) expect(Object.keys(era.behaviour)).toEqual(Object.keys(frozen.stub))
    for (const era of lanzabooteEras)
      expect(Object.keys(era.behaviour)).toEqual(Object.keys(frozen.lanzaboote))
  })
})

test('the histories have no fault', () => {
  expect([stubHistory, thinHistory, fatHistory].flatMap(history => faultsOf(history as never))).toEqual([])
})

test('every release that exists behaves as its era does', () => {
  expect(SYSTEMD_RELEASES.length).toBeGreaterThan(300)
  for (const release of [...SYSTEMD_RELEASES, '255-rc1', '254.26-1~bpo12+1'])
    expect([release, erasFor(release, stubEras).map(era => era.behaviour)]).toEqual([
      release,
      [behaviour(stubHistory, release)],
    ])
})

test('a release that was seen is in the era that says so', () => {
  for (const era of [...Object.values(stubEras), ...lanzabooteEras])
    for (const release of era.seen) expect([release, erasFor(release, [era])]).toEqual([release, [era]])
  expect(Object.values(stubEras).flatMap(era => era.seen)).toHaveLength(Object.keys(stubHistory.seen).length)
})

describe('an era of the caller', () => {
  const { behaviour: data } = eraOf('systemd-stub/S8')

  test('is made of data, with something changed', () => {
    const era = stubEra({ ...data, placeKernel: { above4G: 'refused', zeroTail: false } })
    expect([era.id, era.spans, era.behaviour.placeKernel.above4G]).toEqual(['x-stub', [], 'refused'])
    const clauses = runModel(stubModel(era)).recorder.steps.map(({ clause }) => clause)
    expect(clauses).toEqual(runStub('systemd-stub/S8').recorder.steps.map(({ clause }) => clause))
  })

  test('may have a step of its own in any slot', () => {
    const run = runModel(
      stubModel({ ...eraOf('systemd-stub/S2'), kernel: ({ machine }) => machine.gap('x-mine', 'no kernel') }),
    )
    expect(run.outcome).toEqual({ kind: 'unknown', gap: { clause: 'x-mine', why: 'no kernel' } })
  })
})
