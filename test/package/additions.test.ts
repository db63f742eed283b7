import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { edited, type Edits } from '../meta/additions/addition.ts'
import { ADDITIONS } from '../meta/additions/additions.ts'
import { filesBelow, textOf, TOP } from '../support/files.ts'

/** A copy of the tree, to which everything is added. */
const copy = mkdtempSync(join(tmpdir(), 'stubsim-additions-'))
afterAll(() => {
  rmSync(copy, { recursive: true })
})

const textInCopy = (path: string): string | null =>
  existsSync(join(copy, path)) ? readFileSync(join(copy, path), 'utf8') : null

function write(path: string, text: string): void {
  mkdirSync(dirname(join(copy, path)), { recursive: true })
  writeFileSync(join(copy, path), text)
}

function carryOut(edits: Edits): void {
  for (const [path, edit] of Object.entries(edits)) write(path, edited(path, textInCopy(path), edit))
}

function node(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: copy,
    encoding: 'utf8',
    timeout: 280_000,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NO_COLOR: '1' },
  })
  return status === 0 ? stdout : `exit ${String(status)}: ${stdout}${stderr}`
}

/**
 * The tests of the house that look for what somebody forgot, those that renew pages and schemas, and those
 * that hold what was added. Not those of the package, which look at what is packed here.
 */
const HOUSE = [
  ...filesBelow('test/meta').filter(
    path => path.endsWith('.test.ts') && !/\/(?:package|docs|additions)\./.test(path),
  ),
  'test/unit/hazard',
  'test/unit/image/memmap-dialects.test.ts',
  'test/unit/image/memmap-round-trips.property.test.ts',
  'test/unit/boot/scenario.test.ts',
  'test/unit/cli/commands.test.ts',
]

interface Result {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: readonly { readonly failureMessages: readonly string[] }[]
  }[]
}

/** What is made from the code: pages and schemas whole, and in spec/ the lines `Applies:`. */
const GENERATED = /^(?:docs\/reference\/[a-z-]+\.md|src\/boot\/scenario\.schema\.json)$/

for (const path of filesBelow()) {
  mkdirSync(dirname(join(copy, path)), { recursive: true })
  cpSync(join(TOP, path), join(copy, path))
}
symlinkSync(join(TOP, 'node_modules'), join(copy, 'node_modules'), 'junction')
for (const { files, beside } of ADDITIONS) {
  carryOut(files)
  carryOut(beside)
}

const touched = ADDITIONS.flatMap(({ files, beside }) => [...Object.keys(files), ...Object.keys(beside)])

test('with all of them at once the types are right, and the house builds', () => {
  expect(node('node_modules/typescript7/bin/tsc', '--noEmit')).toBe('')
  expect(node('.ci/build.mjs')).toBe('')
})

test.each(ADDITIONS)('the program that was built has $kind', ({ shown: [args, text] }) => {
  expect(node('dist/cli/main.js', ...args)).toContain(text)
})

test('the tests of the house pass, and every addition does what it is for', () => {
  const effects = ADDITIONS.flatMap(({ beside }) =>
    Object.keys(beside).filter(path => path.endsWith('.test.ts')),
  )
  expect(effects.length).toBeGreaterThanOrEqual(ADDITIONS.length)
  // The house first: it writes the pages that the effects are looked for in
  const testResults = [HOUSE, effects].flatMap(files => {
    const said = node(
      'node_modules/vitest/vitest.mjs',
      'run',
      '--project',
      'fast',
      '--update',
      '--reporter=json',
      ...files,
    )
    return (JSON.parse(/\{"numTotalTestSuites.*/.exec(said)?.[0] ?? said) as Result).testResults
  })
  expect(
    testResults
      .filter(({ status }) => status !== 'passed')
      .flatMap(({ name, message, assertionResults }) => [
        `${name}: ${message}`,
        ...assertionResults.flatMap(({ failureMessages }) =>
          failureMessages.map(text => text.slice(0, 2000)),
        ),
      ]),
  ).toEqual([])
  const ran = testResults.map(({ name }) => name.slice(copy.length + 1))
  expect(effects.filter(path => !ran.includes(path))).toEqual([])
})

test('nothing else had to change than the files that are counted, and pages that are made from them', () => {
  const before = new Set(filesBelow())
  const changed = filesBelow().filter(path => textOf(path) !== textInCopy(path))
  expect(changed.filter(path => !touched.includes(path) && !GENERATED.test(path))).toEqual([])
  expect(touched.filter(path => before.has(path) && !changed.includes(path))).toEqual([])
})
