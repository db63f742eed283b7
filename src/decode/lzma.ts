/**
 * LZMA: range decoder, literals and matches. Shared by LZMA-alone and LZMA2. Source: the LZMA specification
 * of the LZMA SDK, draft of 2015.
 */
import { Stop, type Output } from './output.ts'

/** How literals and positions are modelled. */
export interface LzmaProperties {
  readonly literalContext: number
  readonly literalPosition: number
  readonly position: number
}

/** lc, lp and pb from one byte; null if invalid. */
export function lzmaProperties(byte: number): LzmaProperties | null {
  if (byte >= 225) return null
  return {
    literalContext: byte % 9,
    literalPosition: Math.floor(byte / 9) % 5,
    position: Math.floor(byte / 45),
  }
}

const HALF = 1024
const TOP = 2 ** 24
const STATES = 12
const POSITIONS = 16
const MATCH_MIN = 2
const FULL_DISTANCES = 128
const END_MARKER = 0xffffffff

// Where each set of probabilities begins
const IS_MATCH = 0
const IS_REP = IS_MATCH + STATES * POSITIONS
const IS_REP0 = IS_REP + STATES
const IS_REP1 = IS_REP0 + STATES
const IS_REP2 = IS_REP1 + STATES
const IS_REP0_LONG = IS_REP2 + STATES
const SLOTS = IS_REP0_LONG + STATES * POSITIONS
const SPECIAL = SLOTS + 4 * 64
const ALIGN = SPECIAL + FULL_DISTANCES
const LENGTHS = ALIGN + 16
// A length coder: two choices, then low, middle and high trees
const LOW = 2
const MIDDLE = LOW + POSITIONS * 8
const HIGH = MIDDLE + POSITIONS * 8
const LENGTH_SIZE = HIGH + 256
const REP_LENGTHS = LENGTHS + LENGTH_SIZE
const LITERALS = REP_LENGTHS + LENGTH_SIZE

/** A decoder of one LZMA stream. The dictionary is the window of the output. */
export class Lzma {
  readonly #input: Uint8Array
  readonly #out: Output
  /** Position of the next byte of input. */
  position = 0
  /** Output position before which nothing may be copied from. */
  dictionaryStart = 0
  #end = 0
  #range = 0
  #code = 0
  #state = 0
  readonly #reps = new Float64Array(4)
  #probabilities = new Uint16Array(0)
  #properties: LzmaProperties = { literalContext: 0, literalPosition: 0, position: 0 }

  constructor(input: Uint8Array, out: Output) {
    this.#input = input
    this.#out = out
  }

  /** State and probabilities as at the start of a stream, with new properties if given. */
  reset(properties: LzmaProperties = this.#properties): void {
    this.#properties = properties
    const size = LITERALS + (0x300 << (properties.literalContext + properties.literalPosition))
    if (this.#probabilities.length !== size) this.#probabilities = new Uint16Array(size)
    this.#probabilities.fill(HALF)
    this.#state = 0
    this.#reps.fill(0)
  }

  /** Starts the range decoder on input[at, end). */
  begin(at: number, end: number): void {
    this.#end = end
    this.position = at
    if (at + 5 > end)
      throw new Stop('truncated', 'the input ends inside the first bytes of the range decoder', at)
    if (this.#input[at] !== 0) throw new Stop('corrupt', 'the first byte of the range decoder is not 0', at)
    this.#range = 0xffffffff
    this.#code = 0
    for (let i = 1; i < 5; i++) this.#code = ((this.#code << 8) | (this.#input[at + i] as number)) >>> 0
    this.position = at + 5
  }

  /** Is the range decoder in a valid end state? */
  get isFinished(): boolean {
    return this.#code === 0
  }

  /**
   * Decodes until `length` bytes are in the output (as a whole, from its start), or the end marker; returns
   * whether it found the marker.
   */
  decode(length: number): boolean {
    const out = this.#out
    const positionMask = (1 << this.#properties.position) - 1
    while (out.length < length) {
      const position = (out.length - this.dictionaryStart) & positionMask
      if (this.#bit(IS_MATCH + this.#state * POSITIONS + position) === 0) this.#literal()
      else if (!this.#match(position, length)) return true
      out.tick(this.position)
    }
    return false
  }

  /** Returns whether an end marker follows the last requested byte. */
  marker(): boolean {
    const position = (this.#out.length - this.dictionaryStart) & ((1 << this.#properties.position) - 1)
    return (
      this.#bit(IS_MATCH + this.#state * POSITIONS + position) === 1 &&
      !this.#match(position, this.#out.length)
    )
  }

  /** Reads the byte that the range decoder would read next; streams end normalised. */
  normalize(): void {
    if (this.#range >= TOP) return
    if (this.position >= this.#end)
      throw new Stop('truncated', 'the input ends inside the stream', this.position)
    this.#range = (this.#range << 8) >>> 0
    this.#code = ((this.#code << 8) | (this.#input[this.position++] as number)) >>> 0
  }

  #bit(index: number): number {
    this.normalize()
    const probability = this.#probabilities[index] as number
    const bound = (this.#range >>> 11) * probability
    if (this.#code < bound) {
      this.#range = bound
      this.#probabilities[index] = probability + ((2048 - probability) >> 5)
      return 0
    }
    this.#range -= bound
    this.#code -= bound
    this.#probabilities[index] = probability - (probability >> 5)
    return 1
  }

  #direct(count: number): number {
    let value = 0
    for (let i = 0; i < count; i++) {
      this.normalize()
      this.#range >>>= 1
      const one = this.#code >= this.#range
      if (one) this.#code -= this.#range
      value = value * 2 + (one ? 1 : 0)
    }
    return value
  }

  #tree(base: number, bits: number): number {
    let node = 1
    for (let i = 0; i < bits; i++) node = (node << 1) | this.#bit(base + node)
    return node - (1 << bits)
  }

  #reverseTree(base: number, bits: number): number {
    let node = 1
    let value = 0
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(base + node)
      node = (node << 1) | bit
      value |= bit << i
    }
    return value
  }

  #literal(): void {
    const out = this.#out
    const { literalContext, literalPosition } = this.#properties
    const bytes = out.room(1, this.position)
    const { next, length: at } = out
    const before = at > this.dictionaryStart ? (bytes[next - 1] as number) : 0
    const context =
      ((((at - this.dictionaryStart) & ((1 << literalPosition) - 1)) << literalContext) +
        (before >> (8 - literalContext))) *
      0x300
    const base = LITERALS + context
    let node = 1
    if (this.#state >= 7) {
      const distance = (this.#reps[0] as number) + 1
      if (distance <= at) out.reach(distance, this.position)
      let matched = bytes[next - distance] as number
      while (node < 0x100) {
        const want = (matched >> 7) & 1
        matched <<= 1
        const bit = this.#bit(base + ((1 + want) << 8) + node)
        node = (node << 1) | bit
        if (bit !== want) break
      }
    }
    while (node < 0x100) node = (node << 1) | this.#bit(base + node)
    bytes[next] = node & 255
    out.next = next + 1
    if (this.#state < 4) this.#state = 0
    else this.#state -= this.#state < 10 ? 3 : 6
  }

  #length(base: number, position: number): number {
    if (this.#bit(base) === 0) return this.#tree(base + LOW + position * 8, 3)
    if (this.#bit(base + 1) === 0) return 8 + this.#tree(base + MIDDLE + position * 8, 3)
    return 16 + this.#tree(base + HIGH, 8)
  }

  #distance(length: number): number {
    const slot = this.#tree(SLOTS + Math.min(length, 3) * 64, 6)
    if (slot < 4) return slot
    const count = (slot >> 1) - 1
    const base = (2 | (slot & 1)) * 2 ** count
    if (slot < 14) return base + this.#reverseTree(SPECIAL + base - slot, count)
    return base + this.#direct(count - 4) * 16 + this.#reverseTree(ALIGN, 4)
  }

  /** Copies a match; false at the end marker. */
  #match(position: number, end: number): boolean {
    const reps = this.#reps
    const state = this.#state
    let length: number
    if (this.#bit(IS_REP + state) === 0) {
      length = this.#length(LENGTHS, position)
      reps.copyWithin(1, 0, 3)
      reps[0] = this.#distance(length)
      if (reps[0] === END_MARKER) return false
      this.#state = state < 7 ? 7 : 10
    } else {
      if (this.#bit(IS_REP0 + state) === 0) {
        if (this.#bit(IS_REP0_LONG + state * POSITIONS + position) === 0) {
          this.#state = state < 7 ? 9 : 11
          this.#copy(1, end)
          return true
        }
      } else {
        let which = 1
        if (this.#bit(IS_REP1 + state) !== 0) which = this.#bit(IS_REP2 + state) === 0 ? 2 : 3
        const distance = reps[which] as number
        reps.copyWithin(1, 0, which)
        reps[0] = distance
      }
      length = this.#length(REP_LENGTHS, position)
      this.#state = state < 7 ? 8 : 11
    }
    this.#copy(length + MATCH_MIN, end)
    return true
  }

  #copy(length: number, end: number): void {
    const out = this.#out
    const distance = (this.#reps[0] as number) + 1
    if (distance > out.length - this.dictionaryStart)
      throw new Stop('corrupt', 'a distance before the first byte', this.position)
    if (out.length + length > end) throw new Stop('corrupt', 'a match goes on past the end', this.position)
    out.copy(distance, length, this.position)
  }
}
