/**
 * Tables with one field per line: llvm-readobj, readpe, pefile, dumpbin, the image records that EDK2 prints.
 * Source: LLVM 16 llvm-readobj, pev 0.82, pefile 2023, MSVC dumpbin, edk2@stable202211
 * MdeModulePkg/Core/Dxe/Misc/MemoryProtection.c.
 */
import { hexValue } from '../memmap/model.ts'
import { NO_ROW, type HeaderName, type Table, type TableRow } from './model.ts'

type Field = 'size' | 'address' | 'SizeOfRawData' | 'PointerToRawData' | 'Characteristics'

/** Keys, letters only, in lower case. */
const FIELDS: Readonly<Record<string, Field>> = {
  virtualsize: 'size',
  miscvirtualsize: 'size',
  misc: 'size',
  physicaladdress: 'size',
  virtualaddress: 'address',
  rva: 'address',
  sizeofrawdata: 'SizeOfRawData',
  rawdatasize: 'SizeOfRawData',
  rawsize: 'SizeOfRawData',
  size: 'SizeOfRawData',
  pointertorawdata: 'PointerToRawData',
  pointertodata: 'PointerToRawData',
  filepointertorawdata: 'PointerToRawData',
  rawaddress: 'PointerToRawData',
  characteristics: 'Characteristics',
  flags: 'Characteristics',
}
const HEADERS: Readonly<Record<string, HeaderName>> = {
  imagebase: 'ImageBase',
  sectionalignment: 'SectionAlignment',
  alignmentofsections: 'SectionAlignment',
  filealignment: 'FileAlignment',
  sizeofimage: 'SizeOfImage',
  sizeofheaders: 'SizeOfHeaders',
  addressofentrypoint: 'AddressOfEntryPoint',
  entrypoint: 'AddressOfEntryPoint',
}

const NAME = /\b(?:Name|Section)(?:\s{0,40}[:=]|\s{1,40}-)\s{1,60}['"]?((?:\.[\w$.-]{1,62}|\/\d{1,7}))/
const DUMPBIN_NAME = /(?<![\w.$/-])(\.[\w$.-]{1,62}|\/\d{1,7}) name(?![\w:=]| {1,40}[\w:=-])/
const KEYED =
  /(?<![0-9A-Za-z])([A-Za-z][A-Za-z_ ]{1,40}?)\s{0,60}(?:[:=]|\s-)\s{1,60}(?:\[ \()?(0x[0-9A-Fa-f]{1,16}|\d{1,19})(?![\w.])/
const BRACKETED = /\b(Characteristics) \[ \((0x[0-9A-Fa-f]{1,8})\)/
const DUMPBIN =
  /(?<![\w.-])([0-9A-F]{1,16}) (virtual size|virtual address|size of raw data|file pointer to raw data|flags|image base|section alignment|file alignment|size of image|size of headers|entry point)\b/

const plain = (key: string): string => key.replace(/[^A-Za-z]/g, '').toLowerCase()

interface Said {
  readonly key: string
  readonly value: bigint
}

function saidIn(line: string): Said | null {
  const dumpbin = DUMPBIN.exec(line)
  if (dumpbin !== null) return { key: plain(dumpbin[2] ?? ''), value: hexValue(dumpbin[1] ?? '0') }
  const keyed = BRACKETED.exec(line) ?? KEYED.exec(line)
  if (keyed === null) return null
  const digits = keyed[2] ?? '0'
  return {
    key: plain(keyed[1] ?? ''),
    value: digits.startsWith('0x') ? hexValue(digits.slice(2)) : BigInt(digits),
  }
}

type Draft = { -readonly [K in keyof TableRow]: TableRow[K] }

function put(row: Draft, field: Field, value: bigint): void {
  if (field === 'address') row.address ??= value
  else row[field] ??= Number(value)
}

/** The first table in such a form; no rows if there is none. */
export function readRecords(lines: readonly string[]): Table {
  const rows: Draft[] = []
  const headers = new Map<HeaderName, bigint>()
  for (const line of lines) {
    const text = line.slice(0, 400)
    const name = (NAME.exec(text) ?? DUMPBIN_NAME.exec(text))?.[1]
    if (name !== undefined) {
      rows.push({ ...NO_ROW, name })
      continue
    }
    const said = saidIn(text)
    if (said === null) continue
    const row = rows.at(-1)
    const field = FIELDS[said.key]
    const header = HEADERS[said.key]
    if (row !== undefined && field !== undefined) put(row, field, said.value)
    else if (header !== undefined && !headers.has(header)) headers.set(header, said.value)
  }
  // a name alone is not a record: programs name other things than sections
  const kept = rows.some(row => row.address !== null || row.size !== null || row.SizeOfRawData !== null)
    ? rows
    : []
  return { form: 'a list of fields', fileName: null, rows: kept, headers, problems: [] }
}
