/** What differs between firmware releases, as rows: data for the allocator and the loader (chapters FW, PE). */

/** A range that one memory type is steered into. */
export interface Bin {
  /** UEFI's number. */
  readonly type: number
  /** Lowest address of the bin. */
  readonly base: number
  /** Highest byte of the bin. */
  readonly max: number
}

/** One firmware's habits with memory. */
export interface FirmwareRow {
  readonly id: string
  /** How free pages are searched: EDK2's three searches, plainly from the top (FW-29, FW-33), or from the bottom (FW-31). */
  readonly search: 'bins-then-top' | 'top-down' | 'bottom-up'
  /** Is the limit of AllocateMaxAddress the highest byte, or rounded down to a page and excluded (FW-29)? */
  readonly limit: 'inclusive' | 'exclusive'
  /** How the pool takes memory: EDK2's blocks (FW-16), or whole pages behind a head of so many bytes (FW-30, FW-32). */
  readonly pool: 'blocks' | { readonly head: number }
  /** How free pages of a special bin are shown: as the bin's type where a whole free descriptor lies in it, or split at its edges (FW-15, FW-34). */
  readonly freeInBin: 'whole' | 'split'
  /** Are free pages with EFI_MEMORY_SP passed over? Source: edk2 4d4f569924 (2024.08). */
  readonly specialPurpose: 'taken' | 'skipped'
  /** Is AllocateAddress at address 0 refused? Source: edk2 91bb5cee36 (2025.08). */
  readonly addressZero: 'granted' | 'refused'
  /** A section without raw data that begins outside the image. Source: edk2 b7735a087a (2024.11). */
  readonly emptySectionOutside: 'zeroes-address-0' | 'skipped'
}

const EDK2 = { search: 'bins-then-top', limit: 'inclusive', pool: 'blocks', freeInBin: 'whole', specialPurpose: 'taken', addressZero: 'granted', emptySectionOutside: 'zeroes-address-0' } as const
const EDK2_2024 = { ...EDK2, specialPurpose: 'skipped', emptySectionOutside: 'skipped' } as const
/** sizeof(struct efi_pool_allocation), its data aligned to a cache line of 64 bytes. Source: u-boot@2023.01 lib/efi_loader/efi_memory.c. */
const U_BOOT_POOL_HEAD = 64

/** Rows by name. A firmware that is none of them is described by the nearest one and an assumption, said by whoever chooses. */
export const FIRMWARE_ROWS = {
  'edk2-2020.11': { ...EDK2, id: 'edk2-2020.11' },
  'edk2-2022.11': { ...EDK2, id: 'edk2-2022.11' },
  'edk2-2024.11': { ...EDK2_2024, id: 'edk2-2024.11' },
  'edk2-2025.02': { ...EDK2_2024, id: 'edk2-2025.02' },
  'edk2-2025.08': { ...EDK2_2024, id: 'edk2-2025.08', addressZero: 'refused' },
  'edk2-2026.05': { ...EDK2_2024, id: 'edk2-2026.05', addressZero: 'refused', freeInBin: 'split' },
  'u-boot': { ...EDK2, id: 'u-boot', search: 'top-down', limit: 'exclusive', pool: { head: U_BOOT_POOL_HEAD } },
  'rust-hypervisor-firmware': { ...EDK2, id: 'rust-hypervisor-firmware', search: 'bottom-up', pool: { head: 0 } },
  patina: { ...EDK2_2024, id: 'patina', search: 'top-down' },
} as const satisfies Record<string, FirmwareRow>

export type FirmwareRowId = keyof typeof FIRMWARE_ROWS

/** Where a firmware searches first. */
export interface SearchPolicy {
  readonly bins: readonly Bin[]
  /** Highest byte of the default search range. */
  readonly defaultMax: number
}
