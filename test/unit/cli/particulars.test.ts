import { expect, test } from 'vitest'
import { diffEras } from '../../../src/cli/eras-diff.ts'
import { cellOf, eraTables } from '../../../src/cli/era-rows.ts'
import { inWords, spoken } from '../../../src/cli/particulars.ts'
import { particularsOf, told, toldAlike } from '../../../src/machine/told.ts'
import { kernelEras } from '../../../src/kernel/kernels.ts'
import { stubEras } from '../../../src/stub/eras.ts'
import { lanzabooteEras } from '../../../src/stub/lanzaboote/eras.ts'

const none: ReadonlyMap<string, string> = new Map()

test.each([
  ['atMost96Sections', 'at most 96 sections'],
  ['pagesBelow4GFirst', 'pages below 4 GiB first'],
  ['anyPages', 'any pages'],
  ['run', 'run'],
])('%s is spoken as %s', (name, words) => {
  expect(spoken(name)).toBe(words)
})

test('texts, numbers, lists, steps and rules in words', () => {
  const titles = new Map([['ST-63', 'The own loader counts from ImageBase']])
  const step = (name: string) => told(() => undefined, { name, file: 'os-release' })
  expect(
    inWords(
      {
        message: 'No way',
        slack: 8,
        profiles: false,
        list: ['a', 'b'],
        pieces: [step('.osrel')],
        sections: { clause: 'ST-63', checks: [{ message: 'Bad' }] },
      },
      {
        message: 'No way in',
        slack: 32,
        profiles: true,
        list: ['b', 'a'],
        pieces: [step('.profile')],
        sections: { clause: 'x', checks: [] },
      },
      titles,
    ),
  ).toEqual([
    'what it prints: "No way in", was "No way"',
    'room for further descriptors: 32, was 8',
    'LoadOptions may name a profile: yes, was no',
    'the list of pieces: in another order, b, a',
    'pieces: now also .profile as os-release',
    'pieces: no longer .osrel as os-release',
    'sections, rule: x, was ST-63 The own loader counts from ImageBase',
    'sections, conditions: no longer Bad',
  ])
  expect(inWords({ a: 1, b: undefined, c: () => undefined }, { a: 1, b: 2, c: () => null }, none)).toEqual([])
  expect(inWords({ x: () => undefined }, { x: { y: [true, 3n] } }, none)).toEqual(['x: yes, 3, was x'])
})

test.each([
  ['257', '258', 'sectionTable', ['conditions: no longer at most 96 sections'], '8c5b359579'],
  ['257', '258', 'initrd', ['pages: pages below 4 GiB first, was pages below 4 GiB'], 'c5a5046792'],
  ['258', '262.1', 'sectionTable', ['conditions: now also six directories, table in image'], '918e8f9dd9'],
  ['245', '250', 'locate', ['names it looks for: now also .dtb'], 'a6089431d5'],
  ['234', '236', 'bootParams', ['Secure Boot: told, was not told'], 'b4f9f2a62f'],
  ['5.6', '5.8', 'commandLine', ['into: pool, was efi_high_alloc'], '3ee372ccce4d'],
  [
    '6.9',
    '6.10',
    'place',
    ['options that make it take the first slot: now also mem=, memmap=, hugepages=, efi_fake_mem='],
    '15aa8fb852f9',
  ],
  ['0.1.0', '0.4.1', 'payload', ['reads: at once, was piece by piece'], '5de0b3e54a'],
])('%s to %s: %s says %j', (from, to, slot, words, commit) => {
  const change = diffEras(from, to).changed.find(one => one.slot === slot)
  expect(change?.told.filter(sentence => words.includes(sentence))).toEqual(words)
  expect(change?.by.flatMap(({ commits }) => commits)).toContain(commit)
})

test('a way along one branch does not leave it', () => {
  const { changed, rows } = diffEras('6.1.80', '6.1.93')
  expect(rows.map(({ id }) => id)).toEqual(['linux/E3b', 'linux/E3d', 'linux/E3c', 'linux/E4a', 'linux/E4b'])
  expect(changed.find(({ slot }) => slot === 'entryCode')?.by).toEqual([
    {
      id: 'linux/E3b',
      commits: [
        'd7156b986d4c',
        '127920645876',
        'f97b67a773cd',
        'cb1c9e02b0c1',
        'a1b87d54f4e4',
        '2f77465b05b1',
      ],
    },
  ])
  expect(diffEras('253.5', '254.17').rows.map(({ id }) => id)).not.toContain('systemd-stub/S5/256')
})

type Named = Readonly<Record<string, unknown>> & { readonly id: string }

/** Cells that are one step with one text, and of which nothing is said that tells them apart. */
function silent(rows: readonly Named[]): string[] {
  const slots = Object.keys(rows[0] ?? {}).filter(slot => typeof rows[0]?.[slot] === 'function')
  return slots.flatMap(slot => {
    const cells = [...new Map(rows.map(row => [row[slot], row.id]))].map(([cell, id]) => ({
      cell,
      id,
      says: JSON.stringify(cellOf(slot, cell)),
    }))
    return cells.flatMap(({ cell, id, says }, i) =>
      cells.slice(i + 1).flatMap(other => {
        const words = inWords(particularsOf(cell) ?? {}, particularsOf(other.cell) ?? {}, none)
        return says === other.says && !toldAlike(cell, other.cell) && words.length === 0
          ? [`${id} ${other.id}: ${slot}`]
          : []
      }),
    )
  })
}

test('no two rows of a table differ without a word', () => {
  const tables = [
    Object.values(stubEras),
    lanzabooteEras,
    kernelEras.map(era => ({ id: era.id, ...era.slots })),
  ] as unknown as readonly (readonly Named[])[]
  for (const rows of tables) expect(silent(rows)).toEqual([])
})

test('every row of a stub prints the commits that began it', () => {
  expect(
    eraTables()
      .stub.filter(({ commits }) => commits.length === 0)
      .map(({ id }) => id),
  ).toEqual([])
})

test('steps that were told the same are alike', () => {
  const a = told(() => 1, { names: ['x'], rule: { clause: 'ST-1' } })
  expect(
    toldAlike(
      a,
      told(() => 1, { names: ['x'], rule: { clause: 'ST-1' } }),
    ),
  ).toBe(true)
  for (const other of [
    told(() => 1, { names: ['x'] }),
    told(() => 1, { names: ['y'], rule: { clause: 'ST-1' } }),
    told(() => 1, { names: { 0: 'x' }, rule: { clause: 'ST-1' } }),
    () => 1,
    null,
    'x',
  ])
    expect(toldAlike(a, other)).toBe(false)
  expect([particularsOf(() => 1), particularsOf('x'), toldAlike(null, {})]).toEqual([null, null, false])
  expect(diffEras('254.24', '256.12').changed.map(({ slot }) => slot)).not.toContain('sectionTable')
})
