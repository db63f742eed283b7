/** Reads a UEFI memory map from the texts in which people have one: UEFI shell, kernel log, GRUB, a raw probe, our JSON, the compact form. Keeps order, repairs nothing. */
import { hex, overlaps, range } from '../bytes/range.ts'
import { PAGE, PHYS_END, pagesOf } from '../bytes/units.ts'
import { readMemmapJson } from './memmap-json.ts'
import { attributeOf, memoryTypeOf, SHELL_TYPE_NAMES } from './memory-type-names.ts'
import type { MemoryDescriptor } from './memory-types.ts'
import type { Problem } from './problem.ts'

export const MEMMAP_DIALECTS = ['uefi-shell', 'uefi-shell-sfo', 'linux', 'grub', 'raw', 'compact', 'json'] as const
export type MemmapDialect = (typeof MEMMAP_DIALECTS)[number]

/** What was read. Nothing usable: an empty map and a fatal problem. */
export interface MemmapParse {
  /** In the order of the text. */
  readonly map: readonly MemoryDescriptor[]
  /** null when no map was recognised. */
  readonly dialect: MemmapDialect | null
  /** First and last line that gave an entry, from 1; [0, 0] when there is none. */
  readonly lines: readonly [first: number, last: number]
  readonly problems: readonly Problem[]
}

/** One row before it is checked. `end` is exclusive. */
export interface MemmapRow {
  readonly type: number
  readonly start: bigint
  readonly end: bigint
  readonly attribute: bigint
  /** As printed beside the range, where it is. */
  readonly pages?: bigint
}

/** All cache modes: where the text does not say. */
export const ATTRIBUTE_UNSAID = 0xfn

/** Longest text taken, in bytes or UTF-16 units: a kernel log is far below. */
export const MEMMAP_TEXT_MAX = 2 ** 24

interface Dialect {
  readonly name: MemmapDialect
  /** Does this line hold, or try to hold, rows? */
  readonly looks: RegExp
  /** The rows of the line, or null when it cannot be read. */
  readonly rows: (line: string) => MemmapRow[] | null
  /** A line behind which no row of this map comes any more. */
  readonly stop?: RegExp
  /** A number that counts up with the rows, where the dialect has one. */
  readonly index?: RegExp
}

const HEX16 = '[0-9A-Fa-f]{16}'
const SHELL_ROW = new RegExp(`^\\s*(\\S+)\\s+(${HEX16})-(${HEX16})\\s+(${HEX16})\\s+(${HEX16})\\s*$`)
const SFO_ROW = /^MemoryMap,"([^"]+)","([0-9A-Fa-f]{1,16})","([0-9A-Fa-f]{1,16})","([0-9A-Fa-f]{1,16})","([0-9A-Fa-f]{1,16})"/
const LINUX_ROW = /mem\d{2,}: (?:type=(\d+), attr=0x([0-9a-f]{1,16}),|\[(?:type=(\d+)|([^|\]]+))([^\]]*)\]) range=\[0x([0-9a-f]{1,16})-0x([0-9a-f]{1,16})([)\]])/
const GRUB_ROW = new RegExp(`^\\s*(\\S+|Unk [0-9a-f]{2})\\s+(${HEX16})-(${HEX16})\\s+([0-9a-f]{8,})\\s+\\d+\\s*[KMGTPE]iB((?: [A-Z]+)*)\\s*$`)
const RAW_ROW = /^\s*MAP ([0-9a-f]{1,8}) ([0-9a-f]{1,16})-([0-9a-f]{1,16}) ([0-9a-f]{1,16})\s*$/i
const COMPACT_ROW = /^([0-9a-f]{1,8}):([0-9a-f]{1,16})\+([0-9a-f]{1,13})$/

const big = (digits: string | undefined): bigint => BigInt(`0x${digits ?? '0'}`)

/** A shell or GRUB name, or eight hexadecimal digits for a type that has no name. */
function shellType(name: string): number | null {
  if (/^[0-9A-Fa-f]{8}$/.test(name)) return Number.parseInt(name, 16)
  const unknown = /^Unk ([0-9a-f]{2})$/.exec(name)
  return unknown === null ? memoryTypeOf(name) : Number.parseInt(unknown[1] ?? '', 16)
}

function tableRow(match: RegExpExecArray | null, attribute: (text: string) => bigint): MemmapRow[] | null {
  const type = match === null ? null : shellType(match[1] ?? '')
  return match === null || type === null ? null : [{ type, start: big(match[2]), end: big(match[3]) + 1n, pages: big(match[4]), attribute: attribute(match[5] ?? '') }]
}

function linuxRow(line: string): MemmapRow[] | null {
  const match = LINUX_ROW.exec(line)
  if (match === null) return null
  const [, oldType, oldAttribute, newType, name = '', fields = '', start, last, bracket] = match
  const type = memoryTypeOf(name) ?? Number.parseInt(oldType ?? newType ?? '', 10)
  if (!Number.isSafeInteger(type)) return null
  const printed = oldAttribute ?? /attr=0x([0-9a-f]{1,16})/.exec(fields)?.[1]
  const attribute = printed === undefined ? attributeOf(fields.split('|')) : big(printed)
  return [{ type, start: big(start), end: big(last) + (bracket === ']' ? 1n : 0n), attribute }]
}

function rawRow(line: string): MemmapRow[] | null {
  const match = RAW_ROW.exec(line)
  return match === null ? null : [{ type: Number(big(match[1])), start: big(match[2]), end: big(match[3]) + 1n, attribute: big(match[4]) }]
}

function compactRows(line: string): MemmapRow[] | null {
  const matches = line.trim().split(/\s+/).map(word => COMPACT_ROW.exec(word))
  const rows = matches.flatMap(match => (match === null ? [] : [{ type: Number(big(match[1])), start: big(match[2]), end: big(match[2]) + big(match[3]) * BigInt(PAGE), attribute: ATTRIBUTE_UNSAID }]))
  return rows.length === matches.length ? rows : null
}

/** In the order in which they are tried. */
const DIALECTS: readonly Dialect[] = [
  { name: 'uefi-shell', looks: new RegExp(`^\\s*\\S+\\s+${HEX16}-${HEX16}\\s+${HEX16}`), rows: line => tableRow(SHELL_ROW.exec(line), big), stop: /[\d,]+ Pages \(|^\s*Total Memory:/ },
  { name: 'uefi-shell-sfo', looks: /^MemoryMap,/, rows: line => tableRow(SFO_ROW.exec(line), big), stop: /^MemoryMapSummary,/ },
  { name: 'linux', looks: /(?:efi|EFI): mem\d{2,}: /, rows: linuxRow, stop: /EFI runtime memory map/, index: /mem(\d{2,}): / },
  { name: 'grub', looks: new RegExp(`^\\s*(?:\\S+|Unk [0-9a-f]{2})\\s+${HEX16}-${HEX16}\\s+[0-9a-f]{8}`), rows: line => tableRow(GRUB_ROW.exec(line), flags => attributeOf(flags.split(' '))) },
  { name: 'raw', looks: /^\s*MAP [0-9a-f]/i, rows: rawRow },
  { name: 'compact', looks: /^\s*[0-9a-f]{1,8}:[0-9a-f]{1,16}\+[0-9a-f]/, rows: compactRows },
]

/** Texts about memory that are no UEFI memory map: they do not tell free memory from what the firmware or a loader holds. */
const TOO_POOR = /BIOS-e820: |^\s*[0-9a-f]{8,16}-[0-9a-f]{8,16} : |\/sys\/firmware\/memmap\//m

/** UTF-16 with a byte order mark (the UEFI shell writes it) or UTF-8, without ANSI escapes. */
function textOf(input: string | Uint8Array): string {
  const text = typeof input === 'string' ? input : new TextDecoder(input[0] === 0xff && input[1] === 0xfe ? 'utf-16le' : 'utf-8').decode(input)
  return text.replace(/^\ufeff/, '').replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
}

function fatal(id: string, what: string, problems: readonly Problem[] = [], dialect: MemmapDialect | null = null): MemmapParse {
  return { map: [], dialect, lines: [0, 0], problems: [...problems, { id, at: null, what, fatal: true }] }
}

/**
 * Reads the first map in the text, in whatever dialect it is; `only` skips maps in other dialects. Rows that cannot be a descriptor (empty, no whole pages,
 * beyond 52 bits, zero addresses as a kernel shows them to the unprivileged) are left out with a problem; overlapping ones stay, with a problem. Never throws.
 */
export function readMemmap(input: string | Uint8Array, only: MemmapDialect | null = null): MemmapParse {
  if (input.length > MEMMAP_TEXT_MAX) return fatal('too-long', `the text has ${String(input.length)} units, ${String(MEMMAP_TEXT_MAX)} at the most`)
  const text = textOf(input)
  if (text.trim() === '') return fatal('empty', 'the text is empty')
  if ((only === null || only === 'json') && text.trimStart().startsWith('{')) {
    const { rows, problems } = readMemmapJson(text)
    const lines = text.trimEnd().split('\n').length
    return finish('json', rows.map(row => ({ row, line: 0 })), problems, [1, lines])
  }
  return readLines(text.split(/\r\n|\n|\r/), only, only === null && TOO_POOR.test(text))
}

interface Placed {
  readonly row: MemmapRow
  readonly line: number
}

function readLines(lines: readonly string[], only: MemmapDialect | null, poor: boolean): MemmapParse {
  const problems: Problem[] = []
  const placed: Placed[] = []
  let dialect: Dialect | null = null
  let index = -1
  let last = 0
  for (const [i, line] of lines.entries()) {
    if (dialect !== null && (line.startsWith('#section') || dialect.stop?.test(line) === true)) break
    dialect ??= DIALECTS.find(({ name, looks }) => (only === null || only === name) && looks.test(line)) ?? null
    if (dialect?.looks.test(line) !== true) continue
    const at = i + 1
    const number = dialect.index === undefined ? index + 1 : Number(dialect.index.exec(line)?.[1])
    if (number <= index) break
    if (number !== index + 1) problems.push(odd('missing-lines', `line ${String(at)}: entry ${String(number)} follows entry ${String(index)}`))
    index = number
    const rows = /\(invalid\)/.test(line) ? null : dialect.rows(line)
    if (rows === null) problems.push(odd('unreadable-line', `line ${String(at)} cannot be read as ${dialect.name}: ${line.trim().slice(0, 80)}`))
    else placed.push(...rows.map(row => ({ row, line: at })))
    last = at
  }
  if (dialect === null) {
    if (poor) return fatal('no-efi-map', 'this is an e820 or resource map: it does not tell free memory from what firmware and loaders hold')
    return fatal('not-a-memmap', 'no memory map of a known form in the text')
  }
  return finish(dialect.name, placed, problems, [placed[0]?.line ?? 0, last])
}

function odd(id: string, what: string): Problem {
  return { id, at: null, what, fatal: false }
}

function finish(dialect: MemmapDialect, placed: readonly Placed[], before: readonly Problem[], lines: readonly [number, number]): MemmapParse {
  const problems = [...before]
  const map: MemoryDescriptor[] = []
  for (const { row, line } of placed) {
    const where = line === 0 ? '' : `line ${String(line)}: `
    const descriptor = checked(row, where, problems)
    if (descriptor !== null) map.push(descriptor)
  }
  problems.push(...findOverlaps(map))
  return map.length === 0 ? fatal('nothing-usable', 'the map has no usable entry', problems, dialect) : { map, dialect, lines, problems }
}

function checked(row: MemmapRow, where: string, problems: Problem[]): MemoryDescriptor | null {
  const { type, start, end, attribute, pages } = row
  const drop = (id: string, what: string): null => {
    problems.push(odd(id, where + what))
    return null
  }
  const place = `${hex(start)}-${hex(end)}`
  if (start === 0n && end <= 1n) return drop('zero-address', 'start and end are zero, as shown to readers without privileges')
  if (end <= start) return drop('empty-range', `${place} is empty`)
  if (end > BigInt(PHYS_END)) return drop('beyond-physical', `${place} lies beyond 52 bits`)
  if (start % BigInt(PAGE) !== 0n || end % BigInt(PAGE) !== 0n) return drop('not-whole-pages', `${place} is no whole number of pages`)
  if (pages !== undefined && pages * BigInt(PAGE) !== end - start) problems.push(odd('pages-disagree', `${where}${place} is printed with ${hex(pages)} pages`))
  return { type, range: range(Number(start), Number(end)), attribute: BigInt.asUintN(64, attribute) }
}

function findOverlaps(map: readonly MemoryDescriptor[]): Problem[] {
  const sorted = [...map].sort((a, b) => a.range.start - b.range.start)
  const problems: Problem[] = []
  let highest = sorted[0]
  for (const next of sorted.slice(1)) {
    if (highest === undefined) break
    if (overlaps(highest.range, next.range)) problems.push(odd('overlap', `${hex(next.range.start)}-${hex(next.range.end)} overlaps ${hex(highest.range.start)}-${hex(highest.range.end)}`))
    if (next.range.end > highest.range.end) highest = next
  }
  return problems
}

/** The map as the UEFI shell prints it, or as our JSON; readMemmap reads both back to the same map. */
export function formatMemmap(map: readonly MemoryDescriptor[], dialect: 'uefi-shell' | 'json'): string {
  if (dialect === 'json') {
    const rows = map.map(({ type, range: { start, end }, attribute }) => ({ type, start: hex(start), end: hex(end), attribute: hex(attribute) }))
    return `{"schema":1,"map":[\n${rows.map(row => `  ${JSON.stringify(row)}`).join(',\n')}\n]}\n`
  }
  const wide = (n: number | bigint): string => n.toString(16).toUpperCase().padStart(16, '0')
  const lines = map.map(({ type, range: { start, end }, attribute }) => {
    const name = SHELL_TYPE_NAMES[type] ?? type.toString(16).toUpperCase().padStart(8, '0')
    return `${name.padEnd(10)} ${wide(start)}-${wide(end - 1)} ${wide(pagesOf(end - start))} ${wide(attribute)}\n`
  })
  return `Type       Start            End              # Pages          Attributes\n${lines.join('')}`
}
