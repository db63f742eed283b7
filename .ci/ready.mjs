// Makes a fresh clone ready: installs when node_modules is missing or older than the lock file, then builds.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const installed = join(top, 'node_modules/.package-lock.json')
const locked = join(top, 'package-lock.json')

function run(command, args) {
  const done = spawnSync(command, args, { cwd: top, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' })
  if (done.status !== 0) process.exit(done.status ?? 1)
}

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(locked).mtimeMs) run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
run(process.execPath, [join(top, '.ci/build.mjs')])
