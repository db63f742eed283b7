/**
 * The EFI map that Linux prints with efi=debug: numbered on x86, bare on arm64 and riscv. Source: linux
 * drivers/firmware/efi, all forms from 2.6 to 7.2.
 */
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
  type MemmapRow,
  type Placed,
} from './model.ts'

const readRow = groupsOf(
  /mem\d{2,}: (?:type=(\d+), attr=0x([0-9a-f]{1,16}),|\[(?:type=(\d+)|([^|\]]{1,40}))((?:\|[^\]]{0,400})?)\]) range=\[0x([0-9a-f]{1,16})-0x([0-9a-f]{1,16})([)\]])/,
  8,
)
const LOOKS = /\b(?:efi|EFI): mem\d{2,}: /
const INDEX = /mem(\d{2,}): /
const readArmRow = groupsOf(
  /^efi:\s+0x([0-9a-f]{6,16})-0x([0-9a-f]{6,16}) \[(?:type=(\d+)|([^|\]]{1,40}))((?:\|[^\]]{0,400})?)\]/,
  5,
)
const ARM_LOOKS = /^efi:\s+0x[0-9a-f]{6,16}-0x[0-9a-f]{6,16} /

function attributesOf(fields: string): bigint {
  const printed = /attr=0x([0-9a-f]{1,16})/.exec(fields)?.[1]
  return printed === undefined ? attributeOf(fields.split('|')) : hexValue(printed)
}

/**
 * A range closed by a round bracket has an exclusive end, by a square one an inclusive end: both were
 * printed.
 */
function rowOf(line: string): MemmapRow | null {
  const row = readRow(line)
  if (row === null) return null
  const [oldType, oldAttribute, newType, name, fields, start, last, bracket] = row
  const type = memoryTypeOf(name) ?? Number.parseInt(`${oldType}${newType}`, 10)
  if (!Number.isSafeInteger(type)) return null
  return {
    type,
    start: hexValue(start),
    end: hexValue(last) + (bracket === ']' ? 1n : 0n),
    attribute: oldAttribute === '' ? attributesOf(fields) : hexValue(oldAttribute),
  }
}

/** Reads until the numbering restarts: there a second, shorter list or a second boot begins. */
function read(lines: readonly Line[]): Block {
  const placed: Placed[] = []
  const problems: Problem[] = []
  let index = -1
  let last = 0
  for (const line of lines) {
    const number = Number(INDEX.exec(line.text)?.[1])
    if (number <= index) break
    if (number !== index + 1)
      problems.push(
        odd(
          'missing-lines',
          `line ${String(line.at)}: entry ${String(number)} follows entry ${String(index)}`,
        ),
      )
    index = number
    const row = line.text.includes('(invalid)') ? null : rowOf(line.text)
    if (row === null) problems.push(unreadable(line, 'linux'))
    else placed.push({ row, line: line.at })
    last = line.at
  }
  return { placed, problems, last }
}

const LACKS = [
  'memory of types LoaderCode and LoaderData belongs to the boot that printed it and counts as free before the load',
  'boot-services memory allocated by this boot stays occupied',
]

export const linuxEfi: Dialect = {
  name: 'linux',
  kind: 'efi',
  title: 'Linux on x86 with `efi=debug`',
  example:
    '[    0.000000] efi: mem00: [Boot Data   |   |  |  |  |  |  |  |  |  |  |   |WB|WT|WC|UC] range=[0x0000000000900000-0x00000000014fffff] (12MB)\n[    0.000000] efi: mem01: [Conventional|   |  |  |  |  |  |  |  |  |  |   |WB|WT|WC|UC] range=[0x0000000001500000-0x00000000373fffff] (863MB)',
  taken: 'exit-boot-services',
  lacks: LACKS,
  sniff: line => LOOKS.test(line),
  stop: /EFI runtime memory map/,
  read,
}

export const linuxEfiArm: Dialect = {
  name: 'linux-arm',
  kind: 'efi',
  title: 'Linux on arm64 or riscv with `efi=debug`',
  example:
    '[    0.000000] efi:   0x000040000000-0x00004007ffff [Loader Data |   |  |  |  |  |  |  |  |  |  |   |WB|WT|WC|UC]\n[    0.000000] efi:   0x000040080000-0x000047ffffff [Conventional|   |  |  |  |  |  |  |  |  |  |   |WB|WT|WC|UC]',
  taken: 'exit-boot-services',
  lacks: LACKS,
  sniff: line => ARM_LOOKS.test(line),
  stop: /EFI runtime memory map|Processing EFI memory map/,
  read: eachLine('linux-arm', line => {
    const row = readArmRow(line)
    if (row === null) return null
    const [start, last, number, name, fields] = row
    const type = memoryTypeOf(name) ?? (number === '' ? null : Number(number))
    return type === null
      ? null
      : [{ type, start: hexValue(start), end: hexValue(last) + 1n, attribute: attributesOf(fields) }]
  }),
}
