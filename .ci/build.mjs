// Builds dist/ from src/ with the TypeScript compiler and copies the data files that the compiler does not.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
rmSync(join(top, 'dist'), { recursive: true, force: true })
const tsc = spawnSync(
  process.execPath,
  [join(top, 'node_modules/typescript7/bin/tsc'), '-p', join(top, 'tsconfig.build.json')],
  { stdio: 'inherit' },
)
if (tsc.status !== 0) process.exit(tsc.status ?? 1)
for (const entry of readdirSync(join(top, 'src'), { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.schema.json')) continue
  mkdirSync(join(top, 'dist'), { recursive: true })
  cpSync(join(entry.parentPath, entry.name), join(top, 'dist', entry.name))
}
// npm makes a linked program executable once; a new build must not take that away.
chmodSync(join(top, 'dist/cli/main.js'), 0o755)
await import('./spec-index.mjs')
