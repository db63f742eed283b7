/** A stage asks for something that the user may say, yes or no. */
import { before, behind, type Addition } from './addition.ts'

export const booleanSetting: Addition = {
  kind: 'a boolean setting',
  shown: [['check', '--help'], '--measured-boot'],
  files: {
    'src/machine/settings.ts': before(
      '  loadOptions: {\n',
      "  measuredBoot: { kind: 'flag', for: 'stages', default: false, help: 'a TPM is " +
        "told what is booted' },\n",
    ),
    'src/stub/steps/variables.ts': behind(
      '    if (randomSeed) assumeNoSeed(ctx)\n',
      "    if (ctx.machine.settings.measuredBoot) ctx.machine.unmodelled('ST-5', 'what a " +
        "TPM is told')\n",
    ),
  },
  beside: {
    'test/unit/machine/measured-boot.test.ts': `import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { CheckInput } from '../../../src/index.ts'
import { check } from '../../../src/check.ts'
import { scenario, uki } from '../../../src/vitest/index.ts'
import { textOf } from '../../support/files.ts'
import { scratch, stubsim } from '../../support/program.ts'

const { folder } = scratch()
const WORDS = 'what a TPM is told'

test('the step sees what check is given', () => {
  const plain = scenario({ image: {} })
  const input: CheckInput = { ...plain, measuredBoot: true }
  expect(check(plain).report.verdict).toBe('clean')
  expect(check(input).report.verdict).toBe('unknown')
})

test('the command line has it, with a line of help, and so has a scenario', async () => {
  expect((await stubsim(['check', '--help'])).stdout).toMatch(/--measured-boot +a TPM is told/)
  const [image, stored] = [join(folder, 'uki.efi'), join(folder, 'boot.json')]
  const source = uki({ initrd: '1M' })
  writeFileSync(image, source.read(0 as never, source.size))
  const machine = { ram: '512MiB', firmware: 'ovmf' }
  writeFileSync(stored, JSON.stringify({ schema: 1, image: { file: image }, machine, measuredBoot: true }))
  const said = ['check', image, '--ram', '512MiB', '--firmware', 'ovmf']
  expect((await stubsim(said)).stdout).not.toContain(WORDS)
  expect((await stubsim([...said, '--measured-boot'])).stdout).toContain(WORDS)
  expect((await stubsim(['check', '--scenario', stored])).stdout).toContain(WORDS)
})

test('schema and pages have it', () => {
  expect(textOf('src/boot/scenario.schema.json')).toContain('"measuredBoot"')
  expect(textOf('docs/reference/scenario.md')).toContain('| \`measuredBoot\` |')
  expect(textOf('docs/reference/cli.md')).toContain('--measured-boot')
})
`,
  },
}
