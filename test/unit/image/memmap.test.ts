import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { attributeOf, memoryTypeOf, SHELL_TYPE_NAMES } from '../../../src/image/memory-type-names.ts'
import {
  EFI_MEMORY_RUNTIME,
  EfiACPIMemoryNVS,
  EfiBootServicesData,
  EfiConventionalMemory,
  EfiLoaderCode,
  EfiMemoryMappedIO,
  EfiReservedMemoryType,
  EfiRuntimeServicesData,
} from '../../../src/image/memory-types.ts'
import { formatMemmap, MEMMAP_TEXT_MAX, readMemmap } from '../../../src/image/memmap.ts'
import { row } from '../../support/descriptors.ts'

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/memmaps/${name}`, import.meta.url), 'utf8')
const ids = (text: string | Uint8Array): string[] => readMemmap(text).problems.map(problem => problem.id)

const FIRST = [
  row(EfiConventionalMemory, 0, 0xa0000),
  row(EfiConventionalMemory, 0x100000, 0x806000),
  row(EfiACPIMemoryNVS, 0x806000, 0x808000),
  row(EfiConventionalMemory, 0x808000, 0x810000),
  row(EfiACPIMemoryNVS, 0x810000, 0x900000),
  row(EfiBootServicesData, 0x900000, 0x1500000),
]

describe('readMemmap', () => {
  it('reads the table of the UEFI shell and stops at its summary', () => {
    const parse = readMemmap(fixture('uefi-shell.txt'))
    expect(parse).toMatchObject({ dialect: 'uefi-shell', lines: [2, 17], problems: [] })
    expect(parse.map.slice(0, 6)).toEqual(FIRST)
    expect(parse.map.at(9)).toEqual(row(EfiLoaderCode, 0x1de3e000, 0x1df15000))
    expect(parse.map.slice(-4)).toEqual([
      row(EfiRuntimeServicesData, 0x1fef4000, 0x1ff78000, EFI_MEMORY_RUNTIME | 0xfn),
      row(EfiACPIMemoryNVS, 0x1ff78000, 0x20000000),
      row(EfiReservedMemoryType, 0xb0000000, 0xc0000000, 1n),
      row(EfiMemoryMappedIO, 0xffc00000, 0x100000000, EFI_MEMORY_RUNTIME | 1n),
    ])
  })

  it('reads UTF-16 with byte order mark, as the shell writes it, and CR LF with escapes', () => {
    const text = '\ufeff' + fixture('uefi-shell.txt')
    const utf16 = new Uint8Array(Uint16Array.from(text, letter => letter.charCodeAt(0)).buffer)
    expect(readMemmap(utf16).map).toEqual(readMemmap(fixture('uefi-shell.txt')).map)
    expect(
      readMemmap(
        fixture('uefi-shell.txt')
          .replaceAll('\n', '\r\n')
          .replaceAll('Available', '\x1b[0mAvailable\x1b[37;40m'),
      ).map,
    ).toEqual(readMemmap(fixture('uefi-shell.txt')).map)
    expect(readMemmap(new TextEncoder().encode(fixture('uefi-shell.txt'))).map).toHaveLength(16)
  })

  it('reads the firmware map of a kernel log, not what the kernel prints later', () => {
    const parse = readMemmap(fixture('linux-6.12-dmesg.txt'))
    expect(parse).toMatchObject({ dialect: 'linux', problems: [] })
    expect(parse.map.slice(0, 6)).toEqual(FIRST)
    expect(parse.map).toHaveLength(12)
  })

  it.each([
    [
      'efi: mem00: type=7, attr=0x800000000000000f, range=[0x0000000000100000-0x0000000037400000) (883MB)',
      row(7, 0x100000, 0x37400000, EFI_MEMORY_RUNTIME | 0xfn),
    ],
    [
      'EFI: mem00: type=7, attr=0xf, range=[0x0000000000100000-0x0000000037400000) (883MB)',
      row(7, 0x100000, 0x37400000),
    ],
    [
      '[    0.000000] efi: mem00: [Conventional Memory|   |  |  |  |   |WB|WT|WC|UC] ' +
        'range=[0x0000000000100000-0x0000000037400000) (883MB)',
      row(7, 0x100000, 0x37400000),
    ],
    [
      'Jan 02 10:00:00 host kernel: <6>[    0.000000][    T0] efi: mem00: [Runtime ' +
        'Data|RUN|HP|MR|CC|SP|NV|XP|RP|WP|RO|UCE|WB|WT|WC|UC] ' +
        'range=[0x0000000000100000-0x0000000000100fff] (0MB)',
      row(6, 0x100000, 0x101000, EFI_MEMORY_RUNTIME | 0x1ff01fn),
    ],
    [
      'efi: mem00: [type=1879048192|attr=0x0000000000000003] ' +
        'range=[0x0000000000100000-0x0000000000100fff] (0MB)',
      row(0x70000000, 0x100000, 0x101000, 3n),
    ],
    [
      'efi: mem00: [type=15|   |WB] range=[0x0000000000100000-0x0000000000100fff] (0MB)',
      row(15, 0x100000, 0x101000, 8n),
    ],
    ['MemoryMap,"BootServiceData","900000","14FFFFF","C00","F"', row(4, 0x900000, 0x1500000)],
    [
      '80000001   0000000000100000-0000000000100FFF 0000000000000001 0000000000000007',
      row(0x80000001, 0x100000, 0x101000, 7n),
    ],
    [
      'Unk 0f    0000000000100000-0000000000100fff 00000001      4KiB UC WC WT WB RT',
      row(15, 0x100000, 0x101000, EFI_MEMORY_RUNTIME | 0xfn),
    ],
    ['ldr-code  0000000000100000-0000000000100fff 00000001      4KiB', row(1, 0x100000, 0x101000, 0n)],
    ['MAP a 806000-807fff f', row(10, 0x806000, 0x808000)],
    ['MAP 7 100000-100fff 8000000000000001', row(7, 0x100000, 0x101000, EFI_MEMORY_RUNTIME | 1n)],
    ['a:806000+2', row(10, 0x806000, 0x808000)],
  ])('reads %s', (line, expected) => {
    expect(readMemmap(line)).toMatchObject({ map: [expected], problems: [], lines: [1, 1] })
  })

  it('reads GRUB listings', () => {
    const parse = readMemmap(fixture('grub-lsefimmap.txt'))
    expect(parse).toMatchObject({ dialect: 'grub', problems: [] })
    expect(parse.map.slice(0, 6)).toEqual(FIRST)
  })

  it('reads the compact form over several lines, in order', () => {
    expect(readMemmap('3:0+1 7:1000+9f 2:9f000+1\n7:100000+706\n').map).toEqual([
      row(3, 0, 0x1000),
      row(7, 0x1000, 0xa0000),
      row(2, 0x9f000, 0xa0000),
      row(7, 0x100000, 0x806000),
    ])
  })

  it('reads a whole file with several maps: the first one, or the first of a given dialect', () => {
    const text = `#section a\n${fixture('uefi-shell.txt')}\n#section b\n${fixture('linux-6.12-dmesg.txt')}`
    expect(readMemmap(text)).toMatchObject({ dialect: 'uefi-shell', lines: [3, 18] })
    expect(readMemmap(text, 'linux').map).toHaveLength(12)
    expect(readMemmap(text, 'json').problems).toMatchObject([{ id: 'not-a-memmap', fatal: true }])
    expect(readMemmap('MAP 7 0-fff f\n#section next\nMAP 7 1000-1fff f').map).toHaveLength(1)
  })

  it('stops where the numbering of a kernel log starts again and reports lines that are missing', () => {
    const line = (n: string, at: number): string =>
      `efi: mem${n}: [Boot Data   |WB] range=[0x${at.toString(16)}-0x${(at + 0xfff).toString(16)}] (0MB)\n`
    expect(readMemmap(line('00', 0x1000) + line('01', 0x2000) + line('00', 0x9000))).toMatchObject({
      lines: [1, 2],
      problems: [],
    })
    expect(ids(line('02', 0x1000) + line('03', 0x2000))).toEqual(['missing-lines'])
    expect(ids(line('99', 0x1000) + line('100', 0x2000))).toEqual(['missing-lines'])
  })

  it('reports rows that it cannot read, and reads the others', () => {
    const kernel =
      'efi: mem00: [Nonsense|WB] range=[0x1000-0x1fff] (0MB)\nefi: mem01: [Boot ' +
      'Data|WB] range=[0x2000-0x2fff] (0MB)\nefi: mem02: (invalid) whatever\nefi: ' +
      'mem03: cut of'
    expect(readMemmap(kernel)).toMatchObject({
      map: [row(4, 0x2000, 0x3000, 8n)],
      lines: [2, 4],
      problems: [{ id: 'unreadable-line' }, { id: 'unreadable-line' }, { id: 'unreadable-line' }],
    })
    expect(
      ids(
        'Nonsense   0000000000000000-0000000000000FFF 0000000000000001 ' +
          '000000000000000F\nAvailable  0000000000001000-0000000000001FFF 0000000000000001 ' +
          '00',
      ),
    ).toEqual(['unreadable-line', 'unreadable-line', 'nothing-usable'])
    expect(ids('MAP 7 0-fff\nMAP 7 1000-1fff f')).toEqual(['unreadable-line'])
    expect(ids('7:0+1 nonsense')).toEqual(['unreadable-line', 'nothing-usable'])
  })

  it('leaves out what can be no descriptor, and says why', () => {
    expect(ids('MAP 7 0-0 f')).toEqual(['zero-address', 'nothing-usable'])
    expect(ids('7:0+0')).toEqual(['zero-address', 'nothing-usable'])
    expect(ids('7:1000+0 7:1000+1')).toEqual(['empty-range'])
    expect(ids('MAP 7 2000-fff f\nMAP 7 0-fff f')).toEqual(['empty-range'])
    expect(ids('MAP 7 fffffffffffff000-ffffffffffffffff f\nMAP 7 0-fff f')).toEqual(['beyond-physical'])
    expect(ids('MAP 7 1-fff f\nMAP 7 1000-1ffe f\nMAP 7 2000-2fff f')).toEqual([
      'not-whole-pages',
      'not-whole-pages',
    ])
  })

  it('keeps overlapping rows and rows whose page count lies, with a problem', () => {
    const overlapping = readMemmap('7:0+10 3:1000+1 4:2000+1 7:20000+1')
    expect(overlapping.map).toHaveLength(4)
    expect(overlapping.problems.map(p => p.what)).toEqual([
      '0x1000-0x2000 overlaps 0x0-0x10000',
      '0x2000-0x3000 overlaps 0x0-0x10000',
    ])
    expect(ids('Available  0000000000000000-0000000000000FFF 0000000000000002 000000000000000F')).toEqual([
      'pages-disagree',
    ])
  })

  it('says what is no memory map', () => {
    expect(ids('')).toEqual(['empty'])
    expect(ids(' \n')).toEqual(['empty'])
    expect(ids('hello world')).toEqual(['not-a-memmap'])
    expect(ids(new Uint8Array(MEMMAP_TEXT_MAX + 1))).toEqual(['too-long'])
    expect(readMemmap('hello')).toMatchObject({
      map: [],
      dialect: null,
      lines: [0, 0],
      problems: [{ fatal: true }],
    })
  })
})

describe('JSON', () => {
  const read = (map: unknown, schema: unknown = 1) => readMemmap(JSON.stringify({ schema, map }))

  it('takes numbers, hexadecimal and decimal text, pages for end, names and numbers for types', () => {
    const parse = read([
      { type: 7, start: 0, end: '0xa0000' },
      { type: 'EfiLoaderCode', start: '0x100000', pages: 2, attribute: '0x8000000000000001' },
      { type: 'Boot Data', start: '2097152', pages: '1', attribute: 15 },
      { type: '0x70000001', start: '0x300000', end: '0x301000', pages: 1 },
    ])
    expect(parse).toMatchObject({ dialect: 'json', problems: [], lines: [1, 1] })
    expect(parse.map).toEqual([
      row(7, 0, 0xa0000),
      row(1, 0x100000, 0x102000, EFI_MEMORY_RUNTIME | 1n),
      row(4, 0x200000, 0x201000),
      row(0x70000001, 0x300000, 0x301000),
    ])
  })

  it.each([
    null,
    7,
    {},
    { type: 7 },
    { type: 7, start: 0 },
    { type: 'x', start: 0, end: 4096 },
    { type: -1, start: 0, end: 4096 },
    { type: 2 ** 32, start: 0, end: 4096 },
    { type: null, start: 0, end: 4096 },
    { type: 7, start: '0xg', end: 4096 },
    { type: 7, start: 0.5, end: 4096 },
    { type: 7, start: 0, end: {} },
    { type: 7, start: 0, end: 4096, attribute: 'x' },
    { type: 7, start: 0, end: 4096, pages: 'x' },
    { type: 7, start: 0, pages: -1 },
  ])('has no entry for %j', entry => {
    expect(read([entry, { type: 7, start: 0, end: 4096 }])).toMatchObject({
      map: [row(7, 0, 4096)],
      problems: [{ id: 'unreadable-line' }],
    })
  })

  it('reports what is no JSON, another schema, no list, and pages that disagree', () => {
    expect(ids('{')).toEqual(['not-json', 'nothing-usable'])
    expect(ids('{}')).toEqual(['unknown-schema', 'nothing-usable'])
    expect(ids('{"schema":2,"map":[]}')).toEqual(['unknown-schema', 'nothing-usable'])
    expect(ids('{"schema":1,"map":7}')).toEqual(['unreadable-line', 'nothing-usable'])
    expect(ids('{"schema":1,"map":[{"type":7,"start":0,"end":4096,"pages":2}]}')).toEqual(['pages-disagree'])
  })
})

describe('formatMemmap', () => {
  const maps = fc
    .array(
      fc.record({
        type: fc.oneof(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0x70000000, max: 0xffffffff })),
        gap: fc.integer({ min: 0, max: 9 }),
        pages: fc.integer({ min: 1, max: 2 ** 30 }),
        attribute: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      }),
      { minLength: 1, maxLength: 20 },
    )
    .map(rows => {
      let at = 0
      return rows.map(({ type, gap, pages, attribute }) => {
        const start = at + gap * 4096
        at = start + pages * 4096
        return row(type, start, at, attribute)
      })
    })

  it.each(['uefi-shell', 'json'] as const)('writes %s that reads back to the same map', dialect => {
    fc.assert(
      fc.property(maps, map => {
        expect(readMemmap(formatMemmap(map, dialect))).toMatchObject({ map, dialect, problems: [] })
      }),
      { numRuns: 100 },
    )
  })
})

describe('readMemmap on anything', () => {
  it('never throws and never gives an empty or unaligned range', () => {
    const letters = fc.string({
      unit: fc.constantFrom(...Array.from('0123456789abcdefMAP -:+{}"\n[]|xmef')),
      maxLength: 300,
    })
    const mutated = fc
      .tuple(
        fc.constantFrom(
          fixture('uefi-shell.txt'),
          fixture('linux-6.12-dmesg.txt'),
          formatMemmap(FIRST, 'json'),
        ),
        fc.nat(3000),
        fc.string({ maxLength: 4 }),
      )
      .map(([text, at, what]) => text.slice(0, at) + what + text.slice(at + what.length))
    fc.assert(
      fc.property(fc.oneof(letters, mutated, fc.uint8Array({ maxLength: 300 })), input => {
        for (const { range: of } of readMemmap(input).map)
          expect(of.end > of.start && of.start % 4096 === 0 && of.end % 4096 === 0).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

describe('names', () => {
  it('knows every printed name, in any case, and no other', () => {
    SHELL_TYPE_NAMES.forEach((name, type) => {
      expect(memoryTypeOf(name)).toBe(type)
    })
    expect(memoryTypeOf(' conv-mem ')).toBe(7)
    expect(memoryTypeOf('Loader code')).toBe(1)
    expect(memoryTypeOf('heap')).toBeNull()
  })

  it('counts unknown flags for nothing', () => {
    expect(attributeOf(['UC', ' ', 'XX', 'WB '])).toBe(9n)
  })
})
