/**
 * Fetches real stubs and kernels with apt-get into a cache outside the repository. The mirror is the one that
 * the machine's own apt uses; the system's lists are not touched.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ALTERNATIVES,
  REQUIRED_FILES,
  SECURITY_SUITES,
  SUITES,
  UKIFY_PACKAGES,
  type RealFile,
} from './packages.ts'

const BIG = 1 << 28
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** Where everything that is fetched or built lies. */
export function cacheDirectory(): string {
  const directory = join(process.env['XDG_CACHE_HOME'] ?? tmpdir(), 'stubsim-real')
  mkdirSync(directory, { recursive: true })
  return directory
}

/** Runs a program; throws with its last words when it fails. */
export function runTool(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): string {
  const done = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: BIG,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  })
  if (done.error !== undefined) throw new Error(`${command}: ${done.error.message}`)
  if (done.status !== 0)
    throw new Error(
      `${command} ${args.slice(-2).join(' ')}: exit ${String(done.status)}: ` +
        (done.stderr || done.stdout).slice(-600),
    )
  return done.stdout
}

/** Makes sure that a program of a package is there; as root it is installed. */
export function needTool(command: string, packageName: string): void {
  if (spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined) return
  const install = (): string =>
    runTool('apt-get', ['install', '-y', '-q', '--no-install-recommends', packageName], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  try {
    install()
  } catch {
    runTool('apt-get', ['update', '-q'])
    install()
  }
}

/** The mirrors that the machine's own sources name: of the distribution, and of its security updates. */
function mirrors(): { readonly main: string; readonly security: string } {
  const found = [
    ...runTool('apt-get', ['update', '--print-uris']).matchAll(/^'([^']+)\/dists\/([^']+)\/InRelease'/gm),
  ].map(([, uri = '', suite = '']) => ({ uri, suite }))
  const main =
    found.find(({ uri, suite }) => /^[a-z]+$/.test(suite) && /debian$/.test(uri)) ??
    found.find(({ suite }) => /^[a-z]+$/.test(suite))
  if (main === undefined) throw new Error("no Debian mirror in the machine's apt sources")
  const security = found.find(({ suite }) => /security/.test(suite))
  return { main: main.uri, security: security?.uri ?? `${main.uri}-security` }
}

function aptOptions(): readonly string[] {
  const home = join(cacheDirectory(), 'apt')
  mkdirSync(join(home, 'lists/partial'), { recursive: true })
  mkdirSync(join(home, 'cache/archives/partial'), { recursive: true })
  const list = join(home, 'sources.list')
  return [
    ['Dir::Etc::SourceList', list],
    ['Dir::Etc::SourceParts', '/dev/null'],
    ['Dir::State::Lists', join(home, 'lists')],
    ['Dir::Cache', join(home, 'cache')],
    ['APT::Sandbox::User', 'root'],
    ['APT::Get::List-Cleanup', '0'],
    ['Acquire::Check-Valid-Until', 'false'],
    ['Acquire::Languages', 'none'],
    ['Acquire::Retries', '3'],
  ].flatMap(([name = '', value = '']) => ['-o', `${name}=${value}`])
}

let updated = false

/** A private apt that knows every suite that is needed. */
function apt(args: readonly string[], cwd: string): string {
  const options = aptOptions()
  if (!updated) {
    const { main, security } = mirrors()
    const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : ''
    const lines = [
      ...SUITES.map(suite => `deb ${signed}${main} ${suite} main`),
      ...SECURITY_SUITES.map(suite => `deb ${signed}${security} ${suite} main`),
    ]
    writeFileSync(join(cacheDirectory(), 'apt/sources.list'), `${lines.join('\n')}\n`)
    runTool('apt-get', [...options, '-q', 'update'])
    updated = true
  }
  return runTool('apt-get', [...options, '-q', ...args], { cwd })
}

/** Downloads one package and returns the path of its file. */
function download(packageSpec: string): string {
  const into = join(cacheDirectory(), 'deb', packageSpec.replace(/[^a-z0-9.+-]/gi, '_'))
  const present = (): string | undefined =>
    existsSync(into) ? readdirSync(into).find(name => name.endsWith('.deb')) : undefined
  if (present() === undefined) {
    mkdirSync(into, { recursive: true })
    apt(['download', packageSpec], into)
  }
  const name = present()
  if (name === undefined) throw new Error(`apt-get downloaded nothing for ${packageSpec}`)
  return join(into, name)
}

export function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

/** Where the file lies once it was fetched. */
export function pathOf(file: RealFile): string {
  return join(cacheDirectory(), `${file.kind}-${file.name}`)
}

/**
 * Fetches one file out of its package unless it is there with the right bytes. Throws when it cannot be had
 * or its SHA-256 is another.
 */
export function fetchFile(file: RealFile): string {
  const path = pathOf(file)
  if (isCached(file)) return path
  const deb = download(`${file.package}=${file.version}`)
  const tree = join(cacheDirectory(), `unpack-${file.kind}-${file.name}`)
  mkdirSync(tree, { recursive: true })
  runTool('bash', [
    '-c',
    'set -e; dpkg-deb --fsys-tarfile "$1" | tar -x --occurrence=1 -f - -C "$2" "$3" || test -s "$2/$3"',
    'unpack',
    deb,
    tree,
    file.path,
  ])
  const got = sha256(join(tree, file.path))
  if (got !== file.sha256)
    throw new Error(
      `${file.package} ${file.version}: ${file.path} has SHA-256 ${got}, expected ${file.sha256}`,
    )
  renameSync(join(tree, file.path), path)
  rmSync(tree, { recursive: true, force: true })
  rmSync(deb, { force: true })
  return path
}

const isCached = (file: RealFile): boolean => existsSync(pathOf(file)) && sha256(pathOf(file)) === file.sha256

/** The first of the group that is there or can be fetched. Throws, with every reason, when there is none. */
export function firstThatCanBeHad({ what, files }: (typeof ALTERNATIVES)[number]): RealFile {
  const cached = files.find(isCached)
  if (cached !== undefined) return cached
  const reasons: string[] = []
  for (const file of files) {
    try {
      fetchFile(file)
      return file
    } catch (error) {
      reasons.push(
        `${file.package} ${file.version}: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
  throw new Error(`${what}: none can be had\n${reasons.join('\n')}`)
}

/** The files that the suite runs on: all that are required, and one of each group. */
export function realFiles(): readonly RealFile[] {
  return [...REQUIRED_FILES, ...ALTERNATIVES.map(firstThatCanBeHad)]
}

/** Fetches a file by the name that recordings use. */
export function fetchNamed(kind: RealFile['kind'], name: string): string {
  const file = [...REQUIRED_FILES, ...ALTERNATIVES.flatMap(({ files }) => files)].find(
    one => one.kind === kind && one.name === name,
  )
  if (file === undefined) throw new Error(`no package for ${kind} ${name}`)
  return fetchFile(file)
}

/** The command that runs ukify 257.13 out of the cache, with python3-pefile beside it. */
export function fetchUkify(): {
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
} {
  const tree = join(cacheDirectory(), 'ukify')
  const script = join(tree, 'usr/bin/ukify')
  const modules = join(tree, 'usr/lib/python3/dist-packages')
  if (!existsSync(script) || !existsSync(join(modules, 'pefile.py')))
    for (const name of UKIFY_PACKAGES) runTool('dpkg-deb', ['-x', download(name), tree])
  const command = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3'
  return {
    command,
    args: [script],
    env: { ...process.env, PYTHONPATH: modules, PYTHONDONTWRITEBYTECODE: '1' },
  }
}
