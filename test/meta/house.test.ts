import { expect, test } from 'vitest'
import { filesBelow, textOf } from '../support/files.ts'

const BINARY = /\.(png|ico|gz|bin|efi)$/
const files = filesBelow().filter(path => !BINARY.test(path))
const texts = files.map(path => [path, textOf(path)] as const)

/** Lines of all files of ours (or of those that `where` picks) that match. */
function linesThatMatch(pattern: RegExp, where: (path: string) => boolean = () => true): string[] {
  return texts
    .filter(([path]) => where(path))
    .flatMap(([path, text]) =>
      text
        .split('\n')
        .flatMap((line, i) =>
          pattern.test(line) ? [`${path}:${String(i + 1)}: ${line.trim().slice(0, 120)}`] : [],
        ),
    )
}

const inSrc = (path: string) => path.startsWith('src/')
/** This file spells what it forbids. */
const elsewhere = (path: string) => path !== 'test/meta/house.test.ts'

test('there is a house to judge', () => {
  expect(files).toContain('package.json')
  expect(files.length).toBeGreaterThan(40)
})

test('the top level holds what the layout allows', () => {
  const allowed =
    /^(package\.json|package-lock\.json|tsconfig.*\.json|src|spec|test|samples|docs|README\.md|LICENSE.*|CHANGELOG\.md|CONTRIBUTING\.md|SECURITY\.md|eslint\.config\..*|vitest\.config\..*|\..*)$/
  expect(
    [...new Set(files.map(path => path.split('/')[0] ?? ''))].filter(name => !allowed.test(name)),
  ).toEqual([])
})

test('no path of a working machine stands anywhere', () => {
  expect(
    linesThatMatch(/(^|[^A-Za-z0-9_.-])\/(work|farm|root|home\/[a-z]+|tmp\/[a-z_]+)\//, elsewhere),
  ).toEqual([])
})

test('no registry, mirror or download address stands anywhere', () => {
  expect(linesThatMatch(/https?:\/\/(deb|registry|security|snapshot|archive|mirror)\./, elsewhere)).toEqual(
    [],
  )
  expect(linesThatMatch(/"resolved":/, path => path === 'package-lock.json')).toEqual([])
})

test('nothing in src is unfinished', () => {
  expect(linesThatMatch(/\b(TODO|FIXME|XXX|HACK)\b|not implemented|for now\b/i, inSrc)).toEqual([])
})

test('no test is skipped, focused or to do', () => {
  expect(
    linesThatMatch(
      /\.(skip|only|todo|skipIf|runIf|fails)\(/,
      path => path.startsWith('test/') && elsewhere(path),
    ),
  ).toEqual([])
})

test('no word about who or what wrote it', () => {
  expect(
    linesThatMatch(
      /\b(claude|anthropic|openai|chatgpt|copilot|language model|sub-?agents?|worktrees?)\b/i,
      path => elsewhere(path) && path !== 'package-lock.json',
    ),
  ).toEqual([])
})

test('no expectation is switched off: ts-ignore, ts-nocheck and blanket lint comments do not occur', () => {
  expect(
    linesThatMatch(
      /@ts-ignore|@ts-nocheck|eslint-disable(?!-next-line [@a-z])/,
      path => path.endsWith('.ts') && elsewhere(path),
    ),
  ).toEqual([])
})

test('text files end in one newline and hold no carriage return, tab indentation or trailing blank', () => {
  const wrong = texts.flatMap(([path, text]) => {
    if (!/\.(ts|js|mjs|md|json|jsonl|yaml|yml)$/.test(path) || text === '') return []
    return [
      /[^\n]\n$/.test(text) ? [] : [`${path}: end`],
      text.includes('\r') ? [`${path}: carriage return`] : [],
      /^\t/m.test(text) && !path.endsWith('.md') ? [`${path}: tab`] : [],
      / $/m.test(text) && !path.endsWith('.md') ? [`${path}: trailing blank`] : [],
    ].flat()
  })
  expect(wrong).toEqual([])
})
