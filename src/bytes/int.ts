/// <reference path="./bigint-buffer-browser.d.ts" />
/**
 * Integers of 64 bits and more over bytes: the wide fields of file headers and digests. The only importer
 * of bigint-buffer, and only of its build without native code; every argument is checked first, because that
 * build returns wrong numbers for invalid input. It costs about 20 times a DataView, so guest memory, map
 * rows and relocated words do not use it. See SECURITY.md and docs/decisions/0018.
 */
import { toBigIntBE, toBigIntLE, toBufferBE, toBufferLE } from 'bigint-buffer/dist/browser.js'
import { withBuffer } from './buffer-stand-in.ts'
import { ModelBug } from './errors.ts'

/** Maximum length of an integer, in bytes: a SHA-512 digest is 64. */
export const INTEGER_MAX_BYTES = 512

export type Endian = 'little' | 'big'

function check(bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array)) throw new ModelBug('an integer is read from a Uint8Array')
  if (bytes.length > INTEGER_MAX_BYTES)
    throw new ModelBug(`integer of ${String(bytes.length)} bytes, maximum ${String(INTEGER_MAX_BYTES)}`)
}

/**
 * The unsigned integer in `bytes` (at most 512 of them). Empty input is 0. Throws ModelBug on anything but a
 * Uint8Array.
 */
export function toInteger(bytes: Uint8Array, endian: Endian = 'little'): bigint {
  check(bytes)
  if (bytes.length === 0) return 0n
  return withBuffer(() => {
    const buffer = Buffer.from(bytes)
    return endian === 'little' ? toBigIntLE(buffer) : toBigIntBE(buffer)
  })
}

/**
 * `value` in exactly `width` bytes (0 to 512). Throws ModelBug when it is negative or does not fit: nothing
 * is truncated silently.
 */
export function fromInteger(value: bigint, width: number, endian: Endian = 'little'): Uint8Array {
  if (typeof value !== 'bigint') throw new ModelBug('an integer is written from a bigint')
  if (!Number.isInteger(width) || width < 0 || width > INTEGER_MAX_BYTES)
    throw new ModelBug(`integer width ${String(width)}`)
  if (value < 0n || value >> BigInt(8 * width) !== 0n)
    throw new ModelBug(`${String(value)} does not fit ${String(width)} bytes`)
  if (width === 0) return new Uint8Array(0)
  const buffer = withBuffer(() => (endian === 'little' ? toBufferLE(value, width) : toBufferBE(value, width)))
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

/** Bytes as lower-case hexadecimal: digests keep their leading zeros. */
export function formatBytes(bytes: Uint8Array): string {
  return toInteger(bytes, 'big')
    .toString(16)
    .padStart(2 * bytes.length, '0')
    .slice(bytes.length === 0 ? 1 : 0)
}
