/**
 * A Linux x86 bzImage: setup header, payload, embedded PE, and the decompressor's geometry. Reads headers
 * only. Source: boot.rst, header.S, head_64.S.
 */
import { madeOf } from '../../bytes/fixed-source.ts'
import { hex } from '../../bytes/range.ts'
import { readExactly, type ByteSource } from '../../bytes/source.ts'
import { byteCount, fileOffset, type ByteCount, type FileOffset } from '../../bytes/units.ts'
import type { Values } from '../../bytes/struct.ts'
import {
  BOOT_FLAG,
  HDRS,
  kernel_info,
  LTOP,
  SECTOR,
  SETUP_HEADER_AT,
  SETUP_HEADER_SINCE,
  setup_header,
  setupHeaderEnd,
  setupSectors,
  XLF_EFI_HANDOVER_64,
  XLF_KERNEL_64,
  type SetupHeader,
} from './boot-params.ts'
import { parsePe, type PeFile } from '../pe.ts'
import type { Problem } from '../problem.ts'
import { readGeometry, type Geometry } from './geometry.ts'

export const COMPRESSIONS = ['gzip', 'bzip2', 'lzma', 'xz', 'lzo', 'lz4', 'zstd', 'none'] as const
/** Compression of the payload; `none`: a bare ELF file. */
export type Compression = (typeof COMPRESSIONS)[number]

/** First bytes of a payload. */
export const PAYLOAD_MAGIC: Readonly<Record<Compression, readonly number[]>> = {
  gzip: [0x1f, 0x8b],
  bzip2: [0x42, 0x5a, 0x68],
  lzma: [0x5d, 0x00, 0x00],
  xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  lzo: [0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a],
  lz4: [0x02, 0x21, 0x4c, 0x18],
  zstd: [0x28, 0xb5, 0x2f, 0xfd],
  none: [0x7f, 0x45, 0x4c, 0x46],
}

/** The compressed kernel inside the file. */
export interface Payload {
  /** From the start of the file: setupSize + payload_offset. */
  readonly at: FileOffset
  /** `payload_length`: includes the four bytes with the decompressed length. */
  readonly length: ByteCount
  readonly compression: Compression | null
  /** The decompressed length, from the payload's last four bytes; null if the file ends before them. */
  readonly output_len: ByteCount | null
}

/** A bzImage. All offsets are relative to the start of the file unless stated otherwise. */
export interface BzImage {
  readonly source: ByteSource
  /** Boot protocol, 0x020f for 2.15. */
  readonly protocol: number
  /** Under upstream's names; a field missing in the protocol version reads as 0. */
  readonly hdr: SetupHeader
  /** Where the protected-mode part (`startup_32`) begins: (setup_sects or 4, plus 1) * 512. */
  readonly setupSize: ByteCount
  /** The declared size: setupSize + syssize * 16. The source may be shorter or longer. */
  readonly fileSize: ByteCount
  readonly payload: Payload | null
  readonly kernel_info: Values<typeof kernel_info.fields> | null
  /** The whole version string, up to 256 bytes, and its first word. */
  readonly version: string | null
  readonly release: string | null
  /** The same file as PE; null if it is not one. */
  readonly pe: PeFile | null
  /**
   * Entry of the 64-bit EFI handover protocol: setupSize + 0x200 + handover_offset; null if the header has
   * none.
   */
  readonly handover64: FileOffset | null
  /** Legacy 64-bit entry `startup_64`: setupSize + 0x200; null for a 32-bit kernel. */
  readonly startup64: FileOffset | null
  /** The entry point of the PE; null without PE. */
  readonly peEntry: FileOffset | null
  /** Offsets from `startup_32`. */
  readonly geometry: Geometry
  readonly problems: readonly Problem[]
}

export interface BzImageParse {
  readonly bzimage: BzImage | null
  readonly problems: readonly Problem[]
}

/** Offset of the 64-bit entries from the start of the protected-mode part, by the boot protocol. */
const ENTRY_64 = 0x200
const VERSION_MAX = 256

/** Reads a bzImage: a few kilobytes, independent of its size. Never throws. */
export function parseBzImage(source: ByteSource): BzImageParse {
  return madeOf(source, readBzImage)
}

function readBzImage(source: ByteSource): BzImageParse {
  const problems: Problem[] = []
  const note = (id: string, at: number | null, what: string, fatal = false): void => {
    problems.push({ id, at: at === null ? null : fileOffset(at), what, fatal })
  }
  const fail = (id: string, at: number, what: string): BzImageParse => {
    note(id, at, what, true)
    return { bzimage: null, problems }
  }
  if (source.size === 0) return fail('empty', 0, 'the file is empty')
  const raw = readHeader(source)
  if (raw === null)
    return fail(
      'truncated',
      source.size,
      `a bzImage has at least ${hex(SETUP_HEADER_AT + 0x17)} bytes, the file has ${hex(source.size)}`,
    )
  if (raw.values.header !== HDRS)
    return fail('not-bzimage', 0x202, `no HdrS at 0x202: ${hex(raw.values.header)}`)
  if (raw.values.boot_flag !== BOOT_FLAG)
    note('boot-flag', 0x1fe, `boot_flag is ${hex(raw.values.boot_flag)}, not 0xaa55`)
  const protocol = raw.values.version
  if (source.size < raw.end)
    note(
      'header-truncated',
      source.size,
      `the setup header ends at ${hex(raw.end)}, the file at ${hex(source.size)}`,
    )
  const hdr = trusted(raw.values, protocol, Math.min(raw.end, source.size))
  const setupSize = byteCount((setupSectors(hdr) + 1) * SECTOR)
  const fileSize = byteCount(setupSize + hdr.syssize * 16)
  const parsed = looksLikePe(source) ? parsePe(source) : null
  const pe = parsed?.pe ?? null
  if (parsed !== null && pe === null)
    problems.push(...parsed.problems.map(problem => ({ ...problem, fatal: false })))
  if (pe !== null) problems.push(...pe.problems)
  checkLength(source, fileSize, pe, note)
  const payload = readPayload(source, hdr, setupSize, note)
  const info =
    protocol >= 0x20f && hdr.kernel_info_offset !== 0
      ? readInfo(source, setupSize + hdr.kernel_info_offset, note)
      : null
  const version = hdr.kernel_version === 0 ? null : readText(source, 0x200 + hdr.kernel_version)
  const is64 = (hdr.xloadflags & XLF_KERNEL_64) !== 0
  const handed = hdr.handover_offset !== 0 && (hdr.xloadflags & XLF_EFI_HANDOVER_64) !== 0
  const handover64 = handed ? fileOffset(setupSize + ENTRY_64 + hdr.handover_offset) : null
  if (handover64 !== null && handover64 >= fileSize)
    note(
      'handover-outside-file',
      0x264,
      `the handover entry ${hex(handover64)} lies past the declared end ${hex(fileSize)}`,
    )
  const bzimage: BzImage = {
    source,
    protocol,
    hdr,
    setupSize,
    fileSize,
    payload,
    kernel_info: info,
    version,
    release: version === null ? null : (version.split(' ')[0] ?? null),
    pe,
    handover64,
    startup64: is64 ? fileOffset(setupSize + ENTRY_64) : null,
    peEntry: pe === null ? null : fileOffset(pe.optional.AddressOfEntryPoint),
    geometry: geometryOf(source, setupSize, hdr, pe, note),
    problems,
  }
  return { bzimage, problems }
}

type Note = (id: string, at: number | null, what: string) => void

function looksLikePe(source: ByteSource): boolean {
  const mz = source.read(fileOffset(0), 2)
  return mz[0] === 0x4d && mz[1] === 0x5a
}

/** The raw header (zero past the end of the file) and its end. */
function readHeader(source: ByteSource): { values: SetupHeader; end: number } | null {
  const bytes = new Uint8Array(setup_header.size)
  const there = source.read(fileOffset(SETUP_HEADER_AT), setup_header.size)
  if (there.length < 0x17) return null
  bytes.set(there)
  const values = setup_header.read(bytes)
  return values === null ? null : { values, end: setupHeaderEnd(values) }
}

function trusted(raw: SetupHeader, protocol: number, end: number): SetupHeader {
  const values: Record<string, number | bigint> = {}
  for (const [name, [offset, kind]] of Object.entries(setup_header.fields)) {
    const field = name as keyof SetupHeader
    const known =
      protocol >= (SETUP_HEADER_SINCE[field] ?? 0) && (offset < 0x17 || SETUP_HEADER_AT + offset < end)
    const zero = kind === 'u64' ? 0n : 0
    values[field] = known ? raw[field] : zero
  }
  if (protocol < 0x204) values['syssize'] = raw.syssize & 0xffff
  return values as SetupHeader
}

function checkLength(source: ByteSource, fileSize: number, pe: PeFile | null, note: Note): void {
  const certificates = pe?.dataDirectories[4]
  const signedEnd = certificates?.VirtualAddress === fileSize ? fileSize + certificates.Size : fileSize
  if (source.size < fileSize)
    note(
      'shorter-than-declared',
      source.size,
      `setup_sects and syssize declare ${hex(fileSize)} bytes, the file has ${hex(source.size)}`,
    )
  else if (source.size > signedEnd)
    note(
      'longer-than-declared',
      fileSize,
      `setup_sects and syssize declare ${hex(fileSize)} bytes, the file has ${hex(source.size)}`,
    )
}

function readPayload(source: ByteSource, hdr: SetupHeader, setupSize: number, note: Note): Payload | null {
  if (hdr.payload_length === 0) return null
  const at = setupSize + hdr.payload_offset
  const end = at + hdr.payload_length
  if (hdr.payload_offset + hdr.payload_length > hdr.syssize * 16) {
    note(
      'payload-outside-image',
      0x248,
      `the payload ends at ${hex(hdr.payload_offset + hdr.payload_length)} of ${hex(hdr.syssize * 16)}`,
    )
  }
  const start = source.read(fileOffset(at), 16)
  const compression =
    COMPRESSIONS.find(name => PAYLOAD_MAGIC[name].every((byte, i) => start[i] === byte)) ?? null
  if (compression === null)
    note('unknown-compression', at, 'the payload does not begin with a known magic number')
  const tail = hdr.payload_length < 4 ? null : readExactly(source, end - 4, 4)
  if (tail === null)
    note('payload-truncated', at, `the payload ends at ${hex(end)}, the file at ${hex(source.size)}`)
  const output_len =
    tail === null ? null : byteCount(new DataView(tail.buffer, tail.byteOffset, 4).getUint32(0, true))
  return { at: fileOffset(at), length: byteCount(hdr.payload_length), compression, output_len }
}

function readInfo(source: ByteSource, at: number, note: Note): Values<typeof kernel_info.fields> | null {
  const bytes = readExactly(source, at, kernel_info.size)
  const info = bytes === null ? null : kernel_info.read(bytes)
  if (info?.header === LTOP) return info
  note('no-kernel-info', at, `no LToP at ${hex(at)}`)
  return null
}

/** ASCII up to the first NUL, at most VERSION_MAX bytes; null if nothing is printable. */
function readText(source: ByteSource, at: number): string | null {
  const bytes = source.read(fileOffset(at), VERSION_MAX)
  const nul = bytes.indexOf(0)
  const text = String.fromCharCode(...(nul < 0 ? bytes : bytes.subarray(0, nul)))
  return /^[\x20-\x7e]+$/.test(text) ? text : null
}

/**
 * From the machine code; if the PE covers exactly the decompressor (6.7 and later), `_end` is also
 * SizeOfImage - setupSize.
 */
function geometryOf(
  source: ByteSource,
  setupSize: number,
  hdr: SetupHeader,
  pe: PeFile | null,
  note: Note,
): Geometry {
  const found = readGeometry(source, setupSize, hdr.payload_offset)
  if (pe?.optional.SectionAlignment !== 0x1000 || pe.optional.SizeOfImage <= setupSize) return found
  const end = byteCount(pe.optional.SizeOfImage - setupSize)
  if (found._end !== null && found._end !== end)
    note(
      'end-disagrees',
      null,
      `startup_64 subtracts ${hex(found._end)} for _end, SizeOfImage says ${hex(end)}`,
    )
  return found._end === null ? { ...found, _end: end } : found
}
