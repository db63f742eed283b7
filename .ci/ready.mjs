// Makes a fresh clone ready: installs when what is installed is not what the lock file says, then builds.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const modules = join(top, 'node_modules')
const note = join(modules, '.installed-lock')
const wanted = createHash('sha256')
  .update(readFileSync(join(top, 'package-lock.json')))
  .digest('hex')

/** A linked node_modules belongs to another checkout: it is used, never installed over. */
function upToDate() {
  if (!existsSync(modules)) return false
  return lstatSync(modules).isSymbolicLink() || (existsSync(note) && readFileSync(note, 'utf8') === wanted)
}

function run(command, args) {
  const done = spawnSync(command, args, {
    cwd: top,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (done.status !== 0) process.exit(done.status ?? 1)
}

if (!upToDate()) {
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  writeFileSync(note, wanted)
}
run(process.execPath, [join(top, '.ci/build.mjs')])
