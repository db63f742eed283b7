/** What one stretch of memory holds: bytes, whose they are, and which event put them there. */
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
  /** nobody in this boot wrote here and what it holds is not known */
  | { readonly kind: 'garbage' }
  /**
   * every byte has this value: zeroed, never touched since power-on, or cleared by the firmware when it was
   * freed
   */
  | { readonly kind: 'fill'; readonly byte: number }
  /**
   * bytes of a file or of a small buffer; `at` is the offset of the extent's first byte. Never a copy of a
   * payload
   */
  | { readonly kind: 'bytes'; readonly source: ByteSource; readonly at: number }
  /**
   * written by a known object, the bytes themselves are not modelled: decompressor output, page tables,
   * firmware data
   */
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
  /** null: memory that nobody wrote since it was handed out (it may still hold old bytes) */
  readonly whose: Whose | null
  /** Was it written since it was handed out? A zero fill in nobody's name is written, and nobody's. */
  readonly written: boolean
  /** The last event that wrote, claimed or released it. */
  readonly by: EventId
}

export const ZERO: Content = { kind: 'fill', byte: 0 }
export const GARBAGE: Content = { kind: 'garbage' }
export const OPAQUE: Content = { kind: 'opaque' }
