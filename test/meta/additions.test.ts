import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { edited } from './additions/addition.ts'
import { ADDITIONS } from './additions/additions.ts'
import { textOf, TOP } from '../support/files.ts'

interface Row {
  readonly kind: string
  readonly count: number
  readonly files: readonly string[]
}

/** The table of docs/CONTRIBUTING.md. */
const rows: readonly Row[] = [
  ...textOf('docs/CONTRIBUTING.md').matchAll(/^\| (.+) \| (\d+) \| (.+) \|$/gm),
].map(([, kind = '', count = '', files = '']) => ({
  kind: kind.replace(/^\[(.*)\]\(.*\)$/, '$1'),
  count: Number(count),
  files: [...files.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path),
}))

/** `src/stub/steps/<slot>.ts` stands for any file of that folder. */
function means(pattern: string, path: string): boolean {
  const parts = pattern.split(/<[a-z]+>/).map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('[a-z0-9-]+')}$`).test(path)
}

test('every kind of addition has a row, and every row is tried', () => {
  expect(rows.map(({ kind }) => kind)).toEqual(ADDITIONS.map(({ kind }) => kind))
})

test.each(ADDITIONS)('$kind takes the files that the table names, and as many', ({ kind, files }) => {
  const row = rows.find(one => one.kind === kind)
  expect(Object.keys(files)).toHaveLength(row?.count ?? 0)
  expect(row?.files).toHaveLength(row?.count ?? 0)
  expect(Object.keys(files).filter(path => !row?.files.some(pattern => means(pattern, path)))).toEqual([])
  expect(row?.files.filter(pattern => !Object.keys(files).some(path => means(pattern, path)))).toEqual([])
})

test('nothing but tests and the text of clauses goes uncounted', () => {
  const uncounted = ADDITIONS.flatMap(({ beside }) => Object.keys(beside))
  expect(uncounted.filter(path => !/^(?:spec|test)\//.test(path))).toEqual([])
  const counted = ADDITIONS.flatMap(({ files }) => Object.keys(files))
  expect(counted.filter(path => !/^(?:src|docs)\//.test(path))).toEqual([])
})

test('every edit fits the file as it is, and changes it', () => {
  const texts = new Map<string, string>()
  for (const { files, beside } of ADDITIONS)
    for (const [path, edit] of Object.entries({ ...files, ...beside })) {
      const text = texts.get(path) ?? (existsSync(join(TOP, path)) ? textOf(path) : null)
      const after = edited(path, text, edit)
      expect([path, after === text]).toEqual([path, false])
      texts.set(path, after)
    }
})
