/**
 * Standard output and standard error. Node's own streams cost a quarter of its startup, so a file or a pipe
 * is written without them; a terminal, or a write that would block, uses Node's stream.
 */
import { fstatSync, writeSync } from 'node:fs'
import type { Output } from './program.ts'

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** Is it a file or a pipe, not a terminal? */
function isPlain(fd: number): boolean {
  try {
    const stats = fstatSync(fd)
    return stats.isFile() || stats.isFIFO() || stats.isSocket()
  } catch {
    return false
  }
}

/** Writes as much as possible without blocking. Returns the rest; nothing if the reader is gone. */
function writeNow(fd: number, text: string): Uint8Array {
  let rest: Uint8Array = new TextEncoder().encode(text)
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
  } catch (error) {
    // A reader may close the pipe early: `stubsim check … | head`
    if (codeOf(error) === 'EPIPE') return new Uint8Array(0)
  }
  return rest
}

/** The open `fd`; `stream` makes Node's stream for it. */
export function outputTo(fd: 1 | 2, stream: () => NodeJS.WriteStream): Output {
  let made: NodeJS.WriteStream | undefined
  const streamed = (): NodeJS.WriteStream => {
    made ??= stream().on('error', (error: Error) => {
      if (codeOf(error) !== 'EPIPE') throw error
    })
    return made
  }
  if (!isPlain(fd))
    return {
      get isTTY() {
        return streamed().isTTY
      },
      get columns() {
        return streamed().columns
      },
      write: text => streamed().write(text),
    }
  return {
    write: text => {
      const rest = made === undefined ? writeNow(fd, text) : text
      if (rest.length > 0) streamed().write(rest)
    },
  }
}
