/** The known state of a firmware's own pools when a boot option starts (chapter FW). */

/** Entries of EDK2's map that are not reported, and their capacity (FW-53). */
export interface MapEntries {
  readonly hidden: number
  readonly capacity: number
}

/** The state of EDK2's pools when the image starts. */
export interface PoolState {
  /** Where LoadImage records an image loaded by an image: in a free block, or in a new page (FW-46). */
  readonly imageRecord: 'room' | 'new-page'
  /** Known if the guest's memory was examined. */
  readonly mapEntries?: MapEntries
}

/** Entries of the map per page. Source: edk2@stable202211 Imem.h MEMORY_MAP, 64 bytes on X64. */
export const ENTRIES_PER_PAGE = 64
