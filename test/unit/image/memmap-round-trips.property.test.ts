/** map -> text -> map, for whatever prints maps, in whatever a log puts around the lines. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { range } from '../../../src/bytes/range.ts'
import { MEMMAP_DIALECTS, formatMemmap, readMemmap } from '../../../src/image/memmap.ts'
import type { MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { tries } from '../../support/depth.ts'
import { DUMPS, PRINTERS, WRAPPERS, zeroPage, type Printer } from '../../support/memmap-printers.ts'

const BITS = [
  1n,
  2n,
  4n,
  8n,
  0x10n,
  0x1000n,
  0x2000n,
  0x4000n,
  0x8000n,
  0x10000n,
  0x20000n,
  0x40000n,
  0x80000n,
  0x100000n,
  2n ** 62n,
  2n ** 63n,
]
const attribute = fc.oneof(
  fc.constant(0xfn),
  fc.subarray(BITS).map(bits => bits.reduce((sum, bit) => sum | bit, 0n)),
)
const type = fc.oneof(
  { weight: 3, arbitrary: fc.constant(7) },
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 15 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0x70000000, max: 0xffffffff }) },
)
/** Disjoint rows in ascending order, from a page to terabytes. */
const maps = fc
  .array(
    fc.record({
      type,
      attribute,
      gap: fc.oneof(fc.constant(0), fc.nat(300)),
      pages: fc.oneof(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 2 ** 31 })),
    }),
    { minLength: 1, maxLength: 140 },
  )
  .map(rows => {
    let at = 0
    return rows.map((row): MemoryDescriptor => {
      const start = at + row.gap * 4096
      at = start + row.pages * 4096
      return { type: row.type, range: range(start, at), attribute: row.attribute }
    })
  })

const NOISE = [
  'Linux version 6.12.107 (builder) #1 SMP',
  'Command line: root=/dev/vda1 efi=debug',
  'random: crng init done',
  'printk: console [ttyS0] enabled',
  'e820: last_pfn = 0x20000 max_arch_pfn = 0x400000000',
  'input_data: 0x00000000035c02c8',
  '',
  'efi: memattr: Unexpected EFI Memory Attributes table version 2',
]

/** The text, and the rows that a reader can know from it. */
function printed(
  { head, tail, print, log, sorted }: Printer,
  map: readonly MemoryDescriptor[],
  wrap: (line: string, i: number) => string,
  noise: readonly number[],
): { readonly text: string; readonly says: readonly MemoryDescriptor[] } {
  const kept = map.flatMap(row => (print(row, 0) === null ? [] : [row]))
  const rows = kept.map((row, i) => print(row, i)).filter(row => row !== null)
  const body = rows.map(({ line }) => line)
  const lines = [...(head ?? []), ...(sorted === true ? body.sort() : body), ...(tail ?? [])].flatMap(line =>
    line.split('\n'),
  )
  const among = log
    ? lines.flatMap((line, i) => (noise.includes(i % 17) ? [NOISE[i % NOISE.length] ?? '', line] : [line]))
    : lines
  return {
    text: `${among.map(wrap).join('\n')}\n`,
    says: rows.flatMap(({ says }) => (says === null ? [] : [says])),
  }
}

/** What is put around text that no logger wrote. */
const PLACES = ['bare', 'serial with escapes', 'a mail, quoted twice', 'blanks that do not break']

test('every dialect has a printer', () => {
  expect(new Set([...PRINTERS.map(({ dialect }) => dialect), 'json', 'boot-params'])).toEqual(
    new Set(MEMMAP_DIALECTS),
  )
})

describe.each(PRINTERS)('$name', printer => {
  const wrappers = printer.log ? Object.keys(WRAPPERS) : PLACES

  test.each(wrappers)('%s: what was printed is read, row by row', name => {
    fc.assert(
      fc.property(maps, fc.subarray([0, 3, 7, 12, 16]), (map, noise) => {
        const { text, says } = printed(printer, map, WRAPPERS[name] ?? (line => line), noise)
        fc.pre(says.length > 0)
        const parse = readMemmap(text)
        expect(parse.problems).toEqual([])
        expect(parse.dialect).toBe(printer.dialect)
        expect(parse.map).toEqual(says)
      }),
      printer.log ? tries(3, 12) : tries(15, 60),
    )
  })
})

describe('boot_params/data', () => {
  it('is read as a file, and from every dump of it', () => {
    fc.assert(
      fc.property(maps, map => {
        const { page, says } = zeroPage(map)
        fc.pre(says.length > 0)
        expect(readMemmap(page)).toMatchObject({ dialect: 'boot-params', map: says, problems: [] })
        for (const dump of Object.values(DUMPS))
          expect(readMemmap(dump(page))).toMatchObject({ dialect: 'boot-params', map: says, problems: [] })
      }),
      tries(8, 25),
    )
  })
})

describe('our own', () => {
  it.each(['json', 'uefi-shell'] as const)('%s of formatMemmap is read back', dialect => {
    fc.assert(
      fc.property(maps, map => {
        expect(readMemmap(formatMemmap(map, dialect))).toMatchObject({ dialect, map, problems: [] })
      }),
      tries(12, 40),
    )
  })
})

test('a row of a type that U-Boot has no name for is said to be unreadable, not passed over', () => {
  const text =
    'CONVENTIONAL     0000000000100000-0000000000200000 WB\n(unknown)        ' +
    '0000000000200000-0000000000300000 WB\n'
  expect(readMemmap(text)).toMatchObject({
    dialect: 'uboot',
    map: { length: 1 },
    problems: [{ id: 'unreadable-line', what: expect.stringContaining('line 2') as unknown }],
  })
})
