/**
 * Bytes as text, and text as bytes. A decoder costs much more to make than to use, and one that was made
 * lives until all of the heap is swept: there is one of each kind, made when it is first needed.
 */
import { once } from './once.ts'

const decoders = {
  'utf-8': once(() => new TextDecoder('utf-8', { ignoreBOM: true })),
  /** The same without a byte order mark in front. */
  'utf-8 after a mark': once(() => new TextDecoder()),
  'utf-16le': once(() => new TextDecoder('utf-16le', { ignoreBOM: true })),
  /** windows-1252, as the platform's decoders take the word. */
  latin1: once(() => new TextDecoder('latin1')),
} as const
export type Encoding = keyof typeof decoders

const encoder = once(() => new TextEncoder())

/** The text that these bytes are; what means nothing becomes U+FFFD. */
export function decodeText(bytes: Uint8Array, as: Encoding = 'utf-8'): string {
  return decoders[as]().decode(bytes)
}

/** A shorter text of ASCII is encoded faster than an encoder is called. */
const SHORT = 64

/** The text in UTF-8. */
export function encodeText(text: string): Uint8Array {
  if (text.length > SHORT) return encoder().encode(text)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return encoder().encode(text)
    bytes[i] = unit
  }
  return bytes
}

/** One byte for each character of a text that has none above U+00FF. */
export function bytesOfLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
