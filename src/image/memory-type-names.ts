/**
 * The names that firmware shells, kernels and boot loaders print for UEFI's memory types, and the attribute
 * flags that they print. Source: facts read in EDK2, Linux, GRUB and U-Boot output.
 */
import { once } from '../bytes/once.ts'
import {
  EFI_MEMORY_MORE_RELIABLE,
  EFI_MEMORY_RUNTIME,
  EFI_MEMORY_SP,
  MEMORY_TYPE_NAMES,
} from './memory-types.ts'

/** UEFI shell `memmap`, by number: as written by formatMemmap. */
export const SHELL_TYPE_NAMES = [
  'Reserved',
  'LoaderCode',
  'LoaderData',
  'BS_Code',
  'BS_Data',
  'RT_Code',
  'RT_Data',
  'Available',
  'Unusable',
  'ACPI_Recl',
  'ACPI_NVS',
  'MMIO',
  'MMIO_Port',
  'PalCode',
  'Persistent',
  'Unaccepted',
] as const

const DIALECTS: readonly (readonly string[])[] = [
  MEMORY_TYPE_NAMES,
  SHELL_TYPE_NAMES,
  [
    'Reserved',
    'LoaderCode',
    'LoaderData',
    'BootServiceCode',
    'BootServiceData',
    'RuntimeCode',
    'RuntimeData',
    'Available',
    'UnusableMemory',
    'ACPIReclaimMemory',
    'ACPIMemoryNVS',
    'MemoryMappedIO',
    'MemoryMappedIOPortSpace',
    'PalCode',
    'Persistent',
    'Unaccepted',
  ],
  [
    'Reserved',
    'Loader Code',
    'Loader Data',
    'Boot Code',
    'Boot Data',
    'Runtime Code',
    'Runtime Data',
    'Conventional',
    'Unusable',
    'ACPI Reclaim',
    'ACPI Mem NVS',
    'MMIO',
    'MMIO Port',
    'PAL Code',
    'Persistent',
    'Unaccepted',
  ],
  [
    'Reserved',
    'Loader Code',
    'Loader Data',
    'Boot Code',
    'Boot Data',
    'Runtime Code',
    'Runtime Data',
    'Conventional Memory',
    'Unusable Memory',
    'ACPI Reclaim Memory',
    'ACPI Memory NVS',
    'Memory Mapped I/O',
    'MMIO Port Space',
    'PAL Code',
    'Persistent Memory',
  ],
  [
    'reserved',
    'ldr-code',
    'ldr-data',
    'BS-code',
    'BS-data',
    'RT-code',
    'RT-data',
    'conv-mem',
    'unusable',
    'ACPI-rec',
    'ACPI-nvs',
    'MMIO',
    'IO-ports',
    'PAL-code',
    'persist',
  ],
  [
    'ReservedMemory',
    'LoaderCode',
    'LoaderData',
    'BootServicesCode',
    'BootServicesData',
    'RuntimeServicesCode',
    'RuntimeServicesData',
    'ConventionalMemory',
    'UnusableMemory',
    'ACPIReclaimMemory',
    'ACPIMemoryNVS',
    'MemoryMappedIO',
    'MemoryMappedIOPortSpace',
    'PalCode',
    'PersistentMemory',
    'UnacceptedMemory',
  ],
  [
    'RESERVED',
    'LOADER CODE',
    'LOADER DATA',
    'BOOT CODE',
    'BOOT DATA',
    'RUNTIME CODE',
    'RUNTIME DATA',
    'CONVENTIONAL',
    'UNUSABLE MEM',
    'ACPI RECLAIM MEM',
    'ACPI NVS',
    'IO',
    'IO PORT',
    'PAL',
    'PERSISTENT',
  ],
  [
    'RESERVED',
    'LOADER_CODE',
    'LOADER_DATA',
    'BOOT_SERVICES_CODE',
    'BOOT_SERVICES_DATA',
    'RUNTIME_SERVICES_CODE',
    'RUNTIME_SERVICES_DATA',
    'CONVENTIONAL',
    'UNUSABLE',
    'ACPI_RECLAIM',
    'ACPI_NON_VOLATILE',
    'MMIO',
    'MMIO_PORT_SPACE',
    'PAL_CODE',
    'PERSISTENT_MEMORY',
    'UNACCEPTED',
  ],
]

const byName = once(
  (): ReadonlyMap<string, number> =>
    new Map(DIALECTS.flatMap(names => names.map((name, type) => [name.toLowerCase(), type] as const))),
)

/** The type of a name printed by any of these programs; null for an unknown name. */
export function memoryTypeOf(name: string): number | null {
  return byName().get(name.trim().toLowerCase()) ?? null
}

/**
 * Attribute flags as the kernel (`RUN`, `MR`, `HP`), GRUB (`RT`), U-Boot (`REL`, `HOTPL`) and FreeBSD print
 * them.
 */
const FLAGS: Readonly<Record<string, bigint>> = {
  UC: 1n,
  WC: 2n,
  WT: 4n,
  WB: 8n,
  UCE: 0x10n,
  WP: 0x1000n,
  RP: 0x2000n,
  XP: 0x4000n,
  NV: 0x8000n,
  MR: EFI_MEMORY_MORE_RELIABLE,
  RO: 0x20000n,
  SP: EFI_MEMORY_SP,
  CC: 0x80000n,
  HP: 0x100000n,
  REL: EFI_MEMORY_MORE_RELIABLE,
  CRYPT: 0x80000n,
  HOTPL: 0x100000n,
  RUN: EFI_MEMORY_RUNTIME,
  RT: EFI_MEMORY_RUNTIME,
  RUNTIME: EFI_MEMORY_RUNTIME,
  MORE_RELIABLE: EFI_MEMORY_MORE_RELIABLE,
}

/** The attribute bits of a list of printed flags; unknown flags are ignored. */
export function attributeOf(flags: readonly string[]): bigint {
  return flags.reduce((bits, flag) => bits | (FLAGS[flag.trim()] ?? 0n), 0n)
}
