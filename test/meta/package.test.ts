import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { fileOffset } from '../../src/bytes/units.ts'
import { uki } from '../../src/vitest/builders.ts'
import { MAIN, scratch } from '../support/program.ts'
import { filesBelow, importsOf, sources, textOf, TOP } from '../support/repository.ts'

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly bin: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
}

const manifest = JSON.parse(textOf('package.json')) as Manifest
const { file } = scratch()
let packed: string[] = []
let packedSize = 0

beforeAll(() => {
  const done = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: TOP,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  expect(done.status).toBe(0)
  const [pack] = JSON.parse(done.stdout) as { size: number; files: { path: string }[] }[]
  packed = pack?.files.map(({ path }) => path) ?? []
  packedSize = pack?.size ?? Infinity
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

test('every schema of src is exported', () => {
  const schemas = filesBelow('src').filter(path => path.endsWith('.schema.json'))
  expect(schemas).toHaveLength(3)
  for (const name of schemas.map(path => posix.basename(path)))
    expect(manifest.exports).toHaveProperty([`./${name}`], `./dist/${name}`)
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
    ...filesBelow('src'),
    'README.md',
    'LICENSE',
    'SECURITY.md',
    'CHANGELOG.md',
    'dist/NOTICE',
  ]
  expect(needed.length).toBeGreaterThan(15)
  expect(needed.filter(path => !packed.includes(path))).toEqual([])
})

test('links between packed pages lead to packed files', () => {
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
        : [`${page}: ${link}`]
    }),
  )
  expect(missing).toEqual([])
})

test('every map leads to packed sources, and every packed script of ours has its map', () => {
  const maps = packed.filter(path => path.endsWith('.map'))
  expect(maps.length).toBeGreaterThan(20)
  const lost = maps.flatMap(path => {
    const { sources } = JSON.parse(textOf(path)) as { sources: string[] }
    return sources
      .map(source => posix.join(posix.dirname(path), source))
      .filter(source => !packed.includes(source))
      .map(source => `${path}: ${source}`)
  })
  expect(lost).toEqual([])
  const scripts = packed.filter(path => /^dist\/.*\.js$/.test(path))
  const named = scripts.filter(path => textOf(path).includes('\n//# sourceMappingURL='))
  expect(named.filter(path => !packed.includes(`${path}.map`))).toEqual([])
  expect(scripts.filter(path => !named.includes(path)).filter(path => / src\//.test(textOf(path)))).toEqual(
    [],
  )
})

test('a map leads from a line of a bundle to the line it was', () => {
  const bundle = textOf('dist/shared/base.js').split('\n')
  const line = bundle.findIndex(one => one.startsWith('function physOf('))
  const { sources, mappings } = JSON.parse(textOf('dist/shared/base.js.map')) as {
    sources: string[]
    mappings: string
  }
  const { source, sourceLine } = placeOf(mappings, line)
  const path = posix.join('dist/shared', sources[source] ?? '')
  expect(textOf(path).split('\n')[sourceLine]).toMatch(/^export function physOf\(/)
})

/** Where a line of a bundle comes from: index of the source and line, both from 0. One segment a line. */
function placeOf(mappings: string, line: number): { readonly source: number; readonly sourceLine: number } {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const place = { source: 0, sourceLine: 0 }
  for (const segment of mappings.split(';').slice(0, line + 1)) {
    const [, source = 0, sourceLine = 0] = (segment.match(/[g-z0-9+/]*[A-Za-f]/g) ?? []).map(text => {
      const value = Array.from(text).reduce(
        (sum, digit, i) => sum + (digits.indexOf(digit) % 32) * 32 ** i,
        0,
      )
      return value % 2 === 1 ? -(value - 1) / 2 : value / 2
    })
    place.source += source
    place.sourceLine += sourceLine
  }
  return place
}

test('the package holds nothing that only we need', () => {
  expect(
    packed.filter(
      path => /^(test|\.ci|node_modules|coverage|reports)\//.test(path) || /\.(jsonl|log)$/.test(path),
    ),
  ).toEqual([])
})

/** Modules that a packed file imports or requires, and that are not beside it. */
function foreignModules(path: string): string[] {
  const named = path.endsWith('.d.ts')
    ? importsOf(path).map(({ specifier }) => specifier)
    : [
        ...textOf(path).matchAll(
          /^(?:im|ex)port\b.*?\bfrom "([^"]+)";$|^import "([^"]+)";$|\b(?:require|import)\("([^"]+)"\)/gm,
        ),
      ].map(([, from, alone, called]) => from ?? alone ?? called ?? '')
  return named.filter(name => !name.startsWith('.') && !isBuiltin(name))
}

test('it needs no other package: no dependencies, and no module that names one but vitest', () => {
  expect(manifest.dependencies).toBeUndefined()
  const named = packed
    .filter(path => /^dist\/.*\.(js|d\.ts)$/.test(path))
    .flatMap(path => foreignModules(path).map(name => `${path}: ${name}`))
  expect(named).toEqual(['dist/vitest/index.js: vitest'])
})

/** Packages that those we use need in places that we do not use. */
const NOT_BUNDLED: Readonly<Record<string, string>> = {
  'pino-abstract-transport': 'a worker of pino',
  split2: 'a worker of pino',
  'real-require': 'a worker of pino',
  'process-warning': 'deprecations of pino',
  bindings: 'native code of bigint-buffer',
  'file-uri-to-path': 'native code of bigint-buffer',
}

test('NOTICE has the licence of every package of which something is bundled', () => {
  const { packages } = JSON.parse(textOf('package-lock.json')) as {
    packages: Record<string, { version: string; license: string; dependencies?: Record<string, string> }>
  }
  const needed = new Set<string>()
  const need = (name: string): void => {
    if (needed.has(name)) return
    needed.add(name)
    Object.keys(packages[`node_modules/${name}`]?.dependencies ?? {}).forEach(need)
  }
  sources()
    .flatMap(importsOf)
    .filter(
      ({ specifier }) => specifier in manifest.devDependencies || specifier.startsWith('bigint-buffer/'),
    )
    .map(({ specifier }) => specifier.replace(/\/.*/, ''))
    .filter(name => name !== 'vitest')
    .forEach(need)
  expect([...needed]).toEqual(expect.arrayContaining(['bigint-buffer', 'pino', 'valibot', 'yaml']))
  const notice = textOf('dist/NOTICE')
  for (const name of needed) {
    const { version, license } = packages[`node_modules/${name}`] ?? expect.fail(name)
    const folder = join(TOP, 'node_modules', name)
    const licence = readdirSync(folder).find(entry => /^licen[cs]e/i.test(entry)) ?? expect.fail(name)
    expect([name, notice.includes(`${name} ${version}, ${license}`)]).toEqual([
      name,
      NOT_BUNDLED[name] === undefined,
    ])
    if (NOT_BUNDLED[name] === undefined)
      expect(notice).toContain(readFileSync(join(folder, licence), 'utf8').trim())
  }
})

const MEGABYTE = 1e6
const KILOBYTE = 1e3
/** Packed bytes that came since the package had its limit of 1.2 MB, by what they are for. */
const ADDED = {
  'explanations of printed lines': 16 * KILOBYTE,
  'maps out of any text': 60 * KILOBYTE,
  'tables out of any text': 50 * KILOBYTE,
  'doubts about files and machines': 20 * KILOBYTE,
  'hostile files, and second looks at what is clean': 28 * KILOBYTE,
  'several files and machines': 24 * KILOBYTE,
  'calls that fail': 8 * KILOBYTE,
  'tables in JSON, and lost rows by their neighbours': 12 * KILOBYTE,
  'letters, folds and wrong digits in what is pasted': 24 * KILOBYTE,
  'texts and profiles of images, all slots, JSON of every command': 24 * KILOBYTE,
}

test('the package is light: 1.2 MB packed and what was added since, 170 kB for check', () => {
  const limit = Object.values(ADDED).reduce((sum, one) => sum + one, 1.2 * MEGABYTE)
  expect(packedSize).toBeLessThanOrEqual(limit)
  const image = uki({ initrd: '1M' })
  const coverage = mkdtempSync(join(tmpdir(), 'stubsim-coverage-'))
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      MAIN,
      'check',
      file('uki.efi', image.read(fileOffset(0), image.size)),
      '--ram',
      '512M',
      '--firmware',
      'ovmf',
    ],
    { encoding: 'utf8', env: { PATH: process.env['PATH'], NODE_V8_COVERAGE: coverage } },
  )
  expect([status, stderr]).toEqual([0, ''])
  const loaded = readdirSync(coverage).flatMap(name =>
    (JSON.parse(readFileSync(join(coverage, name), 'utf8')) as { result: { url: string }[] }).result
      .map(({ url }) => url)
      .filter(url => url.startsWith('file:'))
      .map(url => fileURLToPath(url)),
  )
  rmSync(coverage, { recursive: true })
  expect(loaded).toContain(MAIN)
  expect(loaded.filter(path => !path.startsWith(join(TOP, 'dist')))).toEqual([])
  expect(loaded).not.toContain(join(TOP, 'dist/cli/seldom.js'))
  const size = loaded.reduce((sum, path) => sum + gzipSync(readFileSync(path)).length, 0)
  expect(size).toBeLessThanOrEqual(170 * KILOBYTE)
  // What this boot does not need is not there: the log, YAML, schemas.
  expect(loaded.filter(path => /\bpino\b|\bvalibot\b|composeDoc/.test(readFileSync(path, 'utf8')))).toEqual(
    [],
  )
})

test('versions of dependencies are exact', () => {
  for (const [name, version] of Object.entries(manifest.devDependencies))
    expect([name, version]).toEqual([name, expect.stringMatching(/^(npm:[a-z@/-]+@)?\d+\.\d+\.\d+$/)])
})

test('every file that a script runs exists', () => {
  const run = Object.values(manifest.scripts).flatMap(script =>
    [...script.matchAll(/node ((?:\.ci|samples|test|node_modules)\/\S+)/g)].map(([, path = '']) => path),
  )
  expect(run.length).toBeGreaterThan(3)
  expect(run.filter(path => !existsSync(join(TOP, path)))).toEqual([])
})
