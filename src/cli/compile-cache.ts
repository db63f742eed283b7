/**
 * Node's compile cache, which Node 22.8 and newer have: code compiled in one run is reused in the next. It is
 * kept only in the user's own cache folder, because its content is executed.
 */
import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** A user folder named in the environment, and the path of our cache below it. */
export interface CachePlace {
  readonly base: string
  readonly folder: string
}

/** The user's cache folder on this platform; null if the environment does not name it. */
export function cachePlace(env: Environment, platform: NodeJS.Platform): CachePlace | null {
  const below = (name: string, ...path: readonly string[]): CachePlace | null => {
    const base = env[name] ?? ''
    return base === '' ? null : { base, folder: join(base, ...path, 'stubsim') }
  }
  if (platform === 'win32') return below('LOCALAPPDATA')
  if (platform === 'darwin') return below('HOME', 'Library', 'Caches')
  return below('XDG_CACHE_HOME') ?? below('HOME', '.cache')
}

/** Does the folder belong to the current user? On Windows, which has no such owner, it only has to exist. */
function isOwn(folder: string): boolean {
  const stats = statSync(folder, { throwIfNoEntry: false })
  return stats !== undefined && (process.geteuid === undefined || stats.uid === process.geteuid())
}

/** node:module, if it has a compile cache. */
interface CompileCache {
  enableCompileCache?(folder: string): unknown
}

/**
 * Creates the folder, one level at a time; false on failure. Node would also create it, but retries forever
 * if mkdir returns ENOENT in an existing folder, as below /proc.
 */
function isMade({ base, folder }: CachePlace): boolean {
  try {
    relative(base, folder)
      .split(sep)
      .reduce((above, name) => {
        const level = join(above, name)
        if (statSync(level, { throwIfNoEntry: false }) === undefined) mkdirSync(level)
        return level
      }, base)
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Enables Node's compile cache. NODE_COMPILE_CACHE (another folder) and NODE_DISABLE_COMPILE_CACHE take
 * precedence. Silently does nothing without such a cache, a folder for it, or permission to write there.
 */
export function keepCompiled(env: Environment): void {
  const node = process.getBuiltinModule('node:module') as CompileCache
  if (node.enableCompileCache === undefined || (env['NODE_DISABLE_COMPILE_CACHE'] ?? '') !== '') return
  const place = cachePlace(env, process.platform)
  if (place !== null && isOwn(place.base) && isMade(place)) node.enableCompileCache(place.folder)
}
