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

/** One firmware's habits. */
export interface FirmwareRow {
  readonly id: string
  /** Are free pages with EFI_MEMORY_SP passed over? Source: edk2 4d4f569924 (2024.08). */
  readonly specialPurpose: 'taken' | 'skipped'
  /** Is AllocateAddress at address 0 refused? Source: edk2 91bb5cee36 (2025.08). */
  readonly addressZero: 'granted' | 'refused'
  /** A section without raw data that begins outside the image. Source: edk2 b7735a087a (2024.11). */
  readonly emptySectionOutside: 'zeroes-address-0' | 'skipped'
}

/** Rows by name. A firmware that is none of them is described by the nearest one and an assumption, said by whoever chooses. */
export const FIRMWARE_ROWS = {
  'edk2-2020.11': { id: 'edk2-2020.11', specialPurpose: 'taken', addressZero: 'granted', emptySectionOutside: 'zeroes-address-0' },
  'edk2-2022.11': { id: 'edk2-2022.11', specialPurpose: 'taken', addressZero: 'granted', emptySectionOutside: 'zeroes-address-0' },
  'edk2-2025.02': { id: 'edk2-2025.02', specialPurpose: 'skipped', addressZero: 'granted', emptySectionOutside: 'skipped' },
  'edk2-2025.08': { id: 'edk2-2025.08', specialPurpose: 'skipped', addressZero: 'refused', emptySectionOutside: 'skipped' },
} as const satisfies Record<string, FirmwareRow>

export type FirmwareRowId = keyof typeof FIRMWARE_ROWS

/** Where a firmware searches first. */
export interface SearchPolicy {
  readonly bins: readonly Bin[]
  /** Highest byte of the default search range. */
  readonly defaultMax: number
}
