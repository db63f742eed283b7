/**
 * A section table as text, in the form of any program that prints one, with private headers (`-p`, `-x`) and
 * `ls -l` where they are pasted, too; and a PE file with that table.
 */
import { hex } from '../bytes/range.ts'
import { type ByteSource } from '../bytes/source.ts'
import { alignUp } from '../bytes/units.ts'
import type { Content } from './content.ts'
import { rawLinesOf } from './memmap/lines.ts'
import { hexValue } from './memmap/model.ts'
import { MEMMAP_TEXT_MAX } from './memmap.ts'
import { isText, plainLetters, textOf } from './paste/letters.ts'
import type { Problem } from './problem.ts'
import { buildPe } from './synthetic.ts'
import { readColumns } from './tables/columns.ts'
import { completeTable } from './tables/complete.ts'
import { readJson } from './tables/json.ts'
import { HEADERS, type HeaderName, type ListedSection, type Listing, type Table } from './tables/model.ts'
import { readRecords } from './tables/records.ts'
import { readRows } from './tables/rows.ts'
import { readUkifyText } from './tables/ukify.ts'

export type { ListedSection, Listing } from './tables/model.ts'

const HEADER = new RegExp(`^[\\s>|+]{0,40}(${HEADERS.join('|')})\\s{1,40}(?:0x)?([0-9a-f]{1,16})\\b`)
const LS = /^[\s>|+]{0,40}-[rwxsStT-]{9}[.+@]?\s+\d+\s+\S+\s+\S+\s+(\d{1,15})\s(?:.*[/\s])?([^/\s]+)$/

/** Bytes of a file that are examined to distinguish a listing from an image. */
export const LISTING_HEAD = 65536

/** Does the text hold a section table? */
export function isListing(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, LISTING_HEAD)
  if (!isText(head)) return false
  const text = textOf(head)
  return /Idx Name\s+Size\s+VMA/m.test(text) || tableIn(text).rows.length > 0
}

/** The form that has most rows; of equals the one that knows its rows best. */
function tableIn(raw: string): Table {
  const lines = rawLinesOf(plainLetters(raw).text)
  const tables = [
    readRows(lines),
    readJson(lines),
    readRecords(lines),
    readColumns(lines),
    readUkifyText(lines),
  ]
  return tables.reduce((best, one) => (one.rows.length > best.rows.length ? one : best))
}

/**
 * Reads the first table in the text. Never throws; without a usable row the listing is null and a problem is
 * fatal.
 */
export function readListing(input: string | Uint8Array): {
  readonly listing: Listing | null
  readonly problems: readonly Problem[]
} {
  const fail = (what: string, problems: readonly Problem[] = []): { listing: null; problems: Problem[] } => ({
    listing: null,
    problems: [...problems, { id: 'not-a-listing', at: null, what, fatal: true }],
  })
  if (input.length > MEMMAP_TEXT_MAX)
    return fail(`the text has ${String(input.length)} units, ${String(MEMMAP_TEXT_MAX)} at the most`)
  const raw = textOf(input)
  const table = tableIn(raw)
  const headers = new Map(table.headers)
  const sizes = new Map<string, number>()
  for (const line of rawLinesOf(raw)) {
    const text = line.slice(0, 4096)
    const header = HEADER.exec(text)
    if (header !== null) headers.set(header[1] as HeaderName, hexValue(header[2] as string))
    const ls = LS.exec(text)
    if (ls !== null) sizes.set(ls[2] as string, Number(ls[1]))
  }
  if (table.rows.length === 0) return fail('no section of an objdump listing in the text', table.problems)
  if (table.rows.length > 96)
    return fail(`${String(table.rows.length)} sections: firmware takes 96 at the most`)
  const listing = completeTable({ ...table, headers }, sizes)
  return typeof listing === 'string' ? fail(listing, table.problems) : { listing, problems: table.problems }
}

/** A PE file with this table. `content` fills a section; the rest is zero. */
export function peOfListing(
  listing: Listing,
  content: (section: ListedSection) => Content | undefined,
): ByteSource {
  const { ImageBase, ...optional } = listing.headers
  const sections = listing.sections.map(section => {
    const raw = section.hasContents
      ? alignUp<number>(section.SizeOfRawData ?? section.size, listing.headers.FileAlignment)
      : 0
    const next = Math.min(
      ...listing.sections.flatMap(other =>
        other.PointerToRawData > section.PointerToRawData ? [other.PointerToRawData] : [],
      ),
      listing.fileSize,
    )
    const SizeOfRawData =
      section.SizeOfRawData ??
      Math.max(0, Math.min(raw, Math.max(next - section.PointerToRawData, section.size)))
    const filled = content(section)
    return {
      name: section.name,
      VirtualAddress: section.VirtualAddress,
      VirtualSize: section.size,
      PointerToRawData: SizeOfRawData === 0 ? 0 : section.PointerToRawData,
      SizeOfRawData,
      Characteristics: section.Characteristics,
      ...(filled === undefined ? {} : { content: filled }),
    }
  })
  return buildPe({
    e_lfanew: 0x40,
    optional: { ...optional, ImageBase: hex(ImageBase), Subsystem: 10 },
    sections,
    size: listing.fileSize,
  })
}
