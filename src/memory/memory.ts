/**
 * The memory that remembers: a map of extents, each with its bytes, its owner and the event that put it
 * there.
 */
import { ModelBug } from '../bytes/errors.ts'
import { range, rangeAt, rangeOrNull, sizeOf, type Range } from '../bytes/range.ts'
import { bytesSource, type ByteSource } from '../bytes/source.ts'
import { fileOffset, type Phys } from '../bytes/units.ts'
import { extentOf, holesBetween, holesIn, type Cell } from './cell.ts'
import { compare, type Part } from './compare.ts'
import type { Deviation, EventId } from './event.ts'
import { GARBAGE, OPAQUE, ZERO, type Content, type Extent, type ObjectId, type Whose } from './extent.ts'
import type { Recorder } from './recorder.ts'
import { RunMap } from './run-map.ts'
import { SharedMap } from './shared-map.ts'

export type { Part } from './compare.ts'

/** A part of a source. */
export interface Slice {
  readonly source: ByteSource
  readonly at: number
  readonly length: number
}

/** What a read found. `event` is the read in the recording. */
export interface Reading {
  readonly event: EventId
  readonly deviations: readonly Deviation[]
  /** Was every byte the object's, and (where all of it was wanted) nothing missing? */
  readonly whole: boolean
}

/** How a range is read. */
export interface ReadOptions {
  /** Offset in the object of the first byte. Default 0. */
  readonly at?: number
  /** `code` is about to run. Default `data`. */
  readonly as?: 'data' | 'code'
  /**
   * Does the reader take this for the whole object? Then a declared length beyond it counts as missing.
   * Default false.
   */
  readonly all?: boolean
}

/** Longest raw read, in bytes: larger ones are a mistake of ours, payloads are never loaded. */
export const RAW_READ_MAX = 16 * 2 ** 20

interface Claim {
  readonly label: string
  readonly by: EventId
}

interface Written {
  readonly content: Content
  readonly whose: Whose | null
}

/**
 * Sparse physical memory. Every verb is recorded. Writes outside RAM are recorded and store nothing; writes
 * outside every
 * allocation are recorded as strayed and do store. Costs depend on the number of extents touched, never on
 * their length.
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
   * The same memory, which records what happens to it with another recorder: a fork of this one's, so that
   * the events that extents name are there. Neither of the two sees what is done to the other. Costs a few
   * microseconds, whatever the memory holds: what both share is copied bucket by bucket when it is written.
   */
  fork(recorder: Recorder): Memory {
    const twin = new Memory(recorder)
    twin.#cells = this.#cells.fork()
    twin.#claims = this.#claims.fork()
    twin.#lengths = this.#lengths.fork()
    twin.#parts = this.#parts.fork()
    return twin
  }

  /** RAM comes into being, holding `content`, unclaimed and nobody's. */
  ram(where: Range, content: Content): EventId {
    const by = this.#recorder.append({ op: 'ram', range: where, content })
    this.#cells.assign(where.start, where.end, {
      origin: where.start,
      content,
      whose: null,
      written: false,
      by,
    })
    return by
  }

  /**
   * An allocation is handed out: its bytes stay what they are (or become `content`), but are nobody's from
   * now on.
   */
  claim(where: Range, label: string, content?: Content): EventId {
    const by = this.#recorder.append({ op: 'claim', range: where, label })
    this.#claims.assign(where.start, where.end, { label, by })
    this.#disown(where, by, content)
    return by
  }

  /**
   * An allocation is given back: its bytes stay (or become `content`: firmware that clears what is freed),
   * nobody's, unclaimed.
   */
  release(where: Range, label: string, content?: Content): EventId {
    const by = this.#recorder.append({ op: 'release', range: where, label })
    this.#claims.clear(where.start, where.end)
    this.#disown(where, by, content)
    return by
  }

  /** Bytes of a source come into memory as `object`, the first of them at `offset` of it. */
  put(at: Phys, slice: Slice, object: ObjectId, offset = 0): EventId {
    const where = rangeAt(at, slice.length)
    this.#grow(object, offset + slice.length)
    return this.#write('put', where, {
      content: { kind: 'bytes', source: slice.source, at: slice.at },
      whose: { object, at: offset },
    })
  }

  /**
   * Bytes that somebody computed: a small edit or a table. They become the object's, from `offset` of it on.
   */
  patch(at: Phys, bytes: Uint8Array, object: ObjectId, offset = 0): EventId {
    return this.#write('patch', rangeAt(at, bytes.length), {
      content: { kind: 'bytes', source: bytesSource(bytes.slice()), at: 0 },
      whose: { object, at: offset },
    })
  }

  /** `object` is written here, but what bytes it has is not modelled: decompressor output, page tables. */
  make(where: Range, object: ObjectId, offset = 0): EventId {
    this.#grow(object, offset + sizeOf(where))
    return this.#write('make', where, { content: OPAQUE, whose: { object, at: offset } })
  }

  /** Zeroes a range in the name of an object (from `offset` of it on), or of nobody. */
  zero(where: Range, object: ObjectId | null, offset = 0): EventId {
    return this.#write('zero', where, {
      content: ZERO,
      whose: object === null ? null : { object, at: offset },
    })
  }

  /** memmove: bytes and identities travel. What is not RAM in the source arrives as garbage of nobody. */
  copy(to: Phys, from: Range): EventId {
    const shift = to - from.start
    const taken = this.#cells.runs(from.start, from.end)
    const missing = holesBetween(taken, from)
    const where = rangeAt(to, sizeOf(from))
    const arriving = taken.map(run => ({
      where: range(run.start + shift, run.end + shift),
      cell: { ...run.value, origin: run.value.origin + shift },
    }))
    const effect = this.#effect(
      where,
      arriving.map(piece => ({
        where: piece.where,
        whose: extentOf(piece.where.start, piece.where.end, piece.cell).whose,
      })),
    )
    const by = this.#recorder.append({ op: 'copy', from, fromOutside: missing, ...effect })
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

  /** Says how long an object really is, so that a reader that takes less for all of it can be told. */
  declare(object: ObjectId, length: number): void {
    this.#lengths.set(object, length)
  }

  /** The length of an object: declared, composed, or as far as it was ever written. */
  lengthOf(object: ObjectId): number | undefined {
    return this.#lengths.get(object)
  }

  /** `object` is these parts, one behind the other; reads as it are checked against them. */
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
    const event = this.#recorder.append({ op: 'read', range: where, object, at, as, deviations, missing })
    return { event, deviations, whole: deviations.length === 0 && missing === 0 }
  }

  /**
   * The bytes of a range without judgement and without a record. `known` is false where some byte is not
   * modelled (it reads as 0).
   */
  peek(where: Range): { readonly bytes: Uint8Array; readonly known: boolean } {
    const length = sizeOf(where)
    if (length > RAW_READ_MAX) throw new ModelBug(`raw read of ${String(length)} bytes`)
    const bytes = new Uint8Array(length)
    let covered = 0
    let known = true
    for (const run of this.#cells.runs(where.start, where.end)) {
      const { content, origin } = run.value
      covered += run.end - run.start
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

  /** The bytes of a range; what is not modelled reads as zero. For guests that read small structures. */
  readRaw(where: Range): Uint8Array {
    return this.peek(where).bytes
  }

  /** The extents that touch a range, ascending, cut to it; everything when no range is given. */
  extents(within?: Range): Extent[] {
    return this.#cells.runs(within?.start, within?.end).map(run => extentOf(run.start, run.end, run.value))
  }

  /** The allocations that touch a range, ascending, cut to it. */
  claims(within?: Range): { readonly range: Range; readonly label: string; readonly by: EventId }[] {
    return this.#claims
      .runs(within?.start, within?.end)
      .map(run => ({ range: range(run.start, run.end), label: run.value.label, by: run.value.by }))
  }

  /** What extents in the range belong to somebody that `except` does not name. */
  occupants(within: Range, except: (object: ObjectId) => boolean): Extent[] {
    return this.extents(within).filter(extent => extent.whose !== null && !except(extent.whose.object))
  }

  #write(op: 'put' | 'patch' | 'make' | 'zero', where: Range, written: Written): EventId {
    const { whose } = written
    const effect = this.#effect(where, [{ where, whose }])
    const event = { op, object: whose?.object ?? null, at: whose?.at ?? 0, ...effect } as Parameters<
      Recorder['append']
    >[0]
    const by = this.#recorder.append(event)
    this.#storeCell(
      where,
      { origin: where.start, content: written.content, whose, written: true, by },
      effect.outside,
    )
    return by
  }

  /**
   * Foreign extents in a range, and the parts of it that are unclaimed or no RAM. `arriving` covers it,
   * ascending; what it leaves out is nobody's.
   */
  #effect(
    where: Range,
    arriving: readonly { readonly where: Range; readonly whose: Whose | null }[],
  ): { range: Range; lost: Extent[]; strayed: Range[]; outside: Range[] } {
    const lost: Extent[] = []
    const loseAllOf = (within: Range, next: Whose | null): void => {
      for (const { start, end, value } of this.#cells.runs(within.start, within.end)) {
        const { whose, origin } = value
        if (whose !== null && (next?.object !== whose.object || next.at - within.start !== whose.at - origin))
          lost.push(extentOf(start, end, value))
      }
    }
    let at: number = where.start
    for (const piece of arriving) {
      const hole = rangeOrNull(at, piece.where.start - at)
      if (hole !== null) loseAllOf(hole, null)
      loseAllOf(piece.where, piece.whose)
      at = piece.where.end
    }
    const rest = rangeOrNull(at, where.end - at)
    if (rest !== null) loseAllOf(rest, null)
    return { range: where, lost, strayed: holesIn(this.#claims, where), outside: holesIn(this.#cells, where) }
  }

  /** Stores a cell, but only where there is RAM: `holes` is where there is none. */
  #storeCell(where: Range, cell: Cell, holes: readonly Range[] = holesIn(this.#cells, where)): void {
    this.#cells.assign(where.start, where.end, cell)
    for (const hole of holes) this.#cells.clear(hole.start, hole.end)
  }

  #disown(where: Range, by: EventId, content?: Content): void {
    for (const run of this.#cells.runs(where.start, where.end)) {
      const cell: Cell =
        content === undefined
          ? { origin: run.value.origin, content: run.value.content, whose: null, written: false, by }
          : { origin: run.start, content, whose: null, written: false, by }
      this.#cells.assign(run.start, run.end, cell)
    }
  }

  #grow(object: ObjectId, length: number): void {
    if (!this.#parts.has(object)) this.#lengths.set(object, Math.max(length, this.#lengths.get(object) ?? 0))
  }
}
