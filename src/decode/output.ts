/** Output of the decoders: grows up to a limit, reports progress, and can be stopped. */

/**
 * Why a decoder stopped. `checksum`: everything is decoded, but a checksum differs. `stopped`: requested by
 * the caller.
 */
export type StopKind = 'magic' | 'unsupported' | 'corrupt' | 'truncated' | 'checksum' | 'too-long' | 'stopped'

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

/** Output between two reports, in bytes: one page, the smallest distance that matters in memory. */
export const REPORT_EVERY = 0x1000
/** Initial allocation; beyond it the output grows by doubling. */
const FIRST_CAPACITY = 2 ** 27

export class Output {
  bytes: Uint8Array
  /** Bytes written so far. */
  length = 0
  /** Output position of the next report. */
  due: number
  readonly limit: number
  readonly #stopAt: number
  readonly #onProgress: Progress | null

  constructor(limit: number, stopAt: number, onProgress: Progress | null) {
    this.limit = limit
    this.bytes = new Uint8Array(Math.min(limit, FIRST_CAPACITY))
    this.#stopAt = stopAt
    this.#onProgress = onProgress
    this.due = Math.min(REPORT_EVERY, stopAt)
  }

  /**
   * Makes room for `count` more bytes and returns where they go, beginning at `length`. `at` is the input
   * position, for the error.
   */
  room(count: number, at: number): Uint8Array {
    const need = this.length + count
    if (need > this.limit) throw new Stop('too-long', `the output exceeds ${String(this.limit)} bytes`, at)
    if (need > this.bytes.length) {
      const grown = new Uint8Array(Math.min(this.limit, Math.max(need, 2 * this.bytes.length)))
      grown.set(this.bytes.subarray(0, this.length))
      this.bytes = grown
    }
    return this.bytes
  }

  /** Reports progress, and stops at the requested length. Cheap: does nothing before `due`. */
  tick(at: number): void {
    if (this.length >= this.due) this.report(at)
  }

  /** Reports the current progress. */
  report(at: number): void {
    this.#onProgress?.(at, this.length)
    this.due = this.length + REPORT_EVERY
    if (this.length >= this.#stopAt) throw new Stop('stopped', 'enough', at)
    if (this.due > this.#stopAt) this.due = this.#stopAt
  }
}

/** Copies `count` bytes from `distance` before `to`, byte by byte where they overlap; there must be room. */
export function copyMatch(bytes: Uint8Array, to: number, distance: number, count: number): void {
  if (distance >= count && count > 24) bytes.copyWithin(to, to - distance, to - distance + count)
  else if (distance === 1) bytes.fill(bytes[to - 1] as number, to, to + count)
  else for (let i = to, end = to + count; i < end; i++) bytes[i] = bytes[i - distance] as number
}
