/** The program: called as a function, or started as a user starts it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { main } from '../../src/cli/program.ts'

/** The built program. */
export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs `stubsim` with these arguments, from its source and in this process. A name without a folder is looked
 * for where the tests run. `columns`: width of a terminal that reads stdout; without it, nobody's.
 */
export async function stubsim(
  args: readonly string[],
  { env = {}, columns }: { env?: Readonly<Record<string, string>>; columns?: number } = {},
): Promise<Finished> {
  const written = { stdout: '', stderr: '' }
  const code = await main(args, {
    stdout: {
      ...(columns === undefined ? {} : { isTTY: true, columns }),
      write: text => (written.stdout += text),
    },
    stderr: { write: text => (written.stderr += text) },
    stdin: -1,
    env,
  })
  return { code, ...written }
}

/**
 * Starts the built program as a process of its own, for what only a process has: pipes, a real stdin, an exit
 * status. Costs some 300 ms.
 */
export function startStubsim(
  args: readonly string[],
  { env = {}, input = '' }: { env?: Readonly<Record<string, string>>; input?: string } = {},
): Finished {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    input,
    env: { PATH: process.env['PATH'], ...env },
  })
  return { code: status, stdout, stderr }
}

/** A folder of the test file, gone when its tests are done. */
export function scratch(): {
  readonly folder: string
  readonly file: (name: string, content: Uint8Array | string) => string
} {
  const folder = mkdtempSync(join(tmpdir(), 'stubsim-'))
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })
  return {
    folder,
    file: (name, content) => {
      const path = join(folder, name)
      writeFileSync(path, content)
      return path
    },
  }
}
