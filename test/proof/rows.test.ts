/** The table of changes says the same as the 46 rows did: spans, cells, and what a run records. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonical } from '../../src/releases/change.ts'
import { behaviour, erasOf, faultsOf } from '../../src/releases/history.ts'
import { erasFor } from '../../src/releases/version.ts'
import { particularsOf } from '../../src/machine/told.ts'
import type { StubBehaviour } from '../../src/stub/behaviour.ts'
import { stubEras } from '../../src/stub/eras.ts'
import { stubHistory } from '../../src/stub/history.ts'
import { stubModel } from '../../src/stub/model.ts'
import { SYSTEMD_RELEASES } from '../fixtures/systemd-releases.ts'
import { runModel } from '../support/stub-run.ts'
import { stubEras as rows } from './old-stub/eras.ts'
import { stubModel as rowModel } from './old-stub/model.ts'
import { recordingOf, settings } from '../support/stub-settings.ts'

test('the table has no faults', () => {
  expect(faultsOf(stubHistory)).toEqual([])
})

test('the eras are the rows: ids in their order, titles, spans, notes on ia32 builds', () => {
  const about = (era: { id: string; title: string; spans: readonly unknown[] }, ia32: unknown) => ({
    id: era.id,
    title: era.title,
    spans: era.spans,
    ia32,
  })
  expect(Object.values(stubEras).map(era => about(era, era.behaviour.ia32))).toEqual(
    Object.values(rows).map(row => about(row, row.ia32 ?? null)),
  )
  expect(Object.keys(stubEras)).toHaveLength(46)
})

test('every release that exists behaves as the era of its row', () => {
  const releases = [...SYSTEMD_RELEASES, '255-rc1', '248~rc2', '262.99', '254.26-1~bpo12+1']
  for (const release of releases) {
    const [row, ...others] = erasFor(release, rows)
    expect([release, others]).toEqual([release, []])
    expect([release, erasFor(release, stubEras).map(({ id }) => id)]).toEqual([release, [row?.id]])
    expect(behaviour(stubHistory, release)).toEqual(stubEras[row?.id ?? '']?.behaviour)
  }
  expect(releases.length).toBeGreaterThan(300)
})

/** A step by its name and all that its row told it. */
function cellKey(cell: unknown): string {
  if (typeof cell === 'function') return `${cell.name}(${cellKey(particularsOf(cell) ?? {})})`
  if (Array.isArray(cell)) return `[${cell.map(cellKey).join()}]`
  if (typeof cell === 'object' && cell !== null)
    return `{${Object.entries(cell)
      .map(([name, value]) => `${name}:${cellKey(value)}`)
      .join()}}`
  return JSON.stringify([cell])
}

/** The data that a slot is made of. */
const DATA: Readonly<Record<string, (data: StubBehaviour) => unknown>> = {
  pool: data => data.pool,
  variables: data => data.variables,
  sectionTable: data => [data.sectionTable, data.messages],
  locate: data => [data.locate, data.locate.match === 'name' ? data.loadOptions : null],
  kernel: data => [data.kernel, data.kernel.way === 'required' && data.kernel.status ? data.messages : null],
  addons: data => data.addons,
  commandLine: data => [data.commandLine, data.loadOptions],
  strings: data => data.strings,
  initrd: data => data.initrd,
  deviceTree: data => data.deviceTree,
  door: data => [
    data.entryMethod,
    data.entryMethod.way === 'LoadImage' ? [data.commandLine.encoding, data.messages] : null,
  ],
  headerChecks: data => data.headerChecks,
  placeKernel: data => data.placeKernel,
  placeInitrd: data => data.placeInitrd,
  bootParams: data => data.bootParams,
  placeCommandLine: data => [
    data.commandLine.encoding,
    data.commandLine.encoding === 'UTF-16' ? null : data.placeCommandLine,
  ],
  passInitrd: data => data.passInitrd,
  entry: data => data.entry,
}

describe('a cell is one data, and data are one cell:', () => {
  const ids = Object.keys(rows)
  const slots = Object.entries(Object.values(rows)[0] ?? {}).flatMap(([slot, cell]) =>
    typeof cell === 'function' ? [slot] : [],
  )

  test('all slots are compared', () => {
    expect(Object.keys(DATA)).toEqual(slots)
  })

  test.each(Object.keys(DATA))('%s', slot => {
    const pairs = ids.map(id => ({
      id,
      cell: cellKey((rows[id] as unknown as Record<string, unknown>)[slot]),
      data: canonical(DATA[slot]?.(stubEras[id]?.behaviour as StubBehaviour)),
    }))
    for (const { id, cell, data } of pairs) {
      expect([id, new Set(pairs.filter(one => one.cell === cell).map(one => one.data)).size]).toEqual([id, 1])
      expect([id, new Set(pairs.filter(one => one.data === data).map(one => one.cell)).size]).toEqual([id, 1])
    }
  })
})

test('every row and its era record the same run, event by event, whatever image and machine are', () => {
  let runs = 0
  fc.assert(
    fc.property(settings, setting => {
      for (const [id, era] of Object.entries(stubEras)) {
        const row = rows[id]
        if (row === undefined) throw new Error(id)
        const [is, was] = [runModel(stubModel(era), setting), runModel(rowModel(row), setting)]
        expect([id, recordingOf(is)]).toEqual([id, recordingOf(was)])
        runs++
      }
    }),
    { numRuns: Number(process.env['PROOF_RUNS'] ?? 40), seed: Number(process.env['PROOF_SEED'] ?? 20261130) },
  )
  expect(runs).toBeGreaterThan(1000)
}, 600_000)

test('erasOf is what the table is made of', () => {
  expect(erasOf(stubHistory).map(({ id }) => id)).toEqual(Object.keys(stubEras))
})
