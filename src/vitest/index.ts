/** `import 'stubsim/vitest'` adds the matchers to vitest's expect; the builders are exported by name. */
import { expect } from 'vitest'
import {
  toBeRefused,
  toBootCleanly,
  toHaveHazard,
  toKeep,
  toKeepContract,
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
export { scenario, type ScenarioInput, type ScenarioOptions } from './scenario.ts'

/** The matchers of stubsim; each takes a scenario or what `check` made of it. */
export interface BootMatchers {
  /** Every candidate run arrived, every step was modelled, nothing was damaged. */
  toBootCleanly(): void
  /** Every run read the object, each time whole. */
  toKeep(object: string): void
  /** Some run, or the advice about the file, holds a finding of this rule. */
  toHaveHazard(rule: string, filter?: HazardFilter): void
  /** The boot ended in a refusal with these properties. */
  toBeRefused(filter?: RefusalFilter): void
  /** The contract was evaluated in every run, and kept. */
  toKeepContract(clause: string): void
}

declare module 'vitest' {
  // The type parameter and its default must be those of vitest's own declaration.
  /* eslint-disable-next-line @typescript-eslint/no-explicit-any,
     @typescript-eslint/no-empty-object-type, @typescript-eslint/no-unused-vars */
  interface Matchers<T = any> extends BootMatchers {}
}

expect.extend({ toBootCleanly, toKeep, toHaveHazard, toBeRefused, toKeepContract })
