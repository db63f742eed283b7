/** A section table before it is completed: every column but the name may be missing. */
import type { Problem } from '../problem.ts'

/** One row; null where the text has no such column. */
export interface TableRow {
  readonly name: string
  /** With ImageBase where `counted` is `vma`. */
  readonly address: bigint | null
  readonly counted: 'vma' | 'rva'
  /** VirtualSize; the smaller of VirtualSize and SizeOfRawData as objdump prints it. */
  readonly size: number | null
  readonly SizeOfRawData: number | null
  readonly PointerToRawData: number | null
  /** objdump's words; empty: none are there. */
  readonly flags: string
  readonly Characteristics: number | null
}

export const HEADERS = [
  'ImageBase',
  'SectionAlignment',
  'FileAlignment',
  'SizeOfImage',
  'SizeOfHeaders',
  'AddressOfEntryPoint',
] as const
export type HeaderName = (typeof HEADERS)[number]

/** One row of the table. */
export interface ListedSection {
  readonly name: string
  /** Bytes: the smaller of VirtualSize and SizeOfRawData where the text has but one of them. */
  readonly size: number
  /** Where the text has both. */
  readonly SizeOfRawData?: number
  /** Without ImageBase. */
  readonly VirtualAddress: number
  readonly PointerToRawData: number
  readonly hasContents: boolean
  readonly Characteristics: number
}

/** What the text says, and what had to be assumed for what it does not say. */
export interface Listing {
  /** As objdump names it; null when the head was cut off. */
  readonly fileName: string | null
  /** What prints such a table. */
  readonly form: string
  readonly sections: readonly ListedSection[]
  /** ImageBase in all its 64 bits. */
  readonly headers: Readonly<{ ImageBase: bigint } & Record<Exclude<HeaderName, 'ImageBase'>, number>>
  readonly fileSize: number
  readonly assumptions: readonly string[]
  /** Columns that the text has not, each with what cannot be judged without it, as sentences. */
  readonly missing: readonly {
    readonly column: 'VirtualAddress' | 'VirtualSize' | 'PointerToRawData'
    readonly what: string
  }[]
}

/** What a reader makes of a text. */
export interface Table {
  /** What prints such a table. */
  readonly form: string
  readonly fileName: string | null
  readonly rows: readonly TableRow[]
  readonly headers: ReadonlyMap<HeaderName, bigint>
  readonly problems: readonly Problem[]
}

export const NO_ROW: TableRow = {
  name: '',
  address: null,
  counted: 'rva',
  size: null,
  SizeOfRawData: null,
  PointerToRawData: null,
  flags: '',
  Characteristics: null,
}

/** A problem that leaves the rest of a table usable. */
export function oddRow(id: string, what: string): Problem {
  return { id, at: null, what, fatal: false }
}
