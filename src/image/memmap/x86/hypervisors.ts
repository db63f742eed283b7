/**
 * What hypervisors print of the machine below them. Source: captures of Xen 4.1 to 4.18 and of ESXi 6 and 7.
 */
import { groupsOf } from '../../groups.ts'
import { ATTRIBUTE_UNSAID, E820_LACKS, eachLine, hexValue, type Dialect } from '../model.ts'
import { e820Row, e820TypeOf } from './e820.ts'

const XEN_WORD = '\\((?:usable|reserved|ACPI data|ACPI NVS|unusable|type \\d{1,10})\\)'
const readXen = groupsOf(
  /^(?:\[([0-9a-fA-F]{16}), ([0-9a-fA-F]{16})\]|([0-9a-fA-F]{16}) - ([0-9a-fA-F]{16})) \(([^()]+)\)$/,
  5,
)

/** The end is exclusive with a dash, inclusive in brackets. */
export const xenE820: Dialect<'xen-e820'> = {
  name: 'xen-e820',
  kind: 'e820',
  title: 'Xen: `Xen-e820 RAM map:`, `EFI RAM map:`',
  example:
    '(XEN) EFI RAM map:\n(XEN)  [0000000000100000, 000000007bffffff] (usable)\n(XEN)  ' +
    '[000000007c000000, 000000007cffffff] (ACPI NVS)',
  taken: 'exit-boot-services',
  lacks: E820_LACKS,
  looks:
    /(?<![\w.-])(?:\[[0-9a-fA-F]{16}, [0-9a-fA-F]{16}\]|[0-9a-fA-F]{16} - [0-9a-fA-F]{16})(?: \([a-zA-Z]|\s{0,9}$)/g,
  row: new RegExp(
    `(?:\\[[0-9a-fA-F]{16}, [0-9a-fA-F]{16}\\]|[0-9a-fA-F]{16} - [0-9a-fA-F]{16}) ${XEN_WORD}`,
    'y',
  ),
  wide: true,
  hint: /[0-9a-fA-F]{16}(?:,| -) [0-9a-fA-F]{16}/,
  stop: /(?:e820|EFI) RAM map:/,
  ...eachLine('xen-e820', line => {
    const row = readXen(line)
    const type = row === null ? null : e820TypeOf(row[4])
    if (row === null || type === null) return null
    const [start, last, oldStart, oldEnd] = row
    return [
      start === ''
        ? e820Row(hexValue(oldStart), hexValue(oldEnd), type)
        : e820Row(hexValue(start), hexValue(last) + 1n, type),
    ]
  }),
}

const ESXI_BODY = '\\[\\d{1,4}\\]: 0x[0-9a-fA-F]{1,16} - 0x[0-9a-fA-F]{1,16} len=\\d{1,20}, type=\\d{1,10}'
const readEsxi = groupsOf(
  /^(MMap|E820)\[\d+\]: 0x([0-9a-fA-F]+) - 0x([0-9a-fA-F]+) len=(\d+), type=(\d+)(?:, attr=0x([0-9a-fA-F]+))?$/i,
  6,
)

export const esxi: Dialect<'esxi'> = {
  name: 'esxi',
  kind: 'efi',
  title: 'ESXi: `MMap[…]` of the boot log',
  example:
    '<6>MMap[0]: 0x100000 - 0x7bffffff len=2079326208, type=7, attr=0xf\n<6>MMap[1]: ' +
    '0x7c000000 - 0x7cffffff len=16777216, type=10, attr=0xf',
  taken: 'exit-boot-services',
  lacks: [
    'memory of types LoaderCode and LoaderData belongs to the boot of ESXi: it counts as ' +
      'free before the load',
  ],
  looks: /(?<!\w)MMap\[\d{1,4}\]: 0x/gi,
  row: new RegExp(`MMap${ESXI_BODY}(?:, attr=0x[0-9a-fA-F]{1,16})?(?!\\w)`, 'iy'),
  wide: false,
  ...eachLine('esxi', line => {
    const row = readEsxi(line)
    if (row === null) return null
    const [, at, last, length, type, attribute] = row
    const start = hexValue(at)
    const end = hexValue(last) + 1n
    return [
      {
        type: Number(type),
        start,
        end,
        attribute: attribute === '' ? ATTRIBUTE_UNSAID : hexValue(attribute),
        ...(BigInt(length) % 4096n === 0n ? { pages: BigInt(length) / 4096n } : {}),
      },
    ]
  }),
}
