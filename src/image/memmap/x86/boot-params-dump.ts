/**
 * /sys/kernel/boot_params/data: the zero page of the running kernel, as 4096 bytes or as a hex dump of them.
 * Source: linux asm/bootparam.h, asm/e820/types.h.
 */
import { hex } from '../../../bytes/range.ts'
import { groupsOf } from '../../groups.ts'
import { E820_LACKS, e820Row } from './e820.ts'
import { odd, type Block, type Dialect, type Line, type Placed } from '../model.ts'
import type { Problem } from '../../problem.ts'

const SIZE = 4096
/** Offsets in struct boot_params. */
const EFI_INFO = 0x1c0
const E820_ENTRIES = 0x1e8
const HDRS_AT = 0x202
const E820_TABLE = 0x2d0
const E820_ENTRY = 20
const E820_MAX_ENTRIES_ZEROPAGE = 128

/** xxd, `hexdump -C`, `od -A x -t x1`: offset and bytes. Plain `hexdump`: offset and words. */
const readBytes = groupsOf(
  /^([0-9a-f]{6,8})(?:: |  ?)((?:[0-9a-f]{2} {0,2}){1,16})(?: {0,60}[|>].*| {1,60}\S.*)?$/,
  2,
)
const readWords = groupsOf(/^([0-9a-f]{7})((?: [0-9a-f]{4}){1,8})\s*$/, 2)

/** Is it the zero page of a kernel that was booted by the 2.00 protocol or later? */
export function isBootParams(bytes: Uint8Array): boolean {
  return bytes.length === SIZE && [0x48, 0x64, 0x72, 0x53].every((byte, i) => bytes[HDRS_AT + i] === byte)
}

function number(bytes: Uint8Array, at: number, length: number): bigint {
  let value = 0n
  for (let i = length - 1; i >= 0; i--) value = value * 256n + BigInt(bytes[at + i] ?? 0)
  return value
}

/** The rows of the e820 table in a whole zero page; every one is said to stand on `line`. */
export function readBootParams(bytes: Uint8Array, line: number): Block {
  const placed: Placed[] = []
  const problems: Problem[] = []
  const count = bytes[E820_ENTRIES] ?? 0
  for (let i = 0; i < Math.min(count, E820_MAX_ENTRIES_ZEROPAGE); i++) {
    const at = E820_TABLE + E820_ENTRY * i
    const start = number(bytes, at, 8)
    placed.push({
      row: e820Row(start, start + number(bytes, at + 8, 8), Number(number(bytes, at + 16, 4))),
      line,
    })
  }
  if (count > E820_MAX_ENTRIES_ZEROPAGE)
    problems.push(
      odd(
        'too-many-entries',
        `e820_entries is ${String(count)}, the table holds ${String(E820_MAX_ENTRIES_ZEROPAGE)}`,
      ),
    )
  const size = number(bytes, EFI_INFO + 20, 4)
  const at = number(bytes, EFI_INFO + 16, 4) + number(bytes, EFI_INFO + 28, 4) * 2n ** 32n
  if (size > 0n)
    problems.push(
      odd(
        'efi-map-elsewhere',
        `efi_info says that the EFI map lies at ${hex(at)}, ${hex(size)} bytes: it is not in this file; a kernel log with efi=debug has it`,
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

/** Puts the dump together; a line `*` stands for lines like the one before. */
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
  if (!isBootParams(image))
    return {
      placed: [],
      problems: [odd('not-boot-params', 'the hex dump is no zero page: no HdrS at 0x202')],
      last,
    }
  const block = readBootParams(image, (lines[0] as Line).at)
  return { ...block, last }
}

export const bootParamsDump: Dialect = {
  name: 'boot-params',
  kind: 'e820',
  title: '`/sys/kernel/boot_params/data`, the file or a hex dump of it',
  example:
    '000001e0  00 00 00 00 00 00 00 00  01 00 00 00 00 00 00 00  |................|\n00000200  00 00 48 64 72 53 0f 02  00 00 00 00 00 00 00 00  |..HdrS..........|\n000002d0  00 00 10 00 00 00 00 00  00 60 70 00 00 00 00 00  |.........`p.....|\n000002e0  01 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|',
  taken: 'exit-boot-services',
  lacks: [...E820_LACKS, 'entries behind the 128th'],
  sniff: line => bytesOf(line) !== null,
  joins: line => line === '*',
  read,
}
