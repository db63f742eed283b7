/** Starts the built program as a user does. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

/** The built program. */
export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `stubsim` with these arguments. */
export function stubsim(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Finished {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...environment },
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
