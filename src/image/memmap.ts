/**
 * Reads a memory map from any known text or file format. The dialects are in memmap/, one family per file.
 * Keeps the order, repairs nothing.
 */
import { formatRange, formatSize, hex, overlaps, range, sizeOf } from '../bytes/range.ts'
import { PAGE, PHYS_END, pagesOf } from '../bytes/units.ts'
import { hasText, plainLetters } from './paste/letters.ts'
import { blocksIn, type FoundMap, type OtherMap } from './memmap/blocks.ts'
import { cluesIn } from './memmap/clues.ts'
import { clothesOf } from './memmap/clothes.ts'
import { DIALECTS, rankOf, type KnownDialect, type MemmapDialect } from './memmap/dialects.ts'
import { rawLinesOf, textOf } from './memmap/lines.ts'
import { comparedWith, lossesOf, rangeIn } from './memmap/losses.ts'
import { misfitsOf } from './memmap/misfits.ts'
import {
  odd,
  type Block,
  type Line,
  type LostRow,
  type MemmapKind,
  type MemmapRow,
  type Placed,
} from './memmap/model.ts'
import { readMemmapJson } from './memmap-json.ts'
import { SHELL_TYPE_NAMES } from './memory-type-names.ts'
import { EfiConventionalMemory, type MemoryDescriptor } from './memory-types.ts'
import type { Problem } from './problem.ts'

export { MEMMAP_DIALECTS, type MemmapDialect } from './memmap/dialects.ts'
export type { OtherMap } from './memmap/blocks.ts'
export type { LostRow, MemmapKind } from './memmap/model.ts'

/** The result. Nothing usable: an empty map and a fatal problem. */
export interface MemmapParse {
  /** In the order of the text. */
  readonly map: readonly MemoryDescriptor[]
  /** null if no map was recognised. */
  readonly dialect: MemmapDialect | null
  /** How much such a text knows; null if no map was recognised. */
  readonly kind: MemmapKind | null
  /** When such a map is taken: a kernel prints the one from the end of boot services. */
  readonly taken: KnownDialect['taken']
  /** What such a map lacks, as sentence fragments. */
  readonly lacks: readonly string[]
  /** First and last line with an entry, from 1; [0, 0] if there is none. */
  readonly lines: readonly [first: number, last: number]
  readonly others: readonly OtherMap[]
  /** What people and programs had put around its rows, as sentence fragments. */
  readonly takenOff: readonly string[]
  /**
   * Rows that are not in the map, or not as they were: a map with one proves nothing about what is placed in
   * it.
   */
  readonly lost: readonly LostRow[]
  /** What else in the text the rows were compared with, as noun phrases. */
  readonly compared: readonly string[]
  readonly problems: readonly Problem[]
}

/** Maximum length of a text, in bytes or UTF-16 units: a kernel log is far shorter. */
export const MEMMAP_TEXT_MAX = 2 ** 24

type Known = Pick<KnownDialect, 'name' | 'kind' | 'taken' | 'lacks'>
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
    takenOff: [],
    lost: [],
    compared: [],
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
  if (typeof input !== 'string' && !hasText(input))
    return fatal('not-a-memmap', 'the file is no text, and no memory map in a known format')
  const raw = textOf(input)
  if (raw.trim() === '') return fatal('empty', 'the text is empty')
  if (wants('json') && /^\s*\{\s*(?:"(?:schema|map)"|\}?\s*$)/.test(raw)) {
    const { rows, problems } = readMemmapJson(raw)
    const parse = finish(JSON_KNOWN, { placed: rows.map(row => ({ row, line: 0 })), problems, last: 0 }, [])
    return parse.map.length === 0 ? parse : { ...parse, lines: [1, raw.trimEnd().split('\n').length] }
  }
  const { text, habits } = plainLetters(raw)
  const lines = rawLinesOf(text)
  const found = blocksIn(
    lines,
    DIALECTS.filter(dialect => wants(dialect.name)),
  )
  found.sort((a, b) => rankOf(a.dialect) - rankOf(b.dialect) || a.first - b.first)
  return best(found, lines, habits)
}

/** The best block with a usable row; otherwise the problems of the best one. */
function best(found: readonly FoundMap[], lines: readonly string[], habits: readonly string[]): MemmapParse {
  let failed: MemmapParse | null = null
  for (const { dialect, rows, again } of found) {
    const block = dialect.read(rows)
    const rest = rows.find(row => row.at > block.last)
    const second =
      again ?? (block.last === 0 || rest === undefined ? null : { dialect: dialect.name, line: rest.at })
    const others = [
      ...(second === null ? [] : [second]),
      ...found
        .filter(other => other.dialect !== dialect)
        .map(other => ({ dialect: other.dialect.name, line: other.first })),
    ]
    const parse = finish(dialect, block, others, rows)
    if (parse.map.length > 0) {
      const last = rows.findLast(row => row.at <= block.last)
      const clues = {
        ...cluesIn(lines, parse.lines[0], second === null ? lines.length : second.line - 1),
        entries: dialect.name === 'linux' ? entriesOf(last) : null,
      }
      const misfits = misfitsOf(
        dialect,
        lines,
        rows.filter(row => row.at <= block.last),
      )
      return {
        ...parse,
        takenOff: clothesOf(rows, habits),
        lost: onceEach([...parse.lost, ...misfits, ...lossesOf(dialect, parse.map, clues)]),
        compared: comparedWith(dialect, clues),
      }
    }
    failed ??= parse
  }
  return failed ?? fatal('not-a-memmap', 'the text contains no memory map in a known format')
}

/** Without what a row before says of the same memory. */
function onceEach(lost: readonly LostRow[]): LostRow[] {
  const places = new Set<string>()
  return lost.filter(({ at }) => {
    const place = at === null ? null : formatRange(at)
    const again = place !== null && places.has(place)
    if (place !== null) places.add(place)
    return !again
  })
}

/** How many entries a list has by the number of its last one. */
function entriesOf(last: Line | undefined): number | null {
  const digits = /mem(\d{2,4}):/.exec(last?.text ?? '')?.[1]
  return digits === undefined ? null : Number(digits) + 1
}

function finish(
  known: Known,
  { placed, problems: before, lost: missing = [], last }: Block,
  others: readonly OtherMap[],
  rows: readonly Line[] = [],
): MemmapParse {
  const problems = [...before]
  const lost = [...missing, ...before.flatMap(problem => unread(problem, rows))]
  const map: MemoryDescriptor[] = []
  for (const { row, line } of placed) {
    const descriptor = checked(row, line === 0 ? '' : `line ${String(line)}: `, problems, lost)
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
    takenOff: [],
    lost,
    compared: [],
    problems,
  }
}

/** What is lost with a line that cannot be read. */
function unread({ id, what }: Problem, rows: readonly Line[]): LostRow[] {
  if (id !== 'unreadable-line') return []
  const line = Number(/^line (\d+)/.exec(what)?.[1])
  const at = rangeIn(rows.find(row => row.at === line)?.text ?? '')
  return [{ row: what, why: 'it looks like a row', at, bytes: at === null ? null : sizeOf(at) }]
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

function checked(
  printed: MemmapRow,
  where: string,
  problems: Problem[],
  lost: LostRow[],
): MemoryDescriptor | null {
  const { type, start, end, attribute, pages, rounded } = toPages(printed)
  const place = `${hex(start)}-${hex(end)}`
  const drop = (id: string, what: string): null => {
    problems.push(odd(id, where + what))
    if (id !== 'zero-address' && end !== start)
      lost.push({ row: `${where}${place}`, why: 'it can be no descriptor', at: null, bytes: null })
    return null
  }
  if (printed.start === 0n && printed.end <= 1n)
    return drop('zero-address', 'start and end are zero, as shown to readers without privileges')
  if (end <= start) return drop('empty-range', `${place} is empty`)
  if (end > BigInt(PHYS_END)) return drop('beyond-physical', `${place} exceeds 52 bits`)
  if (start % BigInt(PAGE) !== 0n || end % BigInt(PAGE) !== 0n)
    return drop('not-whole-pages', `${place} is not a whole number of pages`)
  if (pages !== undefined && pages * BigInt(PAGE) !== end - start) {
    problems.push(odd('pages-disagree', `${where}${place} is printed with ${hex(pages)} pages`))
    const bytes = pages * BigInt(PAGE) - (end - start)
    lost.push({
      row: `${where}${place}`,
      why: `it is printed with ${hex(pages)} pages, start and end make ${hex((end - start) / BigInt(PAGE))}`,
      at: range(Number(start), Number(end)),
      bytes: Number(bytes < 0n ? -bytes : bytes),
    })
  }
  if (rounded !== undefined && (end - start) / rounded.unit !== rounded.amount) {
    const said = rounded.amount * rounded.unit
    problems.push(odd('size-disagrees', `${where}${place} is printed with ${formatSize(Number(said))}`))
    lost.push({
      row: `${where}${place}`,
      why:
        `it is printed with ${formatSize(Number(said))}, ` +
        `start and end make ${formatSize(Number(end - start))}`,
      at: range(Number(start), Number(end)),
      bytes: null,
    })
  }
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
          `${hex(next.range.start)}-${hex(next.range.end)} overlaps ` +
            `${hex(highest.range.start)}-${hex(highest.range.end)}`,
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
    return (
      `${name.padEnd(10)} ${wide(start)}-${wide(end - 1)} ${wide(pagesOf(end - start))} ` +
      `${wide(attribute)}\n`
    )
  })
  return `Type       Start            End              # Pages          Attributes\n${lines.join('')}`
}
