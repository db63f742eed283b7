/** The initrd that the stub offers through LoadFile2. Chapter EP. */
import { printed } from '../../../messages/texts.ts'
import { rangeAt } from '../../../bytes/range.ts'
import { PHYS_END, pagesOf } from '../../../bytes/units.ts'
import { EfiLoaderData } from '../../../image/memory-types.ts'
import type { KernelBehaviour } from '../behaviour.ts'
import { zeroPageOf, type KernelBoot, type Step } from '../boot.ts'
import { loadFiles } from './initrd-files.ts'
import { stubOptions } from './cmdline-parser.ts'

/** Address and size in bytes of the initrd in boot_params. */
export function ramdisk(boot: KernelBoot): { readonly at: number; readonly size: number } {
  const page = zeroPageOf(boot)
  return { at: page.whole('ramdisk_image'), size: page.whole('ramdisk_size') }
}

/** struct linux_efi_initrd: base and size. Source: linux@6.12.107 include/linux/efi.h. */
const TABLE = 16

/** Whether LoadFile2 is tried, and the command line read if it has no initrd. */
export function initrd({ loadFile2, files, table }: KernelBehaviour['initrd']): Step {
  if (!loadFile2) return leaveInitrd
  const load = files ? loadInitrdOrFiles : loadInitrd
  if (!table) return load
  return boot => {
    const before = ramdisk(boot)
    load(boot)
    const { at, size } = ramdisk(boot)
    if (at !== before.at || size !== before.size) keepTable(boot)
  }
}

/** The configuration table LINUX_EFI_INITRD_MEDIA, which outlives boot services. */
function keepTable({ machine }: KernelBoot): void {
  machine.step('EP-67', 'the EFI stub keeps a table with the address of the initrd', () => {
    const table = machine.firmware.allocatePool(EfiLoaderData, TABLE, 'efi-stub:initrd-table')
    if (table.at === null)
      machine.refuse(
        'EP-67',
        table.status,
        'no pool memory for the table of the initrd',
        printed('kernel/initrd', { status: '0x8000000000000009' }),
      )
  })
}

/**
 * Loads it into pages of its own, as high as the firmware allocates; after a handover boot_params stays as it
 * is.
 */
function loadInitrd(boot: KernelBoot): void {
  const { machine, from } = boot
  machine.step('EP-14', 'the EFI stub requests an initrd through LoadFile2', () => {
    if (
      machine.step(
        'EP-37',
        'the EFI stub checks for noinitrd on the command line',
        () => stubOptions(boot.commandLine?.text ?? '').noinitrd,
      )
    )
      return
    const offer = ('initrd' in from ? from.initrd : null) ?? null
    if (offer === null || offer.size === 0) return
    const got = machine.firmware.allocatePages(
      { kind: 'max', limit: PHYS_END - 1 },
      EfiLoaderData,
      pagesOf(offer.size),
      'initrd',
    )
    if (got.status !== 'EFI_SUCCESS')
      return machine.refuse(
        'EP-14',
        got.status,
        `no pages for an initrd of ${String(offer.size)} bytes`,
        printed('kernel/initrd', { status: '0x8000000000000009' }),
      )
    const { at, file } = offer
    machine.as('stub', () =>
      file === undefined
        ? machine.memory.copy(got.at, rangeAt(at, offer.size))
        : machine.memory.put(got.at, { source: file, at: 0, length: offer.size }, offer.object),
    )
    const page = zeroPageOf(boot)
    page.setWhole('ramdisk_image', got.at)
    page.setWhole('ramdisk_size', offer.size)
    boot.initrdObject = from.initrdObject
  })
}

/** The same; without one the command line is read. */
function loadInitrdOrFiles(boot: KernelBoot): void {
  const { from } = boot
  loadInitrd(boot)
  if (!('initrd' in from) || from.initrd == null) loadFiles(boot)
}

/** Kernels before LoadFile2: boot_params stays as it is, and a registered initrd is not requested. */
function leaveInitrd(boot: KernelBoot): void {
  boot.machine.step('EP-31', 'the EFI stub does not support LoadFile2', () => undefined)
}
