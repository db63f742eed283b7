/**
 * U-Boot's `efidebug memmap`, with exclusive ends, and `efi mem` of a U-Boot started by UEFI. Source: u-boot
 * cmd/efidebug.c, cmd/efi.c.
 */
import { groupsOf } from '../groups.ts'
import { attributeOf, memoryTypeOf } from '../memory-type-names.ts'
import { EFI_MEMORY_RUNTIME } from '../memory-types.ts'
import { eachLine, hexValue, type Dialect } from './model.ts'

const LOOKS = /^\s*(?:[A-Za-z][A-Za-z ]{1,22}|\(unknown\))\s+[0-9a-f]{16}-[0-9a-f]{16}(?:\s+[A-Z]\S*)?\s*$/
const readRow = groupsOf(/^\s*([A-Za-z][A-Za-z ]{1,22}?)\s+([0-9a-f]{16})-([0-9a-f]{16})(?:\s+(\S+))?\s*$/, 4)
const MEM_LOOKS = /^\s*\d{1,4}\s+[0-9a-f]{1,8}:\S+\s+[0-9a-f]{10}|^\s+<gap>\s/
const readMemRow = groupsOf(
  /^\s*\d{1,4}\s+([0-9a-f]{1,8}):\S+\s+([0-9a-f]{10,16})\s+[0-9a-f]{10,16}\s+([0-9a-f]{10,16})\s+(r?)([0-9a-f]{1,16})\s*$/,
  5,
)

export const uboot: Dialect = {
  name: 'uboot',
  kind: 'efi',
  title: 'U-Boot, `efidebug memmap`',
  example:
    'CONVENTIONAL     0000000000100000-000000003e000000 WB\nRUNTIME DATA     000000003e000000-000000003e001000 WB|RT',
  taken: 'before-load',
  lacks: [
    '2021.01 to 2025.01 print the attribute XP as WP',
    'types from 15 on have no name, and their rows are not read',
  ],
  sniff: line => LOOKS.test(line),
  stop: /^\s*Type\s+Start\s/,
  read: eachLine('uboot', line => {
    const row = readRow(line)
    if (row === null) return null
    const [name, start, end, attributes] = row
    const type = memoryTypeOf(name)
    return type === null
      ? null
      : [{ type, start: hexValue(start), end: hexValue(end), attribute: attributeOf(attributes.split('|')) }]
  }),
}

export const ubootEfiMem: Dialect = {
  name: 'uboot-efi-mem',
  kind: 'efi',
  title: 'U-Boot under UEFI, `efi mem all`',
  example:
    ' 0  7:conv          0000000000  0000000000  00000a0000  f\n    <gap>           00000a0000              0000060000\n 1  7:conv          0000100000  0000000000  0000706000  f',
  taken: 'before-load',
  lacks: [
    'without `all`, loader and boot-services memory is printed as free',
    "U-Boot's own memory stays occupied",
  ],
  sniff: line => MEM_LOOKS.test(line),
  stop: /^\s*Attributes key:/,
  read: eachLine('uboot-efi-mem', line => {
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
