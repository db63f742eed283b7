/** Bytes as tests spell them: whole sources, hexadecimal, little-endian numbers, sizes, edits of a file. */
import { rangeAt } from '../../src/bytes/range.ts'
import { bytesSource, sparseSource, type ByteSource } from '../../src/bytes/source.ts'
import { fileOffset } from '../../src/bytes/units.ts'
import type { Memory } from '../../src/memory/memory.ts'

export const MIB = 2 ** 20
export const GIB = 2 ** 30

/** All bytes of a source. */
export function bytesOf(source: ByteSource): Uint8Array {
  return source.read(fileOffset(0), source.size)
}

/** The bytes that pairs of hexadecimal digits name; what is between the pairs does not count. */
export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], pair => Number.parseInt(pair, 16))
}

/** The number in four or eight bytes of memory, little endian. */
export const u32At = (memory: Memory, at: number): number =>
  new DataView(memory.readRaw(rangeAt(at, 4)).slice().buffer).getUint32(0, true)
export const u64At = (memory: Memory, at: number): bigint =>
  new DataView(memory.readRaw(rangeAt(at, 8)).slice().buffer).getBigUint64(0, true)

/** `value` in `width` bytes, little endian. */
export function le(value: number, width: number): number[] {
  return Array.from({ length: width }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256)
}

/** `value` in four bytes, little endian. */
export const le32 = (value: number): number[] => le(value, 4)

/** The same file with these bytes at `at`, cut or lengthened to `size`. */
export function edited(
  source: ByteSource,
  at: number,
  bytes: readonly number[] | Uint8Array,
  size: number = source.size,
): ByteSource {
  return sparseSource(size, [
    { at: 0, source },
    { at, source: bytesSource(Uint8Array.from(bytes)) },
  ])
}
