/**
 * Decompresses the payload of a kernel, with the error messages of the kernel's own decompressor. See
 * docs/decisions/0015.
 */
import { fileOffset } from '../bytes/units.ts'
import type { ByteSource } from '../bytes/source.ts'
import { bzip2 } from './bzip2.ts'
import { gzip } from './gzip.ts'
import { lz4 } from './lz4.ts'
import { lzmaAlone } from './lzma-alone.ts'
import { lzo } from './lzo.ts'
import { Output, Stop, type OutputOptions, type Progress, type Sink, type StopKind } from './output.ts'
import { xz } from './xz.ts'
import { zstd } from './zstd.ts'

export type { Progress, Sink } from './output.ts'

/** The formats of kernel payloads. */
export const FORMATS = ['gzip', 'bzip2', 'lzma', 'xz', 'lzo', 'lz4', 'zstd'] as const
/** One of these formats. */
export type Format = (typeof FORMATS)[number]

/** Limits of the output. */
export interface DecodeOptions {
  /** Maximum output in bytes; also limits memory use. */
  readonly limit: number
  /**
   * The required output length, which the kernel reads from the end of its payload. Default: up to the end of
   * the stream.
   */
  readonly length?: number
  /** Stops after at least this many bytes; the result has `complete: false`. */
  readonly stopAt?: number
  /**
   * Called at least once per block and after every 4096 bytes of output, with the lowest input position still
   * needed and the output written.
   */
  readonly onProgress?: Progress
}

/** The result. Positions are relative to the first byte of the input. */
export type Decoded =
  | {
      readonly ok: true
      readonly complete: boolean
      readonly consumed: number
      readonly produced: number
      readonly output: Uint8Array
    }
  | {
      readonly ok: false
      /** The kernel's message; null if the kernel does not notice, because it ignores that checksum. */
      readonly error: string | null
      /** The error, in our wording. */
      readonly why: string
      readonly at: number
      readonly produced: number
      readonly output: Uint8Array
    }

/** Decodes `input` and returns the position after the stream. */
type Decoder = (input: Uint8Array, out: Output, length: number | null) => number

const DECODERS: Readonly<Record<Format, Decoder>> = { gzip, bzip2, lzma: lzmaAlone, xz, lzo, lz4, zstd }

type Messages = Readonly<Record<Exclude<StopKind, 'stopped' | 'window'>, string | null>>

/** Messages of linux. Source: linux@6.12.107 lib/decompress_*.c. */
export const MESSAGES: Readonly<Record<Format, Messages>> = {
  gzip: {
    magic: 'Not a gzip file',
    unsupported: 'Not a gzip file',
    corrupt: 'uncompression error',
    truncated: 'read error',
    checksum: null,
    'too-long': 'uncompression error',
  },
  bzip2: {
    magic: 'Data integrity error when decompressing.',
    unsupported: 'Data integrity error when decompressing.',
    corrupt: 'Data integrity error when decompressing.',
    truncated: 'Compressed file ends unexpectedly',
    checksum: 'Data integrity error when decompressing.',
    'too-long': 'Data integrity error when decompressing.',
  },
  lzma: {
    magic: 'bad header',
    unsupported: 'bad header',
    corrupt: 'LZMA data is corrupt',
    truncated: 'LZMA data is corrupt',
    checksum: null,
    'too-long': 'LZMA data is corrupt',
  },
  xz: {
    magic: 'Input is not in the XZ format (wrong magic bytes)',
    unsupported: 'Input was encoded with settings that are not supported by this XZ decoder',
    corrupt: 'XZ-compressed data is corrupt',
    truncated: 'XZ-compressed data is corrupt',
    checksum: 'XZ-compressed data is corrupt',
    'too-long': 'XZ-compressed data is corrupt',
  },
  lzo: {
    magic: 'invalid header',
    unsupported: 'invalid header',
    corrupt: 'Compressed data violation',
    truncated: 'file corrupted',
    checksum: null,
    'too-long': 'Compressed data violation',
  },
  lz4: {
    magic: 'invalid header',
    unsupported: 'Decoding failed',
    corrupt: 'Decoding failed',
    truncated: 'data corrupted',
    checksum: null,
    'too-long': 'Decoding failed',
  },
  zstd: {
    magic: 'Input is not in the ZSTD format (wrong magic bytes)',
    unsupported: 'ZSTD-compressed data is probably corrupt',
    corrupt: 'ZSTD-compressed data is corrupt',
    truncated: 'ZSTD-compressed data is probably corrupt',
    checksum: 'ZSTD-compressed data is corrupt',
    'too-long': 'ZSTD-compressed data is corrupt',
  },
}

/** How a stream is decoded that nobody keeps as a whole. */
export interface StreamOptions extends DecodeOptions {
  /** Receives the output piece by piece, in order. A piece may be reused after the call. */
  readonly sink: Sink
  /**
   * The largest window, in bytes, that is held of what came out; null: all of it. A format or a stream that
   * needs no more than this is decoded in `windowMax` and an eighth, and 3 MiB.
   */
  readonly windowMax: number | null
}

/** The result. Positions are relative to the first byte of the input. */
export type Streamed = {
  readonly produced: number
  /** The most bytes of output that were held at one time. */
  readonly held: number
} & (
  | { readonly kind: 'decoded'; readonly complete: boolean; readonly consumed: number }
  | { readonly kind: 'failed'; readonly error: string | null; readonly why: string; readonly at: number }
  /** The stream needs more of its own output than `windowMax`, or than it says itself. */
  | { readonly kind: 'not-held'; readonly why: string; readonly at: number }
)

function run(format: Format, input: ByteSource, options: DecodeOptions, out: Output): Streamed {
  const bytes = input.read(fileOffset(0), input.size)
  const end = (): { readonly produced: number; readonly held: number } => {
    out.end()
    return { produced: out.length, held: out.held }
  }
  try {
    const consumed = DECODERS[format](bytes, out, options.length ?? null)
    return { kind: 'decoded', complete: true, consumed, ...end() }
  } catch (stop) {
    if (!(stop instanceof Stop)) throw stop
    const { kind, at, message: why } = stop
    if (kind === 'stopped') return { kind: 'decoded', complete: false, consumed: at, ...end() }
    if (kind === 'window') return { kind: 'not-held', why, at, ...end() }
    return { kind: 'failed', error: MESSAGES[format][kind], why, at, ...end() }
  }
}

const outputOptions = (
  { limit, stopAt, onProgress }: DecodeOptions,
  windowMax: number | null,
  sink: Sink,
): OutputOptions => ({ limit, stopAt: stopAt ?? Infinity, onProgress: onProgress ?? null, windowMax, sink })

/**
 * Decompresses a stream and passes on what comes out. Reads the input once, as a whole, and holds no more
 * of the output than the stream may still copy from; never throws for any input; takes time proportional to
 * input and output.
 */
export function decodeStream(format: Format, input: ByteSource, options: StreamOptions): Streamed {
  return run(format, input, options, new Output(outputOptions(options, options.windowMax, options.sink)))
}

/**
 * Decompresses a whole stream and keeps what comes out. Reads the input once, as a whole; never throws for
 * any input; takes time proportional to input and output.
 */
export function decode(format: Format, input: ByteSource, options: DecodeOptions): Decoded {
  let done = 0
  // All output stays where it was written; only a filter makes something else of it
  const out: Output = new Output(
    outputOptions(options, null, piece => {
      if (piece.buffer !== out.bytes.buffer) out.bytes.set(piece, done)
      done += piece.length
    }),
  )
  const streamed = run(format, input, options, out)
  const { produced } = streamed
  const output = out.bytes.subarray(0, produced)
  if (streamed.kind === 'decoded')
    return { ok: true, complete: streamed.complete, consumed: streamed.consumed, produced, output }
  const { why, at } = streamed
  return { ok: false, error: streamed.kind === 'failed' ? streamed.error : null, why, at, produced, output }
}
