/**
 * Branded numbers: an address is not a plain number, and address spaces do not mix. Arithmetic on them is
 * checked here.
 */
import { ModelBug } from './errors.ts'

declare const unit: unique symbol
type Unit<U extends string> = number & { readonly [unit]: U }

/**
 * Physical address, in bytes. x86-64 has at most 52 bits, so a double represents each exactly. Range [0,
 * 2^52].
 */
export type Phys = Unit<'Phys'>
/** Offset from the load address of an image, in bytes. Range [0, 2^32]. */
export type Rva = Unit<'Rva'>
/** Offset from the first byte of a file (or of a file inside a file). Range [0, 2^53). */
export type FileOffset = Unit<'FileOffset'>
/** Number of bytes. Range [0, 2^53). */
export type ByteCount = Unit<'ByteCount'>

/** One past the last physical address of x86-64: 2^52. */
export const PHYS_END = (2 ** 52) as Phys
/** UEFI's and x86's page, in bytes. */
export const PAGE = 4096 as ByteCount

function checked(n: number, limit: number, what: string): number {
  if (!Number.isSafeInteger(n) || n < 0 || n > limit) throw new ModelBug(`${what} out of range: ${String(n)}`)
  return n
}

/** Accepts a number as a physical address; throws ModelBug outside [0, 2^52]. */
export function phys(n: number): Phys {
  if (n >= 0 && n <= PHYS_END && Number.isInteger(n)) return n as Phys
  if (n > PHYS_END && Number.isSafeInteger(n))
    throw new ModelBug(`physical address out of range: ${String(n)}`, true)
  return checked(n, PHYS_END, 'physical address') as Phys
}

/** Accepts a number as an RVA; throws ModelBug outside [0, 2^32]. */
export function rva(n: number): Rva {
  return checked(n, 2 ** 32, 'RVA') as Rva
}

/** Accepts a number as a file offset; throws ModelBug when negative, fractional or beyond 2^53. */
export function fileOffset(n: number): FileOffset {
  return checked(n, Number.MAX_SAFE_INTEGER, 'file offset') as FileOffset
}

/** Accepts a number as a count of bytes; throws ModelBug when negative, fractional or beyond 2^53. */
export function byteCount(n: number): ByteCount {
  return checked(n, Number.MAX_SAFE_INTEGER, 'byte count') as ByteCount
}

/** A 64-bit field as a physical address, or null when it exceeds 52 bits: guest data, so no exception. */
export function physOf(n: bigint | number): Phys | null {
  return n >= 0 && n <= PHYS_END && (typeof n === 'bigint' || Number.isInteger(n))
    ? (Number(n) as Phys)
    : null
}

/** The address or offset `count` bytes further; throws ModelBug when it leaves its space. */
export function add<T extends Phys | Rva | FileOffset | ByteCount>(at: T, count: number): T {
  return checked(at + count, PHYS_END, 'sum') as T
}

/** Bytes from `from` up to `to` of one space; throws ModelBug when `to` is below `from`. */
export function distance<T extends Phys | Rva | FileOffset>(from: T, to: T): ByteCount {
  return byteCount(to - from)
}

/** The next multiple of `to` at or above `n`. `to` is any positive integer. */
export function alignUp<T extends number>(n: T, to: number): T {
  if (!(to > 0)) throw new ModelBug(`alignment must be positive: ${String(to)}`)
  return (Math.ceil(n / to) * to) as T
}

/** The last multiple of `to` at or below `n`. `to` is any positive integer. */
export function alignDown<T extends number>(n: T, to: number): T {
  if (!(to > 0)) throw new ModelBug(`alignment must be positive: ${String(to)}`)
  return (Math.floor(n / to) * to) as T
}

/** Pages that hold `count` bytes: EFI_SIZE_TO_PAGES. */
export function pagesOf(count: number): number {
  return Math.ceil(count / PAGE)
}

/** Guest arithmetic in 32 bits, like an unsigned int in C. */
export function wrap32(n: number): number {
  const cut = n % 2 ** 32
  return cut < 0 ? cut + 2 ** 32 : cut + 0 // never -0
}

/** Guest arithmetic in 64 bits, like a u64 in C. */
export function wrap64(n: bigint): bigint {
  return BigInt.asUintN(64, n)
}
