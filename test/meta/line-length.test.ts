/** Lines of code are at most 110 columns wide, in every file of code and in the code blocks of the pages. */
import ts from 'typescript'
import { expect, test } from 'vitest'
import { filesBelow, textOf } from '../support/files.ts'

const COLUMNS = 110

interface Long {
  /** Index of the line. */
  readonly line: number
  readonly columns: number
}

const longLines = (text: string): Long[] =>
  text.split('\n').flatMap((one, line) => (one.length > COLUMNS ? [{ line, columns: one.length }] : []))

/** Why a token may be in a long line, or null: it is one that no formatter can break. */
function excuseOf(node: ts.Node): string | null {
  if (ts.isRegularExpressionLiteral(node)) return 'a regular expression has no blanks to break at'
  if (ts.isStringLiteral(node) && /https?:\/\/\S+$/.test(node.text))
    return 'an address is searched and copied whole'
  return null
}

/** The long lines of a text of TypeScript or JavaScript that no token excuses. */
function longLinesOfCode(path: string, text: string): Long[] {
  const long = longLines(text)
  if (long.length === 0) return []
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const excused = new Set<number>()
  const visit = (node: ts.Node): void => {
    if (excuseOf(node) !== null) {
      const last = source.getLineAndCharacterOfPosition(node.getEnd()).line
      for (let at = source.getLineAndCharacterOfPosition(node.getStart()).line; at <= last; at++)
        excused.add(at)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return long.filter(({ line }) => !excused.has(line))
}

/** The long lines of a page within its code blocks. */
function longLinesOfBlocks(page: string): Long[] {
  let kind: string | null = null
  return page.split('\n').flatMap((one, line) => {
    const fence = /^```(.*)$/.exec(one)
    if (fence !== null) kind = kind === null ? (fence[1] ?? '') : null
    return kind === null ? [] : longLines(one).map(({ columns }) => ({ line, columns }))
  })
}

/** Pages whose blocks may be wider. */
const WIDE_PAGES: Readonly<Record<string, string>> = {
  'docs/reference/memory-maps.md': 'shows rows as kernels and firmware print them',
}

const told =
  (path: string) =>
  ({ line, columns }: Long) =>
    `${path}:${String(line + 1)}: ${String(columns)} columns`

test('code has at most 110 columns, but for tokens that cannot be broken', () => {
  const files = ['src', 'test', '.ci', 'samples'].flatMap(folder =>
    filesBelow(folder).filter(path => /\.(ts|mjs)$/.test(path)),
  )
  expect(files.length).toBeGreaterThan(400)
  expect(files.flatMap(path => longLinesOfCode(path, textOf(path)).map(told(path)))).toEqual([])
})

test('code blocks of pages have at most 110 columns, but for pages on the list', () => {
  const pages = filesBelow().filter(path => path.endsWith('.md') && WIDE_PAGES[path] === undefined)
  expect(pages.length).toBeGreaterThan(40)
  expect(pages.flatMap(path => longLinesOfBlocks(textOf(path)).map(told(path)))).toEqual([])
})

test('a long line is found in code, comments, strings and blocks; columns are characters', () => {
  const wide = 'x'.repeat(COLUMNS - 1)
  expect(longLinesOfCode('a.ts', `const a = 1\n// ${wide}\n`)).toEqual([{ line: 1, columns: COLUMNS + 2 }])
  expect(longLinesOfCode('a.ts', `const a =\n  '${wide}'\n`)).toEqual([{ line: 1, columns: COLUMNS + 3 }])
  expect(longLinesOfCode('a.ts', `const a =\n  /${wide}/\n`)).toEqual([])
  expect(longLinesOfCode('a.ts', `// ${'…'.repeat(COLUMNS - 3)}\n`)).toEqual([])
  expect(longLinesOfBlocks(`${wide}xx\n\`\`\`ts\n${wide}xx\n\`\`\`\n${wide}xx\n`)).toEqual([
    { line: 2, columns: COLUMNS + 1 },
  ])
})
