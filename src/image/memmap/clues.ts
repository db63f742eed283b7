/**
 * What a text says of memory beside the rows of a map: sums, ends and addresses that the rows must bear out.
 */
import { hexValue } from './model.ts'

export interface Clues {
  /** The summary below the table of the UEFI shell, in pages. */
  readonly totals: readonly { readonly name: string; readonly count: number }[]
  /** Its last line, in bytes. */
  readonly totalBytes: number | null
  /** `last_pfn`: where the kernel's memory ends, in pages. */
  readonly lastPfn: number | null
  /** `Memory: …K/…K available`: all memory that the kernel counts, in bytes. */
  readonly memoryTotal: number | null
  /** Where the firmware's tables lie. */
  readonly tables: readonly { readonly name: string; readonly address: number }[]
  /** The last entry of the EFI map that a line names, and how many entries the list has. */
  readonly lastEntry: number | null
  readonly entries: number | null
}

export const NO_CLUES: Clues = {
  totals: [],
  totalBytes: null,
  lastPfn: null,
  memoryTotal: null,
  tables: [],
  lastEntry: null,
  entries: null,
}

const TOTAL = /(?<![\w])([A-Za-z][\w]{2,12}|[0-9A-F]{8})\s{0,8}:\s{0,20}([\d,.]{1,24}) Pages\s\(/
const TOTAL_BYTES = /Total Memory:\s{0,20}[\d,.]{1,24} MB\s\(([\d,.]{1,30}) Bytes\)/
const LAST_PFN = /\blast_pfn = 0x([0-9a-f]{1,13})\b/
const MEMORY = /\bMemory: \d{1,15}[kK]\/(\d{1,15})[kK] available/
const ABSENT = /, (\d{1,15})[kK] absent\b/
const TABLES = /\befi: .{0,40}?\b(?:ACPI|SMBIOS|ACPI 2\.0|SMBIOS 3\.0)=0x/
const TABLE = /\b(ACPI(?: 2\.0)?|SMBIOS(?: 3\.0)?|ESRT|MEMATTR|TPMEventLog)=0x([0-9a-f]{4,13})\b/g
const ENTRY = /\befi: (?:Remove|Not removing|Removing) mem(\d{2,4}):/

const count = (digits: string): number => Number(digits.replace(/[,.]/g, ''))

/** How many lines in front of a map belong to the same boot. */
const BEFORE = 60

/** Reads lines `first` to `end`, from 1, and some before. The first statement of each kind counts. */
export function cluesIn(lines: readonly string[], first: number, end: number): Clues {
  const totals = new Map<string, number>()
  const tables = new Map<string, number>()
  let totalBytes: number | null = null
  let lastPfn: number | null = null
  let memoryTotal: number | null = null
  let lastEntry: number | null = null
  for (const line of lines.slice(Math.max(0, first - 1 - BEFORE), first - 1)) {
    readTables(line, tables)
    lastEntry = maxOf(lastEntry, numberIn(ENTRY, line, 1, Number))
  }
  for (const line of lines.slice(first - 1, end)) {
    const total = TOTAL.exec(line)
    const [, name = '', pages = ''] = total ?? []
    if (total !== null && totalBytes === null && !totals.has(name)) totals.set(name, count(pages))
    totalBytes ??= numberIn(TOTAL_BYTES, line, 1, count)
    lastPfn ??= numberIn(LAST_PFN, line, 1, digits => Number(hexValue(digits)))
    memoryTotal ??= numberIn(
      MEMORY,
      line,
      1,
      digits => (Number(digits) - (numberIn(ABSENT, line, 1, Number) ?? 0)) * 1024,
    )
    lastEntry = maxOf(lastEntry, numberIn(ENTRY, line, 1, Number))
    readTables(line, tables)
  }
  return {
    totals: [...totals].map(([name, pages]) => ({ name, count: pages })),
    totalBytes,
    lastPfn,
    memoryTotal,
    tables: [...tables].map(([name, address]) => ({ name, address })),
    lastEntry,
    entries: null,
  }
}

function maxOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b)
}

function readTables(line: string, tables: Map<string, number>): void {
  if (!TABLES.test(line)) return
  for (const [, table = '', address = ''] of line.slice(0, 2000).matchAll(TABLE))
    if (!tables.has(table)) tables.set(table, Number(hexValue(address)))
}

function numberIn(
  pattern: RegExp,
  line: string,
  group: number,
  value: (digits: string) => number,
): number | null {
  const digits = pattern.exec(line)?.[group]
  return digits === undefined ? null : value(digits)
}
