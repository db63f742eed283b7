/** The memory type information of a platform (chapter FW). */

/** A memory type and how many pages a firmware wants for it, as in the memory type information HOB. */
export interface TypeInformation {
  readonly type: number
  readonly pages: number
}
