import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { textOf, TOP } from '../support/files.ts'
import { stubsim } from '../support/program.ts'

const samples = readdirSync(join(TOP, 'samples'), { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(entry => entry.name)

test('the three stories are there, and each has all its parts', () => {
  expect(samples).toEqual(
    expect.arrayContaining([
      '2020-04-bss-not-zeroed',
      '2020-04-init-window-over-initrd',
      'ukify-packed-initrd-on-an-old-stub',
    ]),
  )
  for (const sample of samples)
    for (const part of ['README.md', 'scenario.json', 'expected.txt'])
      expect([sample, part, existsSync(join(TOP, 'samples', sample, part))]).toEqual([sample, part, true])
  const index = textOf('samples/README.md')
  for (const sample of samples) expect(index).toContain(`](${sample}/README.md)`)
})

for (const sample of samples) {
  test(`${sample} ends as told`, async () => {
    const path = `samples/${sample}`
    const { code, stdout, stderr } = await stubsim(['check', '--scenario', join(TOP, path, 'scenario.json')])
    expect(stderr).toBe('')
    expect(
      stdout,
      'if this is meant, read the difference after: npx stubsim check --scenario ' +
        `${path}/scenario.json --output ${path}/expected.txt`,
    ).toBe(textOf(`${path}/expected.txt`))
    expect(code).toBe(/^clean: /.test(stdout) ? 0 : 1)
  })
}

test('each story shows the finding that it is about', () => {
  expect(textOf('samples/2020-04-bss-not-zeroed/expected.txt')).toMatch(
    /^damage {2}uninitialised-read: kernel/m,
  )
  expect(textOf('samples/2020-04-bss-not-zeroed/expected.txt')).not.toMatch(/^damage {2}clobbered-object/m)
  expect(textOf('samples/2020-04-init-window-over-initrd/expected.txt')).toMatch(
    /^damage {2}clobbered-object: initrd/m,
  )
  expect(textOf('samples/2020-04-init-window-over-initrd/expected.txt')).not.toMatch(
    /^damage {2}uninitialised-read/m,
  )
  expect(textOf('samples/ukify-packed-initrd-on-an-old-stub/expected.txt')).toMatch(/offsets 0x0-0x43078/)
})

test('npm start tells two of them and ends well, from any folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stubsim-'))
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(TOP, 'samples/run.mjs')], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], NO_COLOR: '1' },
  })
  rmSync(folder, { recursive: true })
  expect([status, stderr]).toEqual([0, ''])
  for (const sample of ['2020-04-bss-not-zeroed', '2020-04-init-window-over-initrd'])
    expect(stdout).toContain(textOf(`samples/${sample}/expected.txt`).split('\n')[0])
})

test('the report that README.md begins with is that of a sample', () => {
  const shown = /```text\n([^]*?)```/.exec(textOf('README.md'))?.[1] ?? ''
  expect(shown).not.toBe('')
  const lines = textOf('samples/2020-04-init-window-over-initrd/expected.txt').split('\n')
  for (const line of shown.trimEnd().split('\n')) expect(lines).toContain(line)
})

test('the fix of the tutorial leaves a clean boot', async () => {
  const [, expressions = '', path = ''] =
    /^sed (.*) \\\n\s+(samples\S+) > \/tmp\/fixed\.json$/m.exec(textOf('docs/tutorial.md')) ?? []
  const edits = [...expressions.matchAll(/'s\/(\w+)\/(\w+)\/'/g)]
  expect(edits.length).toBe(2)
  const fixed = edits.reduce((text, [, from = '', to = '']) => text.replace(from, to), textOf(path))
  const folder = mkdtempSync(join(tmpdir(), 'stubsim-tutorial-'))
  try {
    const file = join(folder, 'fixed.json')
    writeFileSync(file, fixed)
    const { code, stdout } = await stubsim(['check', '--scenario', file])
    expect(stdout).toMatch(/^clean: /)
    expect(code).toBe(0)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
