/** A boot repeated once per call that could fail: what if this allocation had failed? */
import { prepareImage, prepareMachine } from './boot/prepare.ts'
import { check, type Checked, type CheckInput } from './check.ts'
import type { ServiceCall } from './firmware/service-call.ts'

/** A boot in which one call failed. */
export interface FaultOutcome {
  /** The call, as it is in the boot without a fault. */
  readonly call: ServiceCall
  readonly checked: Checked
}

/** The input with what does not change between boots prepared. */
export function prepared<Input extends CheckInput>(input: Input): Input {
  return {
    ...input,
    image: { ...input.image, source: prepareImage(input.image.source) },
    machine: prepareMachine(input.machine),
  }
}

/**
 * Boots once for every call of a boot service that could fail, in their order: that call fails, alone. With
 * several candidates the calls are those of the longest list. Calls that are made only after another one
 * failed are not among them. Throws UsageError as `check` does.
 */
export function allFaults(input: Omit<CheckInput, 'faults'>): readonly FaultOutcome[] {
  const same = prepared(input)
  const lists = check({ ...same, faults: [] }).runs.map(({ calls }) => calls)
  const longest = lists.reduce((one, other) => (other.length > one.length ? other : one), [])
  return longest.map(call => ({ call, checked: check({ ...same, faults: [{ nth: call.nth }] }) }))
}
