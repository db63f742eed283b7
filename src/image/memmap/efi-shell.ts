/**
 * The UEFI shell's `memmap`, as a table and with -sfo. Source: edk2 UefiShellDebug1CommandsLib MemMap.c, and
 * captures.
 */
import { groupsOf, type Texts } from '../groups.ts'
import { memoryTypeOf } from '../memory-type-names.ts'
import { eachLine, hexValue, type Dialect, type MemmapRow } from './model.ts'

const NAME = '(?:[A-Za-z]\\w{1,23}|[0-9A-F]{8})'
/** Between two columns: blanks; bars, commas, semicolons where somebody made a table of it. */
const BAR = '(?:\\s{1,20}|\\s{0,10}[|,;]\\s{0,10})'
const DASH = '\\s{0,10}[-|,;\\t]\\s{0,10}'
const RANGE = `${BAR}[0-9A-Fa-f]{16}${DASH}[0-9A-Fa-f]{16}|${BAR}[0-9A-Fa-f]{8}${DASH}[0-9A-Fa-f]{8}`
const readRow = groupsOf(
  /^(\w+)[\s|,;]+([0-9A-Fa-f]{8,16})[\s|,;-]+([0-9A-Fa-f]{8,16})[\s|,;]+([0-9A-Fa-f]{1,16})[\s|,;]+([0-9A-Fa-f]{8,16})$/,
  5,
)
const LOOKS = new RegExp(`(?<!\\w)${NAME}(?:${RANGE})(?:${BAR}[0-9A-Fa-f]{8}|\\s{0,20}$)`, 'g')
/** The attributes have 16 digits; in shells that print addresses of 8 digits, 8 or 16. */
const ROW = new RegExp(
  `${NAME}(?:` +
    `${BAR}[0-9A-Fa-f]{16}${DASH}[0-9A-Fa-f]{16}${BAR}[0-9A-Fa-f]{8,16}${BAR}[0-9A-Fa-f]{16}` +
    `|${BAR}[0-9A-Fa-f]{8}${DASH}[0-9A-Fa-f]{8}${BAR}[0-9A-Fa-f]{8,16}${BAR}` +
    '(?:[0-9A-Fa-f]{16}|[0-9A-Fa-f]{8}))(?!\\w)',
  'y',
)
const readSfoRow = groupsOf(
  /^MemoryMap,"([^"]+)","([0-9A-Fa-f]{1,16})","([0-9A-Fa-f]{1,16})","([0-9A-Fa-f]{1,16})","([0-9A-Fa-f]{1,16})"/,
  5,
)

/** A name, or eight hexadecimal digits for a type that has none. */
function typeOf(name: string): number | null {
  return /^[0-9A-Fa-f]{8}$/.test(name) ? Number.parseInt(name, 16) : memoryTypeOf(name)
}

function rowOf(row: Texts<5> | null): MemmapRow[] | null {
  if (row === null) return null
  const [name, start, last, pages, attribute] = row
  const type = typeOf(name)
  // a row that was cut has too few digits
  return type === null || (start.length === 16 && attribute.length < 16 && pages.length === 16)
    ? null
    : [
        {
          type,
          start: hexValue(start),
          end: hexValue(last) + 1n,
          pages: hexValue(pages),
          attribute: hexValue(attribute),
        },
      ]
}

const LACKS = ["the shell's own memory stays occupied: correct only if the image is started from that shell"]

export const uefiShell: Dialect<'uefi-shell'> = {
  name: 'uefi-shell',
  kind: 'efi',
  title: 'UEFI shell, `memmap`',
  example:
    'Available  0000000001500000-00000000373FFFFF 0000000000035F00 ' +
    '000000000000000F\nRT_Data    0000000037400000-00000000374FFFFF 0000000000000100 ' +
    '800000000000000F',
  taken: 'before-load',
  lacks: LACKS,
  looks: LOOKS,
  row: ROW,
  wide: true,
  hint: /[0-9A-Fa-f]{8}\s{0,10}[-|,;\t]\s{0,10}[0-9A-Fa-f]{8}/,
  stop: /[\d,]{1,24} Pages \(|Total Memory:|\bType\s{1,20}Start\s/,
  ...eachLine('uefi-shell', line => rowOf(readRow(line))),
}

export const uefiShellSfo: Dialect<'uefi-shell-sfo'> = {
  name: 'uefi-shell-sfo',
  kind: 'efi',
  title: 'UEFI shell, `memmap -sfo`',
  example:
    'MemoryMap,"Available","1500000","373FFFFF","35F00","F"\n' +
    'MemoryMap,"RuntimeData","37400000","374FFFFF","100","800000000000000F"',
  taken: 'before-load',
  lacks: [...LACKS, 'memory of OEM and OS types is not printed'],
  looks: /\bMemoryMap,/g,
  row: /MemoryMap,"[^"\n]{1,40}"(?:,"[0-9A-Fa-f]{1,16}"){4}/y,
  wide: false,
  stop: /MemoryMapSummary,/,
  ...eachLine('uefi-shell-sfo', line => rowOf(readSfoRow(line))),
}
