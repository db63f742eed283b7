/**
 * What differs between firmware releases, as rows: data for the allocator and the loader (chapters FW, PE).
 */

/** A range that one memory type is steered into. */
export interface Bin {
  /** UEFI's number. */
  readonly type: number
  /** Lowest address of the bin. */
  readonly base: number
  /** Highest byte of the bin. */
  readonly max: number
}

/** A memory type and how many pages a firmware wants for it, as in the memory type information HOB. */
export interface TypeInformation {
  readonly type: number
  readonly pages: number
}

/** One firmware's habits with memory. */
export interface FirmwareRow {
  readonly id: string
  /**
   * How free pages are searched: EDK2's three searches, plainly from the top (FW-29, FW-33), or from the
   * bottom (FW-31).
   */
  readonly search: 'bins-then-top' | 'top-down' | 'bottom-up'
  /** Is the limit of AllocateMaxAddress the highest byte, or rounded down to a page and excluded (FW-29)? */
  readonly limit: 'inclusive' | 'exclusive'
  /**
   * Types that AllocatePages and AllocatePool turn down: EDK2's (FW-7), or all from EfiPersistentMemory on
   * below the OEM types (FW-48).
   */
  readonly refuses: 'edk2' | 'from-persistent'
  /**
   * Does AllocatePool grant EfiUnacceptedMemoryType? Source: edk2 43e306806e (2022.11), 96192ba5bd (2023.02).
   */
  readonly poolUnaccepted: 'granted' | 'refused'
  /**
   * What FreePages frees: piece by piece up to what is free (FW-10), all of the range (FW-49), what is taken
   * as a whole (FW-50), or what lies in one descriptor (FW-51).
   */
  readonly free: 'pieces' | 'range' | 'taken-range' | 'one-descriptor'
  /**
   * AllocateAddress where a later page is not free: EFI_NOT_FOUND (FW-25) or EFI_OUT_OF_RESOURCES (FW-48).
   */
  readonly addressMiss: 'EFI_NOT_FOUND' | 'EFI_OUT_OF_RESOURCES'
  /** AllocatePages of no page, or AllocateAddress inside a page. */
  readonly oddRequest: 'EFI_NOT_FOUND' | 'EFI_INVALID_PARAMETER'
  /** AllocateMaxAddress that finds nothing. */
  readonly limitMiss: 'EFI_NOT_FOUND' | 'EFI_OUT_OF_RESOURCES'
  /** May another type take free pages of a bin: yes, when all else is full (FW-4), or never (FW-51)? */
  readonly foreignBins: 'last' | 'never'
  /** What FreePages does with read-only pages (FW-44). Source: edk2 2d69507a4d (2025.08). */
  readonly freeReadOnly: 'freed' | 'leaked'
  /**
   * May a guard page be page 0, or lie outside the bin of its allocation (FW-37)? Source: edk2 0f2dc75587
   * (2026.05).
   */
  readonly guardPage: 'anywhere' | 'inside'
  /** Can a HOB say where the bins lie (FW-42)? Source: edk2 af6e0e728f (2024.02). */
  readonly binRange: 'ignored' | 'taken'
  /** Are bins taken one by one, or as one range (FW-41)? Source: edk2 d93ad5f525 (2026.08). */
  readonly binsTaken: 'singly' | 'together'
  /**
   * How the pool takes memory: EDK2's blocks (FW-16), or whole pages behind a head of so many bytes (FW-30,
   * FW-32).
   */
  readonly pool: 'blocks' | { readonly head: number }
  /**
   * Bytes that the pool takes at the least when no region of its own has room, where the model takes pages
   * instead (FW-54); null: it takes what it needs.
   */
  readonly poolStep: number | null
  /**
   * How free pages of a special bin are shown: as the bin's type where a whole free descriptor lies in it, or
   * split at its edges (FW-15, FW-34).
   */
  readonly freeInBin: 'whole' | 'split'
  /** Are free pages with EFI_MEMORY_SP passed over? Source: edk2 4d4f569924 (2024.08). */
  readonly specialPurpose: 'taken' | 'skipped'
  /** Is AllocateAddress at address 0 refused? Source: edk2 91bb5cee36 (2025.08). */
  readonly addressZero: 'granted' | 'refused'
  /** A section without raw data that begins outside the image. Source: edk2 b7735a087a (2024.11). */
  readonly emptySectionOutside: 'zeroes-address-0' | 'skipped'
}

const EDK2 = {
  search: 'bins-then-top',
  limit: 'inclusive',
  refuses: 'edk2',
  poolUnaccepted: 'refused',
  free: 'pieces',
  addressMiss: 'EFI_NOT_FOUND',
  oddRequest: 'EFI_NOT_FOUND',
  limitMiss: 'EFI_OUT_OF_RESOURCES',
  foreignBins: 'last',
  freeReadOnly: 'freed',
  guardPage: 'anywhere',
  binRange: 'ignored',
  binsTaken: 'singly',
  pool: 'blocks',
  poolStep: null,
  freeInBin: 'whole',
  specialPurpose: 'taken',
  addressZero: 'granted',
  emptySectionOutside: 'zeroes-address-0',
} as const
const SINCE_2024_02 = { ...EDK2, binRange: 'taken' } as const
const SINCE_2024_08 = { ...SINCE_2024_02, specialPurpose: 'skipped' } as const
const SINCE_2024_11 = { ...SINCE_2024_08, emptySectionOutside: 'skipped' } as const
const SINCE_2025_08 = { ...SINCE_2024_11, addressZero: 'refused', freeReadOnly: 'leaked' } as const
const SINCE_2026_02 = { ...SINCE_2025_08, freeInBin: 'split' } as const
const SINCE_2026_05 = { ...SINCE_2026_02, guardPage: 'inside' } as const
/**
 * sizeof(struct efi_pool_allocation), its data aligned to a cache line of 64 bytes. Source: u-boot@2023.01
 * lib/efi_loader/efi_memory.c.
 */
const U_BOOT_POOL_HEAD = 64
const U_BOOT = {
  ...EDK2,
  search: 'top-down',
  limit: 'exclusive',
  refuses: 'from-persistent',
  free: 'range',
  addressMiss: 'EFI_OUT_OF_RESOURCES',
  pool: { head: U_BOOT_POOL_HEAD },
} as const

/**
 * Rows by name. A firmware that is none of them is described by the nearest one and an assumption, said by
 * whoever chooses.
 */
export const FIRMWARE_ROWS = {
  'edk2-2020.11': { ...EDK2, id: 'edk2-2020.11' },
  'edk2-2022.11': { ...EDK2, id: 'edk2-2022.11', poolUnaccepted: 'granted' },
  'edk2-2023.02': { ...EDK2, id: 'edk2-2023.02' },
  'edk2-2024.02': { ...SINCE_2024_02, id: 'edk2-2024.02' },
  'edk2-2024.08': { ...SINCE_2024_08, id: 'edk2-2024.08' },
  'edk2-2024.11': { ...SINCE_2024_11, id: 'edk2-2024.11' },
  'edk2-2025.02': { ...SINCE_2024_11, id: 'edk2-2025.02' },
  'edk2-2025.08': { ...SINCE_2025_08, id: 'edk2-2025.08' },
  'edk2-2026.02': { ...SINCE_2026_02, id: 'edk2-2026.02' },
  'edk2-2026.05': { ...SINCE_2026_05, id: 'edk2-2026.05' },
  'edk2-2026.08': { ...SINCE_2026_05, id: 'edk2-2026.08', binsTaken: 'together' },
  'u-boot': { ...U_BOOT, id: 'u-boot' },
  'u-boot-2025.01': { ...U_BOOT, id: 'u-boot-2025.01', free: 'taken-range', addressMiss: 'EFI_NOT_FOUND' },
  'rust-hypervisor-firmware': {
    ...EDK2,
    id: 'rust-hypervisor-firmware',
    search: 'bottom-up',
    pool: { head: 0 },
  },
  patina: {
    ...SINCE_2024_11,
    id: 'patina',
    poolStep: 0x100000,
    search: 'top-down',
    addressZero: 'refused',
    oddRequest: 'EFI_INVALID_PARAMETER',
    limitMiss: 'EFI_NOT_FOUND',
    foreignBins: 'never',
    freeInBin: 'split',
    free: 'one-descriptor',
  },
} as const satisfies Record<string, FirmwareRow>

export type FirmwareRowId = keyof typeof FIRMWARE_ROWS

/** Where a firmware searches first. */
export interface SearchPolicy {
  readonly bins: readonly Bin[]
  /** Highest byte of the default search range. */
  readonly defaultMax: number
}
