/**
 * U-Boot's `efidebug memmap`, with exclusive ends, and `efi mem` of a U-Boot started by UEFI. Source: u-boot
 * cmd/efidebug.c, cmd/efi.c.
 */
import { groupsOf } from '../groups.ts'
import { attributeOf, memoryTypeOf } from '../memory-type-names.ts'
import { EFI_MEMORY_RUNTIME } from '../memory-types.ts'
import { eachLine, HYPHENED, hexValue, type Dialect } from './model.ts'

const FLAG = '(?:UC|WC|WT|WB|UCE|WP|RP|XP|NV|MR|RO|REL|SP|CRYPT|CC|HOTPL|HP|RUN|RT)'
const NAME = '(?:[A-Z][A-Z/]{1,11}(?: [A-Z]{2,12}){0,3}|[A-Z][A-Za-z]{3,25}|\\(unknown\\))'
const RANGE = '\\s{1,20}[0-9a-fA-F]{16}-[0-9a-fA-F]{16}(?![0-9a-fA-F])'
const LOOKS = new RegExp(`(?<![\\w(])${NAME}${RANGE}(?=\\s{0,40}$|\\s{1,4}${FLAG}\\b)`, 'g')
/** Without flags only U-Boot's own names count: a row of the UEFI shell begins alike. */
const OWN =
  '(?:RESERVED|(?:LOADER|BOOT|RUNTIME) (?:CODE|DATA)|CONVENTIONAL|UNUSABLE MEM|ACPI RECLAIM MEM|ACPI NVS|' +
  'IO(?: PORT)?|PAL|PERSISTENT|\\(unknown\\))'
const ROW = new RegExp(
  `${NAME}${RANGE}\\s{1,4}${FLAG}(?:\\|${FLAG}){0,20}(?![\\w|])|${OWN}${RANGE}(?=\\s{0,40}$)`,
  'y',
)
const readRow = groupsOf(
  /^([A-Za-z][A-Za-z ]{1,47}?)\s+([0-9a-fA-F]{16})-([0-9a-fA-F]{16})(?:\s+(\S+))?\s*$/,
  4,
)

/** The longest suffix of the words that is a type name; other words may precede it. */
function typeOf(words: string): number | null {
  const all = words.split(' ')
  for (let i = 0; i < all.length; i++) {
    const type = memoryTypeOf(all.slice(i).join(' '))
    if (type !== null) return type
  }
  return null
}

const MEM_LOOKS = /(?<![\w:.])\d{1,4}\s{1,4}[0-9a-fA-F]{1,8}:[\w-]{1,20}\s{1,20}[0-9a-fA-F]{10}|<gap>\s/g
const MEM_ROW =
  /\d{1,4}\s{1,4}[0-9a-fA-F]{1,8}:[\w-]{1,20}\s{1,20}[0-9a-fA-F]{10,16}\s{1,20}[0-9a-fA-F]{10,16}\s{1,20}[0-9a-fA-F]{10,16}\s{1,8}r?[0-9a-fA-F]{1,16}(?![\w])|<gap>\s{1,40}[0-9a-fA-F]{10,16}\s{1,40}[0-9a-fA-F]{10,16}/y
const readMemRow = groupsOf(
  /^\s*\d{1,4}\s+([0-9a-fA-F]{1,8}):\S+\s+([0-9a-fA-F]{10,16})\s+[0-9a-fA-F]{10,16}\s+([0-9a-fA-F]{10,16})\s+(r?)([0-9a-fA-F]{1,16})\s*$/,
  5,
)

export const uboot: Dialect<'uboot'> = {
  name: 'uboot',
  kind: 'efi',
  title: 'U-Boot, `efidebug memmap`',
  example:
    'CONVENTIONAL     0000000000100000-000000003e000000 WB\nRUNTIME DATA     ' +
    '000000003e000000-000000003e001000 WB|RT',
  taken: 'before-load',
  lacks: [
    '2021.01 to 2025.01 print the attribute XP as WP',
    'types from 15 on have no name, and their rows are not read',
  ],
  looks: LOOKS,
  row: ROW,
  more: new RegExp(`^${FLAG}(?:\\|${FLAG}){0,20}$`),
  wide: true,
  hint: HYPHENED,
  stop: /\bType\s{1,20}Start\s/,
  ...eachLine('uboot', line => {
    const row = readRow(line)
    if (row === null) return null
    const [name, start, end, attributes] = row
    const type = typeOf(name)
    return type === null
      ? null
      : [{ type, start: hexValue(start), end: hexValue(end), attribute: attributeOf(attributes.split('|')) }]
  }),
}

export const ubootEfiMem: Dialect<'uboot-efi-mem'> = {
  name: 'uboot-efi-mem',
  kind: 'efi',
  title: 'U-Boot under UEFI, `efi mem all`',
  example:
    ' 0  7:conv          0000000000  0000000000  00000a0000  f\n    <gap>           ' +
    '00000a0000              0000060000\n 1  7:conv          0000100000  0000000000  ' +
    '0000706000  f',
  taken: 'before-load',
  lacks: [
    'without `all`, loader and boot-services memory is printed as free',
    "U-Boot's own memory stays occupied",
  ],
  looks: MEM_LOOKS,
  row: MEM_ROW,
  wide: true,
  hint: /:[\w-]{1,20}\s{1,20}[0-9a-fA-F]{10}|<gap>\s/,
  stop: /Attributes key:/,
  ...eachLine('uboot-efi-mem', line => {
    if (line.trimStart().startsWith('<gap>')) return []
    const row = readMemRow(line)
    if (row === null) return null
    const [type, at, length, runtime, attributes] = row
    const start = hexValue(at)
    return [
      {
        type: Number.parseInt(type, 16),
        start,
        end: start + hexValue(length),
        attribute: hexValue(attributes) | (runtime === 'r' ? EFI_MEMORY_RUNTIME : 0n),
      },
    ]
  }),
}
