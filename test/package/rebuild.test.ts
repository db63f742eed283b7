import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { TOP } from '../support/repository.ts'

/** A copy of what a build reads, so that the tests beside this one keep their dist/. */
const copy = mkdtempSync(join(tmpdir(), 'stubsim-rebuild-'))
afterAll(() => {
  rmSync(copy, { recursive: true })
})

function run(command: string, args: readonly string[]): string {
  const done = spawnSync(command, args, { cwd: copy, encoding: 'utf8', shell: process.platform === 'win32' })
  return done.status === 0 ? done.stdout : `exit ${String(done.status)}: ${done.stderr}`
}

test('npx stubsim works after every build, not only after the first', () => {
  for (const path of [
    'src',
    'spec',
    'test/spec',
    '.ci',
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ])
    cpSync(join(TOP, path), join(copy, path), { recursive: true })
  symlinkSync(join(TOP, 'node_modules'), join(copy, 'node_modules'), 'junction')
  const answers = [1, 2].map(() => {
    run(process.execPath, ['.ci/build.mjs'])
    return run('npx', ['--no-install', 'stubsim', '--version'])
  })
  expect(answers).toEqual([
    expect.stringMatching(/^stubsim \d+\.\d+\.\d+\n$/),
    expect.stringMatching(/^stubsim \d+\.\d+\.\d+\n$/),
  ])
})
