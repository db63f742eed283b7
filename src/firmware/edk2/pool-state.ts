/** What a firmware's own pools hold when a boot option starts, as far as somebody looked (chapter FW). */

/** Entries of EDK2's map that it does not show, and how many there is room for (FW-53). */
export interface MapEntries {
  readonly hidden: number
  readonly capacity: number
}

/** The state of EDK2's pools when the image starts. */
export interface PoolState {
  /** Where LoadImage notes an image that an image loads: in a free block, or in a new page (FW-46). */
  readonly imageRecord: 'room' | 'new-page'
  /** Known where the guest's memory was looked at. */
  readonly mapEntries?: MapEntries
}

/**
 * Each page holds so many entries of the map. Source: edk2@stable202211 Imem.h MEMORY_MAP, 64 bytes on X64.
 */
export const ENTRIES_PER_PAGE = 64
