/** reserve_initrd of the extracted kernel: which initrd it takes, and how large it may be. Chapter ZO. */
import { PAGE } from '../../../bytes/units.ts'
import { E820_TYPE_RAM } from '../../../image/x86/e820-table.ts'
import { printed } from '../../../messages/texts.ts'
import type { KernelBehaviour } from '../behaviour.ts'
import { zeroPageOf, type KernelBoot, type Step } from '../boot.ts'
import { parametersOf } from './cmdline-parser.ts'
import { e820Of } from './e820.ts'
import { ramdisk } from './initrd.ts'
import { memoryOptions } from './memory-options.ts'

/** Does the extracted kernel ignore what boot_params says of an initrd? */
export function ignoresInitrd(boot: KernelBoot): boolean {
  return zeroPageOf(boot).hdr.get('type_of_loader') === 0
}

/** The checks of this release. */
export function reserveInitrd({ below, initrdmem }: KernelBehaviour['reserveInitrd']): Step {
  return boot => {
    if (ignoresInitrd(boot)) {
      noteIgnored(boot)
      return
    }
    if (initrdmem) noteInitrdmem(boot)
    if (below === 'half-of-memory') checkSize(boot)
  }
}

function noteIgnored(boot: KernelBoot): void {
  const { machine } = boot
  machine.step('ZO-51', 'the extracted kernel was started by a boot loader without a type', () => {
    if (boot.initrdObject !== null)
      machine.unmodelled('ZO-51', 'type_of_loader in boot_params is 0: the kernel ignores the initrd')
  })
}

function noteInitrdmem(boot: KernelBoot): void {
  const { machine, commandLine } = boot
  const { at, size } = ramdisk(boot)
  if (at !== 0 && size !== 0) return
  if (!parametersOf(commandLine?.text ?? '').some(({ name }) => name === 'initrdmem')) return
  machine.step('ZO-52', 'the command line names an initrd by its address', () => {
    machine.unmodelled('ZO-52', 'what lies at the address that initrdmem= names is not known')
  })
}

/** memblock_mem_size: the pages of RAM; page 0 is not among them. */
function checkSize(boot: KernelBoot): void {
  const { machine } = boot
  const { at, size } = ramdisk(boot)
  if (at === 0 || size === 0) return
  machine.step('ZO-53', 'the extracted kernel compares its initrd with half of its memory', () => {
    const { limit } = memoryOptions(boot.commandLine?.text ?? '')
    const memory = ramOf(boot, limit)
    const half = Math.floor(memory / 2)
    if (size >= half)
      machine.refuse(
        'ZO-53',
        'EFI_OUT_OF_RESOURCES',
        `an initrd of ${String(size)} bytes needs more than half of the memory, ${String(memory)} bytes`,
        printed('kernel/initrd-too-large', { needed: String(size), available: String(half) }),
      )
  })
}

/** Bytes of whole pages of RAM below `limit`. */
function ramOf(boot: KernelBoot, limit: number): number {
  const entries = boot.finalMap.length > 0 ? e820Of(boot.finalMap) : zeroPageOf(boot).e820()
  return entries
    .filter(({ type }) => type === E820_TYPE_RAM)
    .reduce((sum, { addr, size }) => {
      const start = Math.max(Math.ceil(addr / PAGE), 1)
      const end = Math.floor(Math.min(addr + size, limit) / PAGE)
      return sum + Math.max(end - start, 0) * PAGE
    }, 0)
}
