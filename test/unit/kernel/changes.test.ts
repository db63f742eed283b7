import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { KernelBehaviour } from '../../../src/kernel/behaviour.ts'
import { changes } from '../../../src/kernel/changes.ts'
import { kernelEras } from '../../../src/kernel/kernels.ts'
import { linux } from '../../../src/kernel/history.ts'
import { canonical } from '../../../src/releases/change.ts'
import { behaviour, boundaries, faultsOf } from '../../../src/releases/history.ts'
import { erasFor } from '../../../src/releases/version.ts'

const FROZEN = new URL('../../fixtures/kernel-eras.json', import.meta.url)

type Cells = Readonly<Record<string, string>>

/**
 * What was true of every era before changes took the place of rows: spans by era, and for each cell its data
 * with the eras that have it. Frozen: a difference is a change of some verdict.
 */
const frozen = JSON.parse(readFileSync(FROZEN, 'utf8')) as {
  readonly spans: Cells
  readonly cells: Readonly<Record<keyof KernelBehaviour, Cells>>
  readonly contracts: Readonly<Record<'efi-handover' | 'pe-entry', Cells>>
}

const short = (id: string): string => id.slice('linux/'.length)

/** The eras by what they say. */
function grouped(said: (era: (typeof kernelEras)[number]) => string): Cells {
  const groups = new Map<string, string[]>()
  for (const era of kernelEras) groups.set(said(era), [...(groups.get(said(era)) ?? []), short(era.id)])
  return Object.fromEntries([...groups].map(([cell, eras]) => [cell, eras.join(' ')]))
}

describe('changes fold to the eras that the rows were', () => {
  test('spans', () => {
    expect(
      Object.fromEntries(
        kernelEras.map(({ id, spans }) => [
          short(id),
          spans.map(({ from, to }) => `${from} to ${to}`).join(', '),
        ]),
      ),
    ).toEqual(frozen.spans)
  })

  test.each(Object.keys(frozen.cells) as (keyof KernelBehaviour)[])('%s', slot => {
    expect(grouped(era => canonical(era.behaviour[slot]))).toEqual(frozen.cells[slot])
  })

  test('no cell is missing, and contracts follow from what a behaviour asks', () => {
    for (const era of kernelEras)
      expect([era.id, Object.keys(era.behaviour)]).toEqual([era.id, Object.keys(frozen.cells)])
    for (const via of ['efi-handover', 'pe-entry'] as const)
      expect(grouped(era => era.contracts[via].join(' '))).toEqual(frozen.contracts[via])
  })
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

describe('the history of linux', () => {
  test('has no fault', () => {
    expect(faultsOf(linux)).toEqual([])
  })

  test('gives every release of every branch to one era, which behaves as the release does', () => {
    expect(releases.length).toBeGreaterThan(200)
    for (const release of releases) {
      const rows = erasFor(release, kernelEras)
      expect([release, rows.map(row => row.behaviour)]).toEqual([release, [behaviour(linux, release)]])
    }
  })

  test('names every commit once, as upstream abbreviates it', () => {
    const commits = changes.flatMap(change => change.commits)
    expect(new Set(commits).size).toBe(commits.length)
    expect(commits.filter(commit => !/^[0-9a-f]{12}$/.test(commit))).toEqual([])
  })
})
