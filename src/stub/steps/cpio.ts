/** The small cpio archive that the stub makes from one section: `.extra` with one file (chapter ST). */
import { bytesOfLatin1 } from '../../bytes/text.ts'
import { alignUp } from '../../bytes/units.ts'

/** c_magic and thirteen words of eight digits. */
const HEADER = 6 + 13 * 8
const S_IFREG = 0o100000
const S_IFDIR = 0o040000

/** The layout of an archive with one file. */
export interface Archive {
  /** Bytes before the content. */
  readonly head: Uint8Array
  /** Bytes after the content: padding and the trailer. */
  readonly tail: Uint8Array
  /** Sizes of the buffer as it grows, record by record. */
  readonly growth: readonly [number, ...number[]]
}

/** Digits of a record header; `name` is what c_namesize counts, without its NUL. */
function record(inode: number, mode: number, size: number, name: string): string {
  const words = [inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name.length + 1, 0]
  const text = `070701${words.map(word => word.toString(16).padStart(8, '0')).join('')}${name}\0`
  return text.padEnd(alignUp(HEADER + name.length + 1, 4), '\0')
}

/**
 * The trailer writes its name length in capitals and has one NUL too many, so that its size is a multiple of
 * 4.
 */
const TRAILER = `070701${'0'.repeat(32)}00000001${'0'.repeat(48)}0000000B00000000TRAILER!!!\0\0\0\0`

/** The archive that holds `size` bytes as `<directory>/<file>`; the directory has one component. */
export function archiveOf(directory: string, file: string, size: number): Archive {
  const folder = record(1, S_IFDIR | 0o555, 0, directory)
  const head = bytesOfLatin1(folder + record(2, S_IFREG | 0o444, size, `${directory}/${file}`))
  const tail = bytesOfLatin1('\0'.repeat(alignUp(size, 4) - size) + TRAILER)
  const total = head.length + size + tail.length
  return { head, tail, growth: [folder.length, total - TRAILER.length, total] }
}
