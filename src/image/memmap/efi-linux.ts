/**
 * The EFI map that Linux prints with efi=debug: numbered on x86, bare on arm64 and riscv. Source: linux
 * drivers/firmware/efi, all forms from 2.6 to 7.2.
 */
import { range, sizeOf } from '../../bytes/range.ts'
import { PHYS_END } from '../../bytes/units.ts'
import { groupsOf } from '../groups.ts'
import type { Problem } from '../problem.ts'
import { attributeOf, memoryTypeOf } from '../memory-type-names.ts'
import {
  eachLine,
  hexValue,
  odd,
  unreadable,
  type Block,
  type Dialect,
  type Line,
  type LostRow,
  type MemmapRow,
  type Placed,
} from './model.ts'

const readRow = groupsOf(
  /mem\d{2,}:\s{1,4}(?:type=(\d+), attr=0x([0-9a-fA-F]{1,16}),|\[(?:type=(\d+)|([^|\]]{1,40}))((?:\|[^\]]{0,400})?)\])\s{1,4}range=\[0x([0-9a-fA-F]{1,16})-0x([0-9a-fA-F]{1,16})([)\]])(?: \((\d{1,15})([KMGTP]?)B\))?/,
  10,
)
const LOOKS =
  /(?:\b(?:efi|EFI):\s{1,4}|\b)mem\d{2,4}:(?=\s{1,4}(?:\[(?!mem)|type=))|\b(?:efi|EFI):\s{1,4}mem\d{2,4}:/g
const ROW =
  /(?:(?:efi|EFI):\s{1,4})?mem\d{2,4}:\s{1,4}(?:type=\d{1,10}, attr=0x[0-9a-fA-F]{1,16},|\[[^\]|\n]{1,40}(?:\|\s{0,8}(?:(?:[A-Z]{1,5}|attr=0x[0-9a-fA-F]{1,16})\s{0,4})?){0,24}\])\s{1,4}range=\[0x[0-9a-fA-F]{1,16}-0x[0-9a-fA-F]{1,16}[)\]](?: \((?:invalid|\d{1,15}[KMGTP]?B)\))?/y
const INDEX = /mem(\d{2,}):/
const readArmRow = groupsOf(
  /^efi:\s+0x([0-9a-fA-F]{6,16})-0x([0-9a-fA-F]{6,16}) \[(?:type=(\d+)|([^|\]]{1,40}))((?:\|[^\]]{0,400})?)\]/,
  5,
)
const ARM_LOOKS = /\befi:\s{1,8}0x[0-9a-fA-F]{6,16}-0x[0-9a-fA-F]{6,16}(?=\s|$)/g
const ARM_ROW =
  /efi:\s{1,8}0x[0-9a-fA-F]{6,16}-0x[0-9a-fA-F]{6,16} \[[^\]|\n]{1,40}(?:\|\s{0,8}(?:(?:[A-Z]{1,5}|attr=0x[0-9a-fA-F]{1,16})\s{0,4})?){0,24}\]\*?/y

function attributesOf(fields: string): bigint {
  const printed = /attr=0x([0-9a-fA-F]{1,16})/.exec(fields)?.[1]
  return printed === undefined ? attributeOf(fields.split('|')) : hexValue(printed)
}

/** The unit to which the kernel rounds a size down, in bytes, by its letter. */
const unitOf = (letter: string): bigint => 1024n ** BigInt('KMGTP'.indexOf(letter) + 1)

/**
 * A range closed by a round bracket has an exclusive end, by a square one an inclusive end: both were
 * printed.
 */
function rowOf(line: string): MemmapRow | null {
  const row = readRow(line)
  if (row === null) return null
  const [oldType, oldAttribute, newType, name, fields, start, last, bracket, amount, unit] = row
  const type = memoryTypeOf(name) ?? Number.parseInt(`${oldType}${newType}`, 10)
  if (!Number.isSafeInteger(type)) return null
  return {
    type,
    start: hexValue(start),
    end: hexValue(last) + (bracket === ']' ? 1n : 0n),
    attribute: oldAttribute === '' ? attributesOf(fields) : hexValue(oldAttribute),
    ...(amount === '' || amount === '0' ? {} : { rounded: { amount: BigInt(amount), unit: unitOf(unit) } }),
  }
}

const isInvalid = ({ text }: Line): boolean => text.includes('(invalid)')
const numberOf = ({ text }: Line): number => Number(INDEX.exec(text)?.[1])

/** Number of lines of the invalid entries that the kernel removed before it printed the map. */
function takenOut(lines: readonly Line[]): number {
  const first = lines.findIndex(line => !isInvalid(line))
  const begins = lines[first]
  return first > 0 && begins !== undefined && numberOf(begins) === 0 ? first : 0
}

/** Missing entries. Between rows in ascending order they cover the gap between the two. */
function missing(from: number, to: number, end: bigint, next: MemmapRow | null): LostRow {
  const at =
    next !== null && next.start > end && next.start % 4096n === 0n && next.start <= BigInt(PHYS_END)
      ? range(Number(end), Number(next.start))
      : null
  return {
    row: from === to ? `entry ${String(from)}` : `entries ${String(from)} to ${String(to)}`,
    why: 'the numbers of the entries leave them out',
    at,
    bytes: at === null ? null : sizeOf(at),
  }
}

/** Reads until the numbering restarts: there a second, shorter list or a second boot begins. */
function read(all: readonly Line[]): Block {
  const placed: Placed[] = []
  const invalid = takenOut(all)
  const lines = all.slice(invalid)
  const problems: Problem[] = all
    .slice(0, invalid)
    .map(line =>
      odd(
        'invalid-entry',
        `line ${String(line.at)}: the kernel took entry ${String(numberOf(line))} out of the ` +
          'map: it is invalid',
      ),
    )
  const lost: LostRow[] = []
  let index = -1
  let last = 0
  for (const line of lines) {
    const number = numberOf(line)
    if (number <= index) break
    const row = isInvalid(line) ? null : rowOf(line.text)
    if (number !== index + 1) {
      lost.push(missing(index + 1, number - 1, placed.at(-1)?.row.end ?? 0n, row))
      problems.push(
        odd(
          'missing-lines',
          `line ${String(line.at)}: entry ${String(number)} follows entry ${String(index)}`,
        ),
      )
    }
    index = number
    if (row === null) problems.push(unreadable(line, 'linux'))
    else placed.push({ row, line: line.at })
    last = line.at
  }
  return { placed, problems, lost, last }
}

const LACKS = [
  'memory of types LoaderCode and LoaderData belongs to the boot that printed it and ' +
    'counts as free before the load',
  'boot-services memory allocated by this boot stays occupied',
]

export const linuxEfi: Dialect<'linux'> = {
  name: 'linux',
  kind: 'efi',
  title: 'Linux on x86 with `efi=debug`',
  example:
    '[    0.000000] efi: mem00: [Boot Data   |   |  |  |  |  |  |  |  |  |  |   ' +
    '|WB|WT|WC|UC] range=[0x0000000000900000-0x00000000014fffff] (12MB)\n[    0.000000] ' +
    'efi: mem01: [Conventional|   |  |  |  |  |  |  |  |  |  |   |WB|WT|WC|UC] ' +
    'range=[0x0000000001500000-0x00000000373fffff] (863MB)',
  taken: 'exit-boot-services',
  lacks: LACKS,
  looks: LOOKS,
  row: ROW,
  wide: false,
  more: /^\((?:invalid|\d{1,15}[KMGTP]?B)\)$/,
  stop: /EFI runtime memory map/,
  valid: row => row.includes('(invalid)') || rowOf(row) !== null,
  read,
}

export const linuxEfiArm: Dialect<'linux-arm'> = {
  name: 'linux-arm',
  kind: 'efi',
  title: 'Linux on arm64 or riscv with `efi=debug`',
  example:
    '[    0.000000] efi:   0x000040000000-0x00004007ffff [Loader Data |   |  |  |  |  |  ' +
    '|  |  |  |  |   |WB|WT|WC|UC]\n[    0.000000] efi:   0x000040080000-0x000047ffffff ' +
    '[Conventional|   |  |  |  |  |  |  |  |  |  |   |WB|WT|WC|UC]',
  taken: 'exit-boot-services',
  lacks: LACKS,
  looks: ARM_LOOKS,
  row: ARM_ROW,
  wide: false,
  stop: /EFI runtime memory map|Processing EFI memory map/,
  ...eachLine('linux-arm', line => {
    const row = readArmRow(line)
    if (row === null) return null
    const [start, last, number, name, fields] = row
    const type = memoryTypeOf(name) ?? (number === '' ? null : Number(number))
    return type === null
      ? null
      : [{ type, start: hexValue(start), end: hexValue(last) + 1n, attribute: attributesOf(fields) }]
  }),
}
