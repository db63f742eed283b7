/** The page tables that the moved decompressor builds for itself, at the end of the window. Chapter ZO. */
import { rangeAt } from '../../../bytes/range.ts'
import { PAGE } from '../../../bytes/units.ts'
import type { KernelBehaviour } from '../behaviour.ts'
import type { KernelBoot, PageTablesStep, Window } from '../boot.ts'

/** Always after the move, or only once a random address is to be chosen. */
export function pageTables({ when }: KernelBehaviour['pageTables']): PageTablesStep {
  return when === 'always'
    ? (boot, window, at) => {
        if (at === 'head_64.S')
          boot.machine.step('ZO-8', 'the copy builds its page tables', () => {
            build(boot, window)
          })
      }
    : (boot, window, at) => {
        boot.machine.step('ZO-50', 'this release builds page tables for KASLR alone', () => {
          if (at === 'kaslr') build(boot, window)
        })
      }
}

/**
 * initialize_identity_maps clears all of `pgtable` before it uses it; the page past it, `top_pgtable`, is for
 * five levels.
 */
function build({ machine, file, object }: KernelBoot, { moved }: Window): void {
  const length = file.end - PAGE - file.pgtable
  machine.memory.make(rangeAt(moved + file.pgtable, length), object, file.setupSize + file.pgtable)
}
