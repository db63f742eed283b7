/** The decompressed kernel comes into memory. Chapter ZO. */
import { rangeAt } from '../../bytes/range.ts'
import type { KernelBoot, Output } from '../boot.ts'

/** The object that the extracted kernel is. */
export const VO = 'vo'

/** Writes olen bytes of output, and moves and relocates what parse_elf finds in them. */
export function extractTo(boot: KernelBoot, { at }: Output): void {
  const { machine, file } = boot
  machine.step('ZO-12', 'the payload is decompressed and parse_elf moves its segments down', () => {
    machine.memory.make(rangeAt(at, file.outputLength), VO)
    machine.assume('ZO-12', 'the segments of the decompressed kernel lie inside its decompressed length and begin at its first byte')
  })
}
