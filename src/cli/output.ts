/**
 * Standard output and standard error. Node's own streams cost a quarter of its start, so a file or a pipe is
 * written without them; a terminal, and what cannot be written at once, gets Node's stream.
 */
import { fstatSync, writeSync } from 'node:fs'
import type { Output } from './program.ts'

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** Is it a file or a pipe, and so nobody's terminal? */
function isPlain(fd: number): boolean {
  try {
    const stats = fstatSync(fd)
    return stats.isFile() || stats.isFIFO() || stats.isSocket()
  } catch {
    return false
  }
}

/** Writes as much as can be written at once. Answers with the rest; a reader that has gone wants none. */
function writeNow(fd: number, text: string): Uint8Array {
  let rest: Uint8Array = new TextEncoder().encode(text)
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
  } catch (error) {
    // A reader that has seen enough closes the pipe: `stubsim check … | head`
    if (codeOf(error) === 'EPIPE') return new Uint8Array(0)
  }
  return rest
}

/** What is open as `fd`; `stream` makes Node's stream for it. */
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
