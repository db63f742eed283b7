/** There is another way to go wrong. */
import { all, atEnd, before, behind, type Addition } from './addition.ts'
import { nextClauses } from './next-clauses.ts'

const [EMPTY] = nextClauses('HZ')

export const hazardRule: Addition = {
  kind: 'a hazard rule',
  shown: [['explain', 'empty-initrd'], 'The initrd is empty'],
  files: {
    'src/hazard/advice/empty-initrd.ts': `/** empty-initrd: the section .initrd has no byte. ${EMPTY}. */
import { advice } from '../rule.ts'

export const emptyInitrd = advice({
  id: 'empty-initrd',
  since: '0.1.0',
  clause: '${EMPTY}',
  title: 'The initrd is empty',
  inspect({ uki }, report) {
    for (const { section, object } of uki.sections)
      if (section.name === '.initrd' && section.VirtualSize === 0)
        report({
          object,
          ranges: [],
          offsets: [],
          what: '.initrd has no byte.',
          why: 'a kernel without an initrd finds no root',
          fix: 'add an initrd',
          legs: [],
        })
  },
})
`,
    'src/hazard/registry.ts': all(
      behind(
        "import { duplicateSection } from './advice/duplicate-section.ts'\n",
        "import { emptyInitrd } from './advice/empty-initrd.ts'\n",
      ),
      before('  sectionUnaligned,\n]', '  emptyInitrd,\n'),
    ),
    'docs/hazards/empty-initrd.md': `# empty-initrd: The initrd is empty

Class: advice. Defined by clause ${EMPTY}.

The section .initrd has no byte.

## Why it happens

A generator failed, and nobody looked.

## Example

\`\`\`text
advice  empty-initrd: initrd                                               ${EMPTY}
  .initrd has no byte.

  why   a kernel without an initrd finds no root
  do    add an initrd
  more  stubsim explain empty-initrd
\`\`\`

## What to do

Add an initrd.

## Eras

All.
`,
  },
  beside: {
    'spec/HZ-hazards.md': atEnd(`
### ${EMPTY}: An initrd has bytes
Applies: all stubs
Source: oracle
Evidence: stated

Advice is given when .initrd has a VirtualSize of 0.
`),
    'test/unit/hazard/examples.ts': behind(
      'export const examples: Readonly<Record<string, () => Finding[]>> = {\n',
      `  'empty-initrd': () => advise(image([{ name: '.initrd', at: 0x3000000, size: 0 }])),
`,
    ),
    'test/spec/HZ/empty-initrd.test.ts': `import { expect, test } from 'vitest'
import { check } from '../../../src/check.ts'
import { scenario } from '../../../src/vitest/index.ts'
import { stubsim } from '../../support/program.ts'

const adviceFor = (initrd: number): string[] =>
  check(scenario({ image: { initrd } })).report.advice.map(({ rule }) => rule)

test('${EMPTY} advice of empty-initrd is given for no byte, and not for one', () => {
  expect(adviceFor(0)).toContain('empty-initrd')
  expect(adviceFor(1)).not.toContain('empty-initrd')
})

test('explain prints its page', async () => {
  expect((await stubsim(['explain', 'empty-initrd'])).stdout).toContain('## What to do')
})
`,
  },
}
