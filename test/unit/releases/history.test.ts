import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ModelBug, UsageError } from '../../../src/bytes/errors.ts'
import { canonical, changesOf, patched, type Patch } from '../../../src/releases/change.ts'
import {
  behaviour,
  boundaries,
  erasOf,
  faultsOf,
  inForce,
  type History,
} from '../../../src/releases/history.ts'

interface Door {
  readonly table: { readonly cap: number | null; readonly names: readonly string[] }
  readonly load: { readonly way: 'firmware' } | { readonly way: 'own'; readonly aligned: boolean }
  readonly zeroes: boolean
}

const change = changesOf<Door>()
const base: Door = { table: { cap: 96, names: ['.linux'] }, load: { way: 'firmware' }, zeroes: false }
const history: History<Door> = {
  product: 'stub',
  branches: ['250', '251', '252', '253'],
  end: '254',
  base,
  changes: [
    change(
      'aaaaaaaaaa',
      'Also looks for .initrd',
      { in: ['251'] },
      { table: { names: ['.linux', '.initrd'] } },
    ),
    change(
      'bbbbbbbbbb',
      'zeroes the tail',
      { in: ['251.3', '252'], until: ['252.5', '253'] },
      { zeroes: true },
    ),
    change('cccccccccc', 'a loader of its own', { in: ['252'] }, { load: { way: 'own', aligned: false } }),
    change(
      'dddddddddd',
      'any number of sections',
      { in: ['251.7', '252.2', '253'] },
      { table: { cap: null } },
    ),
    change(['eeeeeeeeee', 'ffffffffff'], 'aligns', { in: ['252.9', '253.1'] }, { load: { aligned: true } }),
  ],
  labels: {
    'stub/A': { release: '250', title: 'the first' },
    'stub/B': { release: '252', title: 'with an own loader' },
    'stub/B/253': { release: '253', title: 'as B, without a tail' },
  },
  seen: { '250.4': 'read', '252.1': 'booted', '253.4': 'booted' },
}

const bare: History<Door> = { ...history, changes: [], labels: {}, seen: {} }

describe('patches', () => {
  test('records are merged field by field, lists and scalars are replaced', () => {
    expect(patched(base, { table: { cap: 3 } })).toEqual({ ...base, table: { cap: 3, names: ['.linux'] } })
    expect(patched(base, { table: { names: [] } }).table).toEqual({ cap: 96, names: [] })
    expect(patched(base, {})).toEqual(base)
  })

  test('another way takes the place of the old one whole, and is then merged into', () => {
    const own = patched(base, { load: { way: 'own', aligned: true } })
    expect(own.load).toEqual({ way: 'own', aligned: true })
    expect(patched(own, { load: { aligned: false } }).load).toEqual({ way: 'own', aligned: false })
    expect(patched(own, { load: { way: 'firmware' } }).load).toEqual({ way: 'firmware' })
    // @ts-expect-error: another way needs all of its fields
    const half: Patch<Door> = { load: { way: 'own' } }
    expect(half).toBeDefined()
  })

  test('equal data is said alike, whatever the order of its fields', () => {
    expect(canonical({ a: 1, b: [{ c: null, d: 'x' }] })).toBe(canonical({ b: [{ d: 'x', c: null }], a: 1 }))
    expect(canonical({ a: [1, 2] })).not.toBe(canonical({ a: [2, 1] }))
    expect(canonical({ a: 1 })).not.toBe(canonical({ a: '1' }))
  })
})

const titles = (release: string): string[] => inForce(history, release).map(({ title }) => title)

describe('which releases have a change', () => {
  test.each([
    ['250', []],
    ['250.99', []],
    ['251', ['Also looks for .initrd']],
    ['251.2', ['Also looks for .initrd']],
    ['251.3', ['Also looks for .initrd', 'zeroes the tail']],
    ['251.7-3+deb', ['Also looks for .initrd', 'zeroes the tail', 'any number of sections']],
    ['252.1', ['Also looks for .initrd', 'zeroes the tail', 'a loader of its own']],
    ['252.5', ['Also looks for .initrd', 'a loader of its own', 'any number of sections']],
    ['253', ['Also looks for .initrd', 'a loader of its own', 'any number of sections']],
    ['253.1', ['Also looks for .initrd', 'a loader of its own', 'any number of sections', 'aligns']],
  ])('%s', (release, expected) => {
    expect(titles(release)).toEqual(expected)
  })

  test('a candidate belongs to the branch in whose order it stands', () => {
    expect(titles('252-rc2')).toEqual(titles('251.9'))
    expect(behaviour(history, '253~rc1')).toEqual(behaviour(history, '252.9'))
  })

  test('outside the table there is nothing, and what is no version is refused', () => {
    expect(['249.9', '254', '300'].map(release => behaviour(history, release))).toEqual([null, null, null])
    expect(behaviour(history, '254-rc1')).toEqual(behaviour(history, '253.9'))
    expect(inForce(history, '249.9')).toEqual([])
    expect(inForce(history, '254')).toEqual([])
    expect(() => behaviour(history, 'newest')).toThrow(UsageError)
  })

  test('a behaviour is the fold of the changes in force', () => {
    expect(behaviour(history, '250')).toEqual(base)
    expect(behaviour(history, '252.10')).toEqual({
      table: { cap: null, names: ['.linux', '.initrd'] },
      load: { way: 'own', aligned: true },
      zeroes: false,
    })
  })
})

describe('eras', () => {
  const eras = erasOf(history)

  test('are the sets of releases that behave alike, under labels or the name of their first release', () => {
    expect(eras.map(({ id, spans }) => [id, spans.map(({ from, to }) => `${from} to ${to}`).join()])).toEqual(
      [
        ['stub/A', '250 to 251'],
        ['stub/A/251', '251 to 251.3'],
        ['stub/A/251.3', '251.3 to 251.7'],
        ['stub/A/251.7', '251.7 to 252'],
        ['stub/B', '252 to 252.2'],
        ['stub/B/252.2', '252.2 to 252.5'],
        ['stub/B/253', '252.5 to 252.9,253 to 253.1'],
        ['stub/B/252.9', '252.9 to 253,253.1 to 254'],
      ],
    )
  })

  test('say what began them: against the release before, or the main line where a branch begins', () => {
    const began = new Map(eras.map(era => [era.id, era.began.map(({ title }) => title)]))
    expect(began.get('stub/A')).toEqual([])
    expect(began.get('stub/B')).toEqual(['zeroes the tail', 'a loader of its own'])
    expect(began.get('stub/B/253')).toEqual(['zeroes the tail', 'any number of sections'])
    expect(eras.find(({ id }) => id === 'stub/B/252.9')?.commits).toEqual(['eeeeeeeeee', 'ffffffffff'])
  })

  test('take their title from their label, else from what began them', () => {
    expect(eras.map(({ title }) => title).slice(0, 3)).toEqual([
      'the first',
      'also looks for .initrd',
      'zeroes the tail',
    ])
  })

  test('a release that was seen belongs to the era that holds it', () => {
    expect(eras.flatMap(({ id, seen }) => seen.map(release => `${release} ${id}`))).toEqual([
      '250.4 stub/A',
      '252.1 stub/B',
      '253.4 stub/B/252.9',
    ])
  })

  test('two labels for one era, or for none, are a bug', () => {
    const both = { ...history.labels, 'stub/again': { release: '250.5', title: '' } }
    expect(() => erasOf({ ...history, labels: both })).toThrow(ModelBug)
    expect(() => erasOf({ ...history, labels: { 'stub/late': { release: '260', title: '' } } })).toThrow(
      ModelBug,
    )
  })

  test('without labels they are named after the product', () => {
    expect(erasOf(bare)).toMatchObject([{ id: 'stub/250', spans: [{ from: '250', to: '254' }], title: '' }])
  })

  test('every release belongs to one era, and behaves as it does', () => {
    const digits = fc.integer({ min: 0, max: 12 })
    fc.assert(
      fc.property(fc.integer({ min: 250, max: 253 }), digits, (branch, point) => {
        const release = `${String(branch)}.${String(point)}`
        const own = eras.filter(({ spans }) => spanned(spans, branch + point / 100))
        expect(own).toHaveLength(1)
        expect(own[0]?.behaviour).toEqual(behaviour(history, release))
      }),
    )
  })
})

/** With two digits for what follows the point. */
const number = (release: string): number => {
  const [branch, point = '0'] = release.split('.')
  return Number(branch) + Number(point) / 100
}
const spanned = (spans: readonly { from: string; to: string }[], at: number): boolean =>
  spans.some(({ from, to }) => number(from) <= at && at < number(to))

describe('a table', () => {
  test('has its boundaries at the beginnings of branches and at the releases that changes name', () => {
    expect(boundaries(history)).toEqual('250 251 251.3 251.7 252 252.2 252.5 252.9 253 253.1'.split(' '))
    expect(faultsOf(history)).toEqual([])
  })

  test.each([
    [{ in: ['251', '250'] }, 'x: its releases do not ascend'],
    [{ in: ['251', '251.4'] }, 'x: two releases of the branch of 251.4'],
    [{ in: ['252'], until: ['251.2'] }, 'x: is gone in 251.2 before it came'],
    [{ in: ['252'], until: ['252'] }, 'x: is gone in 252 before it came'],
  ] as const)('%j is a fault', (when, fault) => {
    const [first, ...rest] = when.in
    const one = change('a', 'x', { ...when, in: [first, ...rest] } as never, {})
    expect(faultsOf({ ...bare, changes: [one] })).toEqual([fault])
  })

  test('is ordered as the main line is, and saw only releases that it holds', () => {
    const [late, early] = [
      change('a', 'late', { in: ['253'] }, {}),
      change('b', 'early', { in: ['252'] }, {}),
    ]
    expect(faultsOf({ ...bare, changes: [late, early], seen: { '259': 'read' } })).toEqual([
      'early: the main line had it before the change above',
      '259 was seen, and is outside the table',
    ])
  })

  test('names no release outside itself', () => {
    expect(() => boundaries({ ...bare, changes: [change('a', 'x', { in: ['254'] }, {})] })).toThrow(ModelBug)
    expect(() => boundaries({ ...bare, changes: [change('a', 'x', { in: ['249'] }, {})] })).toThrow(ModelBug)
  })
})
