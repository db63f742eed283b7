/**
 * Tables with one section per line, recognised by the row alone: objdump and llvm-objdump `-h`, rabin2 `-S`,
 * virt-firmware's pe-inspect. Source: GNU binutils 2.40, LLVM 16, radare2 5.8, virt-firmware 24.
 */
import { groupsOf } from '../groups.ts'
import { hexValue } from '../memmap/model.ts'
import { itemsOf, QUOTE, type Grammar } from '../paste/rows.ts'
import type { Problem } from '../problem.ts'
import { NO_ROW, oddRow, type HeaderName, type Table, type TableRow } from './model.ts'

interface RowForm extends Grammar {
  readonly form: string
  /** The row, and its number in the table if the text has one. */
  readonly read: (row: string) => { readonly row: TableRow; readonly index: number | null } | null
}

const int = (digits: string): number => Number.parseInt(digits, 16)
const NAME = '[^\\s|"<>]{1,64}'
const readObjdump = groupsOf(
  /^(\d+)\s+(\S+)\s+([0-9a-fA-F]{8,16})\s+([0-9a-fA-F]{8,16})\s+[0-9a-fA-F]{8,16}\s+([0-9a-fA-F]{8,16})\s+2\*\*\d+$/,
  5,
)
const readLlvm = groupsOf(/^(\d+)\s+(\S+)\s+([0-9a-fA-F]{8})\s+([0-9a-fA-F]{16})\s*([A-Z, ]*)$/, 5)
const readRabin = groupsOf(
  /^(\d+)\s+0x([0-9a-fA-F]+)\s+0x([0-9a-fA-F]+)\s+0x([0-9a-fA-F]+)\s+0x([0-9a-fA-F]+)\s+[-a-z]+\s+(?:0x[0-9a-fA-F]+\s+)?(?:[A-Z-]+\s+)?(\S+)$/,
  6,
)
const readInspect = groupsOf(
  /^section: file 0x([0-9a-fA-F]+) \+0x([0-9a-fA-F]+)\s+virt 0x([0-9a-fA-F]+) \+0x([0-9a-fA-F]+)\s+[-rwx]{3} \(([^()]+)\)$/,
  5,
)

const FORMS: readonly RowForm[] = [
  {
    form: 'objdump -h',
    looks: new RegExp(
      `(?<![\\w.])\\d{1,5}\\s{1,4}${NAME}\\s{1,20}` +
        '[0-9a-fA-F]{8,16}\\s{1,4}[0-9a-fA-F]{8,16}\\s{1,4}[0-9a-fA-F]{8}',
      'g',
    ),
    row: new RegExp(
      `\\d{1,5}\\s{1,4}${NAME}\\s{1,20}[0-9a-fA-F]{8,16}\\s{1,4}[0-9a-fA-F]{8,16}` +
        '\\s{1,4}[0-9a-fA-F]{8,16}\\s{1,4}[0-9a-fA-F]{8,16}\\s{1,4}2\\*\\*\\d{1,2}',
      'y',
    ),
    wide: true,
    read: text => {
      const row = readObjdump(text)
      if (row === null) return null
      const [index, name, size, vma, at] = row
      return {
        row: {
          ...NO_ROW,
          name,
          size: int(size),
          address: hexValue(vma),
          counted: 'vma',
          PointerToRawData: int(at),
        },
        index: Number(index),
      }
    },
  },
  {
    form: 'llvm-objdump -h',
    looks: new RegExp(
      `(?<![\\w.])\\d{1,5}\\s{1,4}${NAME}\\s{1,20}` +
        '[0-9a-fA-F]{8}\\s{1,4}[0-9a-fA-F]{16}(?!\\s{1,4}[0-9a-fA-F]{8})',
      'g',
    ),
    row: new RegExp(
      `\\d{1,5}\\s{1,4}${NAME}\\s{1,20}[0-9a-fA-F]{8}\\s{1,4}[0-9a-fA-F]{16}` +
        '(?:\\s{1,4}(?:TEXT|DATA|BSS|DEBUG)(?:, [A-Z]{3,5})?)?(?!\\w)',
      'y',
    ),
    wide: true,
    read: text => {
      const row = readLlvm(text)
      if (row === null) return null
      const [index, name, size, vma, kind] = row
      const inFile = kind.includes('TEXT') ? 'CONTENTS, CODE' : 'CONTENTS, DATA'
      const flags = kind.includes('BSS') ? 'ALLOC' : inFile
      return {
        row: {
          ...NO_ROW,
          name,
          size: int(size),
          address: hexValue(vma),
          counted: 'vma',
          flags: kind.trim() === '' ? '' : flags,
        },
        index: Number(index),
      }
    },
  },
  {
    form: 'rabin2 -S',
    looks: /(?<![\w.])\d{1,5}\s{1,4}0x[0-9a-fA-F]{8,16}\s{1,16}0x/g,
    row: /\d{1,5}\s{1,4}0x[0-9a-fA-F]{8,16}\s{1,16}0x[0-9a-fA-F]{1,16}\s{1,4}0x[0-9a-fA-F]{8,16}\s{1,16}0x[0-9a-fA-F]{1,16}\s{1,4}[-a-z]{3,5}\s{1,4}(?:0x[0-9a-fA-F]{1,16}\s{1,4})?(?:[A-Z-]{2,12}\s{1,4})?[.\w/$-]{1,64}/y,
    wide: false,
    read: text => {
      const row = readRabin(text)
      if (row === null) return null
      const [index, at, raw, vma, size, name] = row
      return {
        row: {
          ...NO_ROW,
          name,
          size: int(size),
          address: hexValue(vma),
          counted: 'vma',
          PointerToRawData: int(at),
          SizeOfRawData: int(raw),
        },
        index: Number(index),
      }
    },
  },
  {
    form: 'pe-inspect',
    looks: /\bsection: file 0x/g,
    row: /section: file 0x[0-9a-fA-F]{1,8} \+0x[0-9a-fA-F]{1,8}\s{1,4}virt 0x[0-9a-fA-F]{1,8} \+0x[0-9a-fA-F]{1,8}\s{1,4}[-rwx]{3} \([^()\n]{1,64}\)/y,
    wide: false,
    read: text => {
      const row = readInspect(text)
      if (row === null) return null
      const [at, raw, address, size, name] = row
      return {
        row: {
          ...NO_ROW,
          name,
          size: int(size),
          address: hexValue(address),
          PointerToRawData: int(at),
          SizeOfRawData: int(raw),
        },
        index: null,
      }
    },
  },
]

/** Damaged rows: a number, a name with a dot, digits. */
const LOOKS = /(?<![\w.])\d{1,5}\s{1,4}\.[^\s|"<>]{1,63}\s{1,20}[0-9a-fA-F]{8}/
const WORD =
  '(?:CONTENTS|ALLOC|LOAD|RELOC|READONLY|CODE|DATA|ROM|' +
  'DEBUGGING|NEVER_LOAD|EXCLUDE|SHARED|LINK_ONCE\\w{0,20})'
const FLAGS = new RegExp(`(?<![\\w,.])${WORD}(?:, ?${WORD}){0,12}(?![\\w])`)
const FILE = /^(.{1,4096}):\s{1,8}file format (\S{1,64})/
const INSPECT_HEAD = /\bheader: size=0x([0-9a-fA-F]{1,8}) imagesize=0x([0-9a-fA-F]{1,8})/

/** The first table in such a form; no rows if there is none. */
export function readRows(lines: readonly string[]): Table {
  const rows: TableRow[] = []
  const problems: Problem[] = []
  const headers = new Map<HeaderName, bigint>()
  let form: string | null = null
  let fileName: string | null = null
  let next = 0
  for (const { at, text, pieces } of itemsOf(lines, FORMS)) {
    const file = FILE.exec(text.slice(0, 5000).replace(QUOTE, ''))
    if (file !== null && rows.length > 0) break
    if (file !== null) {
      const [, name = '', format = ''] = file
      fileName = name
      if (!/^(?:pei|coff)-/.test(format))
        problems.push(oddRow('not-pe', `line ${String(at)}: the file format is ${format}, not pei-x86-64`))
    }
    const head = INSPECT_HEAD.exec(text)
    if (head !== null) {
      headers.set('SizeOfHeaders', hexValue(head[1] ?? '0'))
      headers.set('SizeOfImage', hexValue(head[2] ?? '0'))
    }
    for (const { dialect, text: row, after, whole } of pieces) {
      const read = whole ? dialect.read(row) : null
      if (read === null || (form !== null && dialect.form !== form)) continue
      form = dialect.form
      if (read.index !== null && read.index !== next)
        problems.push(
          oddRow(
            'missing-rows',
            `line ${String(at)}: section ${String(read.index)} stands where section ` +
              `${String(next)} is expected: rows are lost or out of order`,
          ),
        )
      next = (read.index ?? next) + 1
      rows.push(read.row.flags === '' ? { ...read.row, flags: FLAGS.exec(after)?.[0] ?? '' } : read.row)
    }
    if (pieces.some(({ whole }) => whole)) continue
    const last = rows.at(-1)
    const flags = text.length < 400 ? FLAGS.exec(text)?.[0] : undefined
    if (last?.flags === '' && flags !== undefined) rows[rows.length - 1] = { ...last, flags }
    else if (LOOKS.test(text))
      problems.push(
        oddRow(
          'unreadable-line',
          `line ${String(at)} cannot be read as a section: ${text.trim().slice(0, 80)}`,
        ),
      )
  }
  return { form: form ?? 'objdump -h', fileName, rows, headers, problems }
}
