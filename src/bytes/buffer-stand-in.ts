/**
 * The part of Node's `Buffer` that bigint-buffer's browser build uses, for environments without it. That
 * build uses the global, so the global is defined while it runs and removed afterwards.
 */

/** Bytes whose text is their hexadecimal, as `toString('hex')` of a Buffer. */
function withHex(bytes: Uint8Array): Uint8Array {
  const toString = (): string => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
  return Object.defineProperty(bytes, 'toString', { value: toString })
}

const STAND_IN = {
  /** A copy of the bytes, or bytes decoded from hexadecimal. */
  from: (value: Uint8Array | string): Uint8Array =>
    withHex(
      typeof value === 'string'
        ? Uint8Array.from(value.match(/../g) ?? [], pair => Number.parseInt(pair, 16))
        : Uint8Array.from(value),
    ),
}

/** The result of `work`, which may use the global `Buffer`: Node's, or the stand-in while it runs. */
export function withBuffer<T>(work: () => T): T {
  if (typeof Buffer !== 'undefined') return work()
  const scope = globalThis as { Buffer?: unknown }
  scope.Buffer = STAND_IN
  try {
    return work()
  } finally {
    delete scope.Buffer
  }
}
