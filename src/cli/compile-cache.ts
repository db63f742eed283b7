/**
 * Node's compile cache, which Node 22.8 and newer have: what was compiled in one run is there for the next. It
 * lies in the user's own cache folder and nowhere else, since what is in it is run.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** The folder where a user's caches lie, as the platform has it; null when nothing says where. */
export function cacheHome(env: Environment, platform: NodeJS.Platform): string | null {
  const given = (name: string): string | null => env[name] || null
  const below = (folder: string): string | null => {
    const home = given('HOME')
    return home === null ? null : join(home, folder)
  }
  if (platform === 'win32') return given('LOCALAPPDATA')
  return given('XDG_CACHE_HOME') ?? below(platform === 'darwin' ? 'Library/Caches' : '.cache')
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
  const home = cacheHome(env, process.platform)
  if (home !== null && isOwn(home)) node.enableCompileCache?.(join(home, 'stubsim'))
}
