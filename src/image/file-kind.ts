/** The kind of a file that is not PE, by its first bytes. Source: file(1) magic/Magdir. */
import { bytesOfLatin1 } from '../bytes/text.ts'
import { fileOffset } from '../bytes/units.ts'
import type { ByteSource } from '../bytes/source.ts'

/** Bytes at an offset, and what begins with them. */
const KINDS: readonly (readonly [at: number, bytes: string, what: string])[] = [
  [0, '\x7fELF', 'an ELF file: a program of an operating system, or a kernel that is not packed (vmlinux)'],
  [0, '070701', 'a cpio archive, such as an initrd'],
  [0, '070702', 'a cpio archive, such as an initrd'],
  [0, '\x1f\x8b', 'compressed with gzip: an initrd, or a kernel for another machine'],
  [0, '\xfd7zXZ\0', 'compressed with xz, such as an initrd'],
  [0, '\x28\xb5\x2f\xfd', 'compressed with zstd, such as an initrd'],
  [0, '\x02\x21\x4c\x18', 'compressed with lz4, such as an initrd'],
  [0, '\x89LZO', 'compressed with lzop, such as an initrd'],
  [0, 'BZh', 'compressed with bzip2'],
  [0, 'hsqs', 'a squashfs file system'],
  [0, 'PK\x03\x04', 'a zip archive'],
  [0, '\xd0\x0d\xfe\xed', 'a device tree'],
  [0, '#!', 'a script'],
  [257, 'ustar', 'a tar archive'],
  [0x202, 'HdrS', 'a kernel without an EFI stub'],
  [0x1fe, '\x55\xaa', 'a disk or a file system with a boot sector'],
]

/** Bytes that hold the last of them: HdrS ends at 0x206. */
const HEAD = 0x206

/** `an ELF file …`; null where the first bytes do not say. */
export function fileKind(source: ByteSource): string | null {
  const head = source.read(fileOffset(0), HEAD)
  const found = KINDS.find(([at, text]) => bytesOfLatin1(text).every((byte, i) => head[at + i] === byte))
  return found?.[2] ?? null
}
