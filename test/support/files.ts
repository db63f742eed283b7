/** Where the repository is and which files are ours; by itself, so that reading them loads no compiler. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export const TOP = join(dirname(fileURLToPath(import.meta.url)), '../..')

const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', '.git', '.stryker-tmp', 'reports'])

/**
 * Every file of ours below `folder`, as a path from the top with forward slashes, sorted. A folder that is
 * not there holds none.
 */
export function filesBelow(folder = ''): string[] {
  if (!existsSync(join(TOP, folder))) return []
  return readdirSync(join(TOP, folder), { withFileTypes: true })
    .flatMap(entry => {
      const path = posix.join(folder, entry.name)
      if (NOT_OURS.has(entry.name)) return []
      if (entry.isDirectory()) return filesBelow(path)
      return entry.isFile() ? [path] : []
    })
    .sort()
}

export function textOf(path: string): string {
  return readFileSync(join(TOP, path), 'utf8')
}
