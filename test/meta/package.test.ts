import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { filesBelow, textOf, TOP } from '../support/repository.ts'

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly bin: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
}

const manifest = JSON.parse(textOf('package.json')) as Manifest
let packed: string[] = []

beforeAll(() => {
  const done = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: TOP,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  expect(done.status).toBe(0)
  packed = (JSON.parse(done.stdout) as { files: { path: string }[] }[]).flatMap(pack =>
    pack.files.map(file => file.path),
  )
}, 60_000)

test('every target of exports and bin is built and packed', () => {
  const targets = [
    ...Object.values(manifest.exports).flatMap(target =>
      typeof target === 'string' ? [target] : Object.values(target),
    ),
    ...Object.values(manifest.bin),
  ].map(target => target.replace(/^\.\//, ''))
  expect(targets.length).toBeGreaterThan(6)
  expect(targets.filter(target => !existsSync(join(TOP, target)))).toEqual([])
  expect(targets.filter(target => !packed.includes(target))).toEqual([])
})

test('the program is executable, whoever built it last', () => {
  for (const target of Object.values(manifest.bin))
    expect(statSync(join(TOP, target)).mode & 0o111).toBe(0o111)
})

test('the package holds what explain and spec print, the samples, and the words a reader looks for', () => {
  const needed = [
    ...filesBelow('docs'),
    ...filesBelow('spec'),
    ...filesBelow('samples'),
    'README.md',
    'LICENSE',
    'SECURITY.md',
    'CHANGELOG.md',
  ]
  expect(needed.length).toBeGreaterThan(15)
  expect(needed.filter(path => !packed.includes(path))).toEqual([])
})

test('links between packed pages lead to packed files, but for those that show contributors our tests', () => {
  const pages = packed.filter(path => path.endsWith('.md'))
  expect(pages.length).toBeGreaterThan(40)
  const missing = pages.flatMap(page =>
    [
      ...textOf(page)
        .replace(/^```[^]*?^```$/gm, '')
        .matchAll(/\]\(([^)\s#]+)[^)\s]*\)/g),
    ].flatMap(([, link = '']) => {
      const target = posix.normalize(posix.join(posix.dirname(page), link)).replace(/\/$/, '')
      return /^[a-z]+:/.test(link) || packed.some(path => path === target || path.startsWith(`${target}/`))
        ? []
        : [target]
    }),
  )
  expect(missing.filter(target => !target.startsWith('test/'))).toEqual([])
})

test('the package holds nothing that only we need', () => {
  expect(
    packed.filter(
      path => /^(test|src|\.ci|node_modules|coverage|reports)\//.test(path) || /\.(jsonl|log)$/.test(path),
    ),
  ).toEqual([])
})

test('every module is built: dist mirrors src', () => {
  const modules = filesBelow('src').filter(path => path.endsWith('.ts') && !path.endsWith('.d.ts'))
  expect(
    modules
      .map(path => path.replace(/^src/, 'dist').replace(/\.ts$/, '.js'))
      .filter(path => !existsSync(join(TOP, path))),
  ).toEqual([])
})

test('versions of dependencies are exact', () => {
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }))
    expect([name, version]).toEqual([name, expect.stringMatching(/^(npm:[a-z@/-]+@)?\d+\.\d+\.\d+$/)])
})

test('every file that a script runs exists', () => {
  const run = Object.values(manifest.scripts).flatMap(script =>
    [...script.matchAll(/node ((?:\.ci|samples|test|node_modules)\/\S+)/g)].map(([, path = '']) => path),
  )
  expect(run.length).toBeGreaterThan(3)
  expect(run.filter(path => !existsSync(join(TOP, path)))).toEqual([])
})
