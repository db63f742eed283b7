/**
 * /sys/kernel/boot_params/data: the zero page of the running kernel, as 4096 bytes or as a hex dump of them.
 * Source: linux asm/bootparam.h, asm/e820/types.h.
 */
import { hex } from '../../../bytes/range.ts'
import { groupsOf } from '../../groups.ts'
import {
  boot_e820_entry,
  boot_params,
  E820_MAX_ENTRIES_ZEROPAGE,
  efi_info,
  HDRS,
  setup_header,
  type BootParams,
} from '../../x86/boot-params.ts'
import { e820Row } from './e820.ts'
import { E820_LACKS, odd, type Block, type Dialect, type Line, type Placed } from '../model.ts'
import type { Problem } from '../../problem.ts'

const SIZE = boot_params.size

/** xxd, `hexdump -C`, `od -A x -t x1`: offset and bytes. Plain `hexdump`: offset and words. */
const readBytes = groupsOf(
  /^([0-9a-f]{6,8})(?:: |  ?)((?:[0-9a-f]{2} {0,2}){1,16})(?: {0,60}[|>].*| {1,60}\S.*)?$/,
  2,
)
const readWords = groupsOf(/^([0-9a-f]{7})((?: [0-9a-f]{4}){1,8})\s*$/, 2)

/** The zero page of a kernel that was booted by the 2.00 protocol or later; null if it is not one. */
function pageOf(bytes: Uint8Array): BootParams | null {
  const page = bytes.length === SIZE ? boot_params.read(bytes) : null
  return page !== null && setup_header.read(page.hdr)?.header === HDRS ? page : null
}

/** The rows of the e820 table in a whole zero page; all are attributed to `line`. */
function blockOf(page: BootParams, line: number): Block {
  const placed: Placed[] = []
  const problems: Problem[] = []
  const count = page.e820_entries
  for (let i = 0; i < Math.min(count, E820_MAX_ENTRIES_ZEROPAGE); i++) {
    const entry = boot_e820_entry.read(page.e820_table, i * boot_e820_entry.size)
    if (entry !== null) placed.push({ row: e820Row(entry.addr, entry.addr + entry.size, entry.type), line })
  }
  if (count > E820_MAX_ENTRIES_ZEROPAGE)
    problems.push(
      odd(
        'too-many-entries',
        `e820_entries is ${String(count)}, the table holds ${String(E820_MAX_ENTRIES_ZEROPAGE)}`,
      ),
    )
  const efi = efi_info.read(page.efi_info)
  if (efi !== null && efi.efi_memmap_size > 0)
    problems.push(
      odd(
        'efi-map-elsewhere',
        'efi_info has the EFI map at ' +
          `${hex(BigInt(efi.efi_memmap) + BigInt(efi.efi_memmap_hi) * 2n ** 32n)}, ` +
          `${hex(efi.efi_memmap_size)} bytes, which is not in this file; use a kernel log with ` +
          'efi=debug',
      ),
    )
  return { placed, problems, last: line }
}

function bytesOf(line: string): { readonly at: number; readonly bytes: number[] } | null {
  const words = readWords(line)
  if (words !== null) {
    const [at, text] = words
    const bytes = text
      .trim()
      .split(' ')
      .flatMap(word => [Number.parseInt(word.slice(2), 16), Number.parseInt(word.slice(0, 2), 16)])
    return { at: Number.parseInt(at, 16), bytes }
  }
  const found = readBytes(line)
  if (found === null) return null
  const [at, text] = found
  const pairs = text.replaceAll(' ', '').matchAll(/../g)
  return { at: Number.parseInt(at, 16), bytes: Array.from(pairs, ([pair]) => Number.parseInt(pair, 16)) }
}

/** Parses the dump; a line `*` repeats the line before. */
function read(lines: readonly Line[]): Block {
  const image = new Uint8Array(SIZE)
  const last = lines.at(-1)?.at ?? 0
  let previous: number[] = []
  let next = 0
  let repeated = false
  for (const line of lines) {
    const found = bytesOf(line.text)
    if (found === null) {
      repeated = true
      continue
    }
    if (found.at > SIZE) break
    for (let at = next; repeated && at < found.at && previous.length > 0; at++)
      image[at] = previous[(at - next) % previous.length] ?? 0
    repeated = false
    found.bytes.slice(0, SIZE - found.at).forEach((byte, i) => (image[found.at + i] = byte))
    previous = found.bytes
    next = found.at + found.bytes.length
  }
  const page = pageOf(image)
  if (page === null)
    return {
      placed: [],
      problems: [odd('not-boot-params', 'the hex dump is not a zero page: no HdrS at 0x202')],
      last,
    }
  return { ...blockOf(page, (lines[0] as Line).at), last }
}

export const bootParamsDump: Dialect<'boot-params'> = {
  name: 'boot-params',
  kind: 'e820',
  title: '`/sys/kernel/boot_params/data`, the file or a hex dump of it',
  example:
    '000001e0  00 00 00 00 00 00 00 00  01 00 00 00 00 00 00 00  ' +
    '|................|\n00000200  00 00 48 64 72 53 0f 02  00 00 00 00 00 00 00 00  ' +
    '|..HdrS..........|\n000002d0  00 00 10 00 00 00 00 00  00 60 70 00 00 00 00 00  ' +
    '|.........`p.....|\n000002e0  01 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  ' +
    '|................|',
  taken: 'exit-boot-services',
  lacks: [...E820_LACKS, 'entries after the 128th'],
  looks: /(?<=^[>|+\s]{0,40})[0-9a-f]{6,8}(?:: |  ?)[0-9a-f]{2}(?:[0-9a-f]{2})?(?![0-9a-f])/g,
  row: /[0-9a-f]{6,8}(?:: |  ?)(?:(?:[0-9a-f]{2} {0,2}){1,16}(?: {0,60}[|>][^\n]{0,40}| {1,60}\S[^\n]{0,40})?|[0-9a-f]{4}(?: [0-9a-f]{4}){0,7}\s{0,9})$/y,
  wide: false,
  hint: /^[>|+\s]{0,40}[0-9a-f]{6,8}(?:: | )/,
  repeats: true,
  joins: line => /^[>|+\s]{0,40}\*\s{0,9}$/.test(line),
  read,
  file: bytes => {
    const page = pageOf(bytes)
    return page === null ? null : blockOf(page, 0)
  },
}
