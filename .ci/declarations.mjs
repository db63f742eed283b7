// The declarations of the package: those that its doors lead to, and no others.
import { readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** In a declaration: the modules of ours that it names. */
const OURS = /((?:from |import\()["'])(\.[^"']+)\.(?:ts|js)(?=["'])/g

/**
 * Removes every declaration below `folder` that `doors` do not lead to; what stays names modules as they are
 * shipped.
 */
export function keepReached(folder, doors) {
  const reached = new Set()
  const visit = path => {
    if (reached.has(path)) return
    reached.add(path)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace(OURS, '$1$2.js'))
    for (const [, , module] of text.matchAll(OURS)) visit(join(dirname(path), `${module}.d.ts`))
  }
  for (const door of doors) visit(join(folder, `${door}.d.ts`))
  const sweep = at => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name)
      if (entry.isDirectory()) sweep(path)
      else if (/\.d\.ts(\.map)?$/.test(path) && !reached.has(path.replace(/\.map$/, ''))) rmSync(path)
    }
    if (readdirSync(at).length === 0) rmdirSync(at)
  }
  sweep(folder)
}
