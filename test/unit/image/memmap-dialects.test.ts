import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { sizeOf } from '../../../src/bytes/range.ts'
import { readMemmap, type MemmapDialect } from '../../../src/image/memmap.ts'
import { DIALECTS, MEMMAP_DIALECTS } from '../../../src/image/memmap/dialects.ts'
import {
  EFI_MEMORY_RUNTIME,
  EFI_MEMORY_SP,
  EfiConventionalMemory,
  type MemoryDescriptor,
} from '../../../src/image/memory-types.ts'
import { depth, tries } from '../../support/depth.ts'
import { row } from '../../support/descriptors.ts'

const FOLDER = new URL('../../fixtures/memmaps/recorded/', import.meta.url)
/** Bytes of a text that nothing but a reader in linear time takes. */
const LONG = depth(2 ** 15, 2 ** 17)
const what = (text: string | Uint8Array): string[] => readMemmap(text).problems.map(problem => problem.what)

/** The recorded files, cut at their `#section` lines. */
const sections = readdirSync(FOLDER).flatMap(file =>
  readFileSync(new URL(file, FOLDER), 'utf8')
    .split(/^(?=#section)/m)
    .map(text => ({ file, name: /^#section (\S+)/.exec(text)?.[1] ?? '', text })),
)
const usable = (map: readonly MemoryDescriptor[]): number =>
  map.reduce((sum, entry) => sum + (entry.type === EfiConventionalMemory ? sizeOf(entry.range) : 0), 0)

describe('recorded maps', () => {
  const DIALECT_OF: Readonly<Record<string, MemmapDialect>> = {
    'uefi-shell-memmap': 'uefi-shell',
    'linux-dmesg': 'linux',
    'proc-iomem': 'iomem',
    'sys-firmware-memmap': 'sysfs-memmap',
    'getmemorymap-raw': 'raw',
    'grub-lsefimmap': 'grub',
  }

  test('are there, of every kind: 34 files, 100 sections', () => {
    const counts = Object.keys(DIALECT_OF).map(kind => [
      kind,
      sections.filter(({ name }) => name === kind).length,
    ])
    expect(Object.fromEntries(counts)).toEqual({
      'uefi-shell-memmap': 27,
      'linux-dmesg': 22,
      'proc-iomem': 22,
      'sys-firmware-memmap': 22,
      'getmemorymap-raw': 5,
      'grub-lsefimmap': 2,
    })
    expect(
      sections
        .filter(({ name }) => DIALECT_OF[name] === undefined)
        .flatMap(({ text }) => text.split('\n').filter(line => line !== '' && !line.startsWith('#'))),
    ).toEqual([])
  })

  /** How many rows each form must give: counted with other means than the readers'. */
  const ROWS: Readonly<Record<string, (lines: readonly string[]) => number>> = {
    'uefi-shell-memmap': lines => lines.filter(line => /^\S+ +[0-9A-F]{16}-/.test(line)).length,
    'getmemorymap-raw': lines => lines.filter(line => line.startsWith('MAP ')).length,
    'grub-lsefimmap': lines => lines.filter(line => /\d[KMGTPE]iB(?: |$)/.test(line)).length,
    'linux-dmesg': lines => {
      const first = lines.findIndex(line => line.includes('efi: mem00:'))
      const second = lines.findIndex((line, i) => i > first && line.includes('efi: mem00:'))
      return lines
        .slice(first, second === -1 ? lines.length : second)
        .filter(line => line.includes('efi: mem')).length
    },
    'proc-iomem': lines =>
      lines.filter(
        line =>
          /^[0-9a-f]/.test(line) && /: (?:System RAM|Reserved|ACPI|Unusable|Persistent|Soft)/.test(line),
      ).length,
    'sys-firmware-memmap': lines => lines.filter(line => line.includes('/type:')).length,
  }

  test.each(sections.filter(({ name }) => DIALECT_OF[name] !== undefined))(
    '$file, $name: every line of it is read',
    ({ name, text }) => {
      const parse = readMemmap(text)
      expect(parse).toMatchObject({ dialect: DIALECT_OF[name], problems: [] })
      expect(parse.map.length).toBeGreaterThan(10)
      expect(parse.map).toHaveLength(ROWS[name]?.(text.split(/\r*\n/)) ?? -1)
    },
  )

  test.each(sections.filter(({ name }) => name === 'linux-dmesg'))(
    '$file: the e820 list and the EFI map of one log have the same usable memory',
    ({ file, text }) => {
      const list = readMemmap(text, 'e820')
      expect(list.problems).toEqual([])
      const efi = readMemmap(text).map.reduce(
        (sum, { type, range: of }) => sum + ([1, 2, 3, 4, 7].includes(type) ? sizeOf(of) : 0),
        0,
      )
      expect(usable(list.map)).toBe(efi)
      const others = sections.filter(
        one => one.file === file && ['proc-iomem', 'sys-firmware-memmap'].includes(one.name),
      )
      expect(others.map(one => usable(readMemmap(one.text).map))).toEqual([efi, efi])
    },
  )

  test('a whole file gives the EFI map, and names what else it holds', () => {
    const file = sections
      .filter(one => one.file === 'ovmf-2022.11-q35-512M-linux6.12.txt')
      .map(one => one.text)
      .join('')
    expect(readMemmap(file)).toMatchObject({
      dialect: 'uefi-shell',
      kind: 'efi',
      others: [{ dialect: 'linux' }, { dialect: 'e820' }, { dialect: 'sysfs-memmap' }, { dialect: 'iomem' }],
    })
    const late = file.slice(file.indexOf('#section proc-iomem'))
    expect(readMemmap(late)).toMatchObject({
      dialect: 'sysfs-memmap',
      kind: 'e820',
      others: [{ dialect: 'iomem', line: 2 }],
    })
  })
})

describe('the table', () => {
  test('has every dialect but JSON, and reads its own examples', () => {
    expect(DIALECTS.map(({ name }) => name).sort()).toEqual(
      MEMMAP_DIALECTS.filter(name => name !== 'json').sort(),
    )
    for (const { name, kind, taken, example } of DIALECTS) {
      const parse = readMemmap(example)
      expect([name, parse.problems]).toEqual([name, []])
      expect(parse).toMatchObject({ dialect: name, kind, taken })
    }
  })

  test('docs/reference/memory-maps.md is the table (update with vitest -u)', async () => {
    const KIND = { efi: 'EFI memory map', e820: 'e820 table', resources: 'resource tree' } as const
    const MOMENT = {
      'before-load': 'before the load',
      'exit-boot-services': 'when boot services ended',
    } as const
    const head = `# Memory maps

\`--memmap FILE\` takes a file with a memory map in any of these forms, or a whole kernel log, journal or
serial capture that contains one. A row is found by its own grammar, wherever it is in a line: what loggers,
mailers, browsers, wikis, \`grep\` and people put before or after it is taken off and named; rows that a
mailer or \`fold\` tore are joined. The text may be UTF-8, UTF-16 of either order, quoted-printable, base64,
percent-encoded, or a string of JSON, C or Python with \`\\n\` in it: then its own lines are counted. Of
several maps in one text the best is used, an EFI memory map before an e820 table before a resource tree, the
first of equals; the report states which, from which line to which line, and what was not used.
[Describe your firmware](../guides/describe-your-firmware.md) shows how to get one.

A run on an e820 table or a resource tree is never \`clean\`: see
[decision 0017](../decisions/0017-poor-maps-are-never-clean.md).

| form | printed by | is | taken |
|---|---|---|---|
`
    const rows = DIALECTS.map(
      ({ name, title, kind, taken }) =>
        `| [${name}](#${name}) | ${title} | ${KIND[kind]} | ${MOMENT[taken]} |\n`,
    ).join('')
    const json = `| [json](#json) | this program (\`formatMemmap\`) | EFI memory map | before the load |\n`
    const parts = DIALECTS.map(
      ({ name, example, lacks }) =>
        `\n## ${name}\n\n\`\`\`text\n${example}\n\`\`\`\n` +
        (lacks.length === 0 ? '' : `\nLacks or leaves open: ${lacks.join('; ')}.\n`),
    ).join('')
    const own =
      '\n## json\n\n```json\n{"schema":1,"map":[\n  ' +
      '{"type":"EfiConventionalMemory","start":"0x100000","end":"0x806000"},\n  ' +
      '{"type":"EfiRuntimeServicesData","start":"0x37400000","pages":256,' +
      '"attribute":"0x800000000000000f"}\n]}\n```\n\n' +
      '`end` is exclusive; types by name or number; numbers as such or as text in ' +
      'hexadecimal or decimal.\n'
    expect(readMemmap(/```json\n([^]*?)```/.exec(own)?.[1] ?? '')).toMatchObject({
      dialect: 'json',
      problems: [],
      map: [{ type: 7 }, { type: 6 }],
    })
    await expect(`${head}${rows}${json}${parts}${own}`).toMatchFileSnapshot(
      '../../../docs/reference/memory-maps.md',
    )
  })
})

describe('lines', () => {
  const PLAIN = 'BIOS-e820: [mem 0x0000000000100000-0x0000000000805fff] usable'
  it.each([
    '[    0.000000] ',
    '<6>[    0.000000] ',
    '[    0.000000] [    T0] ',
    '[    0.000000][    T0] ',
    '[Mon Nov 22 10:00:00 2026] ',
    'Nov 22 10:00:00 host kernel: ',
    'Nov  2 10:00:00 host kernel: [    0.000000] ',
    '2026-11-22T10:00:00.123456+00:00 host kernel: ',
    '2026-11-22T10:00:00,123456+00:00 ',
    '[    0.000000] host kernel: ',
    '10:00:00.123 ',
    '\x1b[32m[    0.000000] \x1b[0m\x1b[33m',
  ])('takes %j off', prefix => {
    expect(readMemmap(`${prefix}${PLAIN}\r\r\n`)).toMatchObject({
      dialect: 'e820',
      map: [row(7, 0x100000, 0x806000)],
      lines: [1, 1],
    })
  })
})

describe('dialects', () => {
  it.each<[string, MemoryDescriptor]>([
    ['efi:   0x000040000000-0x00004007ffff [Loader Data |   |WB|WT|WC|UC]', row(2, 0x40000000, 0x40080000)],
    [
      '[    0.000000] efi:   0x000040000000-0x00004007ffff [type=16|attr=0x8000000000000003]*',
      row(16, 0x40000000, 0x40080000, EFI_MEMORY_RUNTIME | 3n),
    ],
    [
      'ACPI RECLAIM MEM 0000000000100000-0000000000102000 WB|REL|RT',
      row(9, 0x100000, 0x102000, EFI_MEMORY_RUNTIME | 0x10008n),
    ],
    ['BootServicesData        0000000000100000-0000000000102000 WB', row(4, 0x100000, 0x102000, 8n)],
    [
      ' 3  6:rt_data       0000100000  0000000000  0000002000  rf',
      row(6, 0x100000, 0x102000, EFI_MEMORY_RUNTIME | 0xfn),
    ],
    ['base_addr = 0x100000, length = 0x2000, ACPI non-volatile storage RAM', row(10, 0x100000, 0x102000)],
    ['base_addr = 0x100000, length = 0x2000, RAM holding coreboot tables', row(0, 0x100000, 0x102000)],
    ['BIOS-e820: [mem 0x0000000000100000-0x0000000000101fff]  device reserved', row(0, 0x100000, 0x102000)],
    [
      'BIOS-e820: [mem 0x0000000000100000-0x0000000000101fff]  persistent RAM (type 12)',
      row(14, 0x100000, 0x102000),
    ],
    ['BIOS-e820: [mem 0x0000000000100000-0x0000000000101fff] type 20', row(0, 0x100000, 0x102000)],
    [
      'BIOS-e820: [mem 0x0000000000100000-0x0000000000101fff] soft reserved',
      row(7, 0x100000, 0x102000, EFI_MEMORY_SP | 0xfn),
    ],
    [' BIOS-e820: 0000000000100000 - 0000000000102000 (usable)', row(7, 0x100000, 0x102000)],
    ['BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable', row(7, 0, 0x9f000)],
    ['BIOS-e820: [mem 0x000000000009fc00-0x000000000009ffff] reserved', row(0, 0x9f000, 0xa0000)],
    ['E820 memmap:\n0000000000100000-0000000000101fff (4)', row(10, 0x100000, 0x102000)],
    [
      'kexec-bzImage64: E820 memmap:\nkexec-bzImage64: 0000000000100000-0000000000101fff (1)',
      row(7, 0x100000, 0x102000),
    ],
    ['00100000-00101fff : Soft Reserved', row(7, 0x100000, 0x102000, EFI_MEMORY_SP | 0xfn)],
    ['00000000-00000fff : Reserved', row(7, 0, 0x1000)],
    ['0/end:0x101fff\n0/type:ACPI Tables\n0/start:0x100000', row(9, 0x100000, 0x102000)],
  ])('reads %j', (text, expected) => {
    expect(readMemmap(text)).toMatchObject({ map: [expected], problems: [] })
  })

  it('prefers the firmware’s e820 list, says when all are edited, and stops at a second boot', () => {
    const list = (label: string, end: string): string =>
      `${label}: [mem 0x0000000000100000-0x000000000080${end}] usable\n`
    expect(
      readMemmap(list('modified', '4fff') + list('BIOS-e820', '5fff') + list('user', '3fff')),
    ).toMatchObject({ map: [row(7, 0x100000, 0x806000)], problems: [], lines: [2, 2] })
    expect(readMemmap(list('user', '3fff'))).toMatchObject({
      map: [row(7, 0x100000, 0x804000)],
      problems: [{ id: 'edited-map' }],
    })
    expect(readMemmap(list('BIOS-e820', '5fff') + list('BIOS-e820', '6fff'))).toMatchObject({
      map: [row(7, 0x100000, 0x806000)],
      lines: [1, 1],
    })
  })

  it('takes the first list of kexec that is memory, by the numbers of whoever printed it', () => {
    const text =
      'Reserved memory ranges\n0000000000200000-00000000002fffff (1)\nMEMORY ' +
      'RANGES\n0000000000100000-0000000000101fff ' +
      '(0)\n0000000000102000-0000000000103000 (1)\nkernel memory ' +
      'ranges\n0000000000900000-00000000009fffff (0)'
    expect(readMemmap(text)).toMatchObject({
      dialect: 'kexec',
      map: [row(7, 0x100000, 0x102000), row(0, 0x102000, 0x103000)],
      problems: [],
      lines: [4, 5],
    })
  })

  it('turns down a resource tree without addresses, with the reason', () => {
    expect(
      readMemmap(
        '00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n00000000-00000000 : Reserved',
      ),
    ).toMatchObject({ map: [], problems: [{ id: 'zero-address' }, { id: 'nothing-usable', fatal: true }] })
    expect(what('00000000-00000000 : System RAM')[0]).toMatch(
      /lines 1-1: all addresses are zero.*CAP_SYS_ADMIN.*as root/,
    )
  })

  it('names the line of what it cannot read', () => {
    expect(what('\nBIOS-e820: [mem 0x100000-0x1fffff] warm')).toEqual([
      expect.stringContaining('line 2 cannot be read as e820'),
      expect.any(String),
    ])
    expect(what('0/start:0x0\n0/end:0xfff\n\n7/start:0x0\n3/end:what')).toEqual([
      'line 5 cannot be read as sysfs-memmap: 3/end:what',
      'line 1: entry 0 lacks its start, its end or its type',
      'line 5: entry 3 lacks its start, its end or its type',
      'line 4: entry 7 lacks its start, its end or its type',
      'the map has no usable entry',
    ])
    expect(what('0/start:0x0\n0/end:0xfff\n0/type:Cheese')[0]).toBe(
      'line 1: entry 0 has the unknown type "Cheese"',
    )
    expect(what('base_addr = 0x100000, length = many')[0]).toContain('line 1 cannot be read as grub-lsmmap')
    expect(what(' 0  7:conv  0000000000 cut')[0]).toContain('line 1 cannot be read as uboot-efi-mem')
    expect(what('HEAP MEMORY 0000000000100000-0000000000102000 WB')[0]).toContain(
      'line 1 cannot be read as uboot',
    )
    expect(what('efi:   0x000040000000-0x00004007ffff Loader')[0]).toContain(
      'line 1 cannot be read as linux-arm',
    )
  })

  it('falls back to the next best map when the best has no usable row', () => {
    expect(
      readMemmap('efi: mem00: cut\nBIOS-e820: [mem 0x0000000000100000-0x0000000000101fff] usable'),
    ).toMatchObject({ dialect: 'e820', others: [{ dialect: 'linux', line: 1 }] })
  })
})

describe('the zero page', () => {
  const page = new Uint8Array(4096)
  const view = new DataView(page.buffer)
  page.set([0x48, 0x64, 0x72, 0x53], 0x202)
  page[0x1e8] = 2
  view.setBigUint64(0x2d0, 0x100000n, true)
  view.setBigUint64(0x2d8, 0x706000n, true)
  view.setUint32(0x2e0, 1, true)
  view.setBigUint64(0x2e4, 0x806000n, true)
  view.setBigUint64(0x2ec, 0x2000n, true)
  view.setUint32(0x2f4, 4, true)
  const map = [row(7, 0x100000, 0x806000), row(10, 0x806000, 0x808000)]
  const two = (n: number): string => n.toString(16).padStart(2, '0')
  const lines = Array.from({ length: 256 }, (_, i) => ({
    at: i * 16,
    bytes: Array.from(page.subarray(i * 16, i * 16 + 16), two),
  }))
  const starred = lines.flatMap(({ at, bytes }, i) => {
    if (i > 0 && bytes.join() === lines[i - 1]?.bytes.join())
      return bytes.join() === lines[i - 2]?.bytes.join() ? [] : ['*']
    return [
      `${at.toString(16).padStart(8, '0')}  ${bytes.slice(0, 8).join(' ')}  ` +
        `${bytes.slice(8).join(' ')}  |................|`,
    ]
  })
  const dumps: Readonly<Record<string, string>> = {
    'hexdump -C': [...starred, '00001000'].join('\n'),
    xxd: lines
      .map(
        ({ at, bytes }) =>
          `${at.toString(16).padStart(8, '0')}: ` +
          `${(bytes.join('').match(/.{4}/g) ?? []).join(' ')}  ........ .......`,
      )
      .join('\n'),
    'od -A x -t x1': lines
      .map(({ at, bytes }) => `${at.toString(16).padStart(6, '0')} ${bytes.join(' ')}`)
      .join('\n'),
    hexdump: lines
      .map(
        ({ at, bytes }) =>
          `${at.toString(16).padStart(7, '0')} ` +
          Array.from({ length: 8 }, (_, i) => `${bytes[2 * i + 1] ?? ''}${bytes[2 * i] ?? ''}`).join(' '),
      )
      .join('\n'),
  }

  it('is read as a file', () => {
    expect(readMemmap(page)).toMatchObject({ dialect: 'boot-params', kind: 'e820', map, problems: [] })
    const withEfi = page.slice()
    new DataView(withEfi.buffer).setUint32(0x1c0 + 16, 0x9e000, true)
    new DataView(withEfi.buffer).setUint32(0x1c0 + 20, 0x1800, true)
    expect(what(withEfi)).toEqual([
      expect.stringContaining('efi_info has the EFI map at 0x9e000, 0x1800 bytes'),
    ])
    expect(readMemmap(withEfi.fill(0xff, 0x1e8, 0x1e9)).problems.map(({ id }) => id)).toContain(
      'too-many-entries',
    )
  })

  it.each(Object.entries(dumps))('is read from %s', (_, dump) => {
    expect(readMemmap(dump)).toMatchObject({ dialect: 'boot-params', map, problems: [] })
  })

  it('is not made of other bytes', () => {
    expect(
      readMemmap('00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  |................|').problems,
    ).toMatchObject([{ id: 'not-boot-params' }, { fatal: true }])
  })
})

describe('readers on anything', () => {
  const valid = (input: string | Uint8Array): void => {
    const parse = readMemmap(input)
    expect(parse.map.length === 0).toBe(parse.problems.some(problem => problem.fatal))
    const broken = parse.map.filter(
      ({ range: of }) => !(of.end > of.start && of.start % 4096 === 0 && of.end % 4096 === 0),
    )
    expect(broken).toEqual([])
  }

  it.each(DIALECTS.map(({ name, example }) => [name, example] as const))(
    '%s, mutated: no throw, whole pages only',
    (_, example) => {
      const edits = fc.array(
        fc.tuple(fc.nat(example.length), fc.nat(4), fc.string({ unit: 'binary-ascii', maxLength: 4 })),
        { minLength: 1, maxLength: 6 },
      )
      fc.assert(
        fc.property(edits, list => {
          valid(
            list.reduce(
              (text, [at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut),
              `${example}\n${example}`,
            ),
          )
        }),
        tries(40, 150),
      )
    },
  )

  it('bytes and letters of the trade: no throw', () => {
    const words = fc.constantFrom(
      'efi: mem00: ',
      'BIOS-e820: ',
      '[mem 0x',
      '0000000000100000',
      '-',
      ' : ',
      'System RAM',
      '0/start:',
      '\n',
      '\r',
      '\x1b[0m',
      '(usable)',
      '] usable',
      ' ',
      'MAP ',
      'base_addr = 0x1, length = ',
      '[gap 0x',
      '{',
      '"',
      '*',
      '00000000  00 ',
      '#section',
      'E820 memmap:',
      '(1)',
      'Available  ',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(words, { maxLength: 60 }).map(list => list.join('')),
          fc.uint8Array({ maxLength: 5000 }),
        ),
        input => {
          valid(input)
        },
      ),
      tries(120, 400),
    )
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4096, maxLength: 4096 }), bytes => {
        bytes.set([0x48, 0x64, 0x72, 0x53], 0x202)
        valid(bytes)
      }),
      tries(15, 50),
    )
  })

  it.each([
    '0',
    'a',
    ' ',
    '\r',
    '\n',
    '\x1b[',
    'mem00: ',
    'efi: mem',
    '[    0.0] ',
    '0x',
    '00 ',
    '(invalid)',
    '[mem 0x',
    '1/',
    ' A',
    '7:1000+1 ',
    'host kernel: ',
    'A ',
  ])(`${String(LONG / 1024)} KiB of %j: in linear time, a square would take minutes`, piece => {
    for (const front of [
      '',
      'efi: mem00: [',
      'BIOS-e820: [mem 0x1-0x2] ',
      'X 0000000000000000-0000000000000FFF ',
      '00000000  ',
    ])
      valid(front + piece.repeat(Math.ceil(LONG / piece.length)))
  })
})
