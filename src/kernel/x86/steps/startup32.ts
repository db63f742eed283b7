/** The boot protocol's own entries: writes of startup_32, and running in the loader's copy. Chapter ZO. */
import { rangeAt } from '../../../bytes/range.ts'
import { phys, wrap32 } from '../../../bytes/units.ts'
import { E820_TYPE_RAM } from '../../../image/x86/e820-table.ts'
import { EfiConventionalMemory, type MemoryDescriptor } from '../../../image/memory-types.ts'
import type { KernelBehaviour } from '../behaviour.ts'
import { guestAlign, guestRange, zeroPageOf, type KernelBoot, type Step } from '../boot.ts'

/** A call and its return address. Source: linux@6.12.107 arch/x86/boot/compressed/head_64.S startup_32. */
const STACK = 16
/** BOOT_INIT_PGT_SIZE: six pages. Source: linux@6.12.107 arch/x86/include/asm/boot.h. */
const FIRST_TABLES = 0x6000
/** EFI_MEMORY_WB: what ordinary memory has. Source: uefi@2.10 section 7.2.3. */
const EFI_MEMORY_WB = 0x8n

/** RAM in the e820 table of boot_params, in its order. */
export function ramOf(boot: KernelBoot): MemoryDescriptor[] {
  return zeroPageOf(boot)
    .e820()
    .flatMap(({ addr, size, type }) => {
      const where = type === E820_TYPE_RAM ? guestRange(addr, size) : null
      return where === null ? [] : [{ type: EfiConventionalMemory, range: where, attribute: EFI_MEMORY_WB }]
    })
}

/** The loader's copy runs: memory comes from its e820 table, and .bss after its copy is written. */
export function useLoadersCopy(boot: KernelBoot): void {
  const { machine, file, zo, object } = boot
  machine.step('ZO-20', 'the decompressor runs in the copy that the loader made', () => {
    boot.finalMap = ramOf(boot)
    const foreign = machine.memory.occupants(
      rangeAt(zo + file.bss, file.ebss - file.bss),
      owner => owner === object,
    )
    if (foreign.length > 0)
      machine.unmodelled(
        'ZO-20',
        `low memory is saved somewhere in .bss of the loader's copy, where ` +
          `${foreign[0]?.whose?.object ?? 'something'} lies`,
      )
  })
}

/** startup_32 with its own computation of the window: an address with bit 31 set may count as negative. */
export function startup32({ compares }: KernelBehaviour['startup32']): Step {
  const compared = compares === 'signed' ? signed32 : (value: number) => value
  return boot => {
    const { machine, file, zo, object } = boot
    machine.step('ZO-21', 'startup_32 builds the first page tables where the copy will build its own', () => {
      const page = zeroPageOf(boot)
      page.set('scratch', 0)
      const stack = zo + file.bootStackEnd - STACK
      machine.memory.make(rangeAt(stack, STACK), object, file.setupSize + file.bootStackEnd - STACK)
      const aligned = wrap32(guestAlign(zo, page.hdr.get('kernel_alignment')))
      const start =
        !file.relocatable || compared(aligned) < file.loadPhysicalAddress ? file.loadPhysicalAddress : aligned
      const moved = wrap32(start + page.hdr.get('init_size') - file.end)
      const tables = rangeAt(phys(moved + file.pgtable), FIRST_TABLES)
      machine.memory.zero(tables, object, file.setupSize + file.pgtable)
    })
  }
}

/** 32 bits as a signed number. */
function signed32(value: number): number {
  return value >= 2 ** 31 ? value - 2 ** 32 : value
}
