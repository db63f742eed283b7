import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { commands } from '../../src/cli/commands.ts'
import { STUB_FACTS } from '../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../src/image/synthetic.ts'
import { bytesOf } from '../support/bytes.ts'
import { factsOf } from '../support/facts.ts'
import { scratch, stubsim } from '../support/program.ts'

const { file } = scratch()
const page = readFileSync(new URL('../../docs/reference/json.md', import.meta.url), 'utf8')
const image = file(
  'uki.efi',
  bytesOf(
    buildUki({
      stub: STUB_FACTS['257.13'],
      sections: [
        { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'nokaslr root=/dev/sda1' } },
        { name: '.linux', VirtualAddress: 0x2000000, content: buildKernel(factsOf('debian-6.12.107-cloud')) },
      ],
    }),
  ),
)
const MACHINE = ['--ram', '512MiB', '--firmware', 'ovmf']

const operands: Readonly<Record<string, readonly string[]>> = {
  check: [image, ...MACHINE],
  map: [image, ...MACHINE],
  trace: [image, ...MACHINE],
  inspect: [image],
  'image-loaders': [image, '--image-loader', 'edk2-2022.11'],
}

const sectionOf = (name: string): string =>
  new RegExp(`\\n## ${name}\\n([^]*?)(?=\\n## |$)`).exec(page)?.[1] ?? expect.fail(`nothing on ${name}`)

describe('--format json', () => {
  test('the page has every command, in the order of the help', () => {
    expect(Array.from(page.matchAll(/^## (.*)$/gm), ([, name]) => name)).toEqual(
      commands.map(({ name }) => name),
    )
  })

  test.each(commands.map(({ name }) => name))('%s prints the fields that the page lists', async name => {
    const { stdout, stderr } = await stubsim([name, ...(operands[name] ?? []), '--format', 'json'])
    expect(stderr).toBe('')
    const fields = Object.keys(JSON.parse(stdout) as object)
    const listed = /^Fields: (.*)$/m.exec(sectionOf(name))?.[1]
    if (listed === undefined) expect(sectionOf(name)).toContain('report.schema.json')
    else expect(Array.from(listed.matchAll(/`(\w+)`/g), ([, field]) => field)).toEqual(fields)
  })
})

test('a clause that explain prints is data, too', async () => {
  const [explained, clause] = await Promise.all(
    ['explain', 'spec'].map(name => stubsim([name, 'zo-12', '--format', 'json'])),
  )
  expect(explained).toEqual(clause)
  expect(JSON.parse(explained?.stdout ?? '')).toMatchObject({ schema: 1, clauses: [{ id: 'ZO-12' }] })
})

test.each([
  ['profiles'],
  ['explain'],
  ['explain', 'clobbered-object'],
  ['spec'],
  ['explain', 'HZ-11'],
  ['spec', '--for', 'linux@6.1.90'],
  ...commands.map(({ name }) => [name, '--help']),
  ['eras'],
  ['inspect', image],
  ['check', image],
  ['map', image, ...MACHINE],
])('the text of %s has at most 80 columns', async (...args) => {
  const { stdout } = await stubsim(args)
  expect(stdout.split('\n').filter(line => line.length > 80 && !line.includes(image))).toEqual([])
})
