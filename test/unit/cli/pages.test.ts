import { expect, test } from 'vitest'
import { parseChapter, proseLines, titleOf } from '../../../src/cli/pages.ts'
import { didYouMean, editDistance } from '../../../src/cli/suggest.ts'

const CHAPTER = `# PE Image loading

What LoadImage does.

## Sections

### PE-7: A short section is filled
Applies: all
Evidence: read

It is zeroed.

### PE-2: Table order
Applies: all

First to last.
`

test('a chapter is its clauses in the order of the page', () => {
  expect(parseChapter(CHAPTER)).toEqual({
    id: 'PE',
    title: 'Image loading',
    clauses: [
      {
        id: 'PE-7',
        title: 'A short section is filled',
        text: '### PE-7: A short section is filled\nApplies: all\nEvidence: read\n\nIt is zeroed.',
      },
      { id: 'PE-2', title: 'Table order', text: '### PE-2: Table order\nApplies: all\n\nFirst to last.' },
    ],
  })
  expect(parseChapter('# Sources\n\nnone')).toBeNull()
  expect(titleOf('text\n# Title\n')).toBe('Title')
  expect(titleOf('')).toBe('')
})

test.each([
  ['', '', 0],
  ['check', 'check', 0],
  ['chekc', 'check', 1],
  ['chek', 'check', 1],
  ['spec', 'trace', 4],
])('%j to %j takes %i edits', (a, b, edits) => {
  expect(editDistance(a, b)).toBe(edits)
  expect(editDistance(b, a)).toBe(edits)
})

test('only a near word is suggested', () => {
  const known = ['check', 'trace', 'explain']
  expect(didYouMean('cehck', known)).toBe(' (did you mean check?)')
  expect(didYouMean('expl', known)).toBe(' (did you mean explain?)')
  expect(didYouMean('zzz', known)).toBe('')
})

test('Markdown is filled to a width; code, tables and headings stay', () => {
  const page = `# A heading that is longer than the width

One line of
a paragraph, and another line.
- an item that is
  longer than a line
1. first
Applies: all of the releases after that
Source: a
\`\`\`text
code that is longer than the width
\`\`\`
| a | table that is longer than the width |
`
  expect(proseLines(page, 20)).toBe(`# A heading that is longer than the width

One line of a
paragraph, and
another line.
- an item that is
  longer than a line
1. first
Applies: all of
  the releases after
  that
Source: a
\`\`\`text
code that is longer than the width
\`\`\`
| a | table that is longer than the width |
`)
})
