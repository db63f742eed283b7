import { expect, test } from 'vitest'
import type { KernelBehaviour } from '../../../src/kernel/x86/behaviour.ts'
import { kernelEras } from '../../../src/kernel/kernels.ts'
import { KERNEL_LAW } from '../../../src/kernel/law.ts'
import { bench, clausesOf, everyEra, handover, peEntry, start } from '../../support/kernel-bench.ts'
import { readClauses } from '../../support/clauses.ts'
import { F } from '../../support/kernels.ts'

const LAW = Object.values(KERNEL_LAW).flatMap(clauses => Object.entries(clauses))

/**
 * The walk of EP-17, from the lowest address of EP-28 on; the count of EP-33, which is the same as any other
 * where this release has no minimum address.
 */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  'linux/E0a': ['EP-17'],
  'linux/E3a': ['EP-33'],
  'linux/E4c': ['EP-33'],
}

/** Do the clause's conditions hold in any of its slots? */
const holds = (clause: string, behaviour: KernelBehaviour): boolean =>
  LAW.some(([id, applies]) => id === clause && applies(behaviour))

test('every clause is one of the chapters, and some release follows it', () => {
  const known = new Set(readClauses().clauses.map(clause => clause.id))
  for (const [clause] of LAW) {
    const eras = kernelEras.filter(era => holds(clause, era.behaviour))
    expect([clause, known.has(clause), eras.length > 0]).toEqual([clause, true, true])
  }
})

test('no kernel runs under a clause that does not apply to it', () => {
  const ids = new Set(LAW.map(([clause]) => clause))
  for (const [era, kernel] of everyEra()) {
    const { behaviour } = kernelEras.find(({ id }) => id === era) ?? expect.fail(era)
    const boots = [bench(), bench({ kaslr: 'seed:3', la57: true })].flatMap((on, i) => {
      const other = bench({ la57: i === 1 })
      start(on, era, handover(on, { kernel, image: F }))
      start(other, era, peEntry(other, { kernel, image: F }))
      return [on, other]
    })
    const run = new Set(boots.flatMap(clausesOf))
    expect([era, [...run].filter(clause => ids.has(clause) && !holds(clause, behaviour))]).toEqual([
      era,
      ALSO[era] ?? [],
    ])
  }
})
