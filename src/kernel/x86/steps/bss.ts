/** Clearing of the decompressor's .bss before the EFI stub uses it. Chapter EP. */
import { rangeAt, type Range } from '../../../bytes/range.ts'
import type { Bss } from '../behaviour.ts'
import type { KernelBoot, Step } from '../boot.ts'

function bssOf(boot: KernelBoot): { where: Range; at: number } {
  const { zo, file, fileAt } = boot
  return { where: rangeAt(zo + file.bss, file.ebss - file.bss), at: zo + file.bss - fileAt }
}

/** The globals of the stub are in .bss and read uncleared. */
export function useBss(boot: KernelBoot): void {
  boot.machine.step('EP-4', 'the EFI stub reads its globals in .bss, which was not cleared', () => {
    const { where, at } = bssOf(boot)
    const { memory } = boot.machine
    const { whole } = memory.readAs(where, boot.object, { at })
    if (
      whole &&
      memory
        .extents(where)
        .some(
          ({ range, content }) =>
            content.kind !== 'fill' && memory.peek(range).bytes.some(byte => byte !== 0),
        )
    ) {
      boot.machine.unmodelled(
        'EP-4',
        'the range of .bss contains non-zero bytes of the kernel file: how the stub uses ' +
          'such globals is not modelled',
      )
    }
  })
}

/** The globals of the stub are in .data; it does not touch .bss. */
function leaveBss(boot: KernelBoot): void {
  boot.machine.step('EP-5', 'the EFI stub keeps its globals in .data and does not use .bss', () => undefined)
}

/** The stub clears .bss first, without checking who owns that memory. */
function clearBss(boot: KernelBoot): void {
  boot.machine.step('EP-6', 'the EFI stub clears .bss', () => {
    const { where, at } = bssOf(boot)
    boot.machine.memory.zero(where, boot.object, at)
  })
}

/** The stub relies on the PE loader, which zeroes the tail of .data. */
function trustLoaderForBss(boot: KernelBoot): void {
  boot.machine.step('EP-7', 'the EFI stub relies on the PE loader for a zeroed .bss', () => {
    const { where, at } = bssOf(boot)
    boot.machine.memory.readAs(where, boot.object, { at })
  })
}

const STEPS: Readonly<Record<Bss, Step>> = {
  'as-found': useBss,
  unused: leaveBss,
  cleared: clearBss,
  trusted: trustLoaderForBss,
}

/** .bss at an entry. */
export function atEntry({ bss }: { readonly bss: Bss }): Step {
  return STEPS[bss]
}
