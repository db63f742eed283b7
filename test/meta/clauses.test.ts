import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { CHAPTERS, chapterFiles, CLAUSE_ID, isNormative, readClauses } from '../support/clauses.ts'
import { filesBelow, sources, stringsOf, textOf, TOP } from '../support/repository.ts'

const { clauses, wrong } = readClauses()
const byId = new Map(clauses.map(clause => [clause.id, clause]))
const normative = clauses.filter(isNormative)

/** Clauses that a program text names in a string: what runs, not what a comment says. */
const citedIn = (files: readonly string[]): Map<string, string[]> => {
  const cited = new Map<string, string[]>()
  for (const file of files)
    for (const text of stringsOf(file))
      for (const [id] of text.matchAll(CLAUSE_ID)) cited.set(id, [...(cited.get(id) ?? []), file])
  return cited
}
const citedInSrc = citedIn(sources())
const testFiles = filesBelow('test').filter(
  path => path.endsWith('.ts') && !path.startsWith('test/meta/') && path !== 'test/support/clauses.ts',
)

/** Clause ids at the head of a law test's title: `PE-7 zero-fills ...`, `HO-4, HO-5: ...`. */
function lawTests(): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const file of testFiles.filter(path => path.startsWith('test/spec/'))) {
    for (const text of stringsOf(file)) {
      const head = /^(?:(?:FW|PE|ST|LZ|HO|EP|ZO|HZ)-\d+(?:, | and |: | |$))+/.exec(text)?.[0] ?? ''
      for (const [id] of head.matchAll(CLAUSE_ID)) found.set(id, [...(found.get(id) ?? []), file])
    }
  }
  return found
}

test('every chapter is there and every clause has the one form', () => {
  expect(
    chapterFiles()
      .map(file => file.slice(5, 7))
      .sort(),
  ).toEqual([...CHAPTERS].sort())
  expect(wrong).toEqual([])
  expect(clauses.length).toBeGreaterThan(50)
})

test('serials are unique: a number is allocated once', () => {
  for (const chapter of CHAPTERS) {
    const serials = clauses.filter(clause => clause.chapter === chapter).map(clause => clause.serial)
    expect([chapter, serials.length]).toEqual([chapter, new Set(serials).size])
  }
})

/** Rows of spec/retired.md: a number, a sentence that it had, and where that sentence is now. */
const retired = [
  ...textOf('spec/retired.md').matchAll(/^\| ([A-Z]{2}-\d+) \| (.+) \| ([A-Z]{2}-\d+) \|$/gm),
].map(([, id = '', title = '', now = '']) => ({ id, title, now }))

/** Titles that each number ever had, the oldest first, as far as the clone knows its past. */
function titlesOfAllTimes(): Map<string, string[]> {
  const { stdout } = spawnSync('git', ['log', '--reverse', '--format=', '-p', '-U0', '--', 'spec'], {
    cwd: TOP,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  const titles = new Map<string, string[]>()
  for (const [, id = '', title = ''] of stdout.matchAll(/^\+### ([A-Z]{2}-\d+): (.*)$/gm))
    titles.set(id, [...(titles.get(id) ?? []), title])
  return titles
}

const SMALL_WORDS = new Set('the a an of is in to and are that it its by for on with or not'.split(' '))
const wordsOf = (title: string): Set<string> =>
  new Set((title.toLowerCase().match(/[a-z0-9_.]+/g) ?? []).filter(word => !SMALL_WORDS.has(word)))

/** Another sentence, not the same one in other words: fewer than half of the words are in both. */
function isAnother(before: string, after: string): boolean {
  const [a, b] = [wordsOf(before), wordsOf(after)]
  return 2 * [...a].filter(word => b.has(word)).length < Math.min(a.size, b.size)
}

test('a number is never used again for another sentence: one that went is in retired.md', () => {
  const listed = (id: string, title: string): boolean =>
    retired.some(row => row.id === id && row.title === title)
  const again = [...titlesOfAllTimes()].flatMap(([id, titles]) =>
    titles
      .slice(0, -1)
      .filter((title, i) => isAnother(title, titles[i + 1] ?? '') && !listed(id, title))
      // Branches that took one number for two sentences: the one that kept it has not gone
      .filter(title => byId.get(id)?.title !== title)
      .filter(title => title !== byId.get(id)?.title)
      .map(title => `${id}: ${title}`),
  )
  expect(again).toEqual([])
})

test('a number that was once allocated stays', () => {
  expect([...titlesOfAllTimes().keys()].filter(id => !byId.has(id))).toEqual([])
})

test('retired.md says where each sentence is now, and no number in it has its old sentence', () => {
  expect(retired.length).toBe((textOf('spec/retired.md').match(/^\| [A-Z]{2}-/gm) ?? []).length)
  expect(retired.filter(({ now }) => !byId.has(now) || byId.get(now)?.withdrawn === true)).toEqual([])
  expect(retired.filter(({ id, title }) => byId.get(id)?.title === title)).toEqual([])
})

test('every source has a row in sources.md, once', () => {
  const rows = [...textOf('spec/sources.md').matchAll(/^\| ([^|\s]+) \|/gm)]
    .map(([, name = '']) => name)
    .filter(name => name !== 'short' && !name.startsWith('-'))
  const used = new Set(
    clauses.flatMap(clause => clause.sources.map(source => source.split(/[\s,]/)[0] ?? '')),
  )
  expect(new Set(rows).size).toBe(rows.length)
  expect([...used].filter(name => !rows.includes(name))).toEqual([])
})

test('a measured clause names a recorded boot', () => {
  const recordings = textOf('test/oracle/observations.jsonl')
    .trimEnd()
    .split('\n')
    .map(line => (JSON.parse(line) as { id: string }).id)
  const named = (text: string): boolean => recordings.some(id => text.split(/[\s,;()`]+/).includes(id))
  expect(
    clauses
      .filter(
        clause =>
          clause.evidence === 'measured' &&
          !named([clause.evidenceDetail, ...clause.sources, clause.body].join(' ')),
      )
      .map(clause => clause.id),
  ).toEqual([])
})

test('a source that was read names a file at a version', () => {
  expect(
    clauses
      .filter(
        clause => clause.evidence === 'read' && !clause.sources.some(source => /^\S+@\S+ \S+/.test(source)),
      )
      .map(clause => clause.id),
  ).toEqual([])
})

test('every clause id in src, test, docs, samples and spec exists and is not withdrawn', () => {
  const places = [
    ...filesBelow('src'),
    ...testFiles,
    ...filesBelow('docs'),
    ...filesBelow('samples'),
    ...filesBelow('spec'),
    'README.md',
    'CHANGELOG.md',
  ].filter(path => /\.(ts|md|mjs|txt|json)$/.test(path))
  const dead = places.flatMap(path =>
    [...textOf(path).matchAll(CLAUSE_ID)].flatMap(([id]) => {
      const clause = byId.get(id)
      if (clause === undefined && id.endsWith('-9999')) return [] // what a test asks for in vain
      return clause === undefined || (clause.withdrawn && !path.startsWith('spec/')) ? [`${path}: ${id}`] : []
    }),
  )
  expect([...new Set(dead)]).toEqual([])
})

test('every normative clause about findings is cited by src, by a rule or a report', () => {
  expect(
    normative
      .filter(({ id, chapter }) => chapter === 'HZ' && !citedInSrc.has(id))
      .map(({ id, title }) => `${id}: ${title}`),
  ).toEqual([])
})

test('every normative clause has a law test whose title begins with it', () => {
  const tested = lawTests()
  expect(normative.filter(({ id }) => !tested.has(id)).map(({ id, title }) => `${id}: ${title}`)).toEqual([])
})

test('every clause with a law test has one in the folder of its chapter', () => {
  const astray = [...lawTests()].flatMap(([id, places]) =>
    places.some(place => place.startsWith(`test/spec/${id.slice(0, 2)}/`))
      ? []
      : [`${id}: ${places.join(' ')}`],
  )
  expect(astray).toEqual([])
})

test('every contract is evaluated, and every evaluated contract is one', () => {
  const evaluated = new Set(stringsOf('src/machine/x86/contracts.ts').filter(text => /^HO-\d+$/.test(text)))
  const contracts = clauses
    .filter(clause => clause.contract !== null && !clause.withdrawn)
    .map(clause => clause.id)
  expect([...evaluated].sort()).toEqual(contracts.sort())
})
