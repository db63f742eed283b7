/**
 * The e820 table that the EFI stub makes from the firmware's map, and the entries that do not fit into
 * boot_params. Chapter EP.
 */
import { phys, type Phys } from '../../../bytes/units.ts'
import { boot_e820_entry, E820_MAX_ENTRIES_ZEROPAGE, setup_data } from '../../../image/x86/boot-params.ts'
import {
  e820Table,
  E820_TYPE_ACPI,
  E820_TYPE_NVS,
  E820_TYPE_PMEM,
  E820_TYPE_RAM,
  E820_TYPE_RESERVED,
  E820_TYPE_SOFT_RESERVED,
  E820_TYPE_UNUSABLE,
  type E820Entry,
} from '../../../image/x86/e820-table.ts'
import {
  EfiACPIMemoryNVS,
  EfiACPIReclaimMemory,
  EfiLoaderData,
  EfiMemoryMappedIO,
  EfiMemoryMappedIOPortSpace,
  EfiPalCode,
  EfiPersistentMemory,
  EfiReservedMemoryType,
  EfiRuntimeServicesCode,
  EfiRuntimeServicesData,
  EfiUnacceptedMemoryType,
  EfiUnusableMemory,
  FREE_AFTER_EXIT,
  isSpecialPurpose,
  type MemoryDescriptor,
} from '../../../image/memory-types.ts'
import { e820Bytes } from '../../../machine/x86/zero-page.ts'
import { zeroPageOf, type KernelBoot } from '../boot.ts'
import { appendNode, SETUP_E820_EXT } from './setup-data.ts'
import { stubOptions } from './cmdline-parser.ts'

/** E820 types that setup_e820 uses for UEFI's types; other types are left out. */
const E820_TYPES: ReadonlyMap<number, number> = new Map([
  ...[
    EfiReservedMemoryType,
    EfiRuntimeServicesCode,
    EfiRuntimeServicesData,
    EfiMemoryMappedIO,
    EfiMemoryMappedIOPortSpace,
    EfiPalCode,
  ].map(type => [type, E820_TYPE_RESERVED] as const),
  ...FREE_AFTER_EXIT.map(type => [type, E820_TYPE_RAM] as const),
  [EfiUnusableMemory, E820_TYPE_UNUSABLE],
  [EfiACPIReclaimMemory, E820_TYPE_ACPI],
  [EfiACPIMemoryNVS, E820_TYPE_NVS],
  [EfiPersistentMemory, E820_TYPE_PMEM],
])
/** The same as a list by UEFI's type: a map has thousands of descriptors. */
const BY_TYPE = Array.from({ length: 16 }, (_, type) => E820_TYPES.get(type) ?? null)
/**
 * sizeof(struct e820_entry), by which the stub counts. Source: linux@5.10.223
 * arch/x86/include/asm/e820/types.h.
 */
const ENTRY = boot_e820_entry.size
/**
 * Value of alt_mem_k after exit_boot. Source: linux@5.10.223 drivers/firmware/efi/libstub/x86-stub.c
 * exit_boot.
 */
const ALT_MEM_K = 32768

/** The type of a descriptor; null if the stub leaves it out. */
function typeOf(
  softReserve: boolean,
  takesUnaccepted: boolean,
): (descriptor: MemoryDescriptor) => number | null {
  return descriptor => {
    const { type } = descriptor
    if (type === EfiUnacceptedMemoryType) return takesUnaccepted ? E820_TYPE_RAM : null
    const known = BY_TYPE[type] ?? null
    const soft = softReserve && known === E820_TYPE_RAM && isSpecialPurpose(descriptor)
    return soft ? E820_TYPE_SOFT_RESERVED : known
  }
}

/**
 * setup_e820: neighbours of one type become one entry. `softReserve`: specific-purpose memory becomes
 * soft-reserved instead of RAM. `takesUnaccepted`: unaccepted memory counts as RAM.
 */
export function e820Of(
  map: readonly MemoryDescriptor[],
  softReserve = true,
  takesUnaccepted = false,
): E820Entry[] {
  return e820Table(map, typeOf(softReserve, takesUnaccepted)).map(({ addr, size, type }) => ({
    addr,
    size,
    type,
  }))
}

/** Pool memory for entries that may not fit boot_params. */
export interface ExtraRoom {
  readonly at: Phys
  /** Bytes. */
  readonly size: number
}

/** The final message of a stub that fails; `first` is printed before it. */
export type GiveUp = (
  status: 'EFI_OUT_OF_RESOURCES' | 'EFI_BUFFER_TOO_SMALL',
  why: string,
  first?: string,
) => never

/** allocate_e820: room for the entries that `descriptors` may need beyond boot_params; null if none are. */
export function roomForEntries(boot: KernelBoot, descriptors: number, giveUp: GiveUp): ExtraRoom | null {
  const { machine } = boot
  return machine.step(
    'EP-41',
    'the EFI stub allocates room for e820 entries that may not fit boot_params',
    () => {
      const beyond = descriptors - E820_MAX_ENTRIES_ZEROPAGE
      if (beyond <= 0) return null
      const size = setup_data.size + ENTRY * beyond
      const { at } = machine.firmware.allocatePool(EfiLoaderData, size, EXTRA)
      return at === null
        ? giveUp('EFI_OUT_OF_RESOURCES', `no pool memory for ${String(beyond)} e820 entries`)
        : { at: phys(at), size }
    },
  )
}

const EXTRA = 'efi-stub:e820-ext'

/** setup_e820: the table in boot_params, and after it a node of setup_data. */
export function writeEntries(
  boot: KernelBoot,
  takesUnaccepted: boolean,
  room: ExtraRoom | null,
  giveUp: GiveUp,
): void {
  const { machine } = boot
  const page = zeroPageOf(boot)
  const { softReserve } = stubOptions(boot.commandLine?.text ?? '')
  const entries = e820Table(boot.finalMap, typeOf(softReserve, takesUnaccepted))
  const kept = entries.slice(0, E820_MAX_ENTRIES_ZEROPAGE)
  const more = entries.slice(E820_MAX_ENTRIES_ZEROPAGE)
  machine.step('EP-19', 'the memory map becomes the e820 table of boot_params', () => {
    page.set('alt_mem_k', ALT_MEM_K)
    page.setE820(0, kept)
  })
  const [first] = more
  if (first !== undefined) {
    machine.step('EP-42', 'e820 entries that do not fit boot_params become a node of setup_data', () => {
      const need = setup_data.size + ENTRY * (boot.finalMap.length - first.row)
      if (room === null || room.size < need)
        return giveUp(
          'EFI_BUFFER_TOO_SMALL',
          `${String(entries.length)} e820 entries, but room for ${String(kept.length)} and ` +
            `${String(room?.size ?? 0)} bytes more`,
        )
      appendNode(boot, room.at, {
        type: SETUP_E820_EXT,
        length: setup_data.size + ENTRY * more.length,
        object: EXTRA,
      })
      machine.memory.patch(phys(room.at + setup_data.size), e820Bytes(more), EXTRA, setup_data.size)
    })
  }
  machine.step('EP-19', 'e820_entries is set', () => {
    page.set('e820_entries', kept.length)
  })
}
