/**
 * The LZMA-alone container: properties, dictionary size, length, then one stream. Source: the LZMA
 * specification of the LZMA SDK.
 */
import { Lzma, lzmaProperties } from './lzma.ts'
import { Stop, type Output } from './output.ts'

const HEADER_SIZE = 13
const UNKNOWN = 2 ** 64
/** A smaller dictionary is one of this size. */
const DICTIONARY_MIN = 2 ** 12

/** Decodes one stream and returns the position after it. Throws Stop. */
export function lzmaAlone(input: Uint8Array, out: Output): number {
  if (input.length < HEADER_SIZE) throw new Stop('truncated', 'shorter than its header', input.length)
  const properties = lzmaProperties(input[0] as number)
  if (properties === null) throw new Stop('magic', 'invalid properties', 0)
  let length = 0
  for (let i = HEADER_SIZE - 1; i >= 5; i--) length = length * 256 + (input[i] as number)
  const isKnown = length < UNKNOWN - 2 ** 32
  if (isKnown && length > out.limit)
    throw new Stop('too-long', `the stated length is ${String(length)} bytes`, 5)
  const dictionary =
    ((input[1] as number) |
      ((input[2] as number) << 8) |
      ((input[3] as number) << 16) |
      ((input[4] as number) << 24)) >>>
    0
  out.openWindow(Math.max(DICTIONARY_MIN, dictionary), 1)
  const lzma = new Lzma(input, out)
  lzma.reset(properties)
  lzma.begin(HEADER_SIZE, input.length)
  if (!isKnown && !lzma.decode(out.limit) && !lzma.marker())
    throw new Stop('too-long', `the output exceeds ${String(out.limit)} bytes`, lzma.position)
  if (isKnown && lzma.decode(length))
    throw new Stop('corrupt', 'the end marker comes too early', lzma.position)
  lzma.normalize()
  out.report(lzma.position)
  return lzma.position
}
