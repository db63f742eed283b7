/**
 * One file through every image loader: which ones refuse it, how much memory each takes, and which bytes of
 * which section differ (chapter PE).
 */
import { UsageError } from '../bytes/errors.ts'
import { rangeOrNull, sizeOf, union, type Range } from '../bytes/range.ts'
import type { ByteSource } from '../bytes/source.ts'
import { PHYS_END } from '../bytes/units.ts'
import { createFirmware } from '../firmware/boot-services.ts'
import { innerLoader, type Firmware } from '../firmware/firmwares.ts'
import type { BootServices, LoadResult } from '../firmware/services.ts'
import type { MemoryDescriptor } from '../image/memory-types.ts'
import type { UkiView } from '../image/uki.ts'
import type { AnyClauseId } from '../memory/event.ts'
import type { Extent } from '../memory/extent.ts'
import { Memory } from '../memory/memory.ts'
import { Recorder } from '../memory/recorder.ts'

/**
 * Content of a run of bytes of the loaded image: data of an object, zeros, the previous content of the pages,
 * or not memory at all.
 */
export type Holds =
  | { readonly kind: 'data'; readonly object: string; readonly at: number }
  | { readonly kind: 'zero' | 'stale' | 'no-memory' }

/** Offsets [from, to) of the loaded image. */
export interface LoadedRun {
  readonly from: number
  readonly to: number
  readonly holds: Holds
}

/** The result of one image loader. */
export interface ImageLoaderOutcome {
  readonly loader: string
  readonly title: string
  /** Null when the image was loaded. */
  readonly refused: {
    readonly status: string
    readonly clause: AnyClauseId
    readonly why: string
    /** the loader's message */ readonly message: string | null
  } | null
  /** Load address, bytes of memory allocated, and the loader's idea of the image size; null when refused. */
  readonly loaded: { readonly base: number; readonly taken: number; readonly imageSize: number } | null
  readonly runs: readonly LoadedRun[]
  /** Written outside the allocation, as offsets in the image. */
  readonly unallocated: readonly { readonly from: number; readonly to: number }[]
  /** The image is at an address without memory: its bytes are not compared. */
  readonly nowhere: boolean
  /** Assumptions of the load. */
  readonly assumptions: readonly string[]
}

/** A range of a section (or of no section) in which loaders disagree. */
export interface ImageLoaderDifference {
  /** Index in the table, null between sections. */
  readonly index: number | null
  readonly section: string | null
  readonly from: number
  readonly to: number
  /**
   * discardable: the section is only needed during the load. unusual: only unusual loaders differ. Null: it
   * matters.
   */
  readonly harmless: 'discardable' | 'unusual' | null
  /** Loaders, grouped by the content they leave there. */
  readonly groups: readonly { readonly holds: Holds; readonly loaders: readonly string[] }[]
}

/** The results of every loader for one file, and where they disagree. */
export interface ImageLoaderComparison {
  readonly outcomes: readonly ImageLoaderOutcome[]
  /** In sections only: these are disagreements. */
  readonly differences: readonly ImageLoaderDifference[]
  /** Between sections and after the headers: one loader zeroes them, another leaves them unwritten. */
  readonly gaps: readonly ImageLoaderDifference[]
  /** No loader refuses, and no byte of a section differs. */
  readonly agree: boolean
  /** harmless: the differences affect neither a running image nor a usual loader. */
  readonly verdict: 'agree' | 'harmless' | 'disagree'
}

/** Source: pe@2024, section flags. */
const MEM_DISCARDABLE = 0x02000000
/** Maximum number of sections compared. */
const SECTIONS_MAX = 1024

/**
 * Loads the file with each firmware on the same machine. Memory that the load does not write is unknown.
 * `counts`: the loaders whose refusals and bytes decide the verdict, by default all but the unusual ones.
 * Throws UsageError for more than 1024 sections.
 */
export function compareImageLoaders(
  source: ByteSource,
  uki: UkiView,
  map: readonly MemoryDescriptor[],
  firmwares: readonly Firmware[],
  counts: (firmware: Firmware) => boolean = isUsual,
): ImageLoaderComparison {
  if (uki.sections.length > SECTIONS_MAX)
    throw new UsageError(
      `${String(uki.sections.length)} sections: at most ${String(SECTIONS_MAX)} can be compared`,
    )
  const end = Math.max(
    uki.pe.optional.SizeOfImage,
    ...uki.sections.map(
      ({ section }) => section.VirtualAddress + Math.max(section.VirtualSize, section.SizeOfRawData),
    ),
  )
  const outcomes = firmwares.map(firmware => outcomeOf(source, uki, map, firmware, end))
  const counting = new Set(firmwares.filter(counts).map(({ id }) => id))
  const all = differences(
    uki,
    outcomes.filter(({ loaded, nowhere }) => loaded !== null && !nowhere),
    end,
    counting,
  )
  const inSections = all.filter(({ index }) => index !== null)
  const agree =
    inSections.length === 0 && outcomes.every(({ refused, nowhere }) => refused === null && !nowhere)
  const fine =
    outcomes.every(
      ({ loader, refused, nowhere }) => !counting.has(loader) || (refused === null && !nowhere),
    ) && inSections.every(({ harmless }) => harmless !== null)
  const unlike = fine ? 'harmless' : 'disagree'
  const verdict = agree ? 'agree' : unlike
  return {
    outcomes,
    differences: inSections,
    gaps: all.filter(({ index }) => index === null),
    agree,
    verdict,
  }
}

const isUsual = ({ loader }: Firmware): boolean => loader.unusual === undefined

function outcomeOf(
  source: ByteSource,
  uki: UkiView,
  map: readonly MemoryDescriptor[],
  firmware: Firmware,
  end: number,
): ImageLoaderOutcome {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  const assumptions: string[] = []
  const services = createFirmware({
    memory,
    recorder,
    map,
    allocator: firmware.allocator,
    ...(firmware.build === undefined ? {} : { build: firmware.build }),
    loader: firmware.loader,
    inner: innerLoader(firmware, false),
    contents: 'poison',
    assume: (clause, what) => (clause.startsWith('PE-') ? assumptions.push(what) : 0),
  })
  const before = recorder.next
  const result = load(services, source, uki)
  const { id, title } = firmware
  if (result.image === null) {
    const { status, clause, why, message } = result
    return {
      loader: id,
      title,
      refused: { status, clause, why, message },
      loaded: null,
      runs: [],
      unallocated: [],
      nowhere: false,
      assumptions,
    }
  }
  const { base, pages, size } = result.image
  const unallocated = union(
    recorder.events.slice(before).flatMap(event => ('unallocated' in event ? event.unallocated : [])),
  ).map(({ start, end: to }) => ({ from: start - base, to: to - base }))
  const where = rangeOrNull(base, Math.min(end, PHYS_END - base))
  const runs = where === null ? [] : runsOf(memory, where)
  return {
    loader: id,
    title,
    refused: null,
    loaded: { base, taken: sizeOf(pages), imageSize: size },
    runs,
    unallocated,
    nowhere: runs.length > 0 && runs.every(({ holds }) => holds.kind === 'no-memory'),
    assumptions,
  }
}

function load(services: BootServices, source: ByteSource, uki: UkiView): LoadResult {
  const owners = new Map(uki.sections.map(({ section, object }) => [section.index, object]))
  return services.loadImage({
    from: { kind: 'file', source },
    name: 'uki',
    ownerOf: section => ({ object: owners.get(section.index) ?? 'uki', at: 0 }),
  })
}

function runsOf(memory: Memory, where: Range): LoadedRun[] {
  const runs: LoadedRun[] = []
  let next: number = where.start
  const add = (from: number, to: number, holds: Holds): void => {
    if (from >= to) return
    const run = { from: from - where.start, to: to - where.start, holds }
    const last = runs.at(-1)
    if (last !== undefined && keyOf(holdsAt(last, run.from)) === keyOf(holds))
      runs[runs.length - 1] = { ...last, to: run.to }
    else runs.push(run)
  }
  for (const extent of memory.extents(where)) {
    add(next, extent.range.start, { kind: 'no-memory' })
    add(extent.range.start, extent.range.end, holdsOf(extent))
    next = extent.range.end
  }
  add(next, where.end, { kind: 'no-memory' })
  return runs
}

function holdsOf({ content, whose, written }: Extent): Holds {
  if (!written) return { kind: 'stale' }
  if (content.kind === 'bytes' && whose !== null) return { kind: 'data', object: whose.object, at: whose.at }
  return content.kind === 'fill' && content.byte === 0 ? { kind: 'zero' } : { kind: 'stale' }
}

/** Content of a run from an offset of the image on. */
function holdsAt(run: LoadedRun, from: number): Holds {
  return run.holds.kind === 'data' ? { ...run.holds, at: run.holds.at + from - run.from } : run.holds
}

const keyOf = (holds: Holds): string =>
  holds.kind === 'data' ? `${holds.object} ${String(holds.at)}` : holds.kind

function groupsAt(
  outcomes: readonly ImageLoaderOutcome[],
  cursor: number[],
  from: number,
): ImageLoaderDifference['groups'] {
  const groups = new Map<string, { holds: Holds; loaders: string[] }>()
  outcomes.forEach(({ loader, runs }, i) => {
    while ((runs[cursor[i] ?? 0]?.to ?? Infinity) <= from) cursor[i] = (cursor[i] ?? 0) + 1
    const run = runs[cursor[i] ?? 0]
    const holds: Holds = run === undefined ? { kind: 'no-memory' } : holdsAt(run, from)
    const group = groups.get(keyOf(holds)) ?? { holds, loaders: [] }
    group.loaders.push(loader)
    groups.set(keyOf(holds), group)
  })
  return [...groups.values()]
}

function differences(
  uki: UkiView,
  outcomes: readonly ImageLoaderOutcome[],
  end: number,
  counting: ReadonlySet<string>,
): ImageLoaderDifference[] {
  const spans = uki.sections.map(
    ({ section: { index, name, VirtualAddress, VirtualSize, SizeOfRawData, Characteristics } }) => ({
      index,
      name,
      discardable: (Characteristics & MEM_DISCARDABLE) !== 0,
      from: Number(VirtualAddress),
      to: VirtualAddress + (VirtualSize === 0 ? SizeOfRawData : VirtualSize),
    }),
  )
  const bounds = [
    ...new Set([
      0,
      end,
      ...spans.flatMap(({ from, to }) => [from, to]),
      ...outcomes.flatMap(({ runs }) => runs.flatMap(({ from, to }) => [from, to])),
    ]),
  ]
    .filter(at => at <= end)
    .sort((a, b) => a - b)
  const cursor = outcomes.map(() => 0)
  const found: ImageLoaderDifference[] = []
  const lastOf = new Map<number | null, number>()
  bounds.slice(0, -1).forEach((from, i) => {
    const to = bounds[i + 1] as number
    const groups = groupsAt(outcomes, cursor, from)
    if (groups.length < 2) return
    const holding = spans.filter(span => span.from <= from && to <= span.to)
    const counted = groups.filter(({ loaders }) => loaders.some(loader => counting.has(loader))).length
    const unusual = counted < 2 ? 'unusual' : null
    for (const { index, name, discardable } of holding.length === 0
      ? [{ index: null, name: null, discardable: false }]
      : holding)
      append(found, lastOf, {
        index,
        section: name,
        harmless: discardable ? 'discardable' : unusual,
        from,
        to,
        groups,
      })
  })
  return found.sort((a, b) => (a.index ?? -1) - (b.index ?? -1) || a.from - b.from)
}

/** Joins a range with the one before it if the same loaders agree in both. */
function append(
  found: ImageLoaderDifference[],
  lastOf: Map<number | null, number>,
  next: ImageLoaderDifference,
): void {
  const at = lastOf.get(next.index) ?? found.length
  const last = found[at]
  const continues = (before: Holds, after: Holds, length: number): boolean =>
    keyOf(before.kind === 'data' ? { ...before, at: before.at + length } : before) === keyOf(after)
  const same =
    last?.to === next.from &&
    last.groups.length === next.groups.length &&
    last.groups.every((group, i) => {
      const other = next.groups[i]
      return (
        other?.loaders.join() === group.loaders.join() &&
        continues(group.holds, other.holds, next.from - last.from)
      )
    })
  if (same) found[at] = { ...last, to: next.to }
  else {
    lastOf.set(next.index, found.length)
    found.push(next)
  }
}
