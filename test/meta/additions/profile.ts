/** The memory map of another firmware build was recorded. */
import type { Addition } from './addition.ts'

const FIRST = "  {\n    id: 'ovmf-2022.11-q35-4M',"
const SECOND = "  {\n    id: 'ovmf-2022.11-q35-2M',"

/** The first entry under another name, after all others. */
function oneMore(text: string): string {
  const entry = text
    .slice(text.indexOf(FIRST), text.indexOf(SECOND))
    .replace("id: 'ovmf-2022.11-", "id: 'ovmf-2024.02-")
    .replace("version: '2022.11'", "version: '2024.02'")
  return text.replace(/\]\n$/, `${entry}]\n`)
}

export const firmwareProfile: Addition = {
  kind: 'a recorded profile of a firmware',
  shown: [['profiles'], 'ovmf-2024.02-q35-4M'],
  files: { 'src/firmware/profile-table.ts': oneMore },
  beside: {
    'test/unit/firmware/one-more-profile.test.ts': `import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scenario, uki } from '../../../src/vitest/index.ts'
import { scratch, stubsim } from '../../support/program.ts'

const { folder } = scratch()

test('it boots through the matchers', () => {
  expect(scenario({ image: {}, firmware: 'ovmf-2024.02-q35' })).toBootCleanly()
})

test('it boots through the command line, and profiles lists it', async () => {
  const image = join(folder, 'uki.efi')
  const source = uki({ initrd: '1M' })
  writeFileSync(image, source.read(0 as never, source.size))
  const machine = ['--ram', '512MiB', '--firmware', 'ovmf-2024.02-q35']
  const { code, stdout } = await stubsim(['check', image, ...machine])
  expect(stdout).toContain('ovmf-2024.02-q35-4M')
  expect(code).toBe(0)
  expect((await stubsim(['profiles'])).stdout).toContain('ovmf-2024.02-q35-4M')
})
`,
  },
}
