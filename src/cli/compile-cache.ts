/**
 * Node's compile cache, which Node 22.8 and newer have: what was compiled in one run is there for the next. It
 * lies in the user's own cache folder and nowhere else, since what is in it is run.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'

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
 * Has Node keep what it compiles from now on. NODE_COMPILE_CACHE (another folder) and NODE_DISABLE_COMPILE_CACHE
 * win. Does nothing, and says nothing, when there is no such cache, no folder for it, or no way to write there.
 */
export function keepCompiled(env: Environment): void {
  const node = process.getBuiltinModule('node:module') as CompileCache
  const place = cachePlace(env, process.platform)
  if (place !== null && isOwn(place.base)) node.enableCompileCache?.(place.folder)
}
