/**
 * `stubsim/vitest` in projects of users: with each vitest that it is for, on each Node, and for the type
 * checker.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TOP } from '../support/files.ts'
import { emptyProject, nodeOf, npm, pack, run } from './tools.ts'

const PAIRS = [
  ['4.1.12', ['20.20.2', '22.23.3', '24.9.0']],
  ['5.1.2', ['22.23.3', '24.9.0']],
] as const

/**
 * What a user writes: every matcher, its negation, a failure that shows the report, a mistake of ours caught.
 */
const USE = `
import { expect, test } from 'vitest'
import { check, UsageError, type Report } from 'stubsim'
import { formatReport } from 'stubsim/report'
import { scenario } from 'stubsim/vitest'

const image = { stub: '247.3', kernel: '6.12.107-cloud', initrd: '5M' } as const

test('matchers', () => {
  expect(scenario({ image })).not.toKeep('initrd')
  expect(scenario({ image })).toHaveHazard('clobbered-object', { object: 'initrd' })
  expect(scenario({ image: { ...image, gap: '64M' } })).toBootCleanly()
  expect(scenario({ image })).not.toBeRefused({ status: 'EFI_LOAD_ERROR' })
  expect(scenario({ image })).toKeepContract('HO-1')
})
test('a failure shows the report', () => {
  const report: Report = check(scenario({ image })).report
  expect(() => expect(scenario({ image })).toBootCleanly()).toThrow(formatReport(report).split('\\n')[0])
})
test('one class through every door', () => {
  expect(() => scenario({ image: { ...image, kernel: 'none' } })).toThrow(UsageError)
})
`
/** What the type checker must refuse. */
const WRONG = `
import { expect } from 'vitest'
import { scenario } from 'stubsim/vitest'

// @ts-expect-error: an object is named by a text
expect(scenario({})).toKeep(1)
// @ts-expect-error: there is no such matcher
expect(scenario({})).toBeHappy()
`
const CONFIG = {
  compilerOptions: {
    target: 'ES2023',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
    types: [],
  },
  files: ['use.test.ts', 'wrong.ts'],
}

const folders: string[] = []
const project = (): string => {
  const folder = emptyProject()
  folders.push(folder)
  return folder
}
let archive = ''
beforeAll(() => {
  archive = pack(project())
})
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

describe.each(PAIRS)('vitest %s', (version, nodes) => {
  let folder = ''
  beforeAll(() => {
    folder = project()
    npm('10.8.2', ['install', archive, `vitest@${version}`], { cwd: folder })
    writeFileSync(join(folder, 'use.test.ts'), USE)
    writeFileSync(join(folder, 'wrong.ts'), WRONG)
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(CONFIG))
  })

  test.each(nodes)('its tests run on Node %s', wanted => {
    const node = nodeOf(wanted)
    const { code, stdout, stderr } = run(node, ['node_modules/vitest/vitest.mjs', 'run'], {
      cwd: folder,
      node,
    })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/Tests +3 passed \(3\)/)
  })

  test('its types are those of the package, declarations checked', () => {
    const tsc = join(TOP, 'node_modules/typescript/bin/tsc')
    const { stdout } = run(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { cwd: folder })
    // What other packages have wrong in their own declarations is theirs
    expect(
      stdout.split('\n').filter(line => /^(?!node_modules\/(?!stubsim\/))\S+\(\d+,\d+\): error/.test(line)),
    ).toEqual([])
  })
})
