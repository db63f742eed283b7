/** `import 'stubsim/vitest'` adds the matchers to vitest's expect; the builders are exported by name. */
import { UsageError } from '../bytes/errors.ts'
import type { KnownClause, KnownContract, KnownObject, KnownRule } from './known.ts'
import {
  toBeRefused,
  toBootCleanly,
  toHaveHazard,
  toKeep,
  toKeepContract,
  toTakeStep,
  type HazardFilter,
  type RefusalFilter,
} from './matchers.ts'

export {
  bytesOf,
  kernel,
  memoryMap,
  uki,
  type KernelOptions,
  type MapLine,
  type Size,
  type UkiOptions,
} from './builders.ts'
export { recogniseLayout, type LayoutCandidate, type LayoutFound } from '../image/layouts/recognise.ts'
export type { LayoutId } from '../image/layouts/table.ts'
export { builtAs, type ToolInput } from './builders-as.ts'
export {
  lanzaboote,
  LANZABOOTE_RELEASES,
  type LanzabooteImage,
  type LanzabooteOptions,
  type LanzabooteRelease,
} from './lanzaboote.ts'
export type { HazardFilter, RefusalFilter, Subject } from './matchers.ts'
export { forAllFaults, forAllFirmware, forAllKernels, forAllStubs } from './for-all.ts'
export { scenario, type ScenarioInput, type ScenarioOptions } from './scenario.ts'

/** The matchers of stubsim; each takes a scenario or the result of `check`. */
export interface BootMatchers {
  /** Every candidate run arrived, with every step modelled and without damage. */
  toBootCleanly(): void
  /** Every run read the object, intact each time. */
  toKeep<Text extends string>(object: KnownObject<Text>): void
  /** Some run, or the advice about the file, has a finding of this rule. */
  toHaveHazard<Text extends string>(rule: KnownRule<Text>, filter?: HazardFilter): void
  /** The boot ended in a refusal with these properties. */
  toBeRefused(filter?: RefusalFilter): void
  /** The contract was evaluated in every run, and kept. Fails, negated or not, when no run evaluated it. */
  toKeepContract<Text extends string>(clause: KnownContract<Text>): void
  /** Every run took a step under this clause: of the law, or `x-copy` of your own. Negated: no run did. */
  toTakeStep<Text extends string>(clause: KnownClause<Text>): void
}

declare global {
  // Read by both vitest 4 and 5: the type parameters of their own interfaces differ.
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Chai {
    // eslint-disable-next-line @typescript-eslint/no-empty-object-type
    interface Assertion extends BootMatchers {}
  }
}

// A plain import would fail with the loader's message, which does not help.
const { expect } = await import('vitest').catch((error: unknown) => {
  if (!isMissing(error)) throw error
  throw new UsageError('stubsim/vitest needs vitest 4.1 or newer: npm install --save-dev vitest@4.1.12')
})

/** Is vitest itself missing, rather than one of its own imports? */
function isMissing(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error)) return false
  const [what = ''] = error.message.split(' imported from ')
  return String(error.code).endsWith('MODULE_NOT_FOUND') && what.includes('vitest')
}

expect.extend({ toBootCleanly, toKeep, toHaveHazard, toBeRefused, toKeepContract, toTakeStep })
