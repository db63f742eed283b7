/**
 * A `MemoryDescriptor` of the Rust crate uefi as `{:?}`, `{:#?}` and `{:x?}` print it. Source: uefi-rs
 * uefi-raw/src/table/boot.rs MemoryDescriptor, MemoryType, MemoryAttribute.
 */
import { PAGE } from '../../bytes/units.ts'
import { groupsOf, type Texts } from '../groups.ts'
import { attributeOf, memoryTypeOf } from '../memory-type-names.ts'
import {
  ATTRIBUTE_UNSAID,
  decimalValue,
  hexValue,
  unreadable,
  type Block,
  type Dialect,
  type Line,
  type MemmapRow,
} from './model.ts'

const NUMBER = '(?:0x)?[0-9a-fA-F]{1,16}'
const BODY =
  '\\{\\s{1,80}ty: (?:MemoryType\\(\\s{0,20}[0-9a-fx]{1,12},?\\s{0,20}\\)|[A-Z_]{3,24}),' +
  `\\s{1,40}(?:padding0: \\d{1,10},\\s{1,40})?phys_start: ` +
  `${NUMBER},\\s{1,40}virt_start: ${NUMBER},\\s{1,40}page_count: ` +
  `${NUMBER},\\s{1,40}att: MemoryAttribute`
const FLAG = '(?:[A-Z]{2,13}(?:_[A-Z]{2,13}){0,3}|0x[0-9a-fA-F]{1,16})'
const readRow = groupsOf(
  new RegExp(
    `ty: (?:MemoryType\\(\\s*(?:0x)?([0-9a-fA-F]+),?\\s*\\)|([A-Z_]+)),[^]*?phys_start: ` +
      `(${NUMBER}),[^]*?page_count: (${NUMBER}),[^]*?att: ` +
      `MemoryAttribute\\s*(?:\\(([^)]*)\\)|\\{\\s*bits: (${NUMBER}))`,
  ),
  6,
)

const FLAGS: Readonly<Record<string, string>> = {
  UNCACHEABLE: 'UC',
  WRITE_COMBINE: 'WC',
  WRITE_THROUGH: 'WT',
  WRITE_BACK: 'WB',
  UNCACHABLE_EXPORTED: 'UCE',
  WRITE_PROTECT: 'WP',
  READ_PROTECT: 'RP',
  EXECUTE_PROTECT: 'XP',
  NON_VOLATILE: 'NV',
  MORE_RELIABLE: 'MR',
  READ_ONLY: 'RO',
  SPECIAL_PURPOSE: 'SP',
  CPU_CRYPTO: 'CC',
  RUNTIME: 'RUN',
}

/**
 * The numbers are decimal, or hexadecimal without a mark: an address of whole pages is a multiple of 4096 in
 * one of them, and letters tell.
 */
function isHex(rows: readonly Texts<6>[]): boolean {
  const numbers = rows.flatMap(row => [row[2], row[3]])
  if (numbers.some(number => /^0x|[a-f]/i.test(number))) return true
  return rows.some(row => decimalValue(row[2]) % BigInt(PAGE) !== 0n)
}

function rowOf([typeNumber, typeName, at, count, flags, bits]: Texts<6>, hex: boolean): MemmapRow | null {
  const value = (digits: string): bigint => (hex ? hexValue(digits.replace('0x', '')) : decimalValue(digits))
  const type = typeName === '' ? Number(value(typeNumber)) : memoryTypeOf(typeName)
  const start = value(at)
  const names = flags.split('|').map(flag => flag.trim().replace(/,$/, ''))
  const attribute = bits === '' ? attributeOf(names.map(name => FLAGS[name] ?? '')) : value(bits)
  return type === null
    ? null
    : {
        type,
        start,
        end: start + value(count) * BigInt(PAGE),
        attribute: attribute === 0n && names.includes('') ? ATTRIBUTE_UNSAID : attribute,
      }
}

/** Names of flags; bits without a name are numbers. */
const flagsOf = (texts: Texts<6>): string[] =>
  texts[4]
    .split('|')
    .map(flag => flag.trim().replace(/,$/, ''))
    .filter(flag => flag !== '' && !flag.startsWith('0x'))

function read(lines: readonly Line[]): Block {
  const rows = lines.map(line => ({ line, texts: readRow(line.text) }))
  const hex = isHex(rows.flatMap(({ texts }) => (texts === null ? [] : [texts])))
  const placed = rows.map(({ line, texts }) => ({ line, row: texts === null ? null : rowOf(texts, hex) }))
  return {
    placed: placed.flatMap(({ line, row }) => (row === null ? [] : [{ row, line: line.at }])),
    problems: placed.flatMap(({ line, row }) => (row === null ? [unreadable(line, 'rust-uefi')] : [])),
    last: lines.at(-1)?.at ?? 0,
  }
}

export const rustUefi: Dialect<'rust-uefi'> = {
  name: 'rust-uefi',
  kind: 'efi',
  title: 'Rust, a `MemoryDescriptor` of the crate uefi',
  example:
    'MemoryDescriptor { ty: CONVENTIONAL, phys_start: 1048576, virt_start: 0, ' +
    'page_count: 1792, att: MemoryAttribute(UNCACHEABLE | WRITE_BACK) }',
  taken: 'before-load',
  lacks: ['what the program itself holds stays occupied: true only if the image is started from it'],
  looks: /\bMemoryDescriptor \{/g,
  row: new RegExp(
    `MemoryDescriptor ${BODY}(?:\\(\\s{0,20}(?:${FLAG}(?:\\s{1,40}\\|\\s{1,40}${FLAG}){0,20})?` +
      ',?\\s{0,20}\\)|\\s?\\{[^}]{0,200}\\})(?:,?\\s{1,40}\\})?',
    'y',
  ),
  wide: false,
  span: 14,
  valid: row => {
    const texts = readRow(row)
    return texts !== null && rowOf(texts, true) !== null && flagsOf(texts).every(name => name in FLAGS)
  },
  read,
}
