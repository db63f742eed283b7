/**
 * Completes the rows of a table to the headers of a PE file. What the text lacks is assumed, and reported.
 */
import { hex } from '../../bytes/range.ts'
import { alignUp, wrap64 } from '../../bytes/units.ts'
import type { HeaderName, Listing, Table, TableRow } from './model.ts'

/** A row whose address and size are known or assumed. */
interface Placed extends TableRow {
  readonly address: bigint
  readonly size: number
  readonly PointerToRawData: number
}

const PAGE = 0x1000
/** Maximum distance of the first section from a high ImageBase, in bytes. */
const HEAD_MAX = 2n ** 24n
const GIB = 2n ** 30n

/** The multiple of 1 GiB that the lowest section follows closely, or else the multiple of 64 KiB below it. */
function baseBelow(lowest: bigint): readonly [base: bigint, why: string] {
  if (lowest < 2n ** 28n) return [0n, 'the addresses are low']
  const high = lowest & ~(GIB - 1n)
  const near = (lowest - 1n) & ~0xffffn
  return high > 0n && near > high && lowest - high <= HEAD_MAX
    ? [high, 'the multiple of 1 GiB that the lowest section follows']
    : [near, 'the multiple of 64 KiB below the lowest section']
}

const MISSING = {
  VirtualAddress:
    'the text has no addresses (VirtualAddress): where the sections lie in memory, ' +
    'and so whether anything is overwritten, cannot be judged without them; here ' +
    'they lie one after the other',
  VirtualSize:
    'the text has no sizes in memory (VirtualSize) for some sections: whether they ' +
    'reach into others cannot be judged without them',
  PointerToRawData:
    'the text has no places in the file (PointerToRawData): whether the file holds ' +
    'the bytes of each section cannot be judged without them',
} as const

/** Rows at their own addresses, or one after the other if the text has none. */
function placed(rows: readonly TableRow[], fileAlignment: number): readonly Placed[] {
  let address = BigInt(PAGE)
  let at = 0x400
  return rows.map(row => {
    const size = row.size ?? row.SizeOfRawData ?? 0
    const whole = {
      ...row,
      size,
      address: row.address ?? address,
      PointerToRawData: row.PointerToRawData ?? at,
    }
    address = BigInt(alignUp<number>((Number(wrap64(whole.address)) % 2 ** 52) + Math.max(size, 1), PAGE))
    at = alignUp<number>(at + (row.SizeOfRawData ?? size), fileAlignment)
    return whole
  })
}

/** The listing, or why there is none. */
export function completeTable(
  { form, fileName, rows: printed, headers: said }: Table,
  sizes: ReadonlyMap<string, number>,
): Listing | string {
  const assumptions: string[] = []
  const wideOrAssumed = (name: HeaderName, value: bigint, why: string): bigint => {
    const known = said.get(name)
    if (known !== undefined) return known
    assumptions.push(`${name} is ${hex(value)}: ${why}`)
    return value
  }
  const orAssumed = (name: Exclude<HeaderName, 'ImageBase'>, value: number, why: string): number =>
    Number(wideOrAssumed(name, BigInt(value), why))
  const isPower = (n: bigint): boolean => n > 0n && n <= 2n ** 31n && (n & (n - 1n)) === 0n
  for (const [name, value] of said) {
    if (name !== 'ImageBase' && value >= 2n ** 32n) return `${name} ${hex(value)} does not fit its field`
    if (name.endsWith('Alignment') && !isPower(value)) return `${name} ${hex(value)} is not a power of two`
  }
  const isVma = printed.some(row => row.counted === 'vma')
  const lowest = least(printed.flatMap(({ address }) => (address === null ? [] : [address])))
  const ImageBase = isVma
    ? wideOrAssumed('ImageBase', ...baseBelow(lowest))
    : wideOrAssumed('ImageBase', 0n, 'the table counts its addresses from there')
  const FileAlignment = orAssumed('FileAlignment', 0x200, 'as GNU ld and systemd’s linker script set it')
  const SectionAlignment = orAssumed('SectionAlignment', PAGE, 'a page, as all stubs that were read have it')
  const rows = placed(printed, FileAlignment)
  // objdump prints 64-bit sums, so an image at the top of the address space continues at 0
  const rvaOf = ({ address, counted }: Placed): number =>
    Number(counted === 'vma' ? wrap64(address - ImageBase) : address)
  const end = Math.max(...rows.map(row => rvaOf(row) + row.size))
  if (end >= 2 ** 32 || rows.some(row => row.PointerToRawData >= 2 ** 32)) {
    const lowest = least(rows.map(({ address }) => address))
    const top = greatest(rows.map(({ address, size }) => address + BigInt(size)))
    return `sections at ${hex(lowest)}-${hex(top)} do not fit a PE file with ImageBase ${hex(ImageBase)}`
  }
  const firstRaw = Math.min(
    ...rows.filter(row => row.PointerToRawData > 0).map(row => row.PointerToRawData),
    2 ** 31,
  )
  const text = rows.filter(row => row.name === '.text').slice(0, 1)
  const headers = {
    ImageBase,
    SectionAlignment,
    FileAlignment,
    SizeOfImage: orAssumed(
      'SizeOfImage',
      Math.min(alignUp<number>(end, SectionAlignment), 0xffffffff),
      'the end of the highest section',
    ),
    SizeOfHeaders: orAssumed(
      'SizeOfHeaders',
      firstRaw === 2 ** 31 ? 0x1000 : firstRaw,
      'where the first section begins in the file',
    ),
    AddressOfEntryPoint: orAssumed(
      'AddressOfEntryPoint',
      Math.min(...(text.length > 0 ? text : rows).map(rvaOf)),
      'the start of .text',
    ),
  }
  const sections = rows.map(row => ({
    name: row.name,
    size: row.size,
    ...(row.SizeOfRawData === null ? {} : { SizeOfRawData: row.SizeOfRawData }),
    VirtualAddress: rvaOf(row),
    PointerToRawData: row.PointerToRawData,
    hasContents:
      row.SizeOfRawData === null ? row.flags === '' || row.flags.includes('CONTENTS') : row.SizeOfRawData > 0,
    Characteristics: row.Characteristics ?? characteristicsOf(row.flags),
  }))
  const rawEnd = Math.max(
    ...sections.map(
      section =>
        section.PointerToRawData +
        (section.hasContents ? alignUp<number>(section.SizeOfRawData ?? section.size, FileAlignment) : 0),
    ),
  )
  const listed = fileName === null ? undefined : sizes.get(fileName.split('/').at(-1) as string)
  if (listed === undefined) assumptions.push(`the file has ${hex(rawEnd)} bytes: the end of the last section`)
  if (printed.some(row => row.SizeOfRawData === null))
    assumptions.push(
      form === 'objdump -h'
        ? 'VirtualSize is the size that objdump prints, SizeOfRawData the same rounded up to FileAlignment'
        : 'SizeOfRawData is VirtualSize rounded up to FileAlignment',
    )
  const lacks = (column: keyof typeof MISSING, is: (row: TableRow) => boolean): Listing['missing'] =>
    printed.some(is) ? [{ column, what: MISSING[column] }] : []
  return {
    fileName,
    form,
    sections,
    headers,
    fileSize: listed ?? rawEnd,
    assumptions,
    missing: [
      ...lacks('VirtualAddress', row => row.address === null),
      ...lacks('VirtualSize', row => row.size === null),
      ...lacks('PointerToRawData', row => row.PointerToRawData === null),
    ],
  }
}

function least(values: readonly bigint[]): bigint {
  return values.reduce((least, value) => (value < least ? value : least), values[0] ?? 0n)
}

function greatest(values: readonly bigint[]): bigint {
  return values.reduce((greatest, value) => (value > greatest ? value : greatest), 0n)
}

/** IMAGE_SCN_* flags by objdump's words. */
function characteristicsOf(flags: string): number {
  if (flags.includes('CODE')) return 0x60000020
  if (flags !== '' && !flags.includes('CONTENTS')) return 0xc0000080
  return flags === '' || flags.includes('READONLY') ? 0x40000040 : 0xc0000040
}
