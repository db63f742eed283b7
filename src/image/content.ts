/**
 * The content of a section in a file built in memory: plain data that is turned into a sparse byte source.
 */
import { encodeText } from '../bytes/text.ts'
import { bytesSource, sparseSource, type ByteSource, type SparsePiece } from '../bytes/source.ts'
import { UsageError } from '../bytes/errors.ts'
import { byteCount } from '../bytes/units.ts'

/**
 * `{text}` UTF-8; `{hex}` pairs of digits; `{initrd}` a cpio archive's first bytes, then a pattern; sizes in
 * bytes. A ByteSource is used unchanged.
 */
export type Content =
  | { readonly text: string }
  | { readonly hex: string }
  | { readonly initrd: number }
  | { readonly pattern: number; readonly seed?: number }
  | { readonly zero: number }
  | {
      readonly parts: readonly { readonly at: number; readonly content: Content }[]
      readonly size: number
      readonly seed?: number
    }
  | ByteSource

/** First bytes of a cpio archive in the newc format. */
export const CPIO_MAGIC = '070701'

/** A byte from 1 to 255 that depends on the offset: never zero, not periodic within pages. */
export function patternByte(at: number, seed = 0): number {
  return 1 + ((at * 31 + Math.floor(at / 251) * 7 + Math.floor(at / 65536) * 13 + seed) % 255)
}

/** The same for every byte of `out`, whose first is the one at `at`; from one to the next by addition. */
function fillPattern(out: Uint8Array, at: number, seed: number): void {
  let rest = patternByte(at, seed) - 1
  let page = at % 251
  let block = at % 65536
  for (let i = 0; i < out.length; i++) {
    out[i] = 1 + rest
    rest += 31
    if (++page === 251) {
      page = 0
      rest += 7
    }
    if (++block === 65536) {
      block = 0
      rest += 13
    }
    if (rest >= 255) rest -= 255
  }
}

/** `size` bytes of pattern. */
export function patternSource(size: number, seed = 0): ByteSource {
  const bytes = byteCount(size)
  return {
    size: bytes,
    read: (at, length) => {
      const out = new Uint8Array(Math.max(0, Math.min(length, bytes - at)))
      fillPattern(out, at, seed)
      return out
    },
  }
}

/** `size` bytes of pattern under these pieces: a later one wins over an earlier one. */
export function patternUnder(size: number, seed: number, pieces: readonly SparsePiece[]): ByteSource {
  return sparseSource(size, [{ at: 0, source: patternSource(size, seed) }, ...pieces])
}

/** The bytes. Throws UsageError on invalid hex and invalid sizes. */
export function contentSource(content: Content): ByteSource {
  if ('read' in content) return content
  if ('text' in content) return bytesSource(encodeText(content.text))
  if ('hex' in content) return bytesSource(bytesOfHex(content.hex))
  if ('zero' in content) return sparseSource(counted(content.zero), [])
  if ('pattern' in content) return patternSource(counted(content.pattern), content.seed)
  if ('initrd' in content) {
    return patternUnder(counted(content.initrd), 5, [{ at: 0, source: contentSource({ text: CPIO_MAGIC }) }])
  }
  const pieces = content.parts.map(part => ({ at: part.at, source: contentSource(part.content) }))
  const { seed } = content
  const size = counted(content.size)
  return seed === undefined ? sparseSource(size, pieces) : patternUnder(size, seed, pieces)
}

function counted(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) throw new UsageError(`not a number of bytes: ${String(size)}`)
  return size
}

function bytesOfHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text))
    throw new UsageError(`not pairs of hexadecimal digits: ${text.slice(0, 40)}`)
  return Uint8Array.from(text.match(/../g) ?? [], pair => Number.parseInt(pair, 16))
}
