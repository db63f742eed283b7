import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { MAIN, scratch } from '../support/program.ts'
import { TOP } from '../support/files.ts'

/**
 * Notes every native library that is opened, and at the end says which, and which CommonJS modules there are.
 */
const WATCH = `
const opened = []
const dlopen = process.dlopen
process.dlopen = (...args) => { opened.push(String(args[1])); return dlopen.apply(process, args) }
process.on('exit', () => {
  const loaded = Object.keys(require('node:module')._cache)
  require('node:fs').writeFileSync(process.env.SEEN, JSON.stringify({ opened, loaded }))
})
`
const { file, folder } = scratch()
const watch = file('watch.cjs', WATCH)

interface Seen {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
  readonly opened: readonly string[]
  /** Of modules of packages, and of ours: what follows node_modules or the top folder. */
  readonly loaded: readonly string[]
}

/** What Node does with these arguments, watched. */
function watched(...args: string[]): Seen {
  const seen = join(folder, 'seen.json')
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--require', watch, ...args], {
    cwd: TOP,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], SEEN: seen },
  })
  const { opened, loaded } = JSON.parse(readFileSync(seen, 'utf8')) as Pick<Seen, 'opened' | 'loaded'>
  const short = (path: string): string => path.replaceAll('\\', '/').replace(/^.*\/node_modules\//, '')
  return { status, stdout, stderr, opened, loaded: loaded.filter(path => path !== watch).map(short) }
}

const imports = (...modules: string[]): Seen =>
  watched(
    '--input-type=module',
    '-e',
    modules.map(module => `await import(${JSON.stringify(module)})`).join('\n'),
  )

const doors = ['dist/index.js', 'dist/report/index.js'].map(path => pathToFileURL(join(TOP, path)).href)
const foreign = ({ loaded }: Seen): string[] => loaded.filter(path => !path.startsWith(`${TOP}/dist/`))

test('importing the package opens no native library, loads no other package and says nothing', () => {
  const seen = imports(...doors)
  expect(seen).toMatchObject({ status: 0, stdout: '', stderr: '', opened: [] })
  expect(foreign(seen)).toEqual([])
})

test('neither does the program', () => {
  const sample = 'samples/2020-04-bss-not-zeroed/scenario.json'
  const seen = watched(MAIN, 'check', '--scenario', sample, '--verbose', '--kernel', '5.7-rc1')
  expect(seen).toMatchObject({ status: 1, opened: [] })
  expect(seen.stderr).toMatch(/^(stubsim: debug: .*\n)+$/)
  expect(foreign(seen)).toEqual([])
})

test('the same look does see the native path when bigint-buffer itself is imported', () => {
  const { loaded } = imports('bigint-buffer')
  expect(loaded).toContain('bigint-buffer/dist/node.js')
  expect(loaded.some(path => path.startsWith('bindings/'))).toBe(true)
})
