/**
 * FreeBSD's loader (`memmap`) and kernel (`boot -v`). Source: freebsd stand/efi/loader/main.c command_memmap,
 * sys/kern/subr_efi_map.c print_efi_map_entry.
 */
import { PAGE } from '../../bytes/units.ts'
import { groupsOf } from '../groups.ts'
import { attributeOf, memoryTypeOf } from '../memory-type-names.ts'
import { eachLine, hexValue, type Dialect } from './model.ts'

const FLAG = '(?:UCE|UC|WC|WT|WB|WP|RP|XP|NV|MORE_RELIABLE|RO|RUNTIME)'
const BODY = '\\s{1,24}[0-9a-fA-F]{12,16}\\s{1,4}[0-9a-fA-F]{1,16}\\s{1,4}[0-9a-fA-F]{8,16}'
const readRow = groupsOf(
  /^([A-Za-z]+|<INVALID>)\s+([0-9a-fA-F]{12,16})\s+[0-9a-fA-F]{1,16}\s+([0-9a-fA-F]{8,16})((?:\s+[A-Z_]+)*)$/,
  4,
)

export const freebsdEfi: Dialect<'freebsd-efi'> = {
  name: 'freebsd-efi',
  kind: 'efi',
  title: 'FreeBSD: `memmap` of the loader, the kernel with `boot -v`',
  example:
    '     ConventionalMemory 000000100000 000000000000 0007bf00 UC WC WT WB \n    ' +
    'RuntimeServicesData 00007c000000 000000000000 00001000 UC WC WT WB RUNTIME',
  taken: 'before-load',
  lacks: [
    'what the loader itself holds stays occupied: true only if the image is started from ' +
      'it; the map that the kernel prints was taken when boot services ended',
  ],
  looks: new RegExp(`(?<!\\w)(?:[A-Za-z]{3,24}|<INVALID>)${BODY}(?![\\w-])`, 'g'),
  row: new RegExp(
    `(?:[A-Za-z]{3,24}|<INVALID>)${BODY}(?![\\w-])(?:\\s{1,4}${FLAG}\\b){0,20}(?!\\s{0,4}[0-9a-fA-F]{8})`,
    'y',
  ),
  hint: /[0-9a-fA-F]{12}\s{1,4}[0-9a-fA-F]{1,16}\s/,
  more: new RegExp(`^(?:${FLAG}(?:\\s+|$)){1,20}$`),
  wide: true,
  stop: /\bType\s{1,20}Physical\s{1,20}Virtual/,
  ...eachLine('freebsd-efi', line => {
    const row = readRow(line)
    const type = row === null ? null : memoryTypeOf(row[0])
    if (row === null || type === null) return null
    const [, at, pages, flags] = row
    const start = hexValue(at)
    return [
      {
        type,
        start,
        end: start + hexValue(pages) * BigInt(PAGE),
        attribute: attributeOf(flags.trim().split(/\s+/)),
      },
    ]
  }),
}
