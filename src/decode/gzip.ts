/** The gzip container. Source: RFC 1952. */
import { Crc32 } from './checksum.ts'
import { inflate } from './inflate.ts'
import { Stop, type Output } from './output.ts'

const FHCRC = 2
const FEXTRA = 4
const FNAME = 8
const FCOMMENT = 16

function behindHeader(input: Uint8Array): number {
  if (input[0] !== 0x1f || input[1] !== 0x8b) throw new Stop('magic', 'no gzip magic', 0)
  if (input.length < 18) throw new Stop('truncated', 'shorter than header and trailer', input.length)
  if (input[2] !== 8) throw new Stop('unsupported', 'a method other than deflate', 2)
  const flags = input[3] as number
  let at = 10
  if (flags & FEXTRA) at += 2 + (input[at] as number) + 256 * (input[at + 1] as number)
  for (const flag of [FNAME, FCOMMENT]) {
    if (!(flags & flag)) continue
    const nul = input.indexOf(0, at)
    if (nul < 0) throw new Stop('truncated', 'a name without end', input.length)
    at = nul + 1
  }
  return flags & FHCRC ? at + 2 : at
}

/** Decodes one member and returns the position after its trailer. Throws Stop. */
export function gzip(input: Uint8Array, out: Output): number {
  const sum = new Crc32()
  const start = behindHeader(input)
  out.begin(sum)
  const end = inflate(input, start, out)
  if (end + 8 > input.length) throw new Stop('truncated', 'the input ends before the trailer', input.length)
  const view = new DataView(input.buffer, input.byteOffset + end, 8)
  out.report(end + 8)
  out.end()
  if (view.getUint32(0, true) !== sum.value) throw new Stop('checksum', 'the CRC-32 differs', end)
  if (view.getUint32(4, true) !== out.length % 2 ** 32)
    throw new Stop('checksum', 'the length in the trailer differs', end + 4)
  return end + 8
}
