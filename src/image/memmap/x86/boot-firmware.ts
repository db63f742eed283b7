/**
 * Memory maps of kind e820 printed by firmware and boot loaders: FreeBSD's and OpenBSD's loaders, Limine,
 * SeaBIOS, coreboot. Source: freebsd stand/i386/libi386/smap.c, openbsd
 * sys/arch/amd64/stand/libsa/memprobe.c, limine common/mm/pmm.s2.c, seabios src/e820map.c, coreboot
 * src/lib/coreboot_table.c and bootmem.c.
 */
import { groupsOf } from '../../groups.ts'
import { E820_LACKS, eachLine, HYPHENED, hexValue, type Dialect } from '../model.ts'
import { e820Row } from './e820.ts'

const readSmap = groupsOf(
  /^SMAP type=([0-9a-fA-F]{1,2}) base=([0-9a-fA-F]{16}) (len|end)=([0-9a-fA-F]{16})(?: attr=[0-9a-fA-F]+)?$/,
  4,
)

export const freebsdSmap: Dialect<'freebsd-smap'> = {
  name: 'freebsd-smap',
  kind: 'e820',
  title: 'FreeBSD: `smap` of the loader, the kernel with `boot -v`',
  example:
    'SMAP type=01 base=0000000000100000 len=000000007bf00000 attr=0000\nSMAP type=04 ' +
    'base=000000007c000000 len=0000000001000000 attr=0000',
  taken: 'exit-boot-services',
  lacks: E820_LACKS,
  looks: /(?<!\w)SMAP type=/g,
  row: /SMAP type=[0-9a-fA-F]{1,2} base=[0-9a-fA-F]{16} (?:len|end)=[0-9a-fA-F]{16}(?: attr=[0-9a-fA-F]{1,8})?(?!\w)/y,
  wide: false,
  ...eachLine('freebsd-smap', line => {
    const row = readSmap(line)
    if (row === null) return null
    const [type, at, field, size] = row
    const start = hexValue(at)
    return [
      e820Row(start, field === 'end' ? hexValue(size) : start + hexValue(size), Number.parseInt(type, 16)),
    ]
  }),
}

const readRegion = groupsOf(/^Region \d+: type (\d+) at 0x([0-9a-fA-F]+) for (\d+)KB$/, 3)

export const openbsd: Dialect<'openbsd'> = {
  name: 'openbsd',
  kind: 'e820',
  title: 'OpenBSD: `machine memory` of the loader',
  example: 'Region 0: type 1 at 0x100000 for 2030592KB\nRegion 1: type 4 at 0x7c000000 for 16384KB',
  taken: 'before-load',
  lacks: [...E820_LACKS, 'parts of a KiB'],
  looks: /(?<!\w)Region \d{1,4}: type /g,
  row: /Region \d{1,4}: type \d{1,10} at 0x[0-9a-fA-F]{1,16} for \d{1,12}KB(?!\w)/y,
  wide: false,
  ...eachLine('openbsd', line => {
    const row = readRegion(line)
    if (row === null) return null
    const [type, at, kib] = row
    const start = hexValue(at)
    return [e820Row(start, start + BigInt(kib) * 1024n, Number(type))]
  }),
}

const readLimine = groupsOf(
  /^\[(?:0x)?([0-9a-fA-F]+) -> (?:0x)?([0-9a-fA-F]+)\] : (?:0x)?[0-9a-fA-F]+ {1,4}<([^<>()]+?)(?: \([0-9a-fx]+\))?>$/i,
  3,
)
/** The e820 types of all words that are printed. */
const LIMINE: Readonly<Record<string, number>> = {
  'usable ram': 1,
  'bootloader reclaimable': 1,
  'efi reclaimable': 1,
  'efi boot services': 1,
  'acpi reclaimable': 3,
  'acpi nvs': 4,
  'bad memory': 5,
  reserved: 2,
  framebuffer: 2,
  'kernel/modules': 2,
  'kernel and modules': 2,
  'executable/modules': 2,
  'executable and modules': 2,
  'reserved (mapped)': 2,
  'mapped reserved': 2,
  unknown: 2,
  '???': 2,
}

export const limine: Dialect<'limine'> = {
  name: 'limine',
  kind: 'e820',
  title: 'Limine, its list of memory in the boot log',
  example:
    '[0x100000 -> 0x7c000000] : 0x7bf00000  <Usable RAM (1)>\n[0x7c000000 -> 0x7d000000] ' +
    ': 0x1000000  <ACPI NVS (4)>',
  taken: 'before-load',
  lacks: E820_LACKS,
  looks: /\[(?:0x)?[0-9a-fA-F]{1,16} -> (?:0x)?[0-9a-fA-F]{1,16}\] : /gi,
  row: /\[(?:0x)?[0-9a-fA-F]{1,16} -> (?:0x)?[0-9a-fA-F]{1,16}\] : (?:0x)?[0-9a-fA-F]{1,16} {1,4}<[^<>\n]{1,40}>/iy,
  wide: false,
  ...eachLine('limine', line => {
    const row = readLimine(line)
    if (row === null) return null
    const [start, end, word] = row
    const type = LIMINE[word.toLowerCase()]
    return type === undefined ? null : [e820Row(hexValue(start), hexValue(end), type)]
  }),
}

const readSeabios = groupsOf(/^\d+: ([0-9a-fA-F]{16}) - ([0-9a-fA-F]{16}) = (\d+)(?: [A-Z]+)?$/, 3)

export const seabios: Dialect<'seabios'> = {
  name: 'seabios',
  kind: 'e820',
  title: 'SeaBIOS, `e820 map has … items:`',
  example:
    'e820 map has 2 items:\n  0: 0000000000100000 - 000000007c000000 = 1 RAM\n  1: ' +
    '000000007c000000 - 000000007d000000 = 4 NVS',
  taken: 'before-load',
  lacks: E820_LACKS,
  looks: /(?<![\w.:])\d{1,4}: [0-9a-fA-F]{16} - [0-9a-fA-F]{16}(?: =|\s{0,9}$)/g,
  row: /\d{1,4}: [0-9a-fA-F]{16} - [0-9a-fA-F]{16} = \d{1,10}(?: (?:RAM|RESERVED|ACPI|NVS|UNUSABLE|HOLE|UNKNOWN)\b)?/y,
  wide: true,
  hint: HYPHENED,
  stop: /e820 map has \d+ items:/,
  ...eachLine('seabios', line => {
    const row = readSeabios(line)
    if (row === null) return null
    const [start, end, type] = row
    return [e820Row(hexValue(start), hexValue(end), Number(type))]
  }),
}

const readCoreboot = groupsOf(/^\d+\. ([0-9a-fA-F]{16})-([0-9a-fA-F]{16}): (.+?)!?$/, 3)
/** The e820 types of all words that are printed. */
const COREBOOT: Readonly<Record<string, number>> = {
  RAM: 1,
  ACPI: 3,
  NVS: 4,
  UNUSABLE: 5,
  RESERVED: 2,
  'VENDOR RESERVED': 2,
  'SOFT RESERVED': 2,
  'CONFIGURATION TABLES': 2,
  'COREBOOT TABLES': 2,
  RAMSTAGE: 2,
  PAYLOAD: 2,
  OPENSBI: 2,
  BL31: 2,
  TTB: 2,
  TAG: 2,
  UNKNOWN: 2,
}

export const coreboot: Dialect<'coreboot'> = {
  name: 'coreboot',
  kind: 'e820',
  title: 'coreboot: `coreboot memory table:`, `cbmem -c`',
  example:
    'coreboot memory table:\n 0. 0000000000100000-000000007bffffff: RAM\n 1. ' +
    '000000007c000000-000000007cffffff: RESERVED',
  taken: 'before-load',
  lacks: [...E820_LACKS, 'what the payload, the UEFI firmware, takes for itself'],
  looks: /(?<![\w.:])\d{1,3}\. [0-9a-fA-F]{16}-[0-9a-fA-F]{16}:/g,
  row: /\d{1,3}\. [0-9a-fA-F]{16}-[0-9a-fA-F]{16}: [A-Z][A-Z0-9]{1,20}(?: [A-Z]{2,20})?!?/y,
  wide: true,
  hint: HYPHENED,
  stop: /coreboot memory table:/,
  ...eachLine('coreboot', line => {
    const row = readCoreboot(line)
    if (row === null) return null
    const [start, last, word] = row
    const type = COREBOOT[word]
    return type === undefined ? null : [e820Row(hexValue(start), hexValue(last) + 1n, type)]
  }),
}
