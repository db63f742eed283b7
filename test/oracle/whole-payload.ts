/**
 * A payload that really decompresses, of the recorded kernel's length, to its recorded length and segments: a
 * pattern stored in zstd blocks, then zeros.
 */
import { patternByte } from '../../src/image/content.ts'
import type { KernelFacts } from '../../src/image/x86/kernel-facts.ts'
import { xxh64 } from '../../src/decode/xxh64.ts'
import { elfHeaders } from '../support/packed-kernel.ts'
import type { Recording } from './recording.ts'
import { le } from '../support/bytes.ts'

const BLOCK = 1 << 17
const STORED = 0
const REPEATED = 1
/** Magic, a descriptor that announces a checksum, a window of 128 KiB. */
const HEAD = [0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x38] as const
const CHECKSUM = 4

/**
 * Stored bytes first, then blocks of zeros; all in all `length` bytes that decode to `olen`, the last four of
 * them `olen` itself. Throws when that cannot be.
 */
export function wholePayload(
  { vmlinux }: Recording,
  { hdr: { payload_length: length }, output_len: olen, compression }: KernelFacts,
): Uint8Array {
  if (compression !== 'zstd' || vmlinux === undefined)
    throw new Error('only zstd payloads with recorded segments are made')
  const room = length - 4 - HEAD.length - CHECKSUM
  // A block of zeros takes 4 bytes, a stored one 3 and its content; what is over goes into empty stored
  // blocks
  let stored = room - 4 * Math.ceil(olen / BLOCK) - 3 * Math.ceil(room / BLOCK)
  stored -= stored % BLOCK
  const zeros = Math.ceil((olen - stored) / BLOCK)
  const spare = room - (3 * stored) / BLOCK - stored - 4 * zeros
  const output = new Uint8Array(olen)
  for (let i = 0; i < stored; i++) output[i] = patternByte(i, 3)
  const segments = vmlinux.loads.map(([p_offset, p_paddr, p_filesz, p_memsz]) => ({
    p_offset: Number(p_offset),
    p_paddr: Number(p_paddr),
    p_filesz: Number(p_filesz),
    p_memsz: Number(p_memsz),
  }))
  output.set(elfHeaders(0x1000000 + (vmlinux.entry_offset ?? 0), segments))
  const payload = new Uint8Array(length)
  payload.set(HEAD)
  let at = HEAD.length
  const block = (type: number, size: number, content: Uint8Array, last = false): void => {
    payload.set(le(size * 8 + type * 2 + (last ? 1 : 0), 3), at)
    payload.set(content, at + 3)
    at += 3 + content.length
  }
  for (let from = 0; from < stored; from += BLOCK) block(STORED, BLOCK, output.subarray(from, from + BLOCK))
  const odd = spare % 3
  if (odd > 0) block(STORED, odd, output.subarray(stored, stored + odd))
  for (let left = spare - (odd > 0 ? 3 + odd : 0); left > 0; left -= 3) block(STORED, 0, new Uint8Array(0))
  for (let from = stored + odd; from < olen; from += BLOCK)
    block(REPEATED, Math.min(BLOCK, olen - from), new Uint8Array(1), from + BLOCK >= olen)
  if (at + CHECKSUM + 4 !== length)
    throw new Error(`${String(length - at - CHECKSUM - 4)} bytes of the payload are left over`)
  payload.set(le(xxh64(output)[0], 4), at)
  payload.set(le(olen, 4), length - 4)
  return payload
}
