/** A damaged map: what is wrong in a row of an EFI map is noticed wherever anything tells of it. */
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
