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
      'test/fixtures/xen.txt',
    ],
    '(xen, lines 2-3',
  ],
  files: {
    'src/image/memmap/efi-xen.ts': `/** The EFI map that Xen prints. Source: xen xen/common/efi/runtime.c. */
import { groupsOf } from '../groups.ts'
import { eachLine, hexValue, type Dialect } from './model.ts'

const readRow = groupsOf(/^\\(XEN\\) {2}([0-9a-f]{13})-([0-9a-f]{13}) type=(\\d+) attr=([0-9a-f]{16})$/, 4)

export const xen: Dialect<'xen'> = {
  name: 'xen',
  kind: 'efi',
  title: 'Xen, in its log',
  example: '(XEN)  0000000100000-0000000805fff type=7 attr=000000000000000f',
  taken: 'before-load',
  lacks: ['what Xen itself holds stays occupied'],
  sniff: line => line.startsWith('(XEN)  '),
  read: eachLine('xen', line => {
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
      behind("import { uboot, ubootEfiMem } from './efi-uboot.ts'\n", "import { xen } from './efi-xen.ts'\n"),
      behind('const TABLE = [\n', '  xen,\n'),
    ),
  },
  beside: {
    'test/fixtures/xen.txt': `(XEN) EFI memory map:
(XEN)  0000000001000-000000009ffff type=7 attr=000000000000000f
(XEN)  0000000100000-000001fffffff type=7 attr=000000000000000f
`,
    'test/support/memmap-printers.ts': behind(
      'const SHELL_PRINTERS: readonly Printer[] = [\n',
      `  {
    name: 'Xen',
    dialect: 'xen',
    source: 'xen',
    log: false,
    head: ['(XEN) EFI memory map:'],
    print: row => ({
      line: \`(XEN)  \${hex(row.range.start, 13)}-\${hex(row.range.end - 1, 13)} type=\${String(row.type)} attr=\${hex(row.attribute, 16)}\`,
      says: row,
    }),
  },
`,
    ),
    'test/unit/image/xen.test.ts': `import { expect, test } from 'vitest'
import { MEMMAP_DIALECTS, readMemmap, type MemmapDialect } from '../../../src/index.ts'

const XEN: MemmapDialect = 'xen'

test('a line of Xen is read, and the name is one of the names', () => {
  expect(readMemmap('(XEN)  0000000100000-0000000805fff type=7 attr=000000000000000f', XEN)).toMatchObject({
    dialect: XEN,
    map: [{ type: 7, range: { start: 0x100000, end: 0x806000 } }],
  })
  expect(MEMMAP_DIALECTS).toContain(XEN)
})
`,
  },
}
