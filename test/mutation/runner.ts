/**
 * Runs every test once as it is, then once for each change that it reached and that no test has noticed yet.
 * A change is noticed when the test fails. Tests that take long are run as they are and no more.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { TestRunner, type RunnerTestCase } from 'vitest'
import { getFn } from 'vitest/suite'
import type { Mutant } from './mutants.ts'
import './switch.ts'

const home = process.env['MUTANTS_HOME'] ?? ''
const mutants = JSON.parse(readFileSync(join(home, 'mutants.json'), 'utf8')) as Mutant[]
/** Milliseconds after which a test is too long to be run for each change, and for all tests together. */
const SLOW = Number(process.env['MUTANTS_SLOW'] ?? 1000)
const BUDGET = 1000 * Number(process.env['MUTANTS_SECONDS'] ?? 3600)
const started = performance.now()

interface Fate {
  /** The first test that failed. */
  by: string | null
  /** Tests that reached it and did not fail. */
  passed: number
  /** Tests that reached it and were too long. */
  skipped: number
}
const fates: Fate[] = mutants.map(() => ({ by: null, passed: 0, skipped: 0 }))
let checkedAt = 0

export default class MutationRunner extends TestRunner {
  async runTask(test: RunnerTestCase): Promise<void> {
    const state = globalThis.mutantSwitch
    const run = getFn(test)
    if (state === undefined) throw new Error('no switch')
    state.active = -1
    state.reached.fill(0)
    state.rounds = 0
    state.roundsMax = Infinity
    const from = performance.now()
    await run()
    const took = performance.now() - from
    const usual = state.rounds
    const reached = mutants.flatMap((_, id) =>
      state.reached[id] === 1 && fates[id]?.by === null ? [id] : [],
    )
    const isOver = took > SLOW || performance.now() - started > BUDGET
    fc.configureGlobal({ endOnFailure: true })
    for (const id of reached) {
      const fate = fates[id]
      if (fate === undefined) continue
      if (isOver) {
        fate.skipped++
        continue
      }
      state.active = id
      state.rounds = 0
      state.roundsMax = 20 * usual + 100_000
      try {
        await run()
        fate.passed++
      } catch {
        fate.by = `${test.file.name} > ${test.name}`
      }
    }
    state.active = -1
    state.roundsMax = Infinity
    if (reached.length > 0 && performance.now() - checkedAt > 2000) this.#write()
  }

  override onAfterRunFiles(): void {
    super.onAfterRunFiles()
    this.#write()
  }

  #write(): void {
    checkedAt = performance.now()
    writeFileSync(
      join(home, 'fates.json'),
      JSON.stringify(
        mutants.map((mutant, id) => ({ ...mutant, ...fates[id] })),
        null,
        1,
      ),
    )
  }
}
