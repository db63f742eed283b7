/**
 * Output of the decoders: it passes through a window, which holds what may still be copied from; reports
 * progress, and can be stopped.
 */
import type { X86Filter } from './bcj-x86.ts'

/**
 * Why a decoder stopped. `checksum`: everything is decoded, but a checksum differs. `window`: it needs more
 * of its own output than is held. `stopped`: requested by the caller.
 */
export type StopKind =
  'magic' | 'unsupported' | 'corrupt' | 'truncated' | 'checksum' | 'too-long' | 'window' | 'stopped'

/** Thrown to end a decoder early; caught by decode(), never seen outside this folder. */
export class Stop extends Error {
  override readonly name = 'Stop'
  readonly kind: StopKind
  /** Offset in the input. */
  readonly at: number

  constructor(kind: StopKind, why: string, at: number) {
    super(why)
    this.kind = kind
    this.at = at
  }
}

/** Called with the lowest input position still needed and the output written. Must not throw. */
export type Progress = (inPosition: number, outPosition: number) => void

/** Receives the output piece by piece, in order. A piece may be reused after the call. */
export type Sink = (piece: Uint8Array) => void

/** A sum over bytes that come piece by piece. */
export interface Sum {
  update(bytes: Uint8Array): void
}

/** Output between two reports, in bytes: one page, the smallest distance that matters in memory. */
export const REPORT_EVERY = 0x1000
/** Most short streams fit into the first allocation. */
const FIRST_CAPACITY = 2 ** 20
/** The second allocation is for all that is ever needed, up to this; beyond it the memory doubles. */
const SECOND_CAPACITY = 2 ** 28

/** Longer runs are written in pieces of this size, which the slack of every window has room for. */
const PIECE = 2 ** 20

/** Bytes beyond a window of `size`, so that it is seldom moved: an eighth of it, at least a piece. */
export function slackOf(size: number): number {
  return Math.max(PIECE, Math.ceil(size / 8))
}

export interface OutputOptions {
  /** Maximum output in bytes. */
  readonly limit: number
  readonly stopAt: number
  readonly onProgress: Progress | null
  /** The largest window that is held, in bytes; null: all output is held. */
  readonly windowMax: number | null
  readonly sink: Sink
}

export class Output {
  /** The window, and what was written since it was moved last. */
  bytes = new Uint8Array(0)
  /** Index in `bytes` of the next byte. */
  next = 0
  /** The most bytes that were held at one time. */
  held = 0
  /** Output position of the next report. */
  due: number
  readonly limit: number
  readonly #options: OutputOptions
  /** Output position of bytes[0]. */
  #base = 0
  /** Index of the first byte that the sink does not have. */
  #unsent = 0
  #window: number
  #filter: X86Filter | null = null
  #sum: Sum | null = null

  constructor(options: OutputOptions) {
    this.limit = options.limit
    this.#options = options
    this.#window = options.windowMax === null ? options.limit : 0
    this.due = Math.min(REPORT_EVERY, options.stopAt)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#base + this.next
  }

  /**
   * From here on a stream copies from up to `size` bytes back, and never from before here. `at` is the input
   * position, for the error.
   */
  openWindow(size: number, at: number): void {
    const { windowMax } = this.#options
    if (windowMax === null) return
    const needed = Math.min(size, this.limit - this.length)
    if (needed > windowMax)
      throw new Stop(
        'window',
        `a window of ${String(size)} bytes, more than the ${String(windowMax)} that are held`,
        at,
      )
    this.#window = needed
  }

  /** From here on the output passes through `filter`, and `sum` is updated with what comes out of it. */
  begin(sum: Sum | null, filter: X86Filter | null = null): void {
    this.end()
    this.#sum = sum
    this.#filter = filter
  }

  /** Passes on everything written, to the last byte: what was begun is over. */
  end(): void {
    this.#send()
    this.#filter?.end(piece => {
      this.#pass(piece)
    })
    this.#filter = null
    this.#sum = null
  }

  /**
   * Makes room for `count` more bytes and returns where they go, beginning at `next`, which it may change.
   * `at` is the input position, for the error.
   */
  room(count: number, at: number): Uint8Array {
    this.expect(count, at)
    if (this.next + count > this.bytes.length) this.#makeRoom(count)
    return this.bytes
  }

  /** Throws if `count` more bytes are beyond the limit. `at` is the input position, for the error. */
  expect(count: number, at: number): void {
    if (this.#base + this.next + count > this.limit)
      throw new Stop('too-long', `the output exceeds ${String(this.limit)} bytes`, at)
  }

  /** Appends `bytes[from, to)`. `at` is the input position, for the error. */
  append(bytes: Uint8Array, from: number, to: number, at: number): void {
    this.expect(to - from, at)
    let i = from
    for (; to - i > PIECE; i += PIECE) this.append(bytes, i, i + PIECE, at)
    const into = this.room(to - i, at)
    if (to - i > 16) into.set(bytes.subarray(i, to), this.next)
    else for (let k = i, o = this.next; k < to; k++, o++) into[o] = bytes[k] as number
    this.next += to - i
  }

  /** Appends `count` times the same byte. */
  fill(byte: number, count: number, at: number): void {
    this.room(count, at).fill(byte, this.next, this.next + count)
    this.next += count
  }

  /** Appends `count` bytes from `distance` before the end of the output. */
  copy(distance: number, count: number, at: number): void {
    this.expect(count, at)
    let left = count
    for (; left > PIECE; left -= PIECE) this.copy(distance, PIECE, at)
    const bytes = this.room(left, at)
    this.reach(distance, at)
    copyMatch(bytes, this.next, distance, left)
    this.next += left
  }

  /** Is the byte `distance` before the end still held? Throws if not. */
  reach(distance: number, at: number): void {
    if (distance > this.next)
      throw new Stop('window', `a distance of ${String(distance)} bytes, more than the stated window`, at)
  }

  /** Reports progress, and stops at the requested length. Cheap: does nothing before `due`. */
  tick(at: number): void {
    if (this.#base + this.next >= this.due) this.report(at)
  }

  /** Reports the current progress. */
  report(at: number): void {
    const { onProgress, stopAt } = this.#options
    onProgress?.(at, this.length)
    this.due = this.length + REPORT_EVERY
    if (this.length >= stopAt) throw new Stop('stopped', 'enough', at)
    if (this.due > stopAt) this.due = stopAt
  }

  #makeRoom(count: number): void {
    const now = this.bytes.length
    const full = Math.min(this.limit, this.#window + slackOf(this.#window))
    const need = this.next + count
    if (need <= full) {
      const large = now === 0 && need <= FIRST_CAPACITY ? FIRST_CAPACITY : Math.max(SECOND_CAPACITY, 2 * now)
      this.#allocate(Math.min(full, Math.max(need, large)), 0)
      return
    }
    this.#send()
    const from = this.next - Math.min(this.next, this.#window)
    const kept = this.next - from
    if (kept + count > now) this.#allocate(Math.max(full, kept + count), from)
    else this.bytes.copyWithin(0, from, this.next)
    this.next = kept
    this.#unsent = kept
    this.#base += from
  }

  /** Moves `bytes[from, next)` to the beginning of new memory. */
  #allocate(size: number, from: number): void {
    const grown = new Uint8Array(size)
    grown.set(this.bytes.subarray(from, this.next))
    this.held = Math.max(this.held, this.bytes.length + size)
    this.bytes = grown
  }

  /** Gives the sink what it does not have. */
  #send(): void {
    const piece = this.bytes.subarray(this.#unsent, this.next)
    this.#unsent = this.next
    if (piece.length === 0) return
    if (this.#filter === null) this.#pass(piece)
    else
      this.#filter.push(piece, out => {
        this.#pass(out)
      })
  }

  #pass(piece: Uint8Array): void {
    this.#sum?.update(piece)
    this.#options.sink(piece)
  }
}

/** Copies `count` bytes from `distance` before `to`, byte by byte where they overlap; there must be room. */
export function copyMatch(bytes: Uint8Array, to: number, distance: number, count: number): void {
  if (distance >= count && count > 24) bytes.copyWithin(to, to - distance, to - distance + count)
  else if (distance === 1) bytes.fill(bytes[to - 1] as number, to, to + count)
  else for (let i = to, end = to + count; i < end; i++) bytes[i] = bytes[i - distance] as number
}
