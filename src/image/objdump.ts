/**
 * A section table printed by `objdump -h`, with private headers (`-p`, `-x`) and `ls -l` if pasted, too; and
 * a PE file with that table. Source: GNU binutils 2.40 output.
 */
import { hex } from '../bytes/range.ts'
import { type ByteSource } from '../bytes/source.ts'
import { alignUp, wrap64 } from '../bytes/units.ts'
import type { Content } from './content.ts'
import { linesOf, textOf } from './memmap/lines.ts'
import { hexValue } from './memmap/model.ts'
import { MEMMAP_TEXT_MAX } from './memmap.ts'
import type { Problem } from './problem.ts'
import { buildPe } from './synthetic.ts'

/** One row of the table. */
export interface ListedSection {
  readonly name: string
  /** Bytes: the smaller of VirtualSize and SizeOfRawData. */
  readonly size: number
  /** Without ImageBase. */
  readonly VirtualAddress: number
  readonly PointerToRawData: number
  readonly hasContents: boolean
  readonly Characteristics: number
}

/** The content of the text, and assumptions about what it lacks. */
export interface Listing {
  /** As named by objdump; null if the head is missing. */
  readonly fileName: string | null
  readonly sections: readonly ListedSection[]
  /** ImageBase in all its 64 bits. */
  readonly headers: Readonly<{ ImageBase: bigint } & Record<Exclude<HeaderName, 'ImageBase'>, number>>
  readonly fileSize: number
  readonly assumptions: readonly string[]
}

const HEADERS = [
  'ImageBase',
  'SectionAlignment',
  'FileAlignment',
  'SizeOfImage',
  'SizeOfHeaders',
  'AddressOfEntryPoint',
] as const
type HeaderName = (typeof HEADERS)[number]

const ROW =
  /^\s{0,8}\d{1,5}\s{1,4}(\S{1,64})\s+([0-9a-f]{8,16})\s+([0-9a-f]{8,16})\s+[0-9a-f]{8,16}\s+([0-9a-f]{8,16})\s+2\*\*\d/
const LOOKS = /^\s{0,8}\d{1,5}\s{1,4}\.\S{1,63}\s+[0-9a-f]{8}/
const FLAGS = /^\s+(?:[A-Z_]+, )*[A-Z_]+\s*$/
const FILE = /^(.{1,4096}): {1,8}file format (\S+)/
const HEADER = new RegExp(`^(${HEADERS.join('|')})\\s+(?:0x)?([0-9a-f]{1,16})\\b`)
const LS = /^-[rwxsStT-]{9}[.+@]?\s+\d+\s+\S+\s+\S+\s+(\d{1,15})\s(?:.*[/\s])?([^/\s]+)$/

/** Bytes of a file that are examined to distinguish a listing from an image. */
export const LISTING_HEAD = 65536

/** Does the text contain a section table of objdump? */
export function isListing(bytes: Uint8Array): boolean {
  const head = new TextDecoder().decode(bytes.subarray(0, LISTING_HEAD))
  return !head.includes('\0') && /^Idx Name\s+Size\s+VMA/m.test(head)
}

interface Raw {
  name: string
  size: number
  vma: bigint
  at: number
  flags: string
}

/**
 * Reads the first table in the text. Never throws; without a usable row the listing is null and a problem is
 * fatal.
 */
export function readListing(input: string | Uint8Array): {
  readonly listing: Listing | null
  readonly problems: readonly Problem[]
} {
  const problems: Problem[] = []
  const fail = (what: string): { listing: null; problems: Problem[] } => ({
    listing: null,
    problems: [...problems, { id: 'not-a-listing', at: null, what, fatal: true }],
  })
  if (input.length > MEMMAP_TEXT_MAX)
    return fail(`the text has ${String(input.length)} units, ${String(MEMMAP_TEXT_MAX)} at the most`)
  const rows: Raw[] = []
  const headers = new Map<HeaderName, bigint>()
  const sizes = new Map<string, number>()
  let fileName: string | null = null
  for (const { text, at } of linesOf(textOf(input))) {
    const file = FILE.exec(text)
    if (file !== null && rows.length > 0) break
    if (file !== null) {
      const format = file[2] as string
      fileName = file[1] as string
      if (!format.startsWith('pei-'))
        problems.push({
          id: 'not-pe',
          at: null,
          what: `line ${String(at)}: the file format is ${format}, not pei-x86-64`,
          fatal: false,
        })
    }
    const header = HEADER.exec(text)
    if (header !== null) headers.set(header[1] as HeaderName, hexValue(header[2] as string))
    const ls = LS.exec(text.slice(0, 4096))
    if (ls !== null) sizes.set(ls[2] as string, Number(ls[1]))
    const row = ROW.exec(text)
    const last = rows.at(-1)
    if (row !== null)
      rows.push({
        name: row[1] as string,
        size: Number.parseInt(row[2] as string, 16),
        vma: hexValue(row[3] as string),
        at: Number.parseInt(row[4] as string, 16),
        flags: '',
      })
    else if (last !== undefined && last.flags === '' && text.length < 200 && FLAGS.test(text))
      last.flags = text.trim()
    else if (LOOKS.test(text))
      problems.push({
        id: 'unreadable-line',
        at: null,
        what: `line ${String(at)} cannot be read as a section: ${text.trim().slice(0, 80)}`,
        fatal: false,
      })
  }
  if (rows.length === 0) return fail('no section of an objdump listing in the text')
  if (rows.length > 96) return fail(`${String(rows.length)} sections: firmware accepts at most 96`)
  return complete(fileName, rows, headers, sizes, problems, fail)
}

function complete(
  fileName: string | null,
  rows: readonly Raw[],
  said: ReadonlyMap<HeaderName, bigint>,
  sizes: ReadonlyMap<string, number>,
  problems: readonly Problem[],
  fail: (what: string) => { listing: null; problems: Problem[] },
): ReturnType<typeof readListing> {
  const assumptions: string[] = []
  const wideOrAssumed = (name: HeaderName, value: bigint, why: string): bigint => {
    const known = said.get(name)
    if (known !== undefined) return known
    assumptions.push(`${name} is ${hex(value)}: ${why}`)
    return value
  }
  const orAssumed = (name: Exclude<HeaderName, 'ImageBase'>, value: number, why: string): number =>
    Number(wideOrAssumed(name, BigInt(value), why))
  const isPower = (n: bigint): boolean => n > 0n && n <= 2n ** 31n && (n & (n - 1n)) === 0n
  for (const [name, value] of said) {
    if (name !== 'ImageBase' && value >= 2n ** 32n)
      return fail(`${name} ${hex(value)} does not fit its field`)
    if (name.endsWith('Alignment') && !isPower(value))
      return fail(`${name} ${hex(value)} is not a power of two`)
  }
  const lowest = least(rows.map(row => row.vma))
  const low = lowest < 2n ** 28n
  const ImageBase = wideOrAssumed(
    'ImageBase',
    low ? 0n : (lowest - 1n) & ~0xffffn,
    low ? 'the addresses are low' : 'the multiple of 64 KiB below the lowest section',
  )
  const FileAlignment = orAssumed('FileAlignment', 0x200, 'as set by GNU ld and systemd’s linker script')
  const SectionAlignment = orAssumed('SectionAlignment', 0x1000, 'a page, as in all known stubs')
  // objdump prints the sum in 64 bits, so that an image at the very top wraps to 0
  const rvaOf = ({ vma }: Raw): number => Number(wrap64(vma - ImageBase))
  const end = Math.max(...rows.map(row => rvaOf(row) + row.size))
  if (end >= 2 ** 32 || rows.some(row => row.at >= 2 ** 32))
    return fail(
      `sections at ${hex(lowest)}-${hex(greatest(rows.map(({ vma, size }) => vma + BigInt(size))))} ` +
        `do not fit a PE file with ImageBase ${hex(ImageBase)}`,
    )
  const firstRaw = Math.min(...rows.filter(row => row.at > 0).map(row => row.at), 2 ** 31)
  const text = rows.filter(row => row.name === '.text').slice(0, 1)
  const headers = {
    ImageBase,
    SectionAlignment,
    FileAlignment,
    SizeOfImage: orAssumed(
      'SizeOfImage',
      Math.min(alignUp<number>(end, SectionAlignment), 0xffffffff),
      'the end of the highest section',
    ),
    SizeOfHeaders: orAssumed(
      'SizeOfHeaders',
      firstRaw === 2 ** 31 ? 0x1000 : firstRaw,
      'the file offset of the first section',
    ),
    AddressOfEntryPoint: orAssumed(
      'AddressOfEntryPoint',
      Math.min(...(text.length > 0 ? text : rows).map(rvaOf)),
      'the start of .text',
    ),
  }
  const sections = rows.map(row => ({
    name: row.name,
    size: row.size,
    VirtualAddress: rvaOf(row),
    PointerToRawData: row.at,
    hasContents: row.flags === '' || row.flags.includes('CONTENTS'),
    Characteristics: characteristicsOf(row.flags),
  }))
  const rawEnd = Math.max(
    ...sections.map(
      section =>
        section.PointerToRawData + (section.hasContents ? alignUp<number>(section.size, FileAlignment) : 0),
    ),
  )
  const listed = fileName === null ? undefined : sizes.get(fileName.split('/').at(-1) as string)
  if (listed === undefined) assumptions.push(`the file has ${hex(rawEnd)} bytes: the end of the last section`)
  assumptions.push(
    'VirtualSize is the size printed by objdump, SizeOfRawData the same rounded up to FileAlignment',
  )
  return { listing: { fileName, sections, headers, fileSize: listed ?? rawEnd, assumptions }, problems }
}

function least(values: readonly bigint[]): bigint {
  return values.reduce((least, value) => (value < least ? value : least))
}

function greatest(values: readonly bigint[]): bigint {
  return values.reduce((greatest, value) => (value > greatest ? value : greatest))
}

/** IMAGE_SCN_* by objdump's flag names. */
function characteristicsOf(flags: string): number {
  if (flags.includes('CODE')) return 0x60000020
  if (flags !== '' && !flags.includes('CONTENTS')) return 0xc0000080
  return flags === '' || flags.includes('READONLY') ? 0x40000040 : 0xc0000040
}

/** A PE file with this table. `content` fills a section; the rest is zero. */
export function peOfListing(
  listing: Listing,
  content: (section: ListedSection) => Content | undefined,
): ByteSource {
  const { ImageBase, ...optional } = listing.headers
  const sections = listing.sections.map(section => {
    const raw = section.hasContents ? alignUp<number>(section.size, listing.headers.FileAlignment) : 0
    const next = Math.min(
      ...listing.sections.flatMap(other =>
        other.PointerToRawData > section.PointerToRawData ? [other.PointerToRawData] : [],
      ),
      listing.fileSize,
    )
    const SizeOfRawData = Math.max(0, Math.min(raw, Math.max(next - section.PointerToRawData, section.size)))
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
