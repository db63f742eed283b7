/**
 * Standard output and standard error. Node's own streams cost a quarter of its startup, so a file or a pipe
 * is written without them; a terminal, or a write that would block, uses Node's stream.
 */
import { fstatSync, writeSync } from 'node:fs'
import type { Output } from './program.ts'

/** An output of the process. */
export interface ProcessOutput extends Output {
  /**
   * When all is written: true, or false when something could not be. A reader that has gone wants nothing
   * more, and that is no failure.
   */
  written(): Promise<boolean>
}

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

/** Writes as much as possible without blocking. Returns the rest, or null if writing fails. */
function writeNow(fd: number, text: string): Uint8Array | null {
  let rest: Uint8Array = new TextEncoder().encode(text)
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
    return rest
  } catch (error) {
    // A reader may close the pipe early: `stubsim check … | head`
    if (codeOf(error) === 'EPIPE') return new Uint8Array(0)
    return codeOf(error) === 'EAGAIN' ? rest : null
  }
}

/** The open `fd`; `stream` makes Node's stream for it. */
export function outputTo(fd: 1 | 2, stream: () => NodeJS.WriteStream): ProcessOutput {
  let made: NodeJS.WriteStream | undefined
  let failed = false
  const fail = (error: unknown): void => {
    if (codeOf(error) !== 'EPIPE') failed = true
  }
  const streamed = (): NodeJS.WriteStream => (made ??= stream().on('error', fail))
  const send = (text: string | Uint8Array): void => {
    try {
      streamed().write(text)
    } catch (error) {
      fail(error)
    }
  }
  const written = (): Promise<boolean> =>
    new Promise(resolve => {
      // An error of an earlier write comes before the answer to this one
      if (made === undefined || failed) resolve(!failed)
      else
        made.write('', () => {
          setImmediate(() => {
            resolve(!failed)
          })
        })
    })
  if (!isPlain(fd))
    return {
      get isTTY() {
        return streamed().isTTY
      },
      get columns() {
        return streamed().columns
      },
      write: send,
      written,
    }
  return {
    write: text => {
      const rest = made === undefined ? writeNow(fd, text) : text
      if (rest === null) failed = true
      else if (rest.length > 0) send(rest)
    },
    written,
  }
}
