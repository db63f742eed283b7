/**
 * The package as somebody installs it: packed, installed alone by three npm, used through every door on three
 * Node.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fileOffset } from '../../src/bytes/units.ts'
import { uki } from '../../src/vitest/builders.ts'
import { VERSION } from '../../src/version.ts'
import { emptyProject, nodeOf, npm, pack, run, type Done } from './tools.ts'

const NPMS = ['10.8.2', '10.9.4', '11.6.0']
const NODES = ['20.20.2', '22.23.3', '24.9.0']

const folders: string[] = []
const project = (): string => {
  const folder = emptyProject()
  folders.push(folder)
  return folder
}
const shelf = project()
let archive = ''
const image = join(shelf, 'uki.efi')

beforeAll(() => {
  archive = pack(shelf)
  const source = uki({ initrd: '1M' })
  writeFileSync(image, source.read(fileOffset(0), source.size))
})
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

const installed = (version: string): string => {
  const folder = project()
  npm(version, ['install', archive], { cwd: folder })
  return folder
}

describe.each(NPMS)('npm %s', version => {
  test('installs it alone, and its program', () => {
    const folder = installed(version)
    expect(readdirSync(join(folder, 'node_modules')).filter(name => !name.startsWith('.'))).toEqual([
      'stubsim',
    ])
    const { stdout } = npm(version, ['exec', '--no', '--', 'stubsim', '--version'], { cwd: folder })
    expect(stdout).toBe(`stubsim ${VERSION}\n`)
  })
})

/** What a program of a user does with the three doors. */
const USE = `
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { bytesSource, check, parsePe, profileMap, profileNamed, UsageError, VERSION } from 'stubsim'
import { formatReport, reportSchema } from 'stubsim/report'
const missing = await import('stubsim/vitest').catch(error => error)
const source = bytesSource(readFileSync(process.argv[2]))
const map = profileMap(profileNamed('ovmf-2022.11-q35'), 512 * 2 ** 20)
const { report } = check({ image: { name: 'uki', source }, machine: { what: 'a project', map } })
const require = createRequire(import.meta.url)
const schemas = ['scenario', 'firmware', 'report'].map(name => require(\`stubsim/\${name}.schema.json\`))
const refused = (() => { try { profileNamed('none') } catch (error) { return error } })()
process.stdout.write(JSON.stringify({
  VERSION,
  sections: parsePe(source).pe.sections.length,
  verdict: report.verdict,
  firstLine: formatReport(report).split('\\n')[0],
  schemas: schemas.map(({ type, oneOf }) => type ?? 'one of ' + oneOf.length),
  sameSchema: JSON.stringify(reportSchema) === JSON.stringify(schemas[2]),
  missing: [missing instanceof UsageError, missing.message],
  refused: refused instanceof UsageError,
}))
`

/** Files of the kept code, as command and bundle. */
const keptBelow = (cache: string): string[] =>
  readdirSync(cache, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.js'))
    .map(path => path.split(sep).slice(-2).join('/'))
    .sort()

const bin = (folder: string): string => join(folder, 'node_modules/.bin/stubsim')
const CHECK = ['check', image, '--ram', '512MiB', '--firmware', 'ovmf-2022.11-q35']

describe.each(NODES)('Node %s', version => {
  let folder = ''
  let node = ''
  beforeAll(() => {
    node = nodeOf(version)
    folder = installed('11.6.0')
  })
  const use = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Done =>
    run(bin(folder), args, { cwd: folder, node, env })

  test('has the library, the renderers and the schemas, and is told what stubsim/vitest lacks', () => {
    const program = join(folder, 'use.mjs')
    writeFileSync(program, USE)
    const { code, stdout, stderr } = run(node, [program, image], { cwd: folder, node })
    expect([code, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toEqual({
      VERSION,
      sections: expect.any(Number) as number,
      verdict: 'clean',
      firstLine: expect.stringMatching(/^clean: /) as string,
      schemas: ['object', 'object', 'one of 2'],
      sameSchema: true,
      missing: [true, 'stubsim/vitest needs vitest 4.1 or newer: npm install --save-dev vitest@4.1.12'],
      refused: true,
    })
  })

  test('runs the program: a report, its pages, a scenario in YAML, the log, a mistake', () => {
    expect(use(CHECK)).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^clean: /) as string,
    })
    expect(use(['spec', 'ZO-12']).stdout).toMatch(/^### ZO-12: /)
    expect(use(['explain', 'clobbered-object'])).toMatchObject({ code: 0, stderr: '' })
    writeFileSync(
      join(folder, 'boot.yaml'),
      `schema: 1\nimage: { file: ${JSON.stringify(image)} }\nmachine: { ram: 512MiB, ` +
        `firmware: ovmf-2022.11-q35 }\n`,
    )
    const logged = use(['check', '--scenario', 'boot.yaml', '--deep', '-v'])
    expect(logged.stderr).toMatch(/^(stubsim: debug: .*\n)+$/)
    expect(logged.stdout).toMatch(/^[a-z]+: /)
    expect(use(['chekc'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'stubsim: unknown command "chekc" (did you mean check?); see stubsim --help\n',
    })
  })

  test('keeps what it compiled in the cache folder of the user alone', () => {
    const cache = join(folder, 'cache')
    mkdirSync(cache)
    const plain = use(CHECK, { XDG_CACHE_HOME: cache, NODE_DISABLE_COMPILE_CACHE: '1' })
    expect(readdirSync(cache)).toEqual([])
    const [fills, reads] = [1, 2].map(() => use(CHECK, { XDG_CACHE_HOME: cache }))
    expect([fills, reads]).toEqual([plain, plain])
    expect(readdirSync(cache)).toEqual(['stubsim'])
    expect(keptBelow(cache)).toEqual(['check/model.js', 'check/program.js'])
    use(['chekc'], { XDG_CACHE_HOME: cache })
    expect(keptBelow(cache)).toHaveLength(2)
    expect(use(CHECK, { HOME: folder })).toEqual(plain)
    expect(existsSync(join(folder, '.cache/stubsim'))).toBe(true)
  })

  test('and does without when nothing can be written there', () => {
    const file = join(folder, 'a-file')
    writeFileSync(file, '')
    const usual = use(CHECK, { NODE_DISABLE_COMPILE_CACHE: '1' })
    for (const env of [
      { XDG_CACHE_HOME: file },
      { HOME: '/proc/self/fd' },
      { HOME: '/no/such/home' },
      { HOME: '' },
    ])
      expect(use(CHECK, env)).toEqual(usual)
  })
})
