/**
 * Node's compile cache, which Node 22.8 and newer have: what was compiled in one run is there for the next. It
 * lies in the user's own cache folder and nowhere else, since what is in it is run.
 */
import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** A folder that the environment names as the user's, and where below it our cache belongs. */
export interface CachePlace {
  readonly base: string
  readonly folder: string
}

/** Where the platform has a user's caches; null when the environment does not say where that is. */
export function cachePlace(env: Environment, platform: NodeJS.Platform): CachePlace | null {
  const below = (name: string, ...path: readonly string[]): CachePlace | null => {
    const base = env[name] ?? ''
    return base === '' ? null : { base, folder: join(base, ...path, 'stubsim') }
  }
  if (platform === 'win32') return below('LOCALAPPDATA')
  if (platform === 'darwin') return below('HOME', 'Library', 'Caches')
  return below('XDG_CACHE_HOME') ?? below('HOME', '.cache')
}

/** Does the folder belong to who runs this? Where nobody owns files, as on Windows, it does when it is there. */
function isOwn(folder: string): boolean {
  const stats = statSync(folder, { throwIfNoEntry: false })
  return stats !== undefined && (process.geteuid === undefined || stats.uid === process.geteuid())
}

/** Of node:module, where there is a compile cache. */
interface CompileCache {
  enableCompileCache?(folder: string): unknown
}

/**
 * Makes the folder, one level at a time; false when that cannot be done. Node would make it too, but asks again
 * without end where mkdir answers ENOENT in a folder that exists, as it does below /proc.
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
 * Has Node keep what it compiles from now on. NODE_COMPILE_CACHE (another folder) and NODE_DISABLE_COMPILE_CACHE
 * win. Does nothing, and says nothing, when there is no such cache, no folder for it, or no way to write there.
 */
export function keepCompiled(env: Environment): void {
  const node = process.getBuiltinModule('node:module') as CompileCache
  if (node.enableCompileCache === undefined || (env['NODE_DISABLE_COMPILE_CACHE'] ?? '') !== '') return
  const place = cachePlace(env, process.platform)
  if (place !== null && isOwn(place.base) && isMade(place)) node.enableCompileCache(place.folder)
}
