/**
 * Reads a memory map from any known text or file format. The dialects are in memmap/, one family per file.
 * Keeps the order, repairs nothing.
 */
import { hex, overlaps, range } from '../bytes/range.ts'
import { PAGE, PHYS_END, pagesOf } from '../bytes/units.ts'
import { DIALECTS, rankOf } from './memmap/dialects.ts'
import { linesOf, textOf } from './memmap/lines.ts'
import {
  odd,
  type Block,
  type Dialect,
  type Line,
  type MemmapDialect,
  type MemmapKind,
  type MemmapRow,
  type Placed,
} from './memmap/model.ts'
import { readMemmapJson } from './memmap-json.ts'
import { SHELL_TYPE_NAMES } from './memory-type-names.ts'
import { EfiConventionalMemory, type MemoryDescriptor } from './memory-types.ts'
import type { Problem } from './problem.ts'

export { MEMMAP_DIALECTS, type MemmapDialect, type MemmapKind } from './memmap/model.ts'

/** Another map in the text, which was not used. */
export interface OtherMap {
  readonly dialect: MemmapDialect
  /** Its first line, from 1. */
  readonly line: number
}

/** The result. Nothing usable: an empty map and a fatal problem. */
export interface MemmapParse {
  /** In the order of the text. */
  readonly map: readonly MemoryDescriptor[]
  /** null if no map was recognised. */
  readonly dialect: MemmapDialect | null
  /** How much such a text knows; null if no map was recognised. */
  readonly kind: MemmapKind | null
  /** When such a map is taken: a kernel prints the one from the end of boot services. */
  readonly taken: Dialect['taken']
  /** What such a map lacks, as sentence fragments. */
  readonly lacks: readonly string[]
  /** First and last line with an entry, from 1; [0, 0] if there is none. */
  readonly lines: readonly [first: number, last: number]
  readonly others: readonly OtherMap[]
  readonly problems: readonly Problem[]
}

/** Maximum length of a text, in bytes or UTF-16 units: a kernel log is far shorter. */
export const MEMMAP_TEXT_MAX = 2 ** 24

type Known = Pick<Dialect, 'name' | 'kind' | 'taken' | 'lacks'>
const JSON_KNOWN: Known = { name: 'json', kind: 'efi', taken: 'before-load', lacks: [] }

function fatal(
  id: string,
  what: string,
  problems: readonly Problem[] = [],
  known: Known | null = null,
): MemmapParse {
  return {
    map: [],
    dialect: known?.name ?? null,
    kind: known?.kind ?? null,
    taken: known?.taken ?? 'before-load',
    lacks: known?.lacks ?? [],
    lines: [0, 0],
    others: [],
    problems: [...problems, { id, at: null, what, fatal: true }],
  }
}

/**
 * Reads the best map in the input: UEFI's own before an e820 table before a resource tree, the first of
 * equals; `only` restricts it to one dialect. A whole kernel log, journal or serial capture may be passed
 * unmodified, and the zero page of a running kernel as a file. Rows that cannot be a descriptor (empty, no
 * whole pages, beyond 52 bits, zero addresses as a kernel shows them to the unprivileged) are left out with a
 * problem; overlapping ones stay, with a problem. Never throws.
 */
export function readMemmap(input: string | Uint8Array, only: MemmapDialect | null = null): MemmapParse {
  if (input.length > MEMMAP_TEXT_MAX)
    return fatal(
      'too-long',
      `the text has ${String(input.length)} units, the maximum is ${String(MEMMAP_TEXT_MAX)}`,
    )
  const wants = (name: MemmapDialect): boolean => only === null || only === name
  if (typeof input !== 'string')
    for (const dialect of DIALECTS) {
      const block = wants(dialect.name) ? (dialect.file?.(input) ?? null) : null
      if (block !== null) return finish(dialect, block, [])
    }
  const text = textOf(input)
  if (text.trim() === '') return fatal('empty', 'the text is empty')
  if (wants('json') && text.trimStart().startsWith('{')) {
    const { rows, problems } = readMemmapJson(text)
    const parse = finish(JSON_KNOWN, { placed: rows.map(row => ({ row, line: 0 })), problems, last: 0 }, [])
    return parse.map.length === 0 ? parse : { ...parse, lines: [1, text.trimEnd().split('\n').length] }
  }
  const found = [
    ...blocksIn(
      linesOf(text),
      DIALECTS.filter(dialect => wants(dialect.name)),
    ),
  ]
  found.sort(([a, , one], [b, , other]) => rankOf(a) - rankOf(b) || one - other)
  return best(found)
}

type Found = readonly [dialect: Dialect, block: Block, first: number]

/** The best block with a usable row; otherwise the problems of the best one. */
function best(found: readonly Found[]): MemmapParse {
  let failed: MemmapParse | null = null
  for (const [dialect, block] of found) {
    const others = found
      .filter(([other]) => other !== dialect)
      .map(([other, , line]) => ({ dialect: other.name, line }))
    const parse = finish(dialect, block, others)
    if (parse.map.length > 0) return parse
    failed ??= parse
  }
  return failed ?? fatal('not-a-memmap', 'the text contains no memory map in a known format')
}

/**
 * The first map of each dialect. A line belongs to the first dialect that recognises it; `#section` at the
 * start of a line ends every map.
 */
function* blocksIn(lines: readonly Line[], dialects: readonly Dialect[]): Generator<Found> {
  const open = new Map<Dialect, Line[]>()
  const closed = new Set<Dialect>()
  for (const line of lines) {
    for (const dialect of open.keys()) {
      if (
        !closed.has(dialect) &&
        (line.text.startsWith('#section') || dialect.stop?.test(line.text) === true)
      )
        closed.add(dialect)
    }
    const owner = dialects.find(
      dialect => dialect.sniff(line.text) || (open.has(dialect) && dialect.joins?.(line.text) === true),
    )
    if (owner === undefined || closed.has(owner)) continue
    const mine = open.get(owner)
    if (mine === undefined) open.set(owner, [line])
    else mine.push(line)
  }
  for (const [dialect, mine] of open) yield [dialect, dialect.read(mine), mine[0]?.at ?? 0]
}

function finish(
  known: Known,
  { placed, problems: before, last }: Block,
  others: readonly OtherMap[],
): MemmapParse {
  const problems = [...before]
  const map: MemoryDescriptor[] = []
  for (const { row, line } of placed) {
    const descriptor = checked(row, line === 0 ? '' : `line ${String(line)}: `, problems)
    if (descriptor !== null) map.push(descriptor)
  }
  problems.push(...findOverlaps(map))
  if (map.length === 0) return fatal('nothing-usable', 'the map has no usable entry', problems, known)
  return {
    map,
    dialect: known.name,
    kind: known.kind,
    taken: known.taken,
    lacks: known.lacks,
    lines: [firstLine(placed), last],
    others,
    problems,
  }
}

/** First line of the block: sysfs entries may be in any order. */
function firstLine(placed: readonly Placed[]): number {
  return placed.reduce((least, { line }) => Math.min(least, line), placed[0]?.line ?? 0)
}

/** Shrinks free memory to whole pages, grows other memory to them. */
function toPages(row: MemmapRow): MemmapRow {
  if (row.loose !== true) return row
  const page = BigInt(PAGE)
  const down = (at: bigint): bigint => at - (at % page)
  const up = (at: bigint): bigint => down(at + page - 1n)
  return row.type === EfiConventionalMemory
    ? { ...row, start: up(row.start), end: down(row.end) }
    : { ...row, start: down(row.start), end: up(row.end) }
}

function checked(printed: MemmapRow, where: string, problems: Problem[]): MemoryDescriptor | null {
  const { type, start, end, attribute, pages } = toPages(printed)
  const drop = (id: string, what: string): null => {
    problems.push(odd(id, where + what))
    return null
  }
  const place = `${hex(start)}-${hex(end)}`
  if (printed.start === 0n && printed.end <= 1n)
    return drop('zero-address', 'start and end are zero, as shown to readers without privileges')
  if (end <= start) return drop('empty-range', `${place} is empty`)
  if (end > BigInt(PHYS_END)) return drop('beyond-physical', `${place} exceeds 52 bits`)
  if (start % BigInt(PAGE) !== 0n || end % BigInt(PAGE) !== 0n)
    return drop('not-whole-pages', `${place} is not a whole number of pages`)
  if (pages !== undefined && pages * BigInt(PAGE) !== end - start)
    problems.push(odd('pages-disagree', `${where}${place} is printed with ${hex(pages)} pages`))
  return { type, range: range(Number(start), Number(end)), attribute: BigInt.asUintN(64, attribute) }
}

function findOverlaps(map: readonly MemoryDescriptor[]): Problem[] {
  const sorted = [...map].sort((a, b) => a.range.start - b.range.start)
  const problems: Problem[] = []
  let highest = sorted[0]
  for (const next of sorted.slice(1)) {
    if (highest === undefined) break
    if (overlaps(highest.range, next.range))
      problems.push(
        odd(
          'overlap',
          `${hex(next.range.start)}-${hex(next.range.end)} overlaps ${hex(highest.range.start)}-${hex(highest.range.end)}`,
        ),
      )
    if (next.range.end > highest.range.end) highest = next
  }
  return problems
}

/** The map in the format of the UEFI shell or in our JSON; readMemmap reads both back to the same map. */
export function formatMemmap(map: readonly MemoryDescriptor[], dialect: 'uefi-shell' | 'json'): string {
  if (dialect === 'json') {
    const rows = map.map(({ type, range: { start, end }, attribute }) => ({
      type,
      start: hex(start),
      end: hex(end),
      attribute: hex(attribute),
    }))
    return `{"schema":1,"map":[\n${rows.map(row => `  ${JSON.stringify(row)}`).join(',\n')}\n]}\n`
  }
  const wide = (n: number | bigint): string => n.toString(16).toUpperCase().padStart(16, '0')
  const lines = map.map(({ type, range: { start, end }, attribute }) => {
    const name = SHELL_TYPE_NAMES[type] ?? type.toString(16).toUpperCase().padStart(8, '0')
    return `${name.padEnd(10)} ${wide(start)}-${wide(end - 1)} ${wide(pagesOf(end - start))} ${wide(attribute)}\n`
  })
  return `Type       Start            End              # Pages          Attributes\n${lines.join('')}`
}
