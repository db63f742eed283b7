import { describe, expect, test } from 'vitest'
import { diffEras } from '../../../src/cli/eras-diff.ts'
import { effectOf } from '../../../src/cli/eras.ts'
import { differences, differenceText, inWords, type Product } from '../../../src/cli/product.ts'
import { erasNamed, PRODUCTS } from '../../../src/cli/products.ts'
import { filesBelow, textOf } from '../../support/files.ts'

const law = new Set(
  filesBelow('spec').flatMap(path =>
    [...textOf(path).matchAll(/^### ([A-Z]{2}-\d+):/gm)].map(found => found[1]),
  ),
)
const product = (title: string): Product => PRODUCTS.find(one => one.title === title) ?? expect.fail(title)

test('the products that have a history', () => {
  expect(PRODUCTS.map(({ title }) => title)).toEqual([
    'systemd-stub',
    'lanzaboote',
    'lanzaboote/fat',
    'linux',
  ])
})

/** Records that no clause is about: words that others use, and notes. */
const WITHOUT_CLAUSE = ['messages', 'loadOptions', 'ia32', 'trust', 'shapes']

test('every record of a behaviour follows a clause of the law', () => {
  for (const { eras, clauses } of PRODUCTS)
    for (const { id, behaviour } of eras)
      for (const record of Object.keys(behaviour)) {
        const cited = clauses(behaviour, record)
        if (!WITHOUT_CLAUSE.includes(record)) expect(cited, `${id} ${record}`).not.toEqual([])
        for (const clause of cited) expect(law, `${id} ${record}`).toContain(clause)
      }
})

/**
 * Upstream's changes of which the commit was not found, and two of what is known rather than of what was
 * changed.
 */
const WITHOUT_COMMIT = [
  'efi/libstub/x86: Permit bootparams struct to be allocated above 4 GB',
  'efi/x86: Use correct size for boot_params',
  'efi/libstub: Use pool allocation for the command line',
  'from here on the source of the trampoline search in head_64.S was read',
  'MajorImageVersion is 3 in every file seen from 6.12 on',
]

test('every change makes something different, and has a commit', () => {
  for (const { history } of PRODUCTS)
    for (const change of history.changes) {
      expect([change.title, effectOf(history, change).length > 0]).toEqual([change.title, true])
      expect([change.title, change.commits.length > 0]).toEqual([
        change.title,
        !WITHOUT_COMMIT.includes(change.title),
      ])
    }
})

test('a change is told against the main line that had it not', () => {
  const { history } = product('systemd-stub')
  const change = (title: RegExp) => history.changes.find(one => title.test(one.title)) ?? expect.fail()
  expect(effectOf(history, change(/^any number of sections/)).map(differenceText)).toEqual([
    'sectionTable.maxSections: none, was 96',
  ])
  expect(effectOf(history, change(/^replaces the firmware's device tree/)).map(differenceText)).toEqual([
    'locate.names: now also .dtb',
    'deviceTree.sections: now also .dtb',
    'deviceTree.replacesOnly: yes, was no',
  ])
})

describe('names', () => {
  test.each([
    ['257.13', ['systemd-stub/S6/257.11']],
    ['systemd-stub/S2', ['systemd-stub/S2']],
    ['254.26-1~bpo12+1', ['systemd-stub/S6/254.24']],
    ['0.4.1', ['lanzaboote/0.4', 'lanzaboote/0.4/fat']],
    ['5.10.223', ['linux/E2']],
    ['99', []],
    ['newest', []],
  ])('%s', (name, ids) => {
    expect(erasNamed(name).map(({ era }) => era.id)).toEqual(ids)
  })
})

test('data in words', () => {
  expect([null, undefined, true, false, 96, 0xffffffff, 'a b', '', ' '].map(inWords)).toEqual([
    'none',
    'none',
    'yes',
    'no',
    '96',
    '0xffffffff',
    'a b',
    '""',
    '" "',
  ])
  expect(inWords([])).toBe('none')
  expect(inWords({ way: 'own loader', header: { insideFile: true }, list: ['x', 'y'] })).toBe(
    'way own loader; header insideFile yes; list x, y',
  )
})

test('what differs, field by field', () => {
  const from = { list: ['a', 'b'], order: ['x', 'y'], gone: 1, same: { a: 1 }, deep: { field: 'old' } }
  const to = { list: ['b', 'c'], order: ['y', 'x'], came: 2, same: { a: 1 }, deep: { field: 'new' } }
  expect(differences(from, to).map(differenceText)).toEqual([
    'list: now also c; no longer a',
    'order: in another order, y, x',
    'came: 2',
    'deep.field: new, was old',
    'gone: none, was 1',
  ])
  expect(differences(from, from)).toEqual([])
})

test.each([
  ['257', '258', 'sectionTable', ['sectionTable.maxSections: none, was 96'], '8c5b359579'],
  ['257', '258', 'initrd', ['initrd.pages: below 4 GiB first, was below 4 GiB'], 'c5a5046792'],
  ['258', '262.1', 'sectionTable', ['sectionTable.insideImage: yes, was no'], '918e8f9dd9'],
  ['245', '250', 'locate', ['locate.names: now also .dtb'], '33bc9b756e'],
  ['234', '236', 'bootParams', ['bootParams.secureBoot: yes, was no'], 'b4f9f2a62f'],
  ['241', '242', 'bootParams', ['bootParams.secureBoot: no, was yes'], 'b4f9f2a62f'],
  ['0.1.0', '0.4.1', 'payload', ['payload.way: at once, was in pieces'], '17cadf6598'],
])('%s to %s: %s says %j', (from, to, record, words, commit) => {
  const diff = diffEras(from, to).records.find(one => one.record === record)
  const said = diff?.fields.map(({ field, ...one }) =>
    differenceText({ field: `${record}.${field}`, ...one }),
  )
  expect(said?.filter(sentence => words.includes(sentence))).toEqual(words)
  expect(diff?.commits).toContain(commit)
})
