/** Extraction of the decompressed kernel. Chapter ZO. */
import { rangeAt } from '../../../bytes/range.ts'
import type { KernelBoot, Output } from '../boot.ts'
import { parseExtracted } from './payload.ts'

/** Object name of the extracted kernel. */
export const VO = 'vo'

/**
 * Writes olen bytes of output, and moves and relocates what parse_elf finds in them. `hasConsole`: can
 * parse_elf print errors?
 */
export function extractTo(boot: KernelBoot, { at, slots }: Output, hasConsole: boolean): void {
  const { machine } = boot
  const what = 'the payload is decompressed and parse_elf moves its segments down'
  const where = slots === null ? '' : `, in the first of ${String(slots.count)} slots`
  if (slots !== null) machine.observe({ kernelSlots: slots })
  machine.step('ZO-12', what + where, () => {
    machine.memory.make(rangeAt(at, parseExtracted(boot, hasConsole)), VO)
  })
}
