/**
 * Builds dist/ before the tests when it is missing or older than src, and its index of clauses when that is
 * older than the law and its tests: some tests look at the package as it is shipped.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { filesBelow, TOP } from './files.ts'

/** Is this file of dist missing, or older than one of those that it is made from? */
function isStale(made: string, from: readonly string[]): boolean {
  const path = join(TOP, made)
  if (!existsSync(path)) return true
  const { mtimeMs } = statSync(path)
  return from.some(one => statSync(join(TOP, one)).mtimeMs > mtimeMs)
}

function run(script: string): void {
  const { status } = spawnSync(process.execPath, [join(TOP, script)], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`${script} failed: dist/ could not be built`)
}

export default function setup(): void {
  const sources = [
    ...filesBelow('src'),
    ...filesBelow('.ci'),
    'tsconfig.json',
    'tsconfig.build.json',
    'package-lock.json',
  ]
  if (isStale('dist/NOTICE', sources)) run('.ci/build.mjs')
  if (isStale('dist/spec-index.json', [...filesBelow('spec'), ...filesBelow('test/spec')]))
    run('.ci/spec-index.mjs')
}
