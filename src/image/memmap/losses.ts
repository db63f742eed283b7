/**
 * Detects lost or wrong rows of a map: from the rows themselves, from totals that the program prints with
 * them, and from other maps of the same memory in the log.
 */
import { formatRange, formatSize, hex, intersect, range, sizeOf, type Range } from '../../bytes/range.ts'
import { PAGE, PHYS_END, pagesOf } from '../../bytes/units.ts'
import { memoryTypeOf } from '../memory-type-names.ts'
import {
  EfiConventionalMemory,
  EfiMemoryMappedIO,
  EfiReservedMemoryType,
  FREE_AFTER_EXIT,
  RAM_TYPES,
  type MemoryDescriptor,
} from '../memory-types.ts'
import type { Clues } from './clues.ts'
import type { Dialect, LostRow } from './model.ts'

/** Types that the kernel counts as memory. */
const KERNEL_RAM: ReadonlySet<number> = new Set(FREE_AFTER_EXIT)
/** Firmware lists all of the memory between two of these. */
const LISTED: ReadonlySet<number> = new Set(RAM_TYPES)

const GIB4 = 2 ** 32
const MIB = 2 ** 20
/** From here up to 1 MiB a PC has no memory where its BIOS, video memory and option ROMs are. */
const EXTENDED = 0x80000
/** Tolerance for the kernel's own total, which omits some pages. */
const SLACK = MIB

const lostRow = (row: string, why: string, at: Range | null, bytes: number | null = null): LostRow => ({
  row,
  why,
  at,
  bytes: bytes ?? (at === null ? null : sizeOf(at)),
})

/** The range that a text names: all that is known of an unreadable row. */
export function rangeIn(text: string): Range | null {
  const found = /(?:0x)?([0-9a-f]{5,16})\]?\s?(?:-|,|->)\s?(?:0x)?([0-9a-f]{5,16})/i.exec(text)
  if (found === null) return null
  const start = Number.parseInt(found[1] ?? '', 16)
  const last = Number.parseInt(found[2] ?? '', 16)
  const from = start - (start % PAGE)
  const end = Math.ceil((last + (last % 16 === 15 ? 1 : 0)) / PAGE) * PAGE
  return end > from && end <= PHYS_END ? range(from, end) : null
}

const isSame = (one: MemoryDescriptor, other: MemoryDescriptor): boolean =>
  one.range.start === other.range.start && one.range.end === other.range.end

/** Overlapping rows: the type of their common memory is ambiguous. No EFI map has any. */
function contradictions(map: readonly MemoryDescriptor[], kind: Dialect['kind']): LostRow[] {
  const sorted = [...map].sort((a, b) => a.range.start - b.range.start)
  const lost: LostRow[] = []
  let highest = sorted[0]
  for (const next of sorted.slice(1)) {
    if (highest === undefined) break
    const both = intersect(highest.range, next.range)
    if (both !== null && highest.type === next.type && kind === 'efi' && !isSame(highest, next))
      lost.push(
        lostRow(
          `${formatRange(next.range)} and ${formatRange(highest.range)}`,
          'two rows hold the same memory',
          both,
        ),
      )
    if (both !== null && highest.type !== next.type)
      lost.push(
        lostRow(
          `${formatRange(next.range)} and ${formatRange(highest.range)}`,
          'two rows of different types hold the same memory',
          both,
        ),
      )
    if (next.range.end > highest.range.end) highest = next
  }
  return lost
}

/** The UEFI shell's totals below its table, by type; only the sum if there is nothing else. */
function againstTotals(map: readonly MemoryDescriptor[], { totals, totalBytes }: Clues): LostRow[] {
  const pages = new Map<number, number>()
  for (const { type, range: where } of map) pages.set(type, (pages.get(type) ?? 0) + pagesOf(sizeOf(where)))
  if (totals.length === 0 && totalBytes !== null) {
    const counted = [...pages].reduce(
      (sum, [type, count]) =>
        type === EfiReservedMemoryType || type === EfiMemoryMappedIO ? sum : sum + count * PAGE,
      0,
    )
    return counted === totalBytes
      ? []
      : [
          lostRow(
            'rows of the table',
            `they hold ${formatSize(counted)}, the total below them is ${formatSize(totalBytes)}`,
            null,
            Math.abs(totalBytes - counted),
          ),
        ]
  }
  return totals.flatMap(({ name, count }) => {
    const type = /^[0-9A-F]{8}$/i.test(name) ? Number.parseInt(name, 16) : memoryTypeOf(name)
    const counted = type === null ? count : (pages.get(type) ?? 0)
    return counted === count
      ? []
      : [
          lostRow(
            `rows of type ${name}`,
            `they hold ${hex(counted)} pages, the total below the table says ${hex(count)}`,
            null,
            Math.abs(count - counted) * PAGE,
          ),
        ]
  })
}

function ramEnd(map: readonly MemoryDescriptor[]): number {
  return map.reduce(
    (end, { type, range: { end: own } }) => (KERNEL_RAM.has(type) ? Math.max(end, own) : end),
    0,
  )
}

/** Statements about the same memory in the rest of a kernel's log. */
function againstLog(
  { kind }: Pick<Dialect, 'kind'>,
  map: readonly MemoryDescriptor[],
  clues: Clues,
): LostRow[] {
  const lost: LostRow[] = []
  const { lastPfn, memoryTotal, tables } = clues
  const end = ramEnd(map)
  if (lastPfn !== null && lastPfn * PAGE > end)
    lost.push(
      lostRow(
        'rows at the top',
        `the kernel found memory up to ${hex(lastPfn * PAGE)}, the rows end at ${hex(end)}`,
        lastPfn * PAGE <= PHYS_END ? range(end, lastPfn * PAGE) : null,
      ),
    )
  const counted = map.reduce(
    (sum, { type, range: where }) => (KERNEL_RAM.has(type) ? sum + sizeOf(where) : sum),
    0,
  )
  if (memoryTotal !== null && memoryTotal > counted + SLACK)
    lost.push(
      lostRow(
        'rows of free memory',
        `the kernel counted ${formatSize(memoryTotal)}, the rows hold ${formatSize(counted)}`,
        null,
        memoryTotal - counted,
      ),
    )
  // the kernel's tree hides what lies in a bus, and firmware need not tell of its place below 1 MiB
  const outside = tables.filter(
    ({ address }) =>
      kind !== 'resources' &&
      address >= MIB &&
      !map.some(({ range: { start, end: own } }) => address >= start && address < own),
  )
  if (outside.length > 0)
    lost.push(
      lostRow(
        `the row of ${outside.map(({ name, address }) => `${name} at ${hex(address)}`).join(', ')}`,
        'the kernel found tables of the firmware where no row lies',
        null,
      ),
    )
  return lost
}

/** What a gap between two pieces of memory must be to be one that machines have by themselves. */
interface Natural {
  /** Above 4 GiB and on boards: both bounds are multiples of this; boards and sockets are cut so coarsely. */
  readonly grain: number
}
/** Between sockets of a server, and where a bus has its place. */
const SOCKETS: Natural = { grain: 64 * MIB }
/** Between banks of a board, and around what its first loader keeps for itself. */
const BANKS: Natural = { grain: 64 * 1024 }

const isNatural = (gap: Range, { grain }: Natural): boolean =>
  gap.start % grain === 0 && gap.end % grain === 0

/**
 * Memory between two pieces of memory that no row tells of. Firmware lists all of it, what it keeps for
 * itself as reserved; between 640 KiB and 1 MiB, above 4 GiB and on boards there are places without memory.
 */
function gaps(map: readonly MemoryDescriptor[], isBoard: boolean): LostRow[] {
  const sorted = [...map].sort((a, b) => a.range.start - b.range.start)
  const ram = sorted.filter(({ type }) => LISTED.has(type))
  const top = ram.reduce((most, { range: { end } }) => (end <= GIB4 ? Math.max(most, end) : most), 0)
  const lost: LostRow[] = []
  let before: MemoryDescriptor | null = null
  for (const next of sorted) {
    const from = before === null ? 0 : before.range.end
    if (next.range.start > from && (before !== null || (!isBoard && next.range.start < MIB))) {
      const gap = range(from, next.range.start)
      const between = (before === null || LISTED.has(before.type)) && LISTED.has(next.type)
      const isUsual =
        isBoard || gap.end > GIB4
          ? !between || isNatural(gap, isBoard ? BANKS : SOCKETS)
          : gap.end > top || (gap.start >= EXTENDED && gap.end <= MIB) || gap.end <= PAGE
      if (!isUsual)
        lost.push(
          lostRow(
            formatRange(gap),
            'no row tells of this memory, and there is memory below it and above it',
            gap,
          ),
        )
    }
    if (next.range.end > from) before = next
  }
  return lost
}

/**
 * Free memory that ends anywhere has something above it: firmware hands memory out from the top. A list that
 * ends with it was cut.
 */
function cutShort(map: readonly MemoryDescriptor[]): LostRow[] {
  const last = map.reduce<MemoryDescriptor | null>(
    (high, one) => (high === null || one.range.end > high.range.end ? one : high),
    null,
  )
  return last === null || last.type !== EfiConventionalMemory || last.range.end % BANKS.grain === 0
    ? []
    : [
        lostRow(
          'the rows at the top',
          `the list ends with free memory at ${hex(last.range.end)}, where no machine’s memory ends`,
          null,
        ),
      ]
}

/** Dialects printed on x86 machines only, or on any: maps of other boards begin at any address. */
const ANY_BOARD: ReadonlySet<string> = new Set(['linux-arm', 'uboot', 'uboot-efi-mem'])
/** Our own formats, which are never excerpts of a log. */
const OWN: ReadonlySet<string> = new Set(['json', 'raw', 'compact'])

/** An excerpt of a map: nothing is known of the rest. */
function excerpt(map: readonly MemoryDescriptor[], { name }: Pick<Dialect, 'name'>): LostRow[] {
  if (ANY_BOARD.has(name) || name === 'boot-params') return []
  const lowest = map.reduce<number>((least, { range: { start } }) => Math.min(least, start), PHYS_END)
  return lowest < MIB
    ? []
    : [
        lostRow(
          'the rows of the first MiB',
          `the text is an excerpt: its lowest row begins at ${hex(lowest)}, and every machine ` +
            'of this kind has memory below 1 MiB',
          range(0, Math.min(lowest, MIB)),
        ),
      ]
}

/** Entries that the kernel mentions after the last one in the text. */
function beyondLast({ lastEntry, entries }: Clues): LostRow[] {
  return lastEntry === null || entries === null || lastEntry < entries
    ? []
    : [
        lostRow(
          `entries ${String(entries)} to ${String(lastEntry)}`,
          `the kernel speaks of entry ${String(lastEntry)}, the list ends with entry ${String(entries - 1)}`,
          null,
        ),
      ]
}

/** The totals and maps that the rows were compared with, as noun phrases. */
export function comparedWith({ name, kind }: Pick<Dialect, 'name' | 'kind'>, clues: Clues): string[] {
  const { totals, totalBytes, lastPfn, memoryTotal, tables, lastEntry } = clues
  const isShell = name === 'uefi-shell'
  return [
    ...(isShell && totals.length > 0 ? ['the totals of each type below the table'] : []),
    ...(isShell && totals.length === 0 && totalBytes !== null ? ['the total below the table'] : []),
    ...(name === 'linux' ? ['the numbers of the entries'] : []),
    ...(name === 'linux' && lastEntry !== null ? ['the entries that the kernel removes'] : []),
    ...(lastPfn === null ? [] : ['the end of memory that the kernel found']),
    ...(memoryTotal === null ? [] : ['the sum of memory that the kernel counted']),
    ...(tables.length === 0 || kind === 'resources' ? [] : ['the places of the firmware’s tables']),
  ]
}

/** A lost row as one sentence. */
export function sayLost({ row, why, at, bytes }: LostRow): string {
  const amount =
    bytes === null ? 'how much memory is in doubt is not known' : `${formatSize(bytes)} of memory in doubt`
  return `${row}: ${why}; ${amount}${at === null ? '' : ` at ${formatRange(at)}`}`
}

/** All evidence of missing or altered rows. `map` is not empty. */
export function lossesOf(
  known: Pick<Dialect, 'name' | 'kind'>,
  map: readonly MemoryDescriptor[],
  clues: Clues,
): LostRow[] {
  if (OWN.has(known.name)) return contradictions(map, known.kind)
  const isShell = known.name === 'uefi-shell'
  return [
    ...contradictions(map, known.kind),
    ...(isShell ? againstTotals(map, clues) : []),
    ...againstLog(known, map, clues),
    ...(known.name === 'linux' ? beyondLast(clues) : []),
    ...(known.kind === 'efi' ? gaps(map, ANY_BOARD.has(known.name)) : []),
    ...(known.kind === 'efi' && !ANY_BOARD.has(known.name) ? cutShort(map) : []),
    ...excerpt(map, known),
  ]
}
