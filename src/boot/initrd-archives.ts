/**
 * Archives in an initrd, one after the other, as unpack_to_rootfs goes through them: zeros are passed over, a
 * cpio archive is followed to its end, the contents of a compressed one are not examined (chapter ZO).
 */
import { madeOf } from '../bytes/fixed-source.ts'
import { rangeAt, sizeOf } from '../bytes/range.ts'
import { alignUp } from '../bytes/units.ts'
import type { Memory } from '../memory/memory.ts'

/**
 * First bytes of what the kernel unpacks: cpio newc with and without checksums, gzip (two kinds), bzip2,
 * lzma, xz, lzo, lz4, zstd. Source: linux@6.12.107 lib/decompress.c.
 */
const CPIO = ['303730373031', '303730373032'] as const
const COMPRESSED = ['1f8b', '1f9e', '425a', '5d00', 'fd37', '894c', '0221', '28b5'] as const
/** Bytes of the shortest file of each format: head, one empty block, sums. Nine for those not listed. */
const SHORTEST: Readonly<Record<string, number>> = {
  '1f8b': 20,
  '1f9e': 20,
  '425a': 14,
  '5d00': 18,
  fd37: 32,
}
const SHORTEST_OF_OTHERS = 9
const MAGIC_LENGTH = 6
/** A cpio header in the newc format: the magic and 13 numbers of 8 digits. */
const HEADER = 110
const TRAILER = 'TRAILER!!!'
/** Alignment of cpio archives, and of what follows one, in bytes. */
const ALIGNMENT = 4
/** Bytes read at a time, and bytes read first. */
const CHUNK = 2 ** 16
const FIRST_LOOK = 64
/** Total bytes of zeros read from a file; zeroed memory is not counted. */
export const ZEROS_MAX = 2 ** 26
/** Maximum number of files followed in cpio archives. */
export const FILES_MAX = 2 ** 16

/** What is wrong at the beginning or end of an archive; null if nothing is. */
export type ArchiveFault =
  | { readonly kind: 'no archive' }
  | { readonly kind: 'junk'; readonly at: number; readonly bytes: string }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'unaligned'; readonly at: number }
  | { readonly kind: 'too many zeros' }
  /** No fault: what begins here is compressed, and was not examined. */
  | { readonly kind: 'compressed'; readonly at: number }

function hexOf(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += (byte < 16 ? '0' : '') + byte.toString(16)
  return text
}

/**
 * Looks at `length` bytes from `at`. Null where nothing is wrong, where a byte is not known, and after more
 * files than FILES_MAX.
 */
export function archiveFault(memory: Memory, at: number, length: number): ArchiveFault | null {
  const [first, ...more] = memory.extents(rangeAt(at, length))
  if (first?.content.kind !== 'bytes' || more.length > 0 || sizeOf(first.range) < length)
    return faultIn(memory, at, length)
  // All kernels of a matrix read the same bytes of the same file
  const { source, at: from } = first.content
  const key = `${String(from)} ${String(length)}`
  const faults = madeOf(source, noFaults)
  const known = faults.get(key)
  if (known !== undefined) return known
  const fault = faultIn(memory, at, length)
  faults.set(key, fault)
  return fault
}

/** What was found in a source, by offset and length. */
const noFaults = (): Map<string, ArchiveFault | null> => new Map()

function faultIn(memory: Memory, at: number, length: number): ArchiveFault | null {
  const read = (offset: number, count: number): { bytes: Uint8Array; known: boolean } =>
    count > 0 ? memory.peek(rangeAt(at + offset, count)) : { bytes: new Uint8Array(0), known: true }
  let any = false
  let next = 0
  for (let files = 0; files < FILES_MAX;) {
    const begin = firstByteSet(memory, at + next, length - next)
    if (begin === 'unknown') return null
    if (begin === 'too many') return { kind: 'too many zeros' }
    if (begin === null) return any ? null : { kind: 'no archive' }
    next += begin
    const { bytes, known } = read(next, Math.min(MAGIC_LENGTH, length - next))
    const first = hexOf(bytes)
    if (!known) return null
    const isCpio = CPIO.some(magic => first === magic)
    const format = COMPRESSED.find(magic => first.startsWith(magic))
    const isCompressed = format !== undefined
    if (!isCpio && !isCompressed) return { kind: 'junk', at: next, bytes: first }
    if (next % ALIGNMENT !== 0 && (isCpio || any)) return { kind: 'unaligned', at: next }
    if (isCompressed) {
      const whole = length - next >= (SHORTEST[format] ?? SHORTEST_OF_OTHERS)
      return { kind: whole ? 'compressed' : 'cut', at: next }
    }
    any = true
    for (let last = false; !last; files++) {
      const file = files < FILES_MAX ? fileAt(read, next, length) : null
      if (file === null) return null
      if (file.end > length) return { kind: 'cut', at: next }
      next = alignUp<number>(file.end, 4)
      last = file.last
      if (!last && next >= length) return null
      const magic = last ? first : hexOf(read(next, Math.min(MAGIC_LENGTH, length - next)).bytes)
      if (magic !== first) return { kind: 'junk', at: next, bytes: magic }
    }
  }
  return null
}

/** One file of a cpio archive, and the offset of its end; null if its header is not numeric. */
function fileAt(
  read: (offset: number, count: number) => { readonly bytes: Uint8Array; readonly known: boolean },
  at: number,
  length: number,
): { readonly end: number; readonly last: boolean } | null {
  const { bytes, known } = read(at, Math.min(HEADER, length - at))
  const header = String.fromCharCode(...bytes)
  if (!known || (header.length === HEADER && !/^[0-9a-fA-F]+$/.test(header))) return null
  const number = (offset: number): number => Number.parseInt(header.slice(offset, offset + 8), 16)
  const [size, name] = [number(54), number(94)]
  if (header.length < HEADER || Number.isNaN(name)) return { end: Infinity, last: false }
  const body = alignUp<number>(at + HEADER + name, 4)
  const text = String.fromCharCode(
    ...read(at + HEADER, Math.max(0, Math.min(name, TRAILER.length, length - at - HEADER))).bytes,
  )
  const last = text === TRAILER
  return { end: last ? at + HEADER + name : body + size, last }
}

/** Offset of the first byte that is not zero; null if all are. */
function firstByteSet(memory: Memory, at: number, length: number): number | null | 'unknown' | 'too many' {
  if (length <= 0) return null
  let left = ZEROS_MAX
  for (const { range, content } of memory.extents(rangeAt(at, length))) {
    if (content.kind === 'fill' && content.byte === 0) continue
    if (content.kind === 'fill') return range.start - at
    if (content.kind !== 'bytes') return 'unknown'
    for (let done = 0; done < sizeOf(range);) {
      if (left <= 0) return 'too many'
      const count = Math.min(done === 0 ? FIRST_LOOK : CHUNK, sizeOf(range) - done, left)
      const set = memory.readRaw(rangeAt(range.start + done, count)).findIndex(byte => byte !== 0)
      if (set >= 0) return range.start + done + set - at
      done += count
      left -= count
    }
  }
  return null
}
