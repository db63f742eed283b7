/**
 * The interface of a memory map dialect: how its lines are recognised and parsed, and what such a text lacks.
 */
import type { Problem } from '../problem.ts'

/** The supported formats of memory maps. */
export const MEMMAP_DIALECTS = [
  'uefi-shell',
  'uefi-shell-sfo',
  'linux',
  'linux-arm',
  'grub',
  'uboot',
  'uboot-efi-mem',
  'raw',
  'compact',
  'json',
  'e820',
  'boot-params',
  'sysfs-memmap',
  'grub-lsmmap',
  'kexec',
  'iomem',
] as const
/** One of these forms. */
export type MemmapDialect = (typeof MEMMAP_DIALECTS)[number]

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
  /**
   * The bounds need not be page-aligned: free memory is shrunk to whole pages, all other memory grown to
   * them.
   */
  readonly loose?: boolean
}

/** A line without prefix, escapes and line end; `at` counts from 1. */
export interface Line {
  readonly text: string
  readonly at: number
}

export interface Placed {
  readonly row: MemmapRow
  readonly line: number
}

/** The parsed lines of one map. */
export interface Block {
  readonly placed: readonly Placed[]
  readonly problems: readonly Problem[]
  /** Last line that belongs to it. */
  readonly last: number
}

export interface Dialect {
  readonly name: MemmapDialect
  readonly kind: MemmapKind
  /** The program and command that print it. */
  readonly title: string
  /** An example of a few lines; a test parses it. */
  readonly example: string
  /** When such a map was taken, unless stated otherwise. */
  readonly taken: 'before-load' | 'exit-boot-services'
  /** What the text lacks, as sentence fragments. */
  readonly lacks: readonly string[]
  /** Does this line contain a part of it, possibly malformed? */
  readonly sniff: (line: string) => boolean
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

/** The value of hexadecimal digits; there must be some. */
export function hexValue(digits: string): bigint {
  return BigInt(`0x${digits}`)
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
export function eachLine(name: string, rows: (line: string) => MemmapRow[] | null): Dialect['read'] {
  return lines => {
    const placed: Placed[] = []
    const problems: Problem[] = []
    for (const line of lines) {
      const found = rows(line.text)
      if (found === null) problems.push(unreadable(line, name))
      else placed.push(...found.map(row => ({ row, line: line.at })))
    }
    return { placed, problems, last: lines.at(-1)?.at ?? 0 }
  }
}
