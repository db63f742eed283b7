/** The end of boot services: the memory map becomes e820 in boot_params. Chapter EP. */
import { sizeOf, type Range } from '../../bytes/range.ts'
import { boot_e820_entry, boot_params, E820_MAX_ENTRIES_ZEROPAGE, efi_info, EFI64_LOADER_SIGNATURE } from '../../image/boot-params.ts'
import { EFI_MEMORY_SP, EfiACPIMemoryNVS, EfiACPIReclaimMemory, EfiBootServicesCode, EfiBootServicesData, EfiConventionalMemory, EfiLoaderCode, EfiLoaderData, EfiMemoryMappedIO, EfiMemoryMappedIOPortSpace, EfiPalCode, EfiPersistentMemory, EfiReservedMemoryType, EfiRuntimeServicesCode, EfiRuntimeServicesData, EfiUnusableMemory, type MemoryDescriptor } from '../../image/memory-types.ts'
import { told } from '../../machine/told.ts'
import { little, patchBootParams, type KernelBoot, type Step } from '../boot.ts'
import { stubOptions } from './words.ts'

/** E820 types. Source: linux@5.10.223 arch/x86/include/uapi/asm/bootparam.h and asm/e820/types.h. */
const E820_TYPE_RAM = 1
const E820_TYPE_RESERVED = 2
const E820_TYPE_ACPI = 3
const E820_TYPE_NVS = 4
const E820_TYPE_UNUSABLE = 5
const E820_TYPE_PMEM = 7
const E820_TYPE_SOFT_RESERVED = 0xefffffff

/** UEFI's types by what setup_e820 makes of them; a type that is not here is left out. */
const E820_TYPES: ReadonlyMap<number, number> = new Map([
  ...[EfiReservedMemoryType, EfiRuntimeServicesCode, EfiRuntimeServicesData, EfiMemoryMappedIO, EfiMemoryMappedIOPortSpace, EfiPalCode].map(type => [type, E820_TYPE_RESERVED] as const),
  ...[EfiLoaderCode, EfiLoaderData, EfiBootServicesCode, EfiBootServicesData, EfiConventionalMemory].map(type => [type, E820_TYPE_RAM] as const),
  [EfiUnusableMemory, E820_TYPE_UNUSABLE],
  [EfiACPIReclaimMemory, E820_TYPE_ACPI],
  [EfiACPIMemoryNVS, E820_TYPE_NVS],
  [EfiPersistentMemory, E820_TYPE_PMEM],
])

/** Size of a descriptor in edk2's map. Source: edk2@stable202211 MdeModulePkg/Core/Dxe/Mem/Page.c CoreGetMemoryMap. */
const DESCRIPTOR_SIZE = 48
/** Value of alt_mem_k after exit_boot. Source: linux@5.10.223 drivers/firmware/efi/libstub/x86-stub.c exit_boot. */
const ALT_MEM_K = 32768

export interface E820Entry {
  readonly addr: number
  readonly size: number
  readonly type: number
}

/** setup_e820: neighbours of one type become one entry. `softReserve`: what would be RAM is soft-reserved where it is specific-purpose memory. */
export function e820Of(map: readonly MemoryDescriptor[], softReserve = true): E820Entry[] {
  const entries: E820Entry[] = []
  for (const { type, range, attribute } of map) {
    const known = E820_TYPES.get(type)
    if (known === undefined) continue
    const kind = softReserve && known === E820_TYPE_RAM && (attribute & EFI_MEMORY_SP) !== 0n ? E820_TYPE_SOFT_RESERVED : known
    const last = entries.at(-1)
    if (last?.type === kind && last.addr + last.size === range.start) entries[entries.length - 1] = { ...last, size: last.size + sizeOf(range) }
    else entries.push({ addr: range.start, size: sizeOf(range), type: kind })
  }
  return entries
}

/** Takes the last memory map into pool memory of `poolType` with room for `slack` more descriptors, then ends boot services. */
function exitWith(poolType: number, slack: number): Step {
  return boot => {
    const { machine } = boot
    machine.step('EP-18', 'the EFI stub takes the memory map and ends boot services', () => {
      const room = machine.firmware.memoryMap().length + slack
      const size = room * DESCRIPTOR_SIZE
      const buffer = machine.firmware.allocatePool(poolType, size, 'efi-stub:memory-map')
      if (buffer.status !== 'EFI_SUCCESS') return machine.refuse('EP-18', buffer.status, 'no pool memory for the memory map', 'exit_boot() failed!')
      boot.finalMap = machine.firmware.memoryMap()
      const used: Range = { start: buffer.at, end: (buffer.at + boot.finalMap.length * DESCRIPTOR_SIZE) as Range['end'] }
      machine.memory.make(used, 'efi-stub:memory-map')
      const added = machine.firmware.addedOnExit ?? 0
      if (boot.finalMap.length + added > room) machine.refuse('EP-18', 'EFI_BUFFER_TOO_SMALL', `the map has grown by ${String(added)} descriptors when it is taken again, the buffer has room for ${String(room - boot.finalMap.length)}`, 'exit_boot() failed!')
      machine.firmware.exitBootServices()
      describeMap(boot, used)
    })
    machine.step('EP-19', 'the memory map becomes the e820 table of boot_params', () => {
      const entries = e820Of(boot.finalMap, stubOptions(boot.commandLine?.text ?? '').softReserve)
      const kept = entries.slice(0, E820_MAX_ENTRIES_ZEROPAGE)
      const table = new Uint8Array(kept.length * boot_e820_entry.size)
      kept.forEach(({ addr, size, type }, i) => {
        table.set(boot_e820_entry.write({ addr: BigInt(addr), size: BigInt(size), type }), i * boot_e820_entry.size)
      })
      if (kept.length < entries.length) machine.assume('EP-19', 'e820 entries that do not fit boot_params are chained to it in pool memory')
      patchBootParams(boot, boot_params.fields.e820_entries[0], little(kept.length, 1))
      patchBootParams(boot, boot_params.fields.e820_table[0], table)
      patchBootParams(boot, boot_params.fields.alt_mem_k[0], little(ALT_MEM_K, 4))
    })
  }
}

function describeMap(boot: KernelBoot, map: Range): void {
  const info = efi_info.write({
    efi_loader_signature: EFI64_LOADER_SIGNATURE,
    efi_memdesc_size: DESCRIPTOR_SIZE,
    efi_memdesc_version: 1,
    efi_memmap: map.start % 2 ** 32,
    efi_memmap_hi: Math.floor(map.start / 2 ** 32),
    efi_memmap_size: sizeOf(map),
  })
  patchBootParams(boot, boot_params.fields.efi_info[0], info)
}

/** Slack descriptors. Source: EFI_MMAP_NR_SLACK_SLOTS in linux@5.10.223 and linux@6.12.107 drivers/firmware/efi/libstub/efistub.h. */
const SLACK = 8
const MORE_SLACK = 32

/** The map lies in loader data, with 8 descriptors to spare. */
export const exitWithLoaderData = told(exitWith(EfiLoaderData, SLACK), { type: 'EfiLoaderData', slack: SLACK })
/** The map lies in memory that ACPI would reclaim, with 8 descriptors to spare. */
export const exitWithReclaimable = told(exitWith(EfiACPIReclaimMemory, SLACK), { type: 'EfiACPIReclaimMemory', slack: SLACK })
/** The same with 32 descriptors to spare. */
export const exitWithMoreSlack = told(exitWith(EfiACPIReclaimMemory, MORE_SLACK), { type: 'EfiACPIReclaimMemory', slack: MORE_SLACK })
