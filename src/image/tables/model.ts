/** A section table before it is completed: every column but the name may be missing. */
import type { Problem } from '../problem.ts'

/** One row; null if the text has no such column. */
export interface TableRow {
  readonly name: string
  /** Address; includes ImageBase if `counted` is `vma`. */
  readonly address: bigint | null
  readonly counted: 'vma' | 'rva'
  /** VirtualSize; the smaller of VirtualSize and SizeOfRawData as objdump prints it. */
  readonly size: number | null
  readonly SizeOfRawData: number | null
  readonly PointerToRawData: number | null
  /** Flags in objdump's words; may be empty. */
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
  /** In bytes. If the text has only one size, the smaller of VirtualSize and SizeOfRawData. */
  readonly size: number
  /** Only if the text has both. */
  readonly SizeOfRawData?: number
  /** RVA: without ImageBase. */
  readonly VirtualAddress: number
  readonly PointerToRawData: number
  readonly hasContents: boolean
  readonly Characteristics: number
}

/** The table in the text, completed with assumptions. */
export interface Listing {
  /** File name in objdump's header; null if the header is missing. */
  readonly fileName: string | null
  /** The program that prints such a table. */
  readonly form: string
  readonly sections: readonly ListedSection[]
  /** ImageBase in all its 64 bits. */
  readonly headers: Readonly<{ ImageBase: bigint } & Record<Exclude<HeaderName, 'ImageBase'>, number>>
  readonly fileSize: number
  readonly assumptions: readonly string[]
  /** Missing columns, each with what cannot be judged without it, as sentences. */
  readonly missing: readonly {
    readonly column: 'VirtualAddress' | 'VirtualSize' | 'PointerToRawData'
    readonly what: string
  }[]
}

/** The result of a reader. */
export interface Table {
  /** The program that prints such a table. */
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
