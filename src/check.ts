/** The entry point of the library: an image and a machine in, a report out. */
import { checkWith, type Checked, type CheckInput } from './check-with.ts'
import { readPayload } from './kernel/payload.ts'

export type { Checked, CheckInput, MachineInput } from './check-with.ts'

/**
 * Simulates the boot and reports findings. Image and machine may be prepared: then work that depends on them
 * alone is done once for any number of checks. Throws UsageError when the image is not a PE file or the map
 * cannot be used.
 */
export function check(input: CheckInput): Checked {
  return checkWith(readPayload, input)
}
