/** XXH64, in 32-bit halves: numbers of 64 bits are too slow here. Source: the xxHash specification 0.1.1. */

// The five primes, low and high words
const P1L = 0x85ebca87
const P1H = 0x9e3779b1
const P2L = 0x27d4eb4f
const P2H = 0xc2b2ae3d
const P3L = 0x9e3779f9
const P3H = 0x165667b1
const P4L = 0xc2b2ae63
const P4H = 0x85ebca77
const P5L = 0x165667c5
const P5H = 0x27d4eb2f

/** High word of a 32 by 32 bit product. */
function mulHigh(a: number, b: number): number {
  const al = a & 0xffff
  const ah = a >>> 16
  const bl = b & 0xffff
  const bh = b >>> 16
  const middle = ah * bl + ((al * bl) >>> 16)
  return ah * bh + Math.floor((al * bh + middle) / 65536)
}

/** Numbers of 64 bits as two words, changed in place. */
class Word {
  low: number
  high: number

  constructor(low: number, high: number) {
    this.low = low >>> 0
    this.high = high >>> 0
  }

  add(low: number, high: number): this {
    const sum = this.low + (low >>> 0)
    this.high = (this.high + high + (sum > 0xffffffff ? 1 : 0)) >>> 0
    this.low = sum >>> 0
    return this
  }

  multiply(low: number, high: number): this {
    const { low: a } = this
    this.high = (mulHigh(a, low) + Math.imul(a, high) + Math.imul(this.high, low)) >>> 0
    this.low = Math.imul(a, low) >>> 0
    return this
  }

  rotate(count: number): this {
    const { low, high } = this
    this.low = ((low << count) | (high >>> (32 - count))) >>> 0
    this.high = ((high << count) | (low >>> (32 - count))) >>> 0
    return this
  }

  xor(low: number, high: number): this {
    this.low = (this.low ^ low) >>> 0
    this.high = (this.high ^ high) >>> 0
    return this
  }

  /** Adds what eight bytes contribute, and mixes. */
  round(low: number, high: number): this {
    const sum = this.low + (Math.imul(low, P2L) >>> 0)
    const addHigh = (mulHigh(low >>> 0, P2L) + Math.imul(low, P2H) + Math.imul(high, P2L)) | 0
    this.high = (this.high + addHigh + (sum > 0xffffffff ? 1 : 0)) >>> 0
    this.low = sum >>> 0
    return this.rotate(31).multiply(P1L, P1H)
  }
}

const readWord = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)) >>>
  0

/** Bytes that the four lanes take at a time. */
const STRIPE = 32

/** XXH64 with seed 0, of bytes that come piece by piece. */
export class Xxh64 {
  readonly #lanes = [
    new Word(P1L, P1H).add(P2L, P2H),
    new Word(P2L, P2H),
    new Word(0, 0),
    new Word(-P1L, ~P1H),
  ] as const
  /** Less than a stripe that waits for more. */
  readonly #rest = new Uint8Array(STRIPE)
  #waiting = 0
  #length = 0

  update(bytes: Uint8Array): void {
    this.#length += bytes.length
    let at = 0
    if (this.#waiting > 0) {
      const part = bytes.subarray(0, STRIPE - this.#waiting)
      this.#rest.set(part, this.#waiting)
      this.#waiting += part.length
      at = part.length
      if (this.#waiting < STRIPE) return
      this.#stripes(this.#rest, 0)
    }
    at = this.#stripes(bytes, at)
    this.#waiting = bytes.length - at
    this.#rest.set(bytes.subarray(at))
  }

  /** The sum so far, as [low, high] words. */
  get value(): readonly [low: number, high: number] {
    let sum = new Word(P5L, P5H)
    if (this.#length >= STRIPE) {
      sum = new Word(0, 0)
      this.#lanes.forEach((lane, i) => {
        const turned = new Word(lane.low, lane.high).rotate([1, 7, 12, 18][i] ?? 0)
        sum.add(turned.low, turned.high)
      })
      for (const lane of this.#lanes) {
        const mixed = new Word(0, 0).round(lane.low, lane.high)
        sum.xor(mixed.low, mixed.high).multiply(P1L, P1H).add(P4L, P4H)
      }
    }
    sum.add(this.#length, Math.floor(this.#length / 2 ** 32))
    const bytes = this.#rest
    const to = this.#waiting
    let at = 0
    for (; at + 8 <= to; at += 8) {
      const mixed = new Word(0, 0).round(readWord(bytes, at), readWord(bytes, at + 4))
      sum.xor(mixed.low, mixed.high).rotate(27).multiply(P1L, P1H).add(P4L, P4H)
    }
    for (; at + 4 <= to; at += 4) {
      const part = new Word(readWord(bytes, at), 0).multiply(P1L, P1H)
      sum.xor(part.low, part.high).rotate(23).multiply(P2L, P2H).add(P3L, P3H)
    }
    for (; at < to; at++) {
      const part = new Word(bytes[at] as number, 0).multiply(P5L, P5H)
      sum.xor(part.low, part.high).rotate(11).multiply(P1L, P1H)
    }
    sum.xor(sum.high >>> 1, 0).multiply(P2L, P2H)
    sum.xor((sum.low >>> 29) | (sum.high << 3), sum.high >>> 29).multiply(P3L, P3H)
    return [(sum.low ^ sum.high) >>> 0, sum.high]
  }

  /** Takes all whole stripes from `from` on; returns the position after them. */
  #stripes(bytes: Uint8Array, from: number): number {
    const [one, two, three, four] = this.#lanes
    let at = from
    for (; at + STRIPE <= bytes.length; at += STRIPE) {
      one.round(readWord(bytes, at), readWord(bytes, at + 4))
      two.round(readWord(bytes, at + 8), readWord(bytes, at + 12))
      three.round(readWord(bytes, at + 16), readWord(bytes, at + 20))
      four.round(readWord(bytes, at + 24), readWord(bytes, at + 28))
    }
    return at
  }
}

/** XXH64 with seed 0 over bytes[from, to), as [low, high] words. */
export function xxh64(bytes: Uint8Array, from = 0, to = bytes.length): readonly [low: number, high: number] {
  const sum = new Xxh64()
  sum.update(bytes.subarray(from, to))
  return sum.value
}
