/** GRUB's two commands: `lsefimmap` prints the EFI map, `lsmmap` what GRUB makes of it. Source: grub@2.06, 2.12 and 2.14 lsefimmap.c, lsmmap.c, and captures. */
import { attributeOf, memoryTypeOf } from '../memory-type-names.ts'
import { EfiACPIMemoryNVS, EfiACPIReclaimMemory, EfiConventionalMemory, EfiPersistentMemory, EfiReservedMemoryType, EfiUnusableMemory } from '../memory-types.ts'
import { ATTRIBUTE_UNSAID, eachLine, hexValue, type Dialect, type MemmapRow } from './model.ts'
import { E820_LACKS } from './e820.ts'

const HEX16 = '[0-9A-Fa-f]{16}'
const ROW = new RegExp(`^\\s*(\\S+|Unk [0-9a-f]{2,8})\\s+(${HEX16})-(${HEX16})\\s+([0-9a-f]{8,16})\\s+\\d+\\s*[KMGTPE]iB((?: [A-Z]+)*)\\s*$`)
const LOOKS = new RegExp(`^\\s*(?:\\S+|Unk [0-9a-f]{2,8})\\s+${HEX16}-${HEX16}\\s+[0-9a-f]{8}`)
const LSMMAP_ROW = /^base_addr = 0x([0-9a-f]{1,16}), length = 0x([0-9a-f]{1,16}), (.+)$/i

function typeOf(name: string): number | null {
  const unknown = /^Unk ([0-9a-f]{2,8})$/.exec(name)
  return unknown === null ? memoryTypeOf(name) : Number.parseInt(unknown[1] as string, 16)
}

function rows(line: string): MemmapRow[] | null {
  const match = ROW.exec(line)
  const type = match === null ? null : typeOf(match[1] as string)
  return match === null || type === null ? null : [{ type, start: hexValue(match[2]), end: hexValue(match[3]) + 1n, pages: hexValue(match[4]), attribute: attributeOf((match[5] as string).split(' ')) }]
}

export const grub: Dialect = {
  name: 'grub',
  kind: 'efi',
  title: 'GRUB, `lsefimmap`',
  example: 'conv-mem  0000000001500000-00000000373fffff 00035f00    863MiB UC WC WT WB\nRT-data   0000000037400000-00000000374fffff 00000100      1MiB RT UC WC WT WB',
  taken: 'before-load',
  lacks: ['what GRUB itself holds stays occupied: true only if the image is started from GRUB'],
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
  example: 'base_addr = 0x1500000, length = 0x35f00000, available RAM\nbase_addr = 0x37400000, length = 0x100000, reserved RAM',
  taken: 'before-load',
  lacks: E820_LACKS,
  sniff: line => /^base_addr = 0x/.test(line),
  read: eachLine('grub-lsmmap', line => {
    const match = LSMMAP_ROW.exec(line)
    if (match === null) return null
    const start = hexValue(match[1])
    const type = LSMMAP_TYPES.find(([says]) => says.test(match[3] as string))?.[1] ?? EfiReservedMemoryType
    return [{ type, start, end: start + hexValue(match[2]), attribute: ATTRIBUTE_UNSAID, loose: true }]
  }),
}
