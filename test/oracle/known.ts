/**
 * Where the model is known to differ from a recording, boot by boot, with the reason. Each entry is asserted
 * as it stands: when the model gets better or worse, it fails.
 */
import type { PlainFact } from './facts.ts'

export interface KnownDifference {
  readonly id: string
  readonly fact: PlainFact
  /** Predicted minus recorded, in bytes. */
  readonly off: number
  readonly why: string
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = []

/** Boots that went well by luck, so that the model rightly says `damage`. */
export const LUCKY: readonly { readonly id: string; readonly why: string }[] = [
  {
    id: 'tiny/bss/plain',
    why:
      'reads its globals in memory that nobody wrote; it held zeros. The same image on ' +
      'filled RAM: dirty-ram/tiny-bss, firmware exception',
  },
  { id: 'tiny/both/plain', why: 'the same, and dirty-ram/tiny-both' },
  { id: 'tiny/bss/initrd-8MiB-behind', why: 'the same as tiny/bss/plain' },
]

/**
 * Boots in which bytes of the initrd were overwritten that the model does not name, though it does say
 * `damage`.
 */
export const UNSEEN_BYTES: readonly { readonly id: string; readonly why: string }[] = [
  {
    id: 'tiny/bss/initrd-right-behind',
    why:
      'the stub writes a few globals in .bss, where the initrd lies; which words of ' +
      '.bss they are stands in no header',
  },
]
