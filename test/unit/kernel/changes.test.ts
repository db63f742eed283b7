import { expect, test } from 'vitest'
import { kernelEras } from '../../../src/kernel/eras.ts'
import { linux } from '../../../src/kernel/history.ts'
import { behaviour, boundaries, erasOf, faultsOf } from '../../../src/releases/history.ts'
import { erasFor } from '../../../src/releases/version.ts'

test('the history of linux has no fault', () => {
  expect(faultsOf(linux)).toEqual([])
})

/** Releases at which anything may change, and the ones right before and after them in their branch. */
const releases = [
  ...new Set(
    boundaries(linux).flatMap(release => {
      const [, branch = '', point] = /^(\d+\.\d+)\.(\d+)$/.exec(release) ?? []
      const [, main = ''] = /^(\d+\.\d+)(?:-rc\d+)?$/.exec(release) ?? []
      return point === undefined
        ? [release, ...(release === '4.19' ? [] : [`${main}-rc9`]), main, `${main}.1`, `${main}.999`]
        : [release, `${branch}.${String(Number(point) - 1)}`, `${branch}.${String(Number(point) + 1)}`]
    }),
  ),
]

test('every release of every branch folds to the row that holds it, cell by cell', () => {
  expect(releases.length).toBeGreaterThan(200)
  for (const release of releases) {
    const rows = erasFor(release, kernelEras)
    expect([release, rows.length]).toEqual([release, 1])
    const folded = behaviour(linux, release)
    const cells = Object.keys(rows[0]?.behaviour ?? {}) as (keyof NonNullable<typeof folded>)[]
    expect(cells).toHaveLength(16)
    for (const cell of cells)
      expect([release, cell, folded?.[cell]]).toEqual([release, cell, rows[0]?.behaviour[cell]])
  }
})

test('the eras are the rows: ids, titles, spans, behaviours', () => {
  const eras = erasOf(linux)
  expect(eras.map(({ id, title, spans, behaviour: cells }) => ({ id, title, spans, cells }))).toEqual(
    kernelEras.map(({ id, title, spans, behaviour: cells }) => ({ id, title, spans, cells })),
  )
})

test('a release that was read or booted is where it was, and the booted ones are all there', () => {
  const eras = erasOf(linux)
  for (const [i, { id, seen }] of kernelEras.entries())
    expect([id, seen.filter(release => !eras[i]?.seen.includes(release))]).toEqual([id, []])
})
