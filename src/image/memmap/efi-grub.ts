/**
 * GRUB's two commands: `lsefimmap` prints the EFI map, `lsmmap` GRUB's version of it. Source: grub@2.06, 2.12
 * and 2.14 lsefimmap.c, lsmmap.c, and captures.
 */
import { groupsOf } from '../groups.ts'
import { attributeOf, memoryTypeOf } from '../memory-type-names.ts'
import {
  EfiACPIMemoryNVS,
  EfiACPIReclaimMemory,
  EfiConventionalMemory,
  EfiPersistentMemory,
  EfiReservedMemoryType,
  EfiUnusableMemory,
} from '../memory-types.ts'
import {
  E820_LACKS,
  ATTRIBUTE_UNSAID,
  eachLine,
  HYPHENED,
  hexValue,
  type Dialect,
  type MemmapRow,
} from './model.ts'

const HEX16 = '[0-9A-Fa-f]{16}'
const NAME = '(?:Unk [0-9a-fA-F]{2,8}|[A-Za-z][\\w-]{1,15})'
const FLAG = '(?:RT|UCE|UC|WC|WT|WB|WP|RP|XP|NV|MR|RO|SP|CRYPT|HP|CC)'
const readRow = groupsOf(
  new RegExp(
    `^(Unk [0-9a-fA-F]{2,8}|\\S+)\\s+(${HEX16})-(${HEX16})\\s+([0-9a-fA-F]{8,16})` +
      '\\s+\\d+\\s*[KMGTPE]iB((?:\\s+[A-Z]+)*)$',
  ),
  5,
)
const LOOKS = new RegExp(
  `(?<!\\w)${NAME}\\s{1,20}${HEX16}-${HEX16}(?:\\s{1,20}[0-9a-fA-F]{8}|\\s{0,20}$)`,
  'g',
)
const ROW = new RegExp(
  `${NAME}\\s{1,20}${HEX16}-${HEX16}\\s{1,20}[0-9a-fA-F]{8,16}` +
    `\\s{1,20}\\d{1,12}\\s{0,4}[KMGTPE]iB(?:\\s{1,4}${FLAG}\\b){0,20}`,
  'y',
)
const MORE = new RegExp(`^(?:${FLAG}(?:\\s+|$)){1,20}$`)
const readUnknown = groupsOf(/^Unk ([0-9a-fA-F]{2,8})$/, 1)
const readLsmmapRow = groupsOf(
  /^base_addr = 0x([0-9a-fA-F]{1,16}), length = 0x([0-9a-fA-F]{1,16}), (.+)$/i,
  3,
)

/** The longest end of the name that is one: `grep` puts dashes in front of it. */
function typeOf(name: string): number | null {
  const unknown = readUnknown(name)
  if (unknown !== null) return Number.parseInt(unknown[0], 16)
  const parts = name.split('-')
  for (let i = 0; i < parts.length; i++) {
    const type = memoryTypeOf(parts.slice(i).join('-'))
    if (type !== null) return type
  }
  return null
}

function rows(line: string): MemmapRow[] | null {
  const row = readRow(line)
  if (row === null) return null
  const [name, start, last, pages, attributes] = row
  const type = typeOf(name)
  return type === null
    ? null
    : [
        {
          type,
          start: hexValue(start),
          end: hexValue(last) + 1n,
          pages: hexValue(pages),
          attribute: attributeOf(attributes.split(/\s+/)),
        },
      ]
}

export const grub: Dialect<'grub'> = {
  name: 'grub',
  kind: 'efi',
  title: 'GRUB, `lsefimmap`',
  example:
    'conv-mem  0000000001500000-00000000373fffff 00035f00    863MiB UC WC WT WB\nRT-data ' +
    '  0000000037400000-00000000374fffff 00000100      1MiB RT UC WC WT WB',
  taken: 'before-load',
  lacks: ["GRUB's own memory stays occupied: correct only if the image is started from GRUB"],
  looks: LOOKS,
  row: ROW,
  more: MORE,
  wide: true,
  hint: HYPHENED,
  stop: /\bType\s{1,20}Physical start/,
  ...eachLine('grub', rows),
}

/** Whole words of GRUB, the longer of two first. */
const LSMMAP_TYPES: readonly (readonly [says: string, type: number])[] = [
  ['available RAM', EfiConventionalMemory],
  ['reserved RAM', EfiReservedMemoryType],
  ['ACPI reclaimable RAM', EfiACPIReclaimMemory],
  ['ACPI non-volatile storage RAM', EfiACPIMemoryNVS],
  ['faulty RAM (BadRAM)', EfiUnusableMemory],
  ['faulty RAM', EfiUnusableMemory],
  ['persistent RAM (legacy)', EfiPersistentMemory],
  ['persistent RAM', EfiPersistentMemory],
  ['RAM holding coreboot tables', EfiReservedMemoryType],
  ['RAM holding firmware code', EfiReservedMemoryType],
]
const LSMMAP_WORDS = LSMMAP_TYPES.map(([says]) => says.replace(/[()]/g, '\\$&')).join('|')
/** Any other word makes a row that cannot be parsed. */
const LSMMAP_ROW = new RegExp(
  'base_addr = 0x[0-9a-fA-F]{1,16}, length = 0x[0-9a-fA-F]{1,16}, ' +
    `(?:${LSMMAP_WORDS}|type = 0x[0-9a-fA-F]{1,8}|[^\\n]{1,80})`,
  'iy',
)

export const grubLsmmap: Dialect<'grub-lsmmap'> = {
  name: 'grub-lsmmap',
  kind: 'e820',
  title: 'GRUB, `lsmmap`',
  example:
    'base_addr = 0x1500000, length = 0x35f00000, available RAM\nbase_addr = 0x37400000, ' +
    'length = 0x100000, reserved RAM',
  taken: 'before-load',
  lacks: E820_LACKS,
  looks: /\bbase_addr = 0x/g,
  row: LSMMAP_ROW,
  wide: false,
  ...eachLine('grub-lsmmap', line => {
    const row = readLsmmapRow(line)
    if (row === null) return null
    const [at, length, word] = row
    const start = hexValue(at)
    const known = LSMMAP_TYPES.find(([says]) => says.toLowerCase() === word.trim().toLowerCase())
    const type = word.startsWith('type = ') ? EfiReservedMemoryType : known?.[1]
    if (type === undefined) return null
    return [{ type, start, end: start + hexValue(length), attribute: ATTRIBUTE_UNSAID, loose: true }]
  }),
}
