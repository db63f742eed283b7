/** The kernel does something that no slot is about. */
import { all, atEnd, before, behind, type Addition } from './addition.ts'
import { nextClauses } from './next-clauses.ts'

const [KEPT, NONE] = nextClauses('EP')

export const kernelSlot: Addition = {
  kind: 'a new slot of the kernel',
  shown: [['spec', KEPT], 'src/kernel/x86/steps/random-seed.ts'],
  files: {
    'src/kernel/x86/behaviour.ts': behind(
      '/** The differences between kernels. */\nexport interface KernelBehaviour {\n',
      `  /** Is a table with a random seed made for the kernel? */
  readonly randomSeed: { readonly table: boolean }
`,
    ),
    'src/kernel/x86/model.ts': all(
      behind(
        'export interface KernelSlots {\n',
        `  /** The random seed of the firmware, in a table of the kernel's. */
  readonly randomSeed: Step
`,
      ),
      behind('    slots.place(boot)\n', '    slots.randomSeed(boot)\n'),
    ),
    'src/kernel/x86/steps/random-seed.ts': `/** A random seed for the extracted kernel. Chapter EP. */
import { EfiACPIReclaimMemory } from '../../../image/memory-types.ts'
import type { KernelBehaviour } from '../behaviour.ts'
import type { Step } from '../boot.ts'

/** Takes the firmware's random numbers, or does not ask for them. */
export function randomSeed({ table }: KernelBehaviour['randomSeed']): Step {
  return table
    ? ({ machine }) => {
        machine.step('${KEPT}', 'efi_random_get_seed keeps a seed', () => {
          machine.firmware.allocatePool(EfiACPIReclaimMemory, 48, 'efi-stub:random-seed')
        })
      }
    : ({ machine }) => {
        machine.step('${NONE}', 'the EFI stub asks for no seed', () => undefined)
      }
}
`,
    'src/kernel/x86/steps.ts': all(
      behind(
        "import { initrd } from './steps/initrd.ts'\n",
        "import { randomSeed } from './steps/random-seed.ts'\n",
      ),
      behind('  return {\n', '    randomSeed: randomSeed(behaviour.randomSeed),\n'),
    ),
    'src/kernel/x86/changes.ts': all(
      behind('export const base: KernelBehaviour = {\n', '  randomSeed: { table: false },\n'),
      before(
        ']\n\n/** Releases whose source was read',
        `  change(
    'ba9876543210',
    'efi/libstub: Keep a seed for the kernel',
    { in: ['7.3-rc1'] },
    { randomSeed: { table: true } },
  ),
`,
      ),
    ),
    'src/kernel/x86/law.ts': behind(
      'export const X86_LAW: Law<KernelBehaviour> = {\n',
      `  randomSeed: {
    '${KEPT}': ({ randomSeed }) => randomSeed.table,
    '${NONE}': ({ randomSeed }) => !randomSeed.table,
  },
`,
    ),
  },
  beside: {
    'spec/EP-kernel-entry.md': atEnd(`
### ${KEPT}: A seed is kept for the kernel
Applies: no release yet
Source: linux@7.1.8 drivers/firmware/efi/libstub/random.c efi_random_get_seed
Evidence: read

The EFI stub takes 48 bytes of pool for a seed, which are kept.

### ${NONE}: No seed is kept
Applies: no release yet
Source: linux@7.1.8 drivers/firmware/efi/libstub/random.c
Evidence: read

The EFI stub takes no memory for a seed.
`),
    'test/spec/EP/seed.test.ts': `import { expect, test } from 'vitest'
import { check } from '../../../src/check.ts'
import { scenario } from '../../../src/vitest/index.ts'

const clausesOf = (kernel: string): string[] =>
  check(scenario({ image: { kernel: '7.2.13-cloud' }, kernel })).runs[0]?.recording.steps.map(
    ({ clause }) => clause,
  ) ?? []

test('${KEPT} a seed is kept', () => {
  expect(clausesOf('7.3.4')).toContain('${KEPT}')
})

test('${NONE} none is kept before', () => {
  expect(clausesOf('7.2.13')).toContain('${NONE}')
  expect(clausesOf('7.2.13')).not.toContain('${KEPT}')
})
`,
  },
}
