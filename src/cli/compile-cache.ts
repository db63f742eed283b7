/**
 * Loads the program's bundles with the code that V8 compiled for them in an earlier run of the same command.
 * Node's own compile cache holds only what is compiled while a file loads. This one is written when a run
 * ends, with all that it used. It is kept only in the user's own cache folder, because its content is
 * executed.
 */
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { Script } from 'node:vm'

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

/**
 * Creates the folder, one level at a time; false on failure. Node's recursive mkdir retries forever if mkdir
 * returns ENOENT in an existing folder, as below /proc.
 */
function isMade({ base, folder }: CachePlace): boolean {
  try {
    if (statSync(folder, { throwIfNoEntry: false }) === undefined)
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
 * The folder for one build of the program, one Node and one command; null without permission, or where
 * another tool wants to see the code as it is: coverage, and traces by source maps.
 */
function folderFor(env: Environment, build: string, command: string): string | null {
  const off = ['NODE_DISABLE_COMPILE_CACHE', 'NODE_V8_COVERAGE'].some(name => (env[name] ?? '') !== '')
  const place = cachePlace(env, process.platform)
  if (off || process.sourceMapsEnabled || place === null || !isOwn(place.base)) return null
  const { version, arch } = process
  const mine = { base: place.base, folder: join(place.folder, `${version}-${arch}-${build}`, command) }
  return isMade(mine) ? mine.folder : null
}

/**
 * Bytes after the code: its length, so that a file cut short is not used. V8 checks neither that nor the
 * content.
 */
const TRAILER = 4

function readCode(path: string): Buffer | undefined {
  try {
    const all = readFileSync(path)
    const length = all.length - TRAILER
    return length > 0 && all.readUInt32LE(length) === length ? all.subarray(0, length) : undefined
  } catch {
    return undefined
  }
}

/** Writes a whole file or none: under another name, then renamed when it is on the disk. */
function writeCode(path: string, code: Buffer): void {
  const draft = `${path}.${String(process.pid)}`
  try {
    const trailer = Buffer.alloc(TRAILER)
    trailer.writeUInt32LE(code.length)
    const file = openSync(draft, 'wx', 0o600)
    try {
      for (let rest = Buffer.concat([code, trailer]); rest.length > 0;)
        rest = rest.subarray(writeSync(file, rest))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(draft, path)
  } catch {
    rmSync(draft, { force: true })
  }
}

/** Loads a bundle by name and returns its exports. */
export type Load = (name: string) => unknown

const HEAD = '(function (exports, require, module, __filename, __dirname) {'
const TAIL = '\n})'

/**
 * A bundle as a function. It is ASCII, so it is read into one buffer and converted at once: every further
 * copy of half a megabyte costs as much as reading it.
 */
function wrapped(path: string): string {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const bytes = Buffer.allocUnsafeSlow(HEAD.length + size + TAIL.length)
    bytes.write(HEAD, 'latin1')
    const read = readSync(file, bytes, HEAD.length, size, null)
    bytes.write(TAIL, HEAD.length + read, 'latin1')
    return bytes.toString('latin1', 0, HEAD.length + read + TAIL.length)
  } finally {
    closeSync(file)
  }
}

type Wrapped = (
  exports: object,
  load: Load,
  module: { exports: object },
  file: string,
  folder: string,
) => void

/** Exit codes of runs that do not use all of the command's code: a usage error, a bug. */
const NOT_KEPT: readonly unknown[] = [2, 70]

/** Loads from `home` with the code cached in `folder`; missing code is cached when the process exits. */
function keptLoader(home: string, folder: string, plain: Load): Load {
  const known = new Map<string, { exports: object }>()
  const compiled: { readonly path: string; readonly script: Script }[] = []
  const load: Load = name => {
    if (!name.startsWith('./')) return plain(name)
    const seen = known.get(name)
    if (seen !== undefined) return seen.exports
    const [file, path] = [join(home, name), join(folder, name)]
    const code = readCode(path)
    const script = new Script(wrapped(file), {
      filename: file,
      ...(code === undefined ? {} : { cachedData: code }),
    })
    if (code === undefined || script.cachedDataRejected === true) compiled.push({ path, script })
    const module = { exports: {} }
    known.set(name, module)
    ;(script.runInThisContext() as Wrapped)(module.exports, load, module, file, home)
    return module.exports
  }
  process.on('exit', exit => {
    if (!NOT_KEPT.includes(exit))
      for (const { path, script } of compiled) writeCode(path, script.createCachedData())
  })
  return load
}

/**
 * Loads the bundles beside `main`, the path of the program. `build` tells one build from another, `command`
 * is the first word of the command line. NODE_DISABLE_COMPILE_CACHE disables the cache. Silently does without
 * where there is no folder for it.
 */
export function loaderOf(env: Environment, main: string, build: string, command = ''): Load {
  const folder = folderFor(env, build, /^[a-z]{1,16}$/.test(command) ? command : 'none')
  // Node's own modules are loaded on demand, too: node:module costs 2 % of the start
  const plain = (): Load => process.getBuiltinModule('module').createRequire(main)
  return folder === null
    ? plain()
    : keptLoader(dirname(main), folder, name => process.getBuiltinModule(name) ?? plain()(name))
}
