/**
 * The memory that remembers: a map of extents, each with its bytes, its owner and the event that put it
 * there.
 */
import { ModelBug } from '../bytes/errors.ts'
import { formatRange, range, rangeAt, sizeOf, type Range } from '../bytes/range.ts'
import { bytesSource, numberAt, type ByteSource } from '../bytes/source.ts'
import { numberIn } from '../bytes/struct.ts'
import { fileOffset, type Phys } from '../bytes/units.ts'
import { amendedSource, type Amendment } from './amended-source.ts'
import { disownedAlike, extentOf, holesBetween, holesIn, isCovered, type Cell } from './cell.ts'
import { compare, type Part } from './compare.ts'
import type { Deviation, EventId, Ranges, WriteEvent } from './event.ts'
import { GARBAGE, OPAQUE, ZERO, type Content, type Extent, type ObjectId, type Whose } from './extent.ts'
import type { Recorder } from './recorder.ts'
import { RunMap, type Run } from './run-map.ts'
import { SharedMap } from './shared-map.ts'
import { effectOf, effectOfCopy, effectOfOccupying } from './write-effect.ts'

export type { Part } from './compare.ts'

/** A part of a source. */
export interface Slice {
  readonly source: ByteSource
  readonly at: number
  readonly length: number
}

/** The result of a read. `event`: the read in the recording. */
export interface Reading {
  readonly event: EventId
  readonly deviations: readonly Deviation[]
  /** Was every byte the object's, and (for a whole object) nothing missing? */
  readonly whole: boolean
}

/** How a range is read. */
export interface ReadOptions {
  /** Offset in the object of the first byte. Default 0. */
  readonly at?: number
  /** `code` is about to run. Default `data`. */
  readonly as?: 'data' | 'code'
  /**
   * Does the reader treat this as the whole object? If so, bytes up to its declared length count as missing.
   * Default false.
   */
  readonly all?: boolean
}

/** Longest raw read, in bytes: a larger one is a bug, since payloads are never loaded. */
export const RAW_READ_MAX = 16 * 2 ** 20

/** A snapshot of memory, unaffected by later changes. */
export type MemorySnapshot = Pick<Memory, 'extents' | 'claims'>

interface Claim {
  readonly label: string
  readonly by: EventId
}

const NONE: readonly never[] = []

/** One range or many, as a list. Throws ModelBug when it is empty or not sorted. */
function rangesIn(where: Range | readonly Range[]): Ranges {
  if ('start' in where) return [where]
  for (let i = 1; i < where.length; i++) {
    const one = where[i] as Range
    if ((where[i - 1] as Range).end > one.start)
      throw new ModelBug(`ranges do not ascend at ${formatRange(one)}`)
  }
  if (where.length === 0) throw new ModelBug('an event without a range')
  return where as Ranges
}

/**
 * Sparse physical memory. Every verb is recorded. Writes outside RAM are recorded and store nothing; writes
 * outside every allocation are recorded as unallocated and do store. Costs depend on the number of extents
 * touched, never on their length.
 */
export class Memory {
  #cells = new RunMap<Cell>()
  #claims = new RunMap<Claim>()
  #lengths = new SharedMap<ObjectId, number>()
  #parts = new SharedMap<ObjectId, readonly Part[]>()
  readonly #recorder: Recorder

  constructor(recorder: Recorder) {
    this.#recorder = recorder
  }

  /**
   * A fork of the memory with another recorder: a fork of this one's, which has the events that extents refer
   * to. Neither sees later writes of the other. Costs a few microseconds for any content: shared buckets are
   * copied on write.
   */
  fork(recorder: Recorder): Memory {
    const twin = new Memory(recorder)
    twin.#cells = this.#cells.fork()
    twin.#claims = this.#claims.fork()
    twin.#lengths = this.#lengths.fork()
    twin.#parts = this.#parts.fork()
    return twin
  }

  /** A snapshot of the current memory. */
  snapshot(): MemorySnapshot {
    return this.fork(this.#recorder)
  }

  /** Creates RAM with `content`, unallocated and unowned. */
  ram(where: Range | Ranges, content: Content): EventId {
    const ranges = rangesIn(where)
    const by = this.#recorder.append({ op: 'ram', ranges, content })
    const cell: Cell = { origin: 0, content, whose: null, written: false, by }
    for (const { start, end } of ranges)
      this.#cells.assign(start, end, content.kind === 'bytes' ? { ...cell, origin: start } : cell)
    return by
  }

  /**
   * Memory in use since before the recording: it is allocated, and each byte is the object's at the byte's
   * own address. Their values are not modelled.
   */
  occupy(where: Ranges, object: ObjectId): EventId {
    const ranges = rangesIn(where)
    const effect = effectOfOccupying(this.#cells, ranges, object)
    const by = this.#recorder.append({ op: 'occupy', ranges, object, ...effect })
    this.#claims.assignAll(ranges, { label: object, by })
    const whose = { object, at: 0 }
    this.#cells.assignAll(ranges, { origin: 0, content: OPAQUE, whose, written: true, by })
    for (const hole of effect.outside) this.#cells.clear(hole.start, hole.end)
    this.#grow(object, (ranges.at(-1) as Range).end)
    return by
  }

  /** Allocates memory: its bytes stay (or become `content`), but lose their owner. */
  claim(where: Range, label: string, content?: Content): EventId {
    const { next: by, actor, under: step } = this.#recorder
    this.#recorder.push({ id: by, actor, step, op: 'claim', range: where, label })
    this.#claims.assign(where.start, where.end, { label, by })
    this.#disown(where, by, content)
    return by
  }

  /**
   * Frees memory: its bytes stay (or become `content`, if the firmware clears freed memory), unowned and
   * unallocated.
   */
  release(where: Range | Ranges, label: string, content?: Content): EventId {
    const ranges = rangesIn(where)
    const { next: by, actor, under: step } = this.#recorder
    this.#recorder.push({ id: by, actor, step, op: 'release', ranges, label })
    if (ranges.length === 1) {
      this.#claims.clear(ranges[0].start, ranges[0].end)
      this.#disown(ranges[0], by, content)
    } else {
      this.#claims.rewrite(ranges, () => null)
      this.#cells.rewrite(ranges, disownedAlike(by, content))
    }
    return by
  }

  /** Writes bytes of a source as `object`, the first of them at its `offset`. */
  put(at: Phys, slice: Slice, object: ObjectId, offset = 0): EventId {
    const where = rangeAt(at, slice.length)
    this.#grow(object, offset + slice.length)
    const content: Content = { kind: 'bytes', source: slice.source, at: slice.at }
    return this.#write('put', where, content, { object, at: offset })
  }

  /** Writes computed bytes: a small edit or a table. They become the object's, from its `offset` on. */
  patch(at: Phys, bytes: Uint8Array, object: ObjectId, offset = 0): EventId {
    const content: Content = { kind: 'bytes', source: bytesSource(new Uint8Array(bytes)), at: 0 }
    return this.#write('patch', rangeAt(at, bytes.length), content, { object, at: offset })
  }

  /** Writes `object` without modelling its bytes: decompressor output, page tables. */
  make(where: Range, object: ObjectId, offset = 0): EventId {
    this.#grow(object, offset + sizeOf(where))
    return this.#write('make', where, OPAQUE, { object, at: offset })
  }

  /**
   * Adjusts bytes in place, like a loader that relocates code: their owner, writing event and written state
   * stay the same. Throws ModelBug if the pieces are not sorted and disjoint, or if there are none.
   */
  amend(pieces: readonly { readonly at: Phys; readonly bytes: Uint8Array }[]): EventId {
    const ranges = rangesIn(pieces.map(({ at, bytes }) => rangeAt(at, bytes.length)))
    const by = this.#recorder.append({
      op: 'amend',
      ranges,
      lost: NONE,
      unallocated: ranges.flatMap(one => holesIn(this.#claims, one)),
      outside: ranges.flatMap(one => holesIn(this.#cells, one)),
    })
    let next = 0
    const last = pieces.at(-1) as (typeof pieces)[number]
    for (const run of this.#wholeRuns(ranges[0].start, last.at + last.bytes.length)) {
      const inside: Amendment[] = []
      for (; next < pieces.length; next++) {
        const { at, bytes } = pieces[next] as (typeof pieces)[number]
        if (at >= run.end) break
        const [from, to] = [Math.max(at, run.start), Math.min(at + bytes.length, run.end)]
        if (from < to) inside.push({ at: from, bytes: new Uint8Array(bytes.subarray(from - at, to - at)) })
        if (at + bytes.length > run.end) break
      }
      if (inside.length > 0) this.#amendRun(run, inside)
    }
    return by
  }

  /** Zeroes a range as an object (from its `offset` on), or unowned. */
  zero(where: Range, object: ObjectId | null, offset = 0): EventId {
    return this.#write('zero', where, ZERO, object === null ? null : { object, at: offset })
  }

  /** memmove: copies bytes and owners. Source bytes outside RAM arrive as unowned garbage. */
  copy(to: Phys, from: Range): EventId {
    const shift = to - from.start
    const taken = this.#cells.runs(from.start, from.end)
    const missing = holesBetween(taken, from)
    const where = rangeAt(to, sizeOf(from))
    const arriving = taken.map(run => ({
      where: range(run.start + shift, run.end + shift),
      cell: { ...run.value, origin: run.value.origin + shift },
    }))
    const effect = effectOfCopy(this.#cells, this.#claims, where, arriving)
    const by = this.#recorder.append({ op: 'copy', range: where, from, fromOutside: missing, ...effect })
    for (const hole of missing)
      this.#storeCell(range(hole.start + shift, hole.end + shift), {
        origin: hole.start + shift,
        content: GARBAGE,
        whose: null,
        written: true,
        by,
      })
    for (const piece of arriving) this.#storeCell(piece.where, { ...piece.cell, by })
    return by
  }

  /** Declares the real length of an object, so that a reader of less than the whole is detected. */
  declare(object: ObjectId, length: number): void {
    this.#lengths.set(object, length)
  }

  /** The length of an object: declared, composed, or the end of its writes. */
  lengthOf(object: ObjectId): number | undefined {
    return this.#lengths.get(object)
  }

  /** `object` is these parts, one after the other; reads as it are checked against them. */
  compose(object: ObjectId, parts: readonly Part[]): void {
    this.#parts.set(object, parts)
    this.#lengths.set(
      object,
      parts.reduce((sum, part) => sum + part.length, 0),
    )
  }

  /** The parts of a composed object, or undefined. */
  partsOf(object: ObjectId): readonly Part[] | undefined {
    return this.#parts.get(object)
  }

  /** Reads a range as an object; every byte that is not that object's byte at that offset is a deviation. */
  readAs(where: Range, object: ObjectId, options: ReadOptions = {}): Reading {
    const { at = 0, as = 'data', all = false } = options
    const deviations = compare(
      { cells: this.#cells, claims: this.#claims, parts: this.#parts },
      where,
      object,
      at,
    )
    const length = this.#lengths.get(object) ?? 0
    const missing = all ? Math.max(0, length - at - sizeOf(where)) : 0
    const { next: id, actor, under: step } = this.#recorder
    this.#recorder.push({ id, actor, step, op: 'read', range: where, object, at, as, deviations, missing })
    return { event: id, deviations, whole: deviations.length === 0 && missing === 0 }
  }

  /**
   * The bytes of a range, unchecked and unrecorded. `known` is false if a byte is not modelled (it reads as
   * 0).
   */
  peek(where: Range): { readonly bytes: Uint8Array; readonly known: boolean } {
    const length = sizeOf(where)
    if (length > RAW_READ_MAX) throw new ModelBug(`raw read of ${String(length)} bytes`)
    const runs = this.#cells.runs(where.start, where.end)
    const [first] = runs
    if (runs.length === 1 && first?.value.content.kind === 'bytes') {
      const { content, origin } = first.value
      const bytes = content.source.read(fileOffset(content.at + where.start - origin), length)
      if (bytes.length === length) return { bytes: new Uint8Array(bytes), known: true }
    }
    const bytes = new Uint8Array(length)
    let covered = 0
    let known = true
    for (const run of runs) {
      const { content, origin } = run.value
      covered += run.end - run.start
      if (content.kind === 'fill' && content.byte === 0) continue
      if (content.kind === 'fill') bytes.fill(content.byte, run.start - where.start, run.end - where.start)
      else if (content.kind === 'bytes')
        bytes.set(
          content.source.read(fileOffset(content.at + run.start - origin), run.end - run.start),
          run.start - where.start,
        )
      else known = false
    }
    return { bytes, known: known && covered === length }
  }

  /** Is every byte of a range RAM? */
  isRam(where: Range): boolean {
    return this.#cells.covers(where.start, where.end)
  }

  /** Is every byte of a range modelled? */
  knows(where: Range): boolean {
    const runs = this.#cells.runs(where.start, where.end)
    return (
      isCovered(runs, where) &&
      runs.every(({ value: { content } }) => content.kind === 'fill' || content.kind === 'bytes')
    )
  }

  /** A little-endian number of at most 8 bytes; bytes that are not modelled read as zero (numberIn). */
  number(at: number, width: number): number {
    const run = this.#cells.at(at)
    if (run === undefined || run.end < at + width) return numberIn(this.readRaw(rangeAt(at, width)))
    const { content, origin } = run.value
    if (content.kind === 'bytes') return numberAt(content.source, content.at + at - origin, width)
    return content.kind === 'fill' && content.byte !== 0 ? numberIn(this.readRaw(rangeAt(at, width))) : 0
  }

  /**
   * The bytes of a range; bytes that are not modelled read as zero. For guests that read small structures.
   */
  readRaw(where: Range): Uint8Array {
    return this.peek(where).bytes
  }

  /** The extents that touch a range, ascending, clipped to it; all extents without a range. */
  extents(within?: Range): Extent[] {
    return this.#cells.runs(within?.start, within?.end).map(run => extentOf(run.start, run.end, run.value))
  }

  /** The allocations that touch a range, ascending, clipped to it. */
  claims(within?: Range): { readonly range: Range; readonly label: string; readonly by: EventId }[] {
    return this.#claims
      .runs(within?.start, within?.end)
      .map(run => ({ range: range(run.start, run.end), label: run.value.label, by: run.value.by }))
  }

  /** The extents whose first byte is byte `at` of an object, ascending. */
  placesOf(object: ObjectId, at: number): Extent[] {
    const found: Extent[] = []
    this.#cells.some(({ start, end, value }) => {
      const { whose, origin } = value
      if (whose !== null && whose.object === object && whose.at + start - origin === at)
        found.push(extentOf(start, end, value))
      return false
    })
    return found
  }

  /** Extents in the range with an owner outside `except`. */
  occupants(within: Range, except: (object: ObjectId) => boolean): Extent[] {
    return this.#cells
      .runs(within.start, within.end)
      .filter(({ value: { whose } }) => whose !== null && !except(whose.object))
      .map(run => extentOf(run.start, run.end, run.value))
  }

  /** The runs that touch [start, end), not clipped. */
  #wholeRuns(start: number, end: number): Run<Cell>[] {
    return this.#cells.runs(this.#cells.at(start)?.start ?? start, this.#cells.at(end - 1)?.end ?? end)
  }

  /**
   * Bytes of a source stay one run, over the amended source; in other content each piece becomes its own run.
   */
  #amendRun({ start, end, value }: Run<Cell>, amendments: readonly Amendment[]): void {
    const { content, origin } = value
    if (content.kind === 'bytes') {
      const shift = content.at - origin
      const source = amendedSource(
        content.source,
        amendments.map(({ at, bytes }) => ({ at: at + shift, bytes })),
      )
      this.#cells.assign(start, end, { ...value, content: { ...content, source } })
      return
    }
    for (const { at, bytes } of amendments) {
      const { whose } = extentOf(at, at + bytes.length, value)
      this.#cells.assign(at, at + bytes.length, {
        ...value,
        origin: at,
        content: { kind: 'bytes', source: bytesSource(bytes), at: 0 },
        whose,
      })
    }
  }

  #write(
    op: 'put' | 'patch' | 'make' | 'zero',
    range: Range,
    content: Content,
    whose: Whose | null,
  ): EventId {
    const { lost, unallocated, outside } = effectOf(this.#cells, this.#claims, range, whose)
    const { next: by, actor, under: step } = this.#recorder
    const object = whose === null ? null : whose.object
    const at = whose === null ? 0 : whose.at
    const event = { id: by, actor, step, op, range, object, at, lost, unallocated, outside }
    this.#recorder.push(event as WriteEvent)
    this.#cells.assign(range.start, range.end, { origin: range.start, content, whose, written: true, by })
    for (const hole of outside) this.#cells.clear(hole.start, hole.end)
    return by
  }

  /** Stores a cell in RAM only; `holes`: the parts without RAM. */
  #storeCell(where: Range, cell: Cell, holes: readonly Range[] = holesIn(this.#cells, where)): void {
    this.#cells.assign(where.start, where.end, cell)
    for (const hole of holes) this.#cells.clear(hole.start, hole.end)
  }

  #disown(where: Range, by: EventId, content?: Content): void {
    const nobodys = disownedAlike(by, content)
    for (const { start, end, value } of this.#cells.runs(where.start, where.end))
      this.#cells.assign(start, end, nobodys(value, start))
  }

  #grow(object: ObjectId, length: number): void {
    if (!this.#parts.has(object)) this.#lengths.set(object, Math.max(length, this.#lengths.get(object) ?? 0))
  }
}
