/**
 * The only module that opens files: a ByteSource over a file descriptor, small texts, our own pages, and the
 * result.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  readdirSync,
  statSync,
  writeFileSync,
  type Stats,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UsageError } from '../bytes/errors.ts'
import { hex } from '../bytes/range.ts'
import { byteCount } from '../bytes/units.ts'
import type { ByteSource } from '../bytes/source.ts'

const BLOCK = 4096
/** Larger blocks are not cached. */
const KEEP_MAX = 64 * 1024
/** Limit of a text file: memory maps and scenarios are small. */
const TEXT_MAX = 16 * 2 ** 20
/** Buffer size for a file of unknown size. */
const SMALL_MAX = 2 ** 20

export interface Files {
  /** Opens a file for reading in place. Throws UsageError on failure. */
  source(path: string): ByteSource
  /** Is there a regular file of that name? */
  has(path: string): boolean
  /** The regular files in a folder, by name, with the folder's path before them; null if it is no folder. */
  folder(path: string): readonly string[] | null
  /** Files of a part of the work: they can be closed before the others, and count with them. */
  part(): Files
  /**
   * The whole of a small file, of a pipe, or of stdin, which is `-`; at most `max` bytes, 16 MiB by default.
   */
  bytes(path: string, max?: number): Uint8Array
  /** The whole of a small text file, UTF-8. */
  text(path: string, max?: number): string
  /** Writes a result. */
  write(path: string, content: string): void
  /** Bytes read, and total bytes, of all files opened so far. */
  total(): { readonly read: number; readonly of: number }
  close(): void
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file: part of the path is not a directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'is a directory',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left',
  EIO: 'the device reports a read error',
  ENAMETOOLONG: 'the name is too long',
  ENXIO: 'is not a regular file or block device',
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return REASONS[code] ?? code
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw new UsageError(`${path}: ${reasonOf(error)}`)
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'is a directory'
  if (stats.isFIFO()) return 'is a pipe; an image needs random access, so use a regular file or block device'
  return 'is not a regular file or block device'
}

/** stat has no size for a block device: its end is where reads return nothing. */
function deviceSize(fd: number): number {
  const probe = new Uint8Array(1)
  const there = (at: number): boolean => readSync(fd, probe, 0, 1, at) === 1
  let end = 1
  while (end < 2 ** 52 && there(end - 1)) end *= 2
  let low = 0
  while (low < end) {
    const middle = Math.floor((low + end) / 2)
    if (there(middle)) low = middle + 1
    else end = middle
  }
  return low
}

interface OpenFile {
  readonly fd: number
  readonly size: number
  readonly source: ByteSource
  read: number
}

function openFile(path: string): OpenFile {
  if (path === STDIN)
    throw new UsageError(
      `${path}: stdin is for small texts; an image needs random access, so use a regular ` +
        'file or block device',
    )
  if (path.includes('\0')) throw new UsageError(`${JSON.stringify(path)}: not a file name`)
  // O_NONBLOCK, so that opening a pipe without a writer does not block
  const fd = attempt(path, () => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK))
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile() && !stats.isBlockDevice()) throw new UsageError(`${path}: ${kindOf(stats)}`)
    const size = stats.isFile() ? stats.size : attempt(path, () => deviceSize(fd))
    const file: OpenFile = {
      fd,
      size,
      read: 0,
      source: { size: byteCount(size), read: (at, length) => readCached(at, length) },
    }
    let kept = new Uint8Array(0)
    let keptAt = 0
    const readCached = (at: number, length: number): Uint8Array => {
      const end = Math.min(at + length, size)
      if (at >= end) return new Uint8Array(0)
      if (at < keptAt || end > keptAt + kept.length) {
        const from = at - (at % BLOCK)
        const bytes = readAll(path, file, from, Math.min(Math.ceil(end / BLOCK) * BLOCK, size) - from)
        if (bytes.length > KEEP_MAX) return bytes.subarray(at - from, end - from)
        kept = bytes
        keptAt = from
      }
      return kept.subarray(at - keptAt, end - keptAt)
    }
    return file
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function readAll(path: string, file: OpenFile, at: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const count = readOnce(path, file.fd, bytes, done, at)
    if (count === 0)
      throw new UsageError(
        `${path}: ends at ${hex(at + done)} now, but had ${hex(file.size)} bytes when it was ` +
          'opened: it changed while it was read',
      )
    done += count
    file.read += count
  }
  return bytes
}

/** `at` null: a pipe, read sequentially. */
function readOnce(path: string, fd: number, bytes: Uint8Array, done: number, at: number | null): number {
  try {
    return readSync(fd, bytes, done, bytes.length - done, at === null ? null : at + done)
  } catch (error) {
    throw new UsageError(`${path}: at ${hex((at ?? 0) + done)}: ${reasonOf(error)}`)
  }
}

/** Name of stdin for a small text. */
const STDIN = '-'

function isRegular(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function filesIn(path: string): string[] | null {
  try {
    if (!statSync(path).isDirectory()) return null
  } catch {
    return null
  }
  return attempt(path, () => readdirSync(path))
    .sort()
    .map(name => join(path, name))
    .filter(isRegular)
}

/** Is it a sequential stream: stdin, or the pipe of a shell's `<(dmesg)`? */
function isPipe(path: string): boolean {
  if (path === STDIN) return true
  try {
    return statSync(path).isFIFO()
  } catch {
    return false
  }
}

function openPipe(path: string, stdin: number): Pick<OpenFile, 'fd' | 'size' | 'read'> {
  // O_NONBLOCK, so that opening a pipe without a writer does not block
  const open = (): number => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return { fd: path === STDIN ? stdin : attempt(path, open), size: 0, read: 0 }
}

/** Time to wait for a writer of a named pipe, and the polling interval, in milliseconds. */
const WRITER = { comes: 2000, every: 10 } as const

/**
 * Reads a pipe that was opened without blocking. An empty read is the end only when no writer holds the pipe
 * open; before the first writer, only after the wait has timed out.
 */
function readPipe(path: string, fd: number, room: Uint8Array, done: number): number {
  for (let waited = 0; ; waited += WRITER.every) {
    try {
      const count = readSync(fd, room, done, room.length - done, null)
      if (count > 0 || done > 0 || waited >= WRITER.comes) return count
    } catch (error) {
      if (reasonOf(error) !== 'EAGAIN') throw new UsageError(`${path}: at ${hex(done)}: ${reasonOf(error)}`)
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WRITER.every)
  }
}

/** The files of one invocation. `stdin`: the descriptor for `-`. */
export function openFiles(stdin = 0): Files {
  const open: OpenFile[] = []
  const parts = new Set<Files>()
  /** Of parts that are closed. */
  const gone = { read: 0, of: 0 }
  const opened = (path: string): OpenFile => {
    const file = openFile(path)
    open.push(file)
    return file
  }
  // Files of procfs have size 0, so the end of reading counts
  const bytes = (path: string, max = TEXT_MAX): Uint8Array => {
    const piped = isPipe(path)
    const file = piped ? openPipe(path, stdin) : opened(path)
    const room = new Uint8Array(piped ? max + 1 : Math.min(max, Math.max(file.size, SMALL_MAX)) + 1)
    let done = 0
    for (let count = 1; count > 0 && done < room.length; done += count)
      count =
        piped && path !== STDIN
          ? readPipe(path, file.fd, room, done)
          : readOnce(path, file.fd, room, done, piped ? null : 0)
    file.read += done
    if (piped && path !== STDIN) closeSync(file.fd)
    if (done === 0) throw new UsageError(`${path}: the file is empty`)
    if (done > max)
      throw new UsageError(`${path}: more than ${String(max)} bytes are too many for a file of this kind`)
    return room.subarray(0, done)
  }
  return {
    source: path => opened(path).source,
    has: isRegular,
    folder: filesIn,
    part: () => {
      const part = openFiles(stdin)
      parts.add(part)
      return {
        ...part,
        close: () => {
          const { read, of } = part.total()
          if (parts.delete(part)) {
            gone.read += read
            gone.of += of
          }
          part.close()
        },
      }
    },
    bytes,
    text: (path, max) => decode(path, bytes(path, max)),
    write: (path, content) => {
      if (!existsSync(dirname(path)))
        throw new UsageError(`${path}: the folder ${dirname(path)} does not exist`)
      attempt(path, () => {
        writeFileSync(path, content)
      })
    },
    total: () => {
      const all = [gone, ...Array.from(parts, part => part.total())]
      for (const { read, size } of open) all.push({ read, of: size })
      return {
        read: all.reduce((sum, { read }) => sum + read, 0),
        of: all.reduce((sum, { of }) => sum + of, 0),
      }
    },
    close: () => {
      for (const part of parts) part.close()
      for (const file of open.splice(0)) closeSync(file.fd)
    },
  }
}

function decode(path: string, bytes: Uint8Array): string {
  if (bytes.includes(0))
    throw new UsageError(`${path}: at ${hex(bytes.indexOf(0))}: a zero byte, so this is not a text file`)
  return new TextDecoder().decode(bytes)
}

/** A file of this package: `spec/…`, `docs/hazards/…`; null if it does not exist. */
export function packageText(path: string): string | null {
  const files = openFiles()
  try {
    return files.text(fileURLToPath(new URL(`../../${path}`, import.meta.url)))
  } catch {
    return null
  } finally {
    files.close()
  }
}

/** Names of the files in a folder of this package, sorted; empty if it does not exist. */
export function packageFolder(path: string): string[] {
  try {
    return readdirSync(new URL(`../../${path}/`, import.meta.url)).sort()
  } catch {
    return []
  }
}
