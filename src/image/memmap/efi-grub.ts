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
import { E820_LACKS, ATTRIBUTE_UNSAID, eachLine, hexValue, type Dialect, type MemmapRow } from './model.ts'

const HEX16 = '[0-9A-Fa-f]{16}'
const readRow = groupsOf(
  new RegExp(
    `^\\s*(\\S+|Unk [0-9a-f]{2,8})\\s+(${HEX16})-(${HEX16})\\s+([0-9a-f]{8,16})\\s+\\d+\\s*[KMGTPE]iB((?: [A-Z]+)*)\\s*$`,
  ),
  5,
)
const LOOKS = new RegExp(`^\\s*(?:\\S+|Unk [0-9a-f]{2,8})\\s+${HEX16}-${HEX16}\\s+[0-9a-f]{8}`)
const readUnknown = groupsOf(/^Unk ([0-9a-f]{2,8})$/, 1)
const readLsmmapRow = groupsOf(/^base_addr = 0x([0-9a-f]{1,16}), length = 0x([0-9a-f]{1,16}), (.+)$/i, 3)

function typeOf(name: string): number | null {
  const unknown = readUnknown(name)
  return unknown === null ? memoryTypeOf(name) : Number.parseInt(unknown[0], 16)
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
          attribute: attributeOf(attributes.split(' ')),
        },
      ]
}

export const grub: Dialect = {
  name: 'grub',
  kind: 'efi',
  title: 'GRUB, `lsefimmap`',
  example:
    'conv-mem  0000000001500000-00000000373fffff 00035f00    863MiB UC WC WT WB\nRT-data   0000000037400000-00000000374fffff 00000100      1MiB RT UC WC WT WB',
  taken: 'before-load',
  lacks: ["GRUB's own memory stays occupied: correct only if the image is started from GRUB"],
  sniff: line => LOOKS.test(line),
  stop: /^\s*Type\s+Physical start/,
  read: eachLine('grub', rows),
}

const LSMMAP_TYPES: readonly (readonly [says: RegExp, type: number])[] = [
  [/^available RAM/, EfiConventionalMemory],
  [/^ACPI reclaimable RAM/, EfiACPIReclaimMemory],
  [/^ACPI non-volatile storage RAM/, EfiACPIMemoryNVS],
  [/^faulty RAM/, EfiUnusableMemory],
  [/^persistent RAM/, EfiPersistentMemory],
]

export const grubLsmmap: Dialect = {
  name: 'grub-lsmmap',
  kind: 'e820',
  title: 'GRUB, `lsmmap`',
  example:
    'base_addr = 0x1500000, length = 0x35f00000, available RAM\nbase_addr = 0x37400000, length = 0x100000, reserved RAM',
  taken: 'before-load',
  lacks: E820_LACKS,
  sniff: line => /^base_addr = 0x/.test(line),
  read: eachLine('grub-lsmmap', line => {
    const row = readLsmmapRow(line)
    if (row === null) return null
    const [at, length, word] = row
    const start = hexValue(at)
    const type = LSMMAP_TYPES.find(([says]) => says.test(word))?.[1] ?? EfiReservedMemoryType
    return [{ type, start, end: start + hexValue(length), attribute: ATTRIBUTE_UNSAID, loose: true }]
  }),
}
