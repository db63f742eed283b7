/** Another program prints memory maps. */
import { all, behind, type Addition } from './addition.ts'

export const dialect: Addition = {
  kind: 'a dialect of memory maps',
  shown: [
    [
      'check',
      '--scenario',
      'samples/2020-04-bss-not-zeroed/scenario.json',
      '--memmap',
      'test/fixtures/haiku.txt',
    ],
    '(haiku, lines 2-3',
  ],
  files: {
    'src/image/memmap/efi-haiku.ts': `/** The EFI map that Haiku's loader prints. Source: haiku src/system/boot/platform/efi/arch/x86_64/arch_start.cpp. */
import { groupsOf } from '../groups.ts'
import { eachLine, hexValue, type Dialect } from './model.ts'

const readRow = groupsOf(
  /^phys: 0x([0-9a-f]+)-0x([0-9a-f]+), virt: 0x[0-9a-f]+-0x[0-9a-f]+, type: \\w+ \\(0x([0-9a-f]+)\\), attr: 0x([0-9a-f]+)$/,
  4,
)

export const haiku: Dialect<'haiku'> = {
  name: 'haiku',
  kind: 'efi',
  title: 'Haiku, its loader',
  example: 'phys: 0x00100000-0x00806000, virt: 0x00000000-0x00000000, type: ConventionalMemory (0x7), attr: 0xf',
  taken: 'before-load',
  lacks: ['what the loader itself holds stays occupied'],
  looks: /\\bphys: 0x[0-9a-f]{1,16}-0x/g,
  row: /phys: 0x[0-9a-f]{1,16}-0x[0-9a-f]{1,16}, virt: 0x[0-9a-f]{1,16}-0x[0-9a-f]{1,16}, type: \\w{1,40} \\(0x[0-9a-f]{1,8}\\), attr: 0x[0-9a-f]{1,16}/y,
  wide: false,
  read: eachLine('haiku', line => {
    const row = readRow(line)
    if (row === null) return null
    const [start, end, type, attribute] = row
    return [
      {
        type: Number(hexValue(type)),
        start: hexValue(start),
        end: hexValue(end),
        attribute: hexValue(attribute),
      },
    ]
  }),
}
`,
    'src/image/memmap/dialects.ts': all(
      behind(
        "import { uboot, ubootEfiMem } from './efi-uboot.ts'\n",
        "import { haiku } from './efi-haiku.ts'\n",
      ),
      behind('const TABLE = [\n', '  haiku,\n'),
    ),
  },
  beside: {
    'test/fixtures/haiku.txt': `System provided memory map:
    phys: 0x00001000-0x000a0000, virt: 0x00000000-0x00000000, type: ConventionalMemory (0x7), attr: 0xf
    phys: 0x00100000-0x20000000, virt: 0x00000000-0x00000000, type: ConventionalMemory (0x7), attr: 0xf
`,
    'test/support/memmap-printers.ts': behind(
      'const SHELL_PRINTERS: readonly Printer[] = [\n',
      `  {
    name: 'Haiku',
    dialect: 'haiku',
    source: 'haiku',
    log: false,
    head: ['System provided memory map:'],
    print: row => ({
      line: \`    phys: 0x\${hex(row.range.start, 8)}-0x\${hex(row.range.end, 8)}, virt: 0x\${hex(0, 8)}-0x\${hex(0, 8)}, type: Name (0x\${hex(row.type)}), attr: 0x\${hex(row.attribute)}\`,
      says: row,
    }),
  },
`,
    ),
    'test/unit/image/haiku.test.ts': `import { expect, test } from 'vitest'
import { MEMMAP_DIALECTS, readMemmap, type MemmapDialect } from '../../../src/index.ts'

const HAIKU: MemmapDialect = 'haiku'

test('a line of Haiku is read, and the name is one of the names', () => {
  const line = 'phys: 0x00100000-0x00806000, virt: 0x00000000-0x00000000, type: ConventionalMemory (0x7), attr: 0xf'
  expect(readMemmap(line, HAIKU)).toMatchObject({
    dialect: HAIKU,
    map: [{ type: 7, range: { start: 0x100000, end: 0x806000 } }],
  })
  expect(MEMMAP_DIALECTS).toContain(HAIKU)
})
`,
  },
}
