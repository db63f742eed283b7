/**
 * Results of decompressing a kernel's payload: success or error, its output, and how far the output runs
 * ahead of the input. Chapter ZO.
 */
import { hex } from '../bytes/range.ts'
import { sliceSource, type ByteSource } from '../bytes/source.ts'
import { decodeStream, type Format } from '../decode/decode.ts'
import { parseBzImage, type BzImage } from '../image/x86/bzimage.ts'
import type { Elf } from '../image/elf.ts'
import { ElfInPassing } from '../image/elf-in-passing.ts'

/**
 * Limit of input and output, in bytes: KERNEL_IMAGE_SIZE. Source: linux@6.12.107
 * arch/x86/include/asm/page_64_types.h.
 */
export const INPUT_MAX = 2 ** 28
export const OUTPUT_MAX = 2 ** 29
/**
 * How many times longer than its payload a kernel may say that it is, once it is longer than so many bytes:
 * real ones are 3 to 8 times as long. Anything beyond costs memory out of proportion to the file.
 */
export const RATIO_MAX = 64
export const RATIO_FROM = 2 ** 26
/**
 * The largest window of a payload, in bytes: so much is held of the output while it passes. Source:
 * linux@6.12.107 lib/decompress_unzstd.c ZSTD_WINDOWSIZE_MAX; no other format's build asks for more.
 */
export const WINDOW_MAX = 2 ** 27

/**
 * The point at which the output was farthest ahead of the input still needed. Positions count from the first
 * byte of each.
 */
export interface Lead {
  /** Output position minus input position, in bytes; never negative. */
  readonly bytes: number
  readonly input: number
  readonly output: number
}

/** Why decompression failed. */
export interface Failure {
  /** The message of the kernel's decompressor; null if it does not notice. */
  readonly error: string | null
  readonly why: string
  /** Offset in the payload. */
  readonly at: number
}

/** The result. */
export interface Extracted {
  readonly kind: 'read'
  readonly format: Format
  /** Bytes of input consumed, and of output produced. */
  readonly consumed: number
  readonly produced: number
  /** The most bytes of output that were held at one time. */
  readonly held: number
  readonly lead: Lead
  readonly failure: Failure | null
  /** The extracted kernel's headers; null if it is not an ELF file. */
  readonly elf: Elf | null
}

/** The result for a payload, or why it was not decompressed. */
export type PayloadRead = Extracted | { readonly kind: 'not-read'; readonly why: string }

/** Reads the payload of a kernel file. */
export type PayloadReader = (source: ByteSource) => PayloadRead

const notRead = (why: string): PayloadRead => ({ kind: 'not-read', why })

/** Decompresses the payload, once, from the first to the last byte. */
export const readPayload: PayloadReader = source => {
  const { bzimage } = parseBzImage(source)
  return bzimage === null ? notRead('it is not a bzImage') : readPayloadOf(bzimage)
}

function readPayloadOf({ source, payload, hdr }: BzImage): PayloadRead {
  if (payload === null) return notRead('the setup header has no payload')
  const { compression: format, length, output_len } = payload
  if (format === null || format === 'none')
    return notRead('the payload does not begin with the magic number of a known compression format')
  const limit = output_len ?? hdr.init_size
  if (length > INPUT_MAX || limit > OUTPUT_MAX)
    return notRead('the payload is longer than any kernel can have')
  // header.S makes init_size of z_output_len and more
  if (hdr.init_size > 0 && limit > hdr.init_size)
    return notRead(
      `the payload says that ${hex(limit)} bytes come out, more than init_size, ${hex(hdr.init_size)}`,
    )
  if (limit > Math.max(RATIO_FROM, RATIO_MAX * length))
    return notRead(
      `the payload says that ${hex(limit)} bytes come out, more than ` +
        `${String(RATIO_MAX)} times its own length`,
    )
  // All formats but gzip have the decompressed length after the stream
  const stream = sliceSource(source, payload.at, format === 'gzip' ? length : length - 4)
  let lead: Lead = { bytes: 0, input: 0, output: 0 }
  const passing = new ElfInPassing()
  const decoded = decodeStream(format, stream, {
    limit,
    windowMax: WINDOW_MAX,
    sink: piece => {
      passing.push(piece)
    },
    ...(output_len === null ? {} : { length: output_len }),
    onProgress: (input, output) => {
      if (output - input > lead.bytes) lead = { bytes: output - input, input, output }
    },
  })
  if (decoded.kind === 'not-held') return notRead(`at ${hex(decoded.at)} it needs ${decoded.why}`)
  const { produced, held } = decoded
  const { elf } = passing.parse()
  const common = { kind: 'read', format, produced, held, lead, elf } as const
  if (decoded.kind === 'decoded') return { ...common, consumed: decoded.consumed, failure: null }
  const { error, why, at } = decoded
  return { ...common, consumed: at, failure: { error, why, at } }
}
