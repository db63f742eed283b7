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
      'test/fixtures/nova.txt',
    ],
    '(nova, lines 2-3',
  ],
  files: {
    'src/image/memmap/efi-nova.ts': `/** The EFI map that a hypervisor prints in its log. */
import { groupsOf } from '../groups.ts'
import { eachLine, hexValue, type Dialect } from './model.ts'

const readRow = groupsOf(/^NOVA ([0-9a-f]{16})\\.\\.([0-9a-f]{16}) t(\\d{1,10}) a([0-9a-f]{16})$/, 4)

export const nova: Dialect<'nova'> = {
  name: 'nova',
  kind: 'efi',
  title: 'a hypervisor, in its log',
  example: 'NOVA 0000000000100000..0000000000805fff t7 a000000000000000f',
  taken: 'before-load',
  lacks: ['what the hypervisor itself holds stays occupied'],
  looks: /NOVA [0-9a-f]{16}/g,
  row: /NOVA [0-9a-f]{16}\\.\\.[0-9a-f]{16} t\\d{1,10} a[0-9a-f]{16}/y,
  wide: true,
  ...eachLine('nova', line => {
    const row = readRow(line)
    if (row === null) return null
    const [start, last, type, attribute] = row
    return [
      {
        type: Number(type),
        start: hexValue(start),
        end: hexValue(last) + 1n,
        attribute: hexValue(attribute),
      },
    ]
  }),
}
`,
    'src/image/memmap/dialects.ts': all(
      behind(
        "import { linuxEfi, linuxEfiArm } from './efi-linux.ts'\n",
        "import { nova } from './efi-nova.ts'\n",
      ),
      behind('const TABLE = [\n', '  nova,\n'),
    ),
  },
  beside: {
    'test/fixtures/nova.txt': `NOVA memory map
NOVA 0000000000001000..000000000009ffff t7 a000000000000000f
NOVA 0000000000100000..000000001fffffff t7 a000000000000000f
`,
    'test/support/memmap-printers.ts': behind(
      'const SHELL_PRINTERS: readonly Printer[] = [\n',
      `  {
    name: 'Nova',
    dialect: 'nova',
    source: 'nova',
    log: false,
    head: ['NOVA memory map'],
    print: row => ({
      line:
        \`NOVA \${hex(row.range.start, 16)}..\${hex(row.range.end - 1, 16)} \` +
        \`t\${String(row.type)} a\${hex(row.attribute, 16)}\`,
      says: row,
    }),
  },
`,
    ),
    'test/unit/image/nova.test.ts': `import { expect, test } from 'vitest'
import { MEMMAP_DIALECTS, readMemmap, type MemmapDialect } from '../../../src/index.ts'

const NOVA: MemmapDialect = 'nova'

test('a line of it is read, and the name is one of the names', () => {
  expect(readMemmap('NOVA 0000000000100000..0000000000805fff t7 a000000000000000f', NOVA)).toMatchObject({
    dialect: NOVA,
    map: [{ type: 7, range: { start: 0x100000, end: 0x806000 } }],
  })
  expect(MEMMAP_DIALECTS).toContain(NOVA)
})
`,
  },
}
