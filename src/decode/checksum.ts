/**
 * The sums that compressed streams carry: CRC-32 in both bit orders, CRC-64 of xz, Adler-32. Sources: RFC
 * 1952, RFC 1950, the xz file format 1.1.0, bzip2.
 */
import { once } from '../bytes/once.ts'

/** Table k, entry b: what byte b does to the sum when k more bytes follow it. */
function reflectedTables(polynomial: number, count: number): Uint32Array {
  const tables = new Uint32Array(256 * count)
  for (let i = 0; i < 256; i++) {
    let value = i
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1
    tables[i] = value >>> 0
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256] as number
    tables[i] = (before >>> 8) ^ (tables[before & 255] as number)
  }
  return tables
}

const crc32Tables = once(() => reflectedTables(0xedb88320, 4))

/** CRC-32 of gzip, xz and lzop, of bytes that come piece by piece. */
export class Crc32 {
  #sum = -1

  /** The sum so far. */
  get value(): number {
    return ~this.#sum >>> 0
  }

  update(bytes: Uint8Array): void {
    const tables = crc32Tables()
    const to = bytes.length
    let sum = this.#sum
    let i = 0
    for (; i + 4 <= to; i += 4) {
      sum ^=
        (bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24)
      sum =
        (tables[768 + (sum & 255)] as number) ^
        (tables[512 + ((sum >>> 8) & 255)] as number) ^
        (tables[256 + ((sum >>> 16) & 255)] as number) ^
        (tables[sum >>> 24] as number)
    }
    for (; i < to; i++) sum = (tables[(sum ^ (bytes[i] as number)) & 255] as number) ^ (sum >>> 8)
    this.#sum = sum
  }
}

/** CRC-32 of gzip, xz and lzop over bytes[from, to). */
export function crc32(bytes: Uint8Array, from = 0, to = bytes.length): number {
  const sum = new Crc32()
  sum.update(bytes.subarray(from, to))
  return sum.value
}

const bigEndianTable = once(() =>
  Uint32Array.from({ length: 256 }, (_, i) => {
    let value = i << 24
    for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1
    return value >>> 0
  }),
)

/** One byte more in the CRC-32 of bzip2, highest bit first. Begin with -1 and invert the end. */
export function crc32BigEndian(sum: number, byte: number): number {
  return (sum << 8) ^ (bigEndianTable()[(sum >>> 24) ^ byte] as number)
}

const crc64Tables = once(() => {
  const [highs, lows] = [new Int32Array(256), new Int32Array(256)]
  for (let i = 0; i < 256; i++) {
    let [high, low] = [0, i]
    for (let bit = 0; bit < 8; bit++) {
      const odd = low & 1
      low = (low >>> 1) | (high << 31)
      high >>>= 1
      if (odd) [high, low] = [high ^ 0xc96c5795, low ^ 0xd7870f42]
    }
    highs[i] = high
    lows[i] = low
  }
  return { highs, lows }
})

/** CRC-64 of xz (ECMA-182, lowest bit first), of bytes that come piece by piece. */
export class Crc64 {
  #high = -1
  #low = -1

  /** The sum so far, as [low, high] words. */
  get value(): readonly [low: number, high: number] {
    return [~this.#low >>> 0, ~this.#high >>> 0]
  }

  update(bytes: Uint8Array): void {
    const { highs, lows } = crc64Tables()
    let high = this.#high
    let low = this.#low
    for (let i = 0, end = bytes.length; i < end; i++) {
      const index = (low ^ (bytes[i] as number)) & 255
      low = ((low >>> 8) | (high << 24)) ^ (lows[index] as number)
      high = (high >>> 8) ^ (highs[index] as number)
    }
    this.#high = high
    this.#low = low
  }
}

/** CRC-64 of xz over bytes[from, to), as [low, high] words. */
export function crc64(bytes: Uint8Array, from = 0, to = bytes.length): readonly [low: number, high: number] {
  const sum = new Crc64()
  sum.update(bytes.subarray(from, to))
  return sum.value
}

/** Bytes after which Adler-32 must be reduced so that 32 bits hold it. Source: RFC 1950, section 9. */
const ADLER_RUN = 3800

/** Adler-32 over bytes[from, to). */
export function adler32(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let a = 1
  let b = 0
  for (let i = from; i < to;) {
    const end = Math.min(to, i + ADLER_RUN)
    for (; i < end; i++) {
      a += bytes[i] as number
      b += a
    }
    a %= 65521
    b %= 65521
  }
  return ((b << 16) | a) >>> 0
}
