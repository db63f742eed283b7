/** Every printer of maps in every clothing: the map of the plain text, and what was taken off is named. */
import { describe, expect, test } from 'vitest'
import { range } from '../../../src/bytes/range.ts'
import { readMemmap, type MemmapParse } from '../../../src/image/memmap.ts'
import { CLOTHING, type Clothing } from '../../support/clothing.ts'
import { share } from '../../support/depth.ts'
import { PRINTERS, type Printer } from '../../support/memmap-printers.ts'

const ROWS = [
  [4, 0, 0x1000],
  [7, 0x1000, 0xa0000],
  [7, 0x100000, 0x7c000000],
  [10, 0x7c000000, 0x7d000000],
  [0, 0x7d000000, 0x80000000],
  [7, 0x100000000, 0x280000000],
] as const
const MACHINE = ROWS.map(([type, start, end]) => ({ type, range: range(start, end), attribute: 0xfn }))

/** `compact` is our own: nobody finds it in a log. */
const printers = PRINTERS.filter(({ dialect }) => dialect !== 'compact')

const rowsOf = ({ print }: Printer): string[] =>
  MACHINE.flatMap((row, i) => print(row, i)?.line.split('\n') ?? [])
function printed(printer: Printer): string[] {
  const { head = [], tail = [], sorted } = printer
  return [...head, ...(sorted === true ? rowsOf(printer).sort() : rowsOf(printer)), ...tail]
}
const plain = new Map(
  printers.map(printer => {
    const lines = printed(printer)
    return [printer.name, { lines, rows: rowsOf(printer), parse: readMemmap(lines.join('\n')) }] as const
  }),
)

/** A row that is printed on seven lines cannot be told from what stands between them. */
const OUT_OF_REACH: ReadonlySet<string> = new Set(
  [
    'dmesg -H',
    'dmesg -e',
    'journalctl, verbose',
    'journalctl, export',
    'journalctl, json of bytes',
    'journalctl, json-pretty',
    'journalctl, json-pretty of bytes',
    'journalctl, json-sse',
    'Jira, monospaced',
    'TSV',
    'strace',
    'Robot Framework',
    'a box of ASCII',
    'more',
    'Press any key',
    'more, over it',
    'a list of JSON in one line',
  ].map(name => `${name}: Rust uefi, {:#?}`),
)

/** Whatever follows a row is part of it. */
const ENDS_WITH_A_NAME: ReadonlySet<string> = new Set(['iomem', 'sysfs-memmap'])

/** Does a row of the program no longer stand in the text as it was printed? */
function isChanged(rows: readonly string[], text: string | Uint8Array): boolean {
  if (typeof text !== 'string') return true
  const there = new Set(text.split('\n').map(line => line.trim()))
  return rows.some(row => !there.has(row.trim()))
}

/** `turn`: where in the list this clothing stands. */
function complaints({ name, wear, silent }: Clothing, turn: number): string[] {
  return share(printers, 6, turn).flatMap(printer => {
    const { lines, rows, parse } = plain.get(printer.name) ?? expect.fail()
    if (OUT_OF_REACH.has(`${name}: ${printer.name}`)) return []
    const text = wear(lines)
    const worn: MemmapParse = readMemmap(text)
    try {
      expect(worn.map).toEqual(parse.map)
      expect(worn.lost.length).toBeLessThanOrEqual(parse.lost.length)
      if (silent !== true && !ENDS_WITH_A_NAME.has(parse.dialect ?? '') && isChanged(rows, text))
        expect(worn.takenOff).not.toEqual([])
      return []
    } catch (problem) {
      return [`${printer.name}: ${String(problem).slice(0, 200)}`]
    }
  })
}

describe('every printer, as plain text, prints a map', () => {
  test.each(printers.map(printer => [printer.name, printer] as const))('%s', name => {
    expect(plain.get(name)?.parse.map.length).toBeGreaterThanOrEqual(2)
  })
})

describe('the map of every printer is the same', () => {
  test.each(CLOTHING.map((clothing, i) => [clothing.name, clothing, i] as const))('%s', (_, clothing, i) => {
    expect(complaints(clothing, i)).toEqual([])
  })
})
