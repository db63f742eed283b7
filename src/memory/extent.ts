/** An extent of memory: content, owner, and the last event. */
import type { Range } from '../bytes/range.ts'
import type { ByteSource } from '../bytes/source.ts'

/** Index of an event in its recording. */
export type EventId = number

/**
 * An identity that bytes can belong to: `kernel`, `initrd`, `cmdline`, `boot_params`, `vo`, `stub:.text`,
 * `uki:.osrel`,
 * `firmware:boot` …; a second section of one name is `initrd#2`.
 */
export type ObjectId = string

/** The bytes of an extent. */
export type Content =
  /** not written in this boot, content unknown */
  | { readonly kind: 'garbage' }
  /** every byte has this value: zeroed, untouched since power-on, or cleared by the firmware on free */
  | { readonly kind: 'fill'; readonly byte: number }
  /**
   * bytes of a file or of a small buffer; `at` is the offset of the extent's first byte. Never a copy of a
   * payload
   */
  | { readonly kind: 'bytes'; readonly source: ByteSource; readonly at: number }
  /** written by a known object, bytes not modelled: decompressor output, page tables, firmware data */
  | { readonly kind: 'opaque' }

/** An object, and the offset in it. */
export interface Whose {
  readonly object: ObjectId
  readonly at: number
}

/** A maximal run of bytes with one content, one owner and one last writer. */
export interface Extent {
  readonly range: Range
  readonly content: Content
  /** null: memory not written since its allocation (it may contain old bytes) */
  readonly whose: Whose | null
  /** Was it written since its allocation? An unowned zero fill is written, but has no owner. */
  readonly written: boolean
  /** The last event that wrote, claimed or released it. */
  readonly by: EventId
}

export const ZERO: Content = { kind: 'fill', byte: 0 }
export const GARBAGE: Content = { kind: 'garbage' }
export const OPAQUE: Content = { kind: 'opaque' }
