/** Maps as people paste them: whatever stands around a row, a row is a row; and what is lost is noticed. */
import { describe, expect, test } from 'vitest'
import { range } from '../../../src/bytes/range.ts'
import { machineFromMemmap } from '../../../src/boot/memmap-machine.ts'
import { readMemmap, type MemmapParse } from '../../../src/image/memmap.ts'
import { PRINTERS } from '../../support/memmap-printers.ts'
import { DIALECTS } from '../../../src/image/memmap/dialects.ts'
import { itemsOf } from '../../../src/image/paste/rows.ts'

const ROWS = [
  [7, 0, 0xa0000],
  [0, 0xa0000, 0x100000],
  [7, 0x100000, 0x3e000000],
  [10, 0x3e000000, 0x3f000000],
  [0, 0x3f000000, 0x40000000],
  [7, 0x100000000, 0x140000000],
] as const
const MAP = ROWS.map(([type, start, end]) => ({ type, range: range(start, end), attribute: 0xfn }))
const hex = (n: number, width = 16): string => n.toString(16).padStart(width, '0')
const WORDS: Readonly<Record<number, string>> = { 7: 'usable', 0: 'reserved', 10: 'ACPI NVS' }
const E820 = ROWS.map(
  ([type, start, end]) => `BIOS-e820: [mem 0x${hex(start)}-0x${hex(end - 1)}] ${WORDS[type] ?? ''}`,
)
const NAMES: Readonly<Record<number, string>> = { 7: 'Available', 0: 'Reserved', 10: 'ACPI_NVS' }
const HEX = (n: number, width = 16): string => hex(n, width).toUpperCase()
const SHELL = ROWS.map(
  ([type, start, end]) =>
    `${(NAMES[type] ?? '').padEnd(10)} ${HEX(start)}-${HEX(end - 1)} ` +
    `${HEX((end - start) / 4096)} 000000000000000F`,
)
const KERNEL: Readonly<Record<number, string>> = { 7: 'Conventional', 0: 'Reserved', 10: 'ACPI Mem NVS' }
const EFI = ROWS.map(
  ([type, start, end], i) =>
    `[    0.000000] efi: mem0${String(i)}: [${(KERNEL[type] ?? '').padEnd(12)}|   |  ` +
    '|  |  |  |  |  |  |  |  |   |WB|WT|WC|UC] ' +
    `range=[0x${hex(start)}-0x${hex(end - 1)}] (0MB)`,
)
const read = (lines: readonly string[]): MemmapParse => readMemmap(lines.join('\n'))
const fold = (lines: readonly string[], width: number): string[] =>
  lines.flatMap(line => line.match(new RegExp(`.{1,${String(width)}}`, 'g')) ?? [''])
/** As a mailer wraps: at the last blank before the width. */
function wrap(lines: readonly string[], width: number): string[] {
  return lines.flatMap(line => {
    const out: string[] = []
    let rest = line
    while (rest.length > width && rest.lastIndexOf(' ', width) > 0) {
      const at = rest.lastIndexOf(' ', width)
      out.push(rest.slice(0, at))
      rest = rest.slice(at + 1)
    }
    return [...out, rest]
  })
}
const LOG = E820.map(line => `[    0.000000] ${line}`)

/** A name in /proc/iomem for a type of the UEFI map. */
function iomemName(type: number, ram: string, reserved = 'Reserved'): string {
  if (type === 7) return ram
  return type === 0 ? reserved : 'ACPI Non-volatile Storage'
}

describe('the small machine is read the same', () => {
  test.each<[string, readonly string[]]>([
    ['plain', LOG],
    ['quoted by a mailer', LOG.map(line => `>> ${line}`)],
    ['after a tab', LOG.map(line => `\t${line}`)],
    ['in a fence', ['```', ...LOG, '```']],
    ['in BBCode', [`[code]${LOG[0] ?? ''}`, ...LOG.slice(1, -1), `${LOG.at(-1) ?? ''}[/code]`]],
    ['in HTML', LOG.map(line => `<span class="k">${line.replace('[mem', '&#91;mem')}</span><br />`)],
    ['in HTML, escaped twice', LOG.map(line => `&amp;gt; ${line} &amp;lt;`)],
    ['a wiki table', LOG.map(line => `|| ${line} || ||`)],
    ['in a numbered list', LOG.map((line, i) => `${String(i + 1)}) ${line}`)],
    [
      'of a unified diff',
      [...LOG.map(line => `-${line.replace('usable', 'reserved')}`), ...LOG.map(line => `+${line}`)],
    ],
    ['of grep -rn', LOG.map((line, i) => `logs/a b.txt:${String(i)}:${line}`)],
    ['with a name of a test driver', LOG.map(line => `machine: (12.5s) # ${line}`)],
    ['of RFC 5424', E820.map(line => `<6>1 2026-11-30T07:00:00.123456+01:00 h kernel - - [x y="1"] ${line}`)],
    ['of a journal as JSON', E820.map(line => `{"PRIORITY":"6","MESSAGE":"${line}","_TRANSPORT":"kernel"}`)],
    ['with escaped brackets', LOG.map(line => line.replace(/[[\]]/g, '\\$&'))],
    ['with blanks that do not break', LOG.map(line => line.replaceAll(' ', '\u00a0'))],
    ['with an en dash', LOG.map(line => line.replace('-0x', '\u20130x'))],
    ['with colours written out', LOG.map(line => `^[[32m${line}^[[0m`)],
    ['folded at 72', fold(LOG, 72)],
    ['folded at 40', fold(LOG, 40)],
    ['wrapped at 60', wrap(LOG, 60)],
    ['wrapped and quoted', wrap(LOG, 60).map(line => `> ${line}`)],
    ['with remarks', LOG.map((line, i) => (i === 2 ? `${line}   <-- here` : line))],
    ['with all ends of lines lost', [LOG.join(' ')]],
  ])('%s', (_, lines) => {
    expect(read(lines)).toMatchObject({ dialect: 'e820', map: MAP, problems: [], lost: [] })
  })

  test.each<[string, readonly string[]]>([
    ['plain', SHELL],
    ['with an arrow', SHELL.map((line, i) => (i === 2 ? `${line}  <--` : line))],
    ['with a word', SHELL.map(line => `${line}\tfree`)],
    ['quoted', SHELL.map(line => `> ${line}`)],
    ['wrapped', wrap(SHELL, 70)],
    ['folded', fold(SHELL, 70)],
    ['as a Markdown table', SHELL.map(line => `| ${line} | |`)],
    ['as cells of HTML', SHELL.map(line => `<td>${line.split(/\s+/).join('</td><td>')}</td>`)],
    ['pages of 8 digits', SHELL.map(line => line.replace(/ 0{8}([0-9A-F]{8}) 0/, ' $1 0'))],
    ['twice', [...SHELL, ...SHELL]],
    ['each row twice', SHELL.flatMap(line => [line, line])],
  ])('UEFI shell: %s', (_, lines) => {
    expect(read(lines)).toMatchObject({ dialect: 'uefi-shell', map: MAP, problems: [], lost: [] })
  })

  test('a shell with addresses of 8 digits', () => {
    const short = (line: string): string =>
      line.replace(/0{8}([0-9A-F]{8})-0{8}([0-9A-F]{8}) 0{8}([0-9A-F]{8})/, '$1-$2 $3')
    expect(read(SHELL.slice(0, 5).map(short))).toMatchObject({ map: MAP.slice(0, 5), problems: [] })
  })

  test.each<[string, readonly string[]]>([
    ['plain', EFI],
    ['wrapped at 100', wrap(EFI, 100)],
    ['wrapped at 72', wrap(EFI, 72)],
    ['folded at 72', fold(EFI, 72)],
    ['as a table of a wiki', EFI.map(line => `| ${line} |`)],
    [
      'after the block of entries that the kernel took out',
      [
        'efi: [Firmware Bug]: Invalid EFI memory map entries:',
        'efi: mem05: [Reserved    |   |  |  |  |  |  |  |  |  |  |   |  |  |  |  ] ' +
          `range=[0x${hex(0)}-0x${hex(0)}] (invalid)`,
        ...EFI,
      ],
    ],
  ])('Linux: %s', (_, lines) => {
    expect(read(lines)).toMatchObject({ dialect: 'linux', map: MAP, lost: [] })
  })

  test.each(['utf-16le', 'utf-16be'] as const)('%s, with and without its mark', encoding => {
    const encode = (text: string): Uint8Array => {
      const units = Uint16Array.from(text, letter => letter.charCodeAt(0))
      const bytes = new Uint8Array(units.buffer)
      return encoding === 'utf-16le' ? bytes : bytes.map((_, i) => bytes[i ^ 1] ?? 0)
    }
    for (const mark of ['', '\ufeff'])
      expect(readMemmap(encode(mark + SHELL.join('\r\n')))).toMatchObject({ map: MAP, problems: [] })
  })

  test('a code page of Windows', () => {
    const bytes = Uint8Array.from(LOG.join('\n').replaceAll(' ', '\u00a0'), letter => letter.charCodeAt(0))
    expect(readMemmap(bytes)).toMatchObject({ map: MAP, problems: [] })
  })

  test('quoted-printable', () => {
    const soft = LOG.map(line => `${line.slice(0, -2)}=\n${line.slice(-2)}`)
    expect(read(soft)).toMatchObject({ map: MAP, takenOff: ['quoted-printable'], lines: [1, 11] })
    expect(
      read([
        '(XEN) EFI memory map:=',
        '',
        '(XEN)  0000000000000-000000009ffff type=3D7 attr=3D000000000000000f',
      ]),
    ).toMatchObject({
      dialect: 'xen-efi',
      map: [{ type: 7 }],
    })
  })

  test('/proc/iomem whose first line lost its blanks, or all of them', () => {
    const tree = ROWS.map(
      ([type, start, end]) => `${hex(start, 8)}-${hex(end - 1, 8)} : ${iomemName(type, 'System RAM')}`,
    )
    tree.splice(3, 0, '  01000000-01ffffff : Kernel code', '  02000000-02000fff : Reserved')
    const plain = read(tree)
    expect(plain.map).toEqual(MAP)
    expect(read(tree.map((line, i) => (i === 0 ? line : `    ${line}`)))).toEqual(plain)
    expect(read(tree.map(line => line.trim()))).toEqual(plain)
  })

  describe('/proc/iomem with something behind the names', () => {
    const named = (ram: string, rest = 'Reserved'): string[] =>
      ROWS.map(
        ([type, start, end], i) =>
          `${hex(start, 8)}-${hex(end - 1, 8)} : ${i === 2 ? ram : iomemName(type, 'System RAM', rest)}`,
      )

    test.each([
      'System RAM`',
      'System RAM$',
      'System RAM // all of it',
      'System RAM (legacy)',
      'SYSTEM RAM*',
    ])('signs: %s', ram => {
      expect(read(named(ram))).toMatchObject({ map: MAP, lost: [] })
    })

    test.each(['System R', 'Sytem RAM', 'System RAN', 'System RAM that is bad'])('a lost row: %s', ram => {
      const parse = read(named(ram))
      expect(parse.map).toEqual(MAP.filter((_, i) => i !== 2))
      expect(parse.lost).toMatchObject([{ at: range(0x100000, 0x3e000000) }])
    })

    test.each(['System ROM', 'PCI Bus 0000:00', 'Graphics Stolen Memory'])('a device: %s', name => {
      expect(read(named('System RAM', name)).lost).toEqual([])
    })
  })
})

describe('a line that is no row, among rows that look alike, is a lost row', () => {
  const changed = (lines: readonly string[], at: number, from: string, to: string): string[] =>
    lines.map((line, i) => (i === at ? line.replace(from, to) : line))

  test.each<[string, readonly string[]]>([
    ['a word with a letter too few', changed(LOG, 2, 'e820', 'e80')],
    ['a blank lost', changed(LOG, 2, ': [mem', ':[mem')],
    ['a sign in a number', changed(SHELL, 2, '0000000000100000', '00000000001|0000')],
    ['a digit lost', changed(SHELL, 2, '0000000000100000', '000000000010000')],
    ['the first row', changed(LOG, 0, '[mem 0x', '[mem x')],
    ['the last row', changed(EFI, 5, 'mem05:', 'mem05')],
  ])('%s', (_, lines) => {
    const parse = read(lines)
    expect(parse.map).toHaveLength(5)
    expect(parse.lost[0]).toMatchObject({ why: 'it looks like the rows around it', at: null })
    expect(parse.lost.slice(1).every(({ at }) => at?.start === 0x100000)).toBe(true)
  })

  test.each<[string, readonly string[]]>([
    ['other lines of the log', LOG.flatMap(line => [line, '[    0.000000] microcode: revision 0xf0f0f0f0'])],
    ['the same rows again', LOG.flatMap(line => [line, line.replace('0.000000', '0.000001')])],
  ])('but not %s', (_, lines) => {
    expect(read(lines)).toMatchObject({ map: MAP, lost: [] })
  })
})

describe('whatever prints the map', () => {
  const machine = ROWS.map(([type, start, end]) => ({
    type,
    range: range(Math.max(start, 0x1000), end),
    attribute: 0xfn,
  }))
  const CLOTHES: Readonly<Record<string, (lines: readonly string[]) => readonly string[]>> = {
    'quoted three times': lines => lines.map(line => `>> > ${line}`),
    'of grep -A': lines => lines.map((line, i) => `a.txt-${String(i)}-${line}`),
    'folded at 80': lines => fold(lines, 80),
    'folded at 72': lines => fold(lines, 72),
    'wrapped at 72': lines => wrap(lines, 72),
    'in one line': lines => [lines.join(' ')],
    'in a journal in Japanese': lines => lines.map(line => `12\u6708 12 10:49:44 host kernel: ${line}`),
  }
  const cases = PRINTERS.filter(({ dialect }) => dialect !== 'compact').flatMap(printer =>
    Object.keys(CLOTHES).map(name => [printer.name, name, printer] as const),
  )

  test.each(cases)('%s, %s', (_, name, { head = [], tail = [], print, sorted }) => {
    const printed = machine.flatMap((row, i) => print(row, i)?.line.split('\n') ?? [])
    const body = sorted === true ? [...printed].sort() : printed
    const lines = [...head, ...body, ...tail]
    expect(read(CLOTHES[name]?.(lines) ?? []).map).toEqual(read(lines).map)
  })
})

describe('what was taken off is named', () => {
  test.each<[readonly string[], readonly string[]]>([
    [LOG, []],
    [LOG.map(line => `> ${line}`), ['"> [    0.000000] " in front of 6 rows']],
    [SHELL.map((line, i) => (i === 2 ? `${line}  <--` : line)), ['"  <--" after 1 row']],
    [wrap(LOG, 60), ['6 rows torn over several lines']],
    [LOG.map(line => line.replaceAll(' ', '\u00a0')), ['blanks of other widths']],
  ])('%#', (lines, takenOff) => {
    expect(read(lines).takenOff).toEqual(takenOff)
    if (takenOff.length > 0)
      expect(machineFromMemmap('m', read(lines)).what).toContain(`taken off: ${takenOff.join()}`)
  })

  test('which of several maps was taken, and that the other one is the same', () => {
    expect(machineFromMemmap('m', read([...SHELL, ...SHELL, ...LOG])).what).toBe(
      'memory map m (uefi-shell, lines 1-6; not used: uefi-shell from line 7, the same ' +
        'again, e820 from line 13)',
    )
  })
})

const TOTALS = [
  '  Reserved  :          4,192 Pages (17,170,432 Bytes)',
  '  ACPI_NVS  :          4,096 Pages (16,777,216 Bytes)',
  '  Available :        516,000 Pages (2,113,536,000 Bytes)',
  'Total Memory: 2,031 MB (2,130,313,216 Bytes)',
]

describe('FW-60 what is lost is noticed', () => {
  const lost = (lines: readonly string[]): (readonly [string, number | null])[] =>
    read(lines).lost.map(({ row, bytes }) => [row, bytes])

  test('no row is missed in a whole map with all that is printed beside it', () => {
    expect(lost([...SHELL, ...TOTALS])).toEqual([])
    expect(
      lost([
        'efi:  ACPI=0x3e000000  ACPI 2.0=0x3e000014  SMBIOS=0xf0000',
        ...EFI,
        'last_pfn = 0x140000 max_arch_pfn = 0x400000000',
        'Memory: 1900000K/2031612K available (14339K kernel code, 2000K rwdata)',
      ]),
    ).toEqual([])
  })

  test.each<[string, readonly string[], readonly [string, number | null]]>([
    [
      'a type with a typing error',
      SHELL.map(line => line.replace('Available  0000000000100', 'Availab1e  0000000000100')),
      [
        'line 3 cannot be read as uefi-shell: Availab1e  ' +
          '0000000000100000-000000003DFFFFFF 000000000003DF00 000000000000000F',
        0x3df00000,
      ],
    ],
    [
      'the end cut off',
      [...SHELL.slice(0, 5), SHELL[5]?.slice(0, -1) ?? ''],
      [
        'line 6 cannot be read as uefi-shell: Available  ' +
          '0000000100000000-000000013FFFFFFF 0000000000040000 000000000000000',
        0x40000000,
      ],
    ],
    [
      'pages',
      SHELL.map(line => line.replace('0000000000040000', '0000000000000001')),
      ['line 6: 0x100000000-0x140000000', 0x3ffff000],
    ],
    [
      'a row, by the totals',
      [...SHELL.slice(0, 2), ...SHELL.slice(3), ...TOTALS],
      ['rows of type Available', 0x3df00000],
    ],
    [
      'a row, by the sum of the totals',
      [...SHELL.slice(0, 5), TOTALS.at(-1) ?? ''],
      ['rows of the table', 0x40000000],
    ],
    ['a row, by the numbers', EFI.filter((_, i) => i !== 2), ['entry 2', 0x3df00000]],
    ['the first rows, by the numbers', EFI.slice(3), ['entries 0 to 2', 0x3e000000]],
    [
      'the last rows, by a number that the kernel names',
      ['efi: Remove mem08: MMIO range=[0xfec00000-0xfec00fff] (0MB) from e820 map', ...EFI],
      ['entries 6 to 8', null],
    ],
    [
      'the last row, by last_pfn',
      [...EFI.slice(0, 5), 'last_pfn = 0x140000 max_arch_pfn = 0x400000000'],
      ['rows at the top', 0x102000000],
    ],
    [
      'a row, by the kernel’s sum',
      [...LOG.filter((_, i) => i !== 5), 'Memory: 1900000K/2031612K available'],
      ['rows of free memory', 2031612 * 1024 - 0x3dfa0000],
    ],
    [
      'a row, by the place of a table',
      ['efi:  ACPI=0x3e000000  SMBIOS=0xf0000', ...EFI.slice(0, 3)],
      ['the row of ACPI at 0x3e000000', null],
    ],
    [
      'a row, by what lies around it',
      [
        'Available  0000000000000000-000000000009FFFF 00000000000000A0 000000000000000F',
        'Available  0000000020000000-0000000020000FFF 0000000000000001 000000000000000F',
      ],
      ['0xa0000-0x20000000', 0x1ff60000],
    ],
    ['everything below the first MiB', SHELL.slice(2), ['the rows of the first MiB', 0x100000]],
    [
      'one of two truths',
      [...SHELL, SHELL[2]?.replace('Available', 'RT_Data  ') ?? ''],
      ['0x100000-0x3e000000 and 0x100000-0x3e000000', 0x3df00000],
    ],
  ])('%s', (_, lines, wanted) => {
    expect(lost(lines)).toContainEqual(wanted)
  })

  test('such a map has a doubt, and its problems name rows and memory', () => {
    const machine = machineFromMemmap('m', read(EFI.filter((_, i) => i !== 2)))
    expect(machine.doubts).toEqual([
      {
        clause: 'FW-60',
        why: expect.stringContaining(
          'entry 2: the numbers of the entries leave them out; 991.0 MiB of memory in ' +
            'doubt at 0x100000-0x3e000000',
        ) as unknown,
      },
    ])
    expect(machine.problems.map(({ id }) => id)).toEqual(['missing-lines', 'lost-row'])
  })
})

describe('a search is linear', () => {
  /** Without classes of letters, in which signs stand for themselves. */
  const bare = (pattern: RegExp): string => pattern.source.replace(/\\./g, '').replace(/\[[^\]]*\]/g, '')

  test.each(DIALECTS.map(({ name, looks, row }) => [name, looks, row] as const))(
    '%s: every repetition is bounded',
    (name, looks, row) => {
      expect([looks.flags.includes('g'), row.flags.includes('y')]).toEqual([true, true])
      expect(bare(looks)).not.toMatch(/[*+]|\{\d+,\}/)
      // a line of the compact form is one row from end to end
      if (name !== 'compact') expect(bare(row)).not.toMatch(/[*+]|\{\d+,\}/)
    },
  )

  /** A pattern that counts how often it is asked. */
  class Counted extends RegExp {
    static asked = 0
    override exec(text: string): RegExpExecArray | null {
      Counted.asked++
      return super.exec(text)
    }
  }

  test.each([
    ['rows', LOG],
    ['torn rows', fold(LOG, 40)],
    ['beginnings of rows', LOG.map(line => line.slice(0, 40))],
    ['other lines', LOG.map(() => 'random: crng init done at 0000000000000000')],
    ['lines of one width', LOG.map(() => 'x'.repeat(40))],
  ])('of %s: a line is looked at a bounded number of times', (_, lines) => {
    const dialects = DIALECTS.map(dialect => ({
      ...dialect,
      looks: new Counted(dialect.looks),
      row: new Counted(dialect.row),
    }))
    const text = Array.from({ length: 100 }, () => lines).flat()
    Counted.asked = 0
    const items = [...itemsOf(text, dialects)]
    expect(items.length).toBeGreaterThan(0)
    expect(Counted.asked / text.length).toBeLessThan(30 * DIALECTS.length)
  })

  test('lines of a log with two numbers in each are asked by few dialects', () => {
    const dialects = DIALECTS.map(dialect => ({ ...dialect, looks: new Counted(dialect.looks) }))
    const text = Array.from(
      { length: 1000 },
      (_, i) =>
        `[    0.1] pci 0000:00:1f.3: BAR 0 [mem 0x${hex(i * 4096)}-0x${hex(i * 4096 + 4095)}]: assigned`,
    )
    Counted.asked = 0
    expect([...itemsOf(text, dialects)]).toHaveLength(1000)
    expect(Counted.asked / text.length).toBeLessThan(2 * DIALECTS.length)
  })

  test('binary data is refused before it is searched', () => {
    const noise = Uint8Array.from({ length: 2 ** 20 }, (_, i) => (i * i * 31 + (i >> 7)) & 0xff)
    const program = new Uint8Array(2 ** 20)
    program.set([0x7f, 0x45, 0x4c, 0x46])
    for (const bytes of [noise, program])
      expect(readMemmap(bytes).problems.map(({ what }) => what)).toEqual([
        'the file is no text, and no memory map in a known format',
      ])
    // a serial line that begins with noise
    const log = new TextEncoder().encode(Array.from({ length: 200 }, () => LOG.join('\n')).join('\n'))
    const capture = new Uint8Array(4096 + log.length)
    capture.set(noise.subarray(0, 4096))
    capture.set([0x0a], 4095)
    capture.set(log, 4096)
    expect(readMemmap(capture).map).toEqual(read(LOG).map)
  })
})

describe('tables that were made of rows', () => {
  const cells = SHELL.map(row => row.split(/\s+|-/))
  test.each<[string, (row: readonly string[]) => string]>([
    ['semicolons', row => row.join(';')],
    ['commas', row => row.join(',')],
    ['tabs', row => row.join('\t')],
    ['Markdown', row => `| ${row.join(' | ')} |`],
  ])('%s', (_, dress) => {
    const head = dress(['Type', 'Start', 'End', 'Pages', 'Attributes'])
    expect(read([head, ...cells.map(dress)]).map).toEqual(MAP)
  })
})

describe('files of /sys/firmware/memmap under their names', () => {
  const files = ROWS.flatMap(([type, start, end], i) =>
    Object.entries({
      end: `0x${(end - 1).toString(16)}`,
      start: `0x${start.toString(16)}`,
      type: iomemName(type, 'System RAM'),
    }).map(([key, value]) => [`/sys/firmware/memmap/${String(i)}/${key}`, value] as const),
  )
  test.each<[string, (name: string, value: string) => string]>([
    ['head', (name, value) => `==> ${name} <==\n${value}\n`],
    ['head, quoted', (name, value) => `> ==> ${name} <==\n> ${value}\n>`],
    ['head, from that folder', (name, value) => `==> ${name.replace(/^.*memmap./, '')} <==\n${value}\n`],
    ['more', (name, value) => `::::::::::::::\n${name}\n::::::::::::::\n${value}`],
    ['grep .', (name, value) => `${name}:${value}`],
  ])('%s', (_, print) => {
    expect(read(files.map(([name, value]) => print(name, value))).map).toEqual(MAP)
  })
})
