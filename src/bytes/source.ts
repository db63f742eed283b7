/** Random access to the bytes of a file without loading it: a size and a read function. */
import { ModelBug } from './errors.ts'
import { numberIn } from './struct.ts'
import { byteCount, fileOffset, type ByteCount, type FileOffset } from './units.ts'

/** A synchronous, random-access source of bytes. Reading past the end returns fewer bytes, never an error. */
export interface ByteSource {
  readonly size: ByteCount
  /**
   * At most `length` bytes from `at`. The result may share memory with the source and must not be written to.
   */
  read(at: FileOffset, length: number): Uint8Array
}

const EMPTY = new Uint8Array(0)

function clip(size: number, at: number, length: number): number {
  return Math.max(0, Math.min(length, size - at))
}

class BytesSource implements ByteSource {
  readonly size: ByteCount
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.size = byteCount(bytes.length)
    this.#bytes = bytes
  }

  read(at: FileOffset, length: number): Uint8Array {
    return this.#bytes.subarray(at, at + clip(this.size, at, length))
  }

  /** As `numberAt`. */
  number(at: number, width: number): number {
    const bytes = this.#bytes
    let sum = 0
    for (let i = Math.min(at + width, bytes.length) - 1; i >= at; i--) sum = sum * 256 + (bytes[i] as number)
    return sum
  }
}

/** A source over bytes in memory. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return new BytesSource(bytes)
}

/** A little-endian number of at most 8 bytes (numberIn); bytes past the end read as zero. */
export function numberAt(source: ByteSource, at: number, width: number): number {
  return source instanceof BytesSource
    ? source.number(at, width)
    : numberIn(source.read(fileOffset(at), width))
}

/** A piece of a sparse source: bytes (or a part of another source) at offset `at`. */
export interface SparsePiece {
  readonly at: number
  readonly source: ByteSource
}

/**
 * A source of `size` bytes that is `fill` (default zero) outside the pieces. A later piece overrides an
 * earlier one. The cost is independent of the size. Pieces are clipped to the size.
 */
export function sparseSource(
  size: number,
  pieces: readonly SparsePiece[],
  fill: number | ((at: number) => number) = 0,
): ByteSource {
  return {
    size: byteCount(size),
    read: (at, length) => {
      const count = clip(size, at, length)
      if (count === 0) return EMPTY
      const top = topmost(pieces, at, at + count)
      if (top !== undefined && top.at <= at && at + count <= top.at + top.source.size)
        return top.source.read(fileOffset(at - top.at), count)
      const out = new Uint8Array(count)
      if (typeof fill !== 'number') for (let i = 0; i < count; i++) out[i] = fill(at + i)
      else if (fill !== 0) out.fill(fill)
      for (const piece of pieces) {
        const from = Math.max(at, piece.at)
        const to = Math.min(at + count, piece.at + piece.source.size)
        if (from < to) out.set(piece.source.read(fileOffset(from - piece.at), to - from), from - at)
      }
      return out
    },
  }
}

/** The last piece in each part of [from, to). */
function topmost(pieces: readonly SparsePiece[], from: number, to: number): SparsePiece | undefined {
  for (let i = pieces.length - 1; i >= 0; i--) {
    const piece = pieces[i]
    if (piece !== undefined && piece.at < to && from < piece.at + piece.source.size) return piece
  }
  return undefined
}

/** The part [at, at + length) of another source, clipped to its size. */
export function sliceSource(source: ByteSource, at: number, length: number): ByteSource {
  const size = clip(source.size, at, length)
  return {
    size: byteCount(size),
    read: (from, count) => source.read(fileOffset(at + from), clip(size, from, count)),
  }
}

/** The same source, counting bytes read: for tests that the cost does not grow with file size. */
export function countingSource(source: ByteSource): ByteSource & { readonly bytesRead: () => number } {
  let total = 0
  return {
    size: source.size,
    read: (at, length) => {
      const bytes = source.read(at, length)
      total += bytes.length
      return bytes
    },
    bytesRead: () => total,
  }
}

/** Exactly `length` bytes from `at`, or null when the source is too short. */
export function readExactly(source: ByteSource, at: number, length: number): Uint8Array | null {
  if (at < 0 || length < 0) throw new ModelBug('negative read')
  if (at + length > source.size) return null
  const bytes = source.read(fileOffset(at), length)
  return bytes.length === length ? bytes : null
}
