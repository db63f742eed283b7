/** A stable release of systemd gets a change that newer ones have. */
import { put, type Addition } from './addition.ts'

export const backPort: Addition = {
  kind: 'a back-port of the stub',
  shown: [['eras', '251.99'], 'any number of sections'],
  files: {
    'src/stub/changes.ts': put("{ in: ['252.36', '253.31',", "{ in: ['251.99', '252.36', '253.31',"),
  },
  beside: {
    'test/unit/stub/back-port.test.ts': `import { expect, test } from 'vitest'
import { stubNamed } from '../../../src/boot/named.ts'
import { stubsim } from '../../support/program.ts'

test('the release with the back-port takes any number of sections, the one before it does not', () => {
  expect(stubNamed('251.98').behaviour).toMatchObject({ sectionTable: { maxSections: 96 } })
  expect(stubNamed('251.99').behaviour).toMatchObject({ sectionTable: { maxSections: null } })
})

test('eras tells it', async () => {
  expect((await stubsim(['eras', '--diff', '251.98', '251.99'])).stdout).toContain('any number of sections')
  expect((await stubsim(['eras', '251.99'])).stdout).toContain('8c5b359579')
})
`,
  },
}
