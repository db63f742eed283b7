/**
 * Builds dist/ before the tests when it is missing or older than src: some tests look at the package as it is
 * shipped.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { filesBelow, TOP } from './files.ts'

export default function setup(): void {
  const marker = join(TOP, 'dist/NOTICE')
  const newest = Math.max(
    ...[
      ...filesBelow('src'),
      ...filesBelow('.ci'),
      'tsconfig.json',
      'tsconfig.build.json',
      'package-lock.json',
    ].map(path => statSync(join(TOP, path)).mtimeMs),
  )
  if (existsSync(marker) && statSync(marker).mtimeMs >= newest) return
  const built = spawnSync(process.execPath, [join(TOP, '.ci/build.mjs')], { stdio: 'inherit' })
  if (built.status !== 0) throw new Error('dist/ could not be built')
}
