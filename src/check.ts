/** The front door: an image and a machine in, a report out. */
import { checkWith, type Checked, type CheckInput } from './check-with.ts'
import { readPayload } from './kernel/payload.ts'

export type { Checked, CheckInput, MachineInput } from './check-with.ts'

/**
 * Simulates the boot and judges it. Image and machine may be prepared: then what depends on them alone is
 * done once, however often they are checked. Throws UsageError when the image is no PE file or the map cannot
 * be used.
 */
export function check(input: CheckInput): Checked {
  return checkWith(readPayload, input)
}
