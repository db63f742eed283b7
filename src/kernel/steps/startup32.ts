/**
 * The boot protocol's own entries: what startup_32 writes, and what running in the loader's copy means.
 * Chapter ZO.
 */
import { rangeAt, sizeOf } from '../../bytes/range.ts'
import { phys, wrap32 } from '../../bytes/units.ts'
import { boot_e820_entry, boot_params } from '../../image/x86/boot-params.ts'
import { EfiConventionalMemory, type MemoryDescriptor } from '../../image/memory-types.ts'
import type { KernelBehaviour } from '../behaviour.ts'
import {
  bootParam,
  guestAlign,
  guestRange,
  header,
  patchBootParams,
  type KernelBoot,
  type Step,
} from '../boot.ts'

/** A call and its return address. Source: linux@6.12.107 arch/x86/boot/compressed/head_64.S startup_32. */
const STACK = 16
/** BOOT_INIT_PGT_SIZE: six pages. Source: linux@6.12.107 arch/x86/include/asm/boot.h. */
const FIRST_TABLES = 0x6000
/** EFI_MEMORY_WB: what ordinary memory has. Source: uefi@2.10 section 7.2.3. */
const EFI_MEMORY_WB = 0x8n
const E820_TYPE_RAM = 1

/** RAM as the e820 table of boot_params has it, in its order. */
export function ramOf(boot: KernelBoot): MemoryDescriptor[] {
  const { machine, bootParams } = boot
  const entries = bootParam(boot, 'e820_entries')
  const table = machine.memory.readRaw(
    rangeAt(bootParams + boot_params.fields.e820_table[0], boot_params.fields.e820_table[1][0]),
  )
  return Array.from({ length: Math.min(entries, table.length / boot_e820_entry.size) }, (_, i) =>
    boot_e820_entry.read(table.subarray(i * boot_e820_entry.size)),
  ).flatMap(entry => {
    const where = entry?.type === E820_TYPE_RAM ? guestRange(Number(entry.addr), Number(entry.size)) : null
    return where === null || sizeOf(where) === 0
      ? []
      : [{ type: EfiConventionalMemory, range: where, attribute: EFI_MEMORY_WB }]
  })
}

/**
 * What the loader put there is what runs: memory comes from its e820, and .bss behind its copy is written.
 */
export function useLoadersCopy(boot: KernelBoot): void {
  const { machine, file, zo, object } = boot
  machine.step('ZO-20', 'the decompressor runs in the copy that the loader made', () => {
    boot.finalMap = ramOf(boot)
    const foreign = machine.memory.occupants(
      rangeAt(zo + file.bss, file.ebss - file.bss),
      owner => owner === object,
    )
    if (foreign.length > 0)
      machine.doubt(
        'ZO-20',
        `low memory is saved somewhere in .bss of the loader's copy, where ${foreign[0]?.whose?.object ?? 'something'} lies`,
      )
  })
}

/** startup_32 with its own idea of the window: an address of which bit 31 is set may count as negative. */
export function startup32({ compares }: KernelBehaviour['startup32']): Step {
  const compared = compares === 'signed' ? signed32 : (value: number) => value
  return boot => {
    const { machine, file, zo, object } = boot
    machine.step('ZO-21', 'startup_32 builds the first page tables where the copy will have its own', () => {
      patchBootParams(boot, boot_params.fields.scratch[0], new Uint8Array(4))
      const stack = zo + file.bootStackEnd - STACK
      machine.memory.make(rangeAt(stack, STACK), object, file.setupSize + file.bootStackEnd - STACK)
      const aligned = wrap32(guestAlign(zo, header(boot, 'kernel_alignment')))
      const start =
        !file.relocatable || compared(aligned) < file.loadPhysicalAddress ? file.loadPhysicalAddress : aligned
      const moved = wrap32(start + header(boot, 'init_size') - file.end)
      const tables = rangeAt(phys(moved + file.pgtable), FIRST_TABLES)
      machine.memory.zero(tables, object, file.setupSize + file.pgtable)
    })
  }
}

/** 32 bits as a signed number. */
function signed32(value: number): number {
  return value >= 2 ** 31 ? value - 2 ** 32 : value
}
