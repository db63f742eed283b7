/** A damaged map: what is wrong in a row of an EFI map is noticed wherever anything tells of it. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { range } from '../../../src/bytes/range.ts'
import { readMemmap, type MemmapParse } from '../../../src/image/memmap.ts'
import { share } from '../../support/depth.ts'
import { PRINTERS, type Printer } from '../../support/memmap-printers.ts'

const ROWS = [
  [4, 0, 0x1000],
  [7, 0x1000, 0xa0000],
  [7, 0x100000, 0x7a000000],
  [6, 0x7a000000, 0x7b000000],
  [9, 0x7b000000, 0x7c000000],
  [10, 0x7c000000, 0x7d000000],
  [0, 0x7d000000, 0x80000000],
  [7, 0x100000000, 0x280000000],
] as const
const MACHINE = ROWS.map(([type, start, end]) => ({ type, range: range(start, end), attribute: 0xfn }))

/** What tells of other rows than those of this machine is left out. */
function print({ head = [], tail = [], print: row }: Printer, change: (rows: string[]) => string[]): string {
  const rows = MACHINE.flatMap((one, i) => row(one, i)?.line ?? [])
  const others = /mem0[67]|Total|Pages/
  const around = (lines: readonly string[]): string[] => lines.filter(line => !others.test(line))
  return [...around(head), ...change(rows), ...around(tail)].join('\n')
}
const places = ({ map }: MemmapParse): unknown => map.map(({ type, range: where }) => [type, where])

/** Read as it was, or noticed. */
function isNoticed(whole: MemmapParse, text: string): boolean {
  const parse = readMemmap(text)
  return (
    parse.map.length === 0 ||
    parse.lost.length > whole.lost.length ||
    JSON.stringify(places(parse)) === JSON.stringify(places(whole))
  )
}

const named = (names: readonly string[]): readonly (readonly [string, Printer])[] =>
  PRINTERS.filter(({ name }) => names.includes(name)).map(printer => [printer.name, printer] as const)

/** Every place of every row, or some of each, with another sign there. */
function unnoticed(printer: Printer, change: (row: string, at: number) => string | null): string[] {
  const whole = readMemmap(print(printer, rows => rows))
  const rows = MACHINE.flatMap((one, i) => printer.print(one, i)?.line ?? [])
  return rows.flatMap((row, k) =>
    share(
      Array.from(row, (_, at) => change(row, at)).filter(wrong => wrong !== null),
      4,
      k,
    ).flatMap(wrong =>
      isNoticed(
        whole,
        print(printer, all => all.map((one, i) => (i === k ? wrong : one))),
      )
        ? []
        : [wrong],
    ),
  )
}

const isNumber = (row: string, at: number): boolean =>
  /[0-9a-f]{3}/i.test(row.slice(Math.max(0, at - 2), at + 3))
const isLetter = (row: string, at: number): boolean => /[A-Za-z]/.test(row[at] ?? '') && !isNumber(row, at)
const EFI = [
  'linux 3.19 to 4.1',
  'linux 6.12 to 7.1',
  'UEFI shell',
  'UEFI shell -sfo',
  'GRUB lsefimmap',
] as const

describe('FW-60 a row with a wrong sign in it is noticed, and if it is the only one of its type', () => {
  test.each(named([...EFI, 'FreeBSD memmap']))('%s: another letter', (_, printer) => {
    const wrong = (row: string, at: number): string | null =>
      isLetter(row, at) ? `${row.slice(0, at)}${row[at] === 'q' ? 'x' : 'q'}${row.slice(at + 1)}` : null
    expect(unnoticed(printer, wrong)).toEqual([])
  })

  test.each(named([...EFI, 'FreeBSD memmap']))('%s: a letter too few', (_, printer) => {
    const wrong = (row: string, at: number): string | null =>
      isLetter(row, at) ? row.slice(0, at) + row.slice(at + 1) : null
    expect(unnoticed(printer, wrong)).toEqual([])
  })

  test.each(named(['UEFI shell', 'UEFI shell -sfo', 'GRUB lsefimmap']))('%s: another digit', (_, printer) => {
    const wrong = (row: string, at: number): string | null =>
      isNumber(row, at) && /[0-9A-Fa-f]/.test(row[at] ?? '')
        ? `${row.slice(0, at)}${row[at] === '3' ? '8' : '3'}${row.slice(at + 1)}`
        : null
    expect(unnoticed(printer, wrong)).toEqual([])
  })

  test.each(named(['UEFI shell', 'GRUB lsefimmap', 'FreeBSD memmap', 'Xen, EFI memory map']))(
    '%s: a digit too few',
    (_, printer) => {
      const wrong = (row: string, at: number): string | null =>
        isNumber(row, at) ? row.slice(0, at) + row.slice(at + 1) : null
      expect(unnoticed(printer, wrong)).toEqual([])
    },
  )

  test.each(named([...EFI, 'FreeBSD memmap', 'Xen, EFI memory map']))('%s: cut short', (_, printer) => {
    const whole = readMemmap(print(printer, rows => rows))
    const cut = (row: string): string => row.slice(0, Math.floor(row.length * 0.6))
    for (const [k] of ROWS.entries()) {
      for (const mark of ['...', ' \u2026'])
        expect(
          isNoticed(
            whole,
            print(printer, rows => rows.map((row, i) => (i === k ? cut(row) + mark : row))),
          ),
        ).toBe(true)
      expect(
        isNoticed(
          whole,
          print(printer, rows => [...rows.slice(0, k), cut(rows[k] ?? '')]),
        ),
      ).toBe(true)
    }
  })
})

describe('FW-60 what a kernel prints beside a range is compared with it', () => {
  const row = (at: string, size: string): string =>
    `efi: mem00: [Conventional|   |  |  |  |  |  |  |  |  |  |   |WB|WT|WC|UC] range=[${at}] (${size})`

  test.each([
    ['0x0000000000000000-0x000000007bffffff', '1984MB', []],
    [
      '0x0000000000000000-0x0000000071ffffff',
      '1984MB',
      ['it is printed with 1.9 GiB, start and end make 1.8 GiB'],
    ],
    ['0x0000000000000000-0x000000007bffffff', '0MB', []],
  ])('%s (%s)', (at, size, why) => {
    expect(readMemmap(row(at, size)).lost.map(lost => lost.why)).toEqual(why)
  })

  test('rows of one type that lie in one another', () => {
    const two = [row('0x0-0xfffff', '1MB'), row('0xff000-0x1fffff', '1MB').replace('mem00', 'mem01')]
    expect(readMemmap(two.join('\n')).lost).toMatchObject([{ why: 'two rows hold the same memory' }])
  })
})

describe('FW-60 a row that is not there at all leaves a gap where firmware has none', () => {
  const TABLES = [
    'UEFI shell',
    'UEFI shell -sfo',
    'GRUB lsefimmap',
    'U-Boot efidebug memmap',
    'Xen, EFI memory map',
    'FreeBSD memmap',
  ] as const

  test.each(named(TABLES))('%s: each row between two others', (_, printer) => {
    const whole = readMemmap(print(printer, rows => rows))
    expect(whole.lost).toEqual([])
    const silent = ROWS.flatMap(([, start, end], k) => {
      const parse = readMemmap(print(printer, rows => rows.filter((_, i) => i !== k)))
      return parse.lost.some(({ at }) => at !== null && at.start <= start && at.end >= end) ? [] : [k]
    })
    // page 0, the last memory below 4 GiB and above, and a whole bank of a board may be missing by nature
    expect(silent).toEqual(printer.name.startsWith('U-Boot') ? [0, 2, 3, 4, 5, 6, 7] : [0, 5, 6, 7])
  })

  test('a row of a few pages on a board', () => {
    const rows = [
      'CONVENTIONAL     0000000040000000-0000000047f01000 WB',
      'BOOT DATA        0000000047f01000-0000000047f05000 WB',
      'CONVENTIONAL     0000000047f05000-0000000060000000 WB',
      'CONVENTIONAL     0000000060500000-0000000080000000 WB',
    ]
    expect(readMemmap(rows.join('\n')).lost).toEqual([])
    expect(readMemmap(rows.filter((_, i) => i !== 1).join('\n')).lost).toMatchObject([
      { at: range(0x47f01000, 0x47f05000) },
    ])
  })

  test('above 4 GiB, sockets and buses leave room', () => {
    const row = (start: number, end: number): string =>
      `Available  ${start.toString(16).padStart(16, '0')}-${(end - 1).toString(16).padStart(16, '0')} ` +
      `${((end - start) / 4096).toString(16).padStart(16, '0')} 000000000000000F`
    const low = row(0, 0x80000000)
    const read = (...ends: number[]): unknown[] =>
      readMemmap([low, row(2 ** 32, ends[0] ?? 0), row(ends[1] ?? 0, 2 ** 35)].join('\n')).lost.map(
        ({ at }) => at,
      )
    expect(read(0x180000000, 0x400000000)).toEqual([])
    expect(read(0x180000000, 0x181230000)).toEqual([range(0x180000000, 0x181230000)])
  })

  const folder = 'test/fixtures/memmaps/recorded'
  test.each(readdirSync(folder))('recorded map %s: whole as it is, and each hole of 40 MiB is seen', name => {
    const lines = readFileSync(`${folder}/${name}`, 'utf8')
      .split('\n')
      .filter(line => !/Pages \(|Total/.test(line))
    const whole = readMemmap(lines.join('\n'))
    expect(whole.lost).toEqual([])
    for (const mangle of [
      () => [],
      (line: string) => [line.replace(/^(.{5}).{6}/, '$1??????')],
      (line: string) => [line.slice(0, 28)],
    ]) {
      const at = lines.findIndex(line => /^Available  0000000001500000/.test(line))
      if (at < 0) continue
      const text = lines.flatMap((line, i) => (i === at ? mangle(line) : [line])).join('\n')
      expect(readMemmap(text).lost.map(({ at: where }) => where?.start)).toContain(0x1500000)
    }
  })
})

describe('FW-60 rows that somebody left out', () => {
  const rows = MACHINE.map(
    ({ range: { start, end } }) =>
      `Available  ${start.toString(16).padStart(16, '0')}-${(end - 1).toString(16).padStart(16, '0')} ` +
      `${((end - start) / 4096).toString(16).padStart(16, '0')} 000000000000000F`,
  )
  const marks = [
    '[...]',
    '(snip)',
    '... 40 lines omitted ...',
    '[gek\u00fcrzt]',
    '\u2026',
    '--- 8< ---',
    '> [...]',
  ]
  test.each(marks)('%s in front, between and behind', mark => {
    for (const at of [0, 3, rows.length]) {
      const { lost } = readMemmap([...rows.slice(0, at), mark, ...rows.slice(at)].join('\n'))
      expect(lost.map(({ why }) => why)).toEqual(['somebody left rows out here'])
    }
  })

  test.each(['', ':', '---', 'Hello', 'Here is the map (sorry for the length):'])('no mark: %j', line => {
    expect(readMemmap([line, ...rows, line].join('\n')).lost).toEqual([])
  })

  test('a list that ends with free memory where no memory ends', () => {
    const odd = rows.slice(0, 3).map(row => row.replace('79ffffff', '79ab0fff').replace('79f00', '799b1'))
    expect(readMemmap(odd.join('\n')).lost).toMatchObject([{ row: 'the rows at the top' }])
  })
})
