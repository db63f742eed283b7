/**
 * The interface of a memory map dialect: how its lines are recognised and parsed, and what such a text lacks.
 */
import type { Range } from '../../bytes/range.ts'
import type { Problem } from '../problem.ts'

/**
 * efi: UEFI's own types. e820: the kernel's input, free and boot-services memory in one. resources: the
 * kernel's tree made from that. In order of preference.
 */
export const MEMMAP_KINDS = ['efi', 'e820', 'resources'] as const
/** The kind of a memory map. */
export type MemmapKind = (typeof MEMMAP_KINDS)[number]

/** One row before it is checked. `end` is exclusive. */
export interface MemmapRow {
  readonly type: number
  readonly start: bigint
  readonly end: bigint
  readonly attribute: bigint
  /** As printed next to the range, if present. */
  readonly pages?: bigint
  /** The size as printed next to the range, rounded down to whole units of `unit` bytes. */
  readonly rounded?: { readonly amount: bigint; readonly unit: bigint }
  /**
   * The bounds need not be page-aligned: free memory is shrunk to whole pages, all other memory grown to
   * them.
   */
  readonly loose?: boolean
}

/** A row as its program printed it, or a line; `at` counts from 1. */
export interface Line {
  readonly text: string
  readonly at: number
}

export interface Placed {
  readonly row: MemmapRow
  readonly line: number
}

/** A missing or altered row: all allocations may depend on it. */
export interface LostRow {
  /** The line, number or kind of rows, as a noun phrase. */
  readonly row: string
  /** The evidence, as a clause. */
  readonly why: string
  /** The range in doubt, if the text tells. */
  readonly at: Range | null
  /** The amount of memory in doubt, in bytes; null if unknown. */
  readonly bytes: number | null
}

/** The parsed lines of one map. */
export interface Block {
  readonly placed: readonly Placed[]
  readonly problems: readonly Problem[]
  /** Rows missing by the list's own numbering. */
  readonly lost?: readonly LostRow[]
  /** Last line that belongs to it. */
  readonly last: number
}

export interface Dialect<Name extends string = string> {
  readonly name: Name
  readonly kind: MemmapKind
  /** The program and command that print it. */
  readonly title: string
  /** An example of a few lines; a test parses it. */
  readonly example: string
  /** When such a map was taken, unless stated otherwise. */
  readonly taken: 'before-load' | 'exit-boot-services'
  /** What the text lacks, as sentence fragments. */
  readonly lacks: readonly string[]
  /** Finds the beginning of a row, or of an attempt at one. Flag g; bounded, so that searching is linear. */
  readonly looks: RegExp
  /** The row from there on. Flag y; bounded. */
  readonly row: RegExp
  /** Every row has eight consecutive hexadecimal digits; other lines are not searched. */
  readonly wide: boolean
  /** A pattern that every line found by `looks` matches, and few others do. */
  readonly hint?: RegExp
  /** A whole line that is the rest of a row wrapped between its flags. */
  readonly more?: RegExp
  /** Maximum number of lines of a row after its first. Default 3. */
  readonly span?: number
  /** Is a complete-looking row plausible? If not, it may be wrapped. Default: always. */
  readonly valid?: (row: string) => boolean
  /** The same row may be repeated within one map. */
  readonly repeats?: boolean
  /** A line that counts only after others of the same map. */
  readonly joins?: (line: string) => boolean
  /** A line that ends the map. */
  readonly stop?: RegExp
  readonly read: (lines: readonly Line[]) => Block
  /** Reads a binary file, if the map has such a form; null if it is not one. */
  readonly file?: (bytes: Uint8Array) => Block | null
}

/** What every e820 table and resource tree lacks. */
export const E820_LACKS: readonly string[] = [
  'free memory, loaders’ memory and boot-services memory are not distinguished: all of it counts as free',
  'types of memory that is not RAM',
  'attributes',
]

/** All cache modes: the default. */
export const ATTRIBUTE_UNSAID = 0xfn

/** The hint of rows with two bounds and a hyphen between them. */
export const HYPHENED = /[0-9A-Fa-f]{8}\s?-\s?[0-9A-Fa-f]{8}/

/** The value of hexadecimal digits; there must be some. */
export function hexValue(digits: string): bigint {
  return BigInt(`0x${digits}`)
}

/** The value of decimal digits; there must be some. */
export function decimalValue(digits: string): bigint {
  return BigInt(digits)
}

/** A problem that leaves the rest usable. */
export function odd(id: string, what: string): Problem {
  return { id, at: null, what, fatal: false }
}

/** The problem of a line that looks like one of the dialect and cannot be read. */
export function unreadable(line: Line, name: string): Problem {
  return odd(
    'unreadable-line',
    `line ${String(line.at)} cannot be read as ${name}: ${line.text.trim().slice(0, 80)}`,
  )
}

/**
 * A reader for dialects with independent lines. `rows`: null if the line cannot be read; empty for a known
 * line without a row.
 */
export function eachLine(
  name: string,
  rows: (line: string) => MemmapRow[] | null,
): { readonly read: Dialect['read']; readonly valid: (row: string) => boolean } {
  return {
    valid: row => rows(row) !== null,
    read: lines => {
      const placed: Placed[] = []
      const problems: Problem[] = []
      for (const line of lines) {
        const found = rows(line.text)
        if (found === null) problems.push(unreadable(line, name))
        else placed.push(...found.map(row => ({ row, line: line.at })))
      }
      return { placed, problems, last: lines.at(-1)?.at ?? 0 }
    },
  }
}
