/** One section table in the form of every program that prints one, and in whatever people put around it. */
import { describe, expect, test } from 'vitest'
import { isListing, readListing } from '../../../src/image/objdump.ts'
import { imageOfListing } from '../../../src/boot/listing.ts'
import { check } from '../../../src/check.ts'
import { descriptor } from '../firmware/small-machine.ts'
import { KERNEL_FACTS } from '../../../src/image/x86/kernel-facts.ts'

const KERNEL = KERNEL_FACTS['debian-6.12.107-cloud'] ?? expect.fail('no such kernel')
/** Name, VirtualSize, RVA, SizeOfRawData, PointerToRawData, Characteristics. */
type Section = [name: string, size: number, at: number, length: number, raw: number, flags: number]
const SECTIONS: Section[] = [
  ['.text', 0x7aa0, 0x4000, 0x7c00, 0x400, 0x60000020],
  ['.data', 0x2168, 0xd000, 0x2200, 0x8000, 0xc0000040],
  ['.osrel', 0x21, 0x20000, 0x200, 0xa200, 0x40000040],
  ['.cmdline', 0x1c, 0x30000, 0x200, 0xa400, 0x40000040],
  ['.linux', KERNEL.fileSize, 0x2000000, KERNEL.fileSize, 0xa600, 0x40000040],
  ['.initrd', 0x123400, 0x2b2b000, 0x123400, 0xa600 + KERNEL.fileSize, 0x40000040],
]
const hex = (n: number, width = 1): string => n.toString(16).padStart(width, '0')
const HEX = (n: number): string => n.toString(16).toUpperCase()
const each = (line: (...section: Section) => string): string => SECTIONS.map(one => line(...one)).join('\n')
const indexed = (line: (i: number, ...section: Section) => string): string =>
  SECTIONS.map((one, i) => line(i, ...one)).join('\n')

const OBJDUMP_ROWS = indexed(
  (i, name, size, at, _, raw, flags) =>
    `${String(i).padStart(3)} ${name.padEnd(13)} ${hex(size, 8)}  ${hex(at, 16)}  ${hex(at, 16)}  ` +
    `${hex(raw, 8)}  2**2\n` +
    `                  CONTENTS, ALLOC, LOAD, READONLY, ${flags === 0x60000020 ? 'CODE' : 'DATA'}`,
)
const OBJDUMP =
  'uki.efi:     file format pei-x86-64\n\nSections:\n' +
  'Idx Name          Size      VMA               LMA               File off  Algn\n' +
  `${OBJDUMP_ROWS}\n`

const FORMS: Readonly<Record<string, string>> = {
  'objdump -h': OBJDUMP,
  'objdump -hw': OBJDUMP.replace(/\n {18}/g, '  '),
  'objdump, quoted': OBJDUMP.replace(/^/gm, '> '),
  'objdump, of a diff': OBJDUMP.replace(/^/gm, '+'),
  'objdump, in a fence': `\`\`\`console\n$ objdump -h uki.efi\n${OBJDUMP}\`\`\`\n`,
  'objdump, blanks collapsed': OBJDUMP.replace(/ +/g, ' '),
  'objdump, blanks that do not break': OBJDUMP.replaceAll(' ', '\u00a0'),
  'objdump, rows alone': OBJDUMP.replace(/^[^]*Algn\n/, ''),
  'objdump, without flags': OBJDUMP.replace(/\n {18}.*/g, ''),
  'objdump, wrapped': OBJDUMP.replace(/ {2}2\*\*2/g, '\n2**2'),
  'objdump, in HTML': `<pre>${OBJDUMP.replaceAll('.', '&#46;')}</pre>`,
  'llvm-objdump -h':
    '\nuki.efi:\tfile format coff-x86-64\n\nSections:\n' +
    'Idx Name          Size     VMA              Type\n' +
    indexed(
      (i, name, size, at) =>
        `${String(i).padStart(3)} ${name.padEnd(13)} ${hex(size, 8)} ${hex(at, 16)} DATA`,
    ) +
    '\n',
  'llvm-readobj':
    'Format: COFF-x86-64\nSections [\n' +
    indexed((i, name, size, at, length, raw, flags) =>
      [
        '  Section {',
        `    Number: ${String(i + 1)}`,
        `    Name: ${name} (2E 74)`,
        `    VirtualSize: 0x${HEX(size)}`,
        `    VirtualAddress: 0x${HEX(at)}`,
        `    RawDataSize: ${String(length)}`,
        `    PointerToRawData: 0x${HEX(raw)}`,
        '    PointerToRelocations: 0x0',
        `    Characteristics [ (0x${HEX(flags)})`,
        '    ]',
        '  }',
      ].join('\n'),
    ) +
    '\n]\n',
  readpe:
    'Sections\n' +
    each((name, size, at, length, raw, flags) =>
      [
        '    Section',
        `        Name:                            ${name}`,
        `        Virtual Address:                 0x${hex(at)}`,
        `        Physical Address:                0x${hex(size)}`,
        `        Size:                            0x${hex(length)} (${String(length)} bytes)`,
        `        Pointer To Data:                 0x${hex(raw)}`,
        `        Characteristics:                 0x${hex(flags)}`,
      ].join('\n'),
    ) +
    '\n',
  pefile: each((name, size, at, length, raw) =>
    [
      '[IMAGE_SECTION_HEADER]',
      `0x1F0      0x0   Name:                          ${name}`,
      `0x1F8      0x8   Misc:                          0x${HEX(size)}`,
      `0x1F8      0x8   Misc_VirtualSize:              0x${HEX(size)}`,
      `0x1FC      0xC   VirtualAddress:                0x${HEX(at)}`,
      `0x200      0x10  SizeOfRawData:                 0x${HEX(length)}`,
      `0x204      0x14  PointerToRawData:              0x${HEX(raw)}`,
    ].join('\n'),
  ),
  'rabin2 -S':
    '[Sections]\n\nnth paddr             size vaddr            vsize perm name\n' +
    indexed(
      (i, name, size, at, length, raw) =>
        `${String(i)}   0x${hex(raw, 8)}   0x${hex(length)} 0x${hex(at, 8)}   0x${hex(size)} -r-- ${name}`,
    ) +
    '\n',
  dumpbin: indexed((i, name, size, at, length, raw) =>
    [
      `SECTION HEADER #${HEX(i + 1)}`,
      `${name.padStart(8)} name`,
      `${HEX(size).padStart(8)} virtual size`,
      `${HEX(at).padStart(8)} virtual address (${hex(at, 16)} to ${hex(at + size - 1, 16)})`,
      `${HEX(length).padStart(8)} size of raw data`,
      `${HEX(raw).padStart(8)} file pointer to raw data (${hex(raw, 8)} to ${hex(raw + length - 1, 8)})`,
    ].join('\n'),
  ),
  'pe-inspect':
    '# file: uki.efi\n#    header: size=0x400 imagesize=0x2fd3000 nx-compat=no\n' +
    each(
      (name, size, at, length, raw) =>
        `#    section: file 0x${hex(raw, 8)} +0x${hex(length, 8)}  ` +
        `virt 0x${hex(at, 8)} +0x${hex(size, 8)}  r-- (${name})`,
    ) +
    '\n',
  'EDK2, image records': each((name, size, at, length, raw, flags) =>
    [
      `  Section - '${name.padEnd(8, '\0').slice(0, 8)}'`,
      `  VirtualSize          - 0x${hex(size, 8)}`,
      `  VirtualAddress       - 0x${hex(at, 8)}`,
      `  SizeOfRawData        - 0x${hex(length, 8)}`,
      `  PointerToRawData     - 0x${hex(raw, 8)}`,
      '  PointerToRelocations - 0x00000000',
      `  Characteristics      - 0x${hex(flags, 8)}`,
    ].join('\n'),
  ),
  'a table in Markdown':
    '| Name | Raw Addr. | Raw Size | Virtual Addr. | Virtual Size | Characteristics |\n' +
    '|---|---|---|---|---|---|\n' +
    each(
      (name, size, at, length, raw, flags) =>
        `| ${name} | 0x${hex(raw)} | 0x${hex(length)} | 0x${hex(at)} | 0x${hex(size)} | 0x${hex(flags)} |`,
    ) +
    '\n',
  CSV:
    'Name,VirtualAddress,VirtualSize,PointerToRawData,SizeOfRawData\n' +
    each((name, size, at, length, raw) =>
      [name, ...[at, size, raw, length].map(n => `0x${hex(n)}`)].join(','),
    ) +
    '\n',
}
const FORM_NAMES = Object.keys(FORMS)
const textOf = (form: string): string => FORMS[form] ?? expect.fail(form)

describe('a section table', () => {
  test.each(FORM_NAMES)('%s', form => {
    const { listing, problems } = readListing(textOf(form))
    expect(problems).toEqual([])
    expect(listing?.sections.map(one => [one.name, one.VirtualAddress, one.size])).toEqual(
      SECTIONS.map(([name, size, at]) => [name, at, size]),
    )
    const missing = form === 'llvm-objdump -h' ? ['PointerToRawData'] : []
    expect(listing?.missing.map(({ column }) => column)).toEqual(missing)
    if (missing.length === 0)
      expect(listing?.sections.map(one => one.PointerToRawData)).toEqual(SECTIONS.map(one => one[4]))
    expect(isListing(new TextEncoder().encode(textOf(form)))).toBe(true)
  })

  test('as PowerShell saves it', () => {
    const units = Uint16Array.from(`\ufeff${OBJDUMP}`, letter => letter.charCodeAt(0))
    const bytes = new Uint8Array(units.buffer)
    expect([isListing(bytes), readListing(bytes).listing?.sections.length]).toEqual([true, 6])
  })

  test('a row that is lost is noticed by the numbers', () => {
    const { listing, problems } = readListing(OBJDUMP.replace(/\n {2}2 .*\n.*/, ''))
    expect([listing?.sections.length, problems.map(({ id }) => id)]).toEqual([5, ['missing-rows']])
  })

  test.each([
    '  Kernel Type: uki\n      Cmdline: console=ttyS0\n      Version: 6.12.107\n',
    'warning: data remaining[81231872 vs 94208336]: gaps between PE/COFF ' +
      'sections?\nNo signature table present\n',
  ])('%j is none', text => {
    expect([isListing(new TextEncoder().encode(text)), readListing(text).listing]).toEqual([false, null])
  })

  test.each<[string, bigint]>([
    ['ffff82d040200000', 0xffff82d040000000n],
    ['0000000140001000', 0x140000000n],
    ['0000000180001000', 0x180000000n],
    ['0000000010001000', 0x10000000n],
    ['000000007d0a1000', 0x7d0a0000n],
    ['0000000000004000', 0n],
  ])('whose first section is at %s has the image base %s', (vma, base) => {
    const { listing, problems } = readListing(`  0 .text         00198f5b  ${vma}  ${vma}  00001000  2**4\n`)
    expect([problems, listing?.headers.ImageBase]).toEqual([[], base])
  })
})

describe('HZ-19 a table without addresses', () => {
  const UKIFY: Readonly<Record<string, string>> = {
    text: each((name, size) => `${name}:\n  size: ${String(size)} bytes\n  sha256: 00ff`),
    JSON: JSON.stringify(
      Object.fromEntries(SECTIONS.map(([name, size]) => [name, { size, sha256: '00ff' }])),
    ),
  }

  test.each(Object.keys(UKIFY))('ukify inspect, %s: unknown, and the column is named', form => {
    const { listing } = readListing(UKIFY[form] ?? '')
    expect(listing?.missing.map(({ column }) => column)).toEqual(['VirtualAddress', 'PointerToRawData'])
    const image = imageOfListing(listing ?? expect.fail('none'), [], '6.12.107')
    const { report } = check({
      image: { name: 'inspect.txt', ...image },
      machine: { what: 'a map', map: [descriptor(7, 0x1000, 0xa0000), descriptor(7, 0x100000, 0x20000000)] },
      ...(image.stub === null ? {} : { stub: image.stub }),
    })
    expect([report.verdict, report.advice, report.builder]).toEqual(['unknown', [], null])
    expect(report.gaps.map(({ why }) => why).join()).toContain('VirtualAddress')
  })
})
