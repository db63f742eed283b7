/** A release of linux changes what the model knows already. */
import { all, before, behind, type Addition } from './addition.ts'

export const kernelChange: Addition = {
  kind: 'a change of the kernel',
  shown: [['eras', '7.2.99'], 'SLACK_SLOTS to 64'],
  files: {
    'src/kernel/x86/changes.ts': all(
      before(
        ']\n\n/** Releases whose source was read',
        `  change(
    '0123456789ab',
    'efi/libstub: Bump up EFI_MMAP_NR_SLACK_SLOTS to 64',
    { in: ['7.2.99', '7.3-rc1'] },
    { exit: { slack: 64 } },
  ),
`,
      ),
      behind("  '7.2.13': 'booted',\n", "  '7.2.99': 'read',\n"),
    ),
  },
  beside: {
    'test/unit/kernel/kernel-change.test.ts': `import { expect, test } from 'vitest'
import { check } from '../../../src/check.ts'
import { scenario } from '../../../src/vitest/index.ts'
import { stubsim } from '../../support/program.ts'

test('the release keeps room for more descriptors, the one before it does not', () => {
  const roomIn = (kernel: string): number =>
    check(scenario({ image: { kernel: '7.2.13-cloud' }, kernel })).runs[0]?.recording.events
      .flatMap(event => (event.op === 'claim' && event.label === 'efi-stub:memory-map' ? [event] : []))
      .reduce((most, { range }) => Math.max(most, range.end - range.start), 0) ?? 0
  expect(roomIn('7.2.99') - roomIn('7.2.98')).toBe(32 * 48)
})

test('eras tells it', async () => {
  expect((await stubsim(['eras', '--diff', '7.2.98', '7.2.99'])).stdout).toContain('SLACK_SLOTS to 64')
  expect((await stubsim(['eras', '7.2.99'])).stdout).toContain('7.2.99')
})
`,
  },
}
