/** The memory type information of a platform (chapter FW). */

/**
 * A memory type and the number of pages a firmware reserves for it, as in the memory type information HOB.
 */
export interface TypeInformation {
  readonly type: number
  readonly pages: number
}
