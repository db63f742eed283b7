/**
 * The e820 table as kernels print it, in every wording, and as kexec prints it. Source: linux@5.10.223,
 * 6.19.6 and 7.1.8 arch/x86/kernel/e820.c; linux@6.12.107 kexec-bzimage64.c; kexec-tools@2.0.32 kexec.c,
 * kexec.h.
 */
import {
  EFI_MEMORY_SP,
  EfiACPIMemoryNVS,
  EfiACPIReclaimMemory,
  EfiConventionalMemory,
  EfiPersistentMemory,
  EfiReservedMemoryType,
  EfiUnusableMemory,
} from '../../memory-types.ts'
import { groupsOf } from '../../groups.ts'
import type { Problem } from '../../problem.ts'
import {
  E820_LACKS,
  ATTRIBUTE_UNSAID,
  hexValue,
  odd,
  unreadable,
  type Block,
  type Dialect,
  type Line,
  type MemmapRow,
  type Placed,
} from '../model.ts'

/**
 * E820 types by number, as UEFI types. 7 is persistent, 12 is persistent of old; what is unknown is reserved.
 */
export const E820_TYPES: Readonly<Record<number, number>> = {
  1: EfiConventionalMemory,
  2: EfiReservedMemoryType,
  3: EfiACPIReclaimMemory,
  4: EfiACPIMemoryNVS,
  5: EfiUnusableMemory,
  7: EfiPersistentMemory,
  12: EfiPersistentMemory,
}

const SOFT_RESERVED = 0xefffffff

/** The row of an e820 entry. Specific-purpose memory is free memory with EFI_MEMORY_SP for the firmware. */
export function e820Row(start: bigint, end: bigint, e820Type: number): MemmapRow {
  const soft = e820Type === SOFT_RESERVED
  return {
    type: soft ? EfiConventionalMemory : (E820_TYPES[e820Type] ?? EfiReservedMemoryType),
    start,
    end,
    attribute: soft ? ATTRIBUTE_UNSAID | EFI_MEMORY_SP : ATTRIBUTE_UNSAID,
    loose: true,
  }
}

/** Kernel names of the types, up to 6.19 and in 7.1. */
const WORDS: readonly (readonly [says: RegExp, type: number])[] = [
  [/^(?:usable|System RAM)$/, 1],
  [/^(?:reserved|device reserved)$/, 2],
  [/^soft reserved$/i, SOFT_RESERVED],
  [/^ACPI data$/, 3],
  [/^ACPI NVS$/, 4],
  [/^unusable/, 5],
  [/^persistent/, 7],
  [/^type \d+$/, 2],
]

/** The e820 type that a kernel's or Xen's word means; null for an unknown word. */
export function e820TypeOf(word: string): number | null {
  return WORDS.find(([says]) => says.test(word))?.[1] ?? null
}

const LABEL = '(BIOS-(?:e820|88|e801)|user|modified|extended|reserve setup_data|Xen):'
const WORD =
  '(?:usable|device reserved|reserved|[Ss]oft [Rr]eserved|System RAM|ACPI data|ACPI ' +
  'NVS|unusable|persistent(?: RAM)?(?: \\(type \\d{1,3}\\))?|type \\d{1,10})(?!\\w)'
const LOOKS = new RegExp(`(?<!\\w)${LABEL}\\s{1,3}(?:\\[(?:mem|gap)\\s{1,3}0x|[0-9a-fA-F]{16}(?!\\w))`, 'g')
const LABELLED = new RegExp(`^${LABEL}`)
const ROW = new RegExp(
  `${LABEL}\\s{1,3}(?:\\[mem ` +
    `0x[0-9a-fA-F]{1,16}-0x[0-9a-fA-F]{1,16}\\]\\s{1,4}${WORD}|\\[gap ` +
    `0x[0-9a-fA-F]{1,16}-0x[0-9a-fA-F]{1,16}\\]|[0-9a-fA-F]{16} - [0-9a-fA-F]{16} ` +
    `\\([^()\\n]{0,60}\\))`,
  'y',
)
const readRow = groupsOf(
  new RegExp(
    `^ ?${LABEL}\\s+(?:\\[mem 0x([0-9a-fA-F]{1,16})-0x([0-9a-fA-F]{1,16})\\] ` +
      `(.*)|([0-9a-fA-F]{16}) - ([0-9a-fA-F]{16}) \\(([^()]{0,60})\\) *)$`,
  ),
  7,
)
const GAP = new RegExp(`^ ?${LABEL}\\s+\\[gap 0x`)
/** Which of several lists is used: the firmware's, before edits. */
const LABELS = [
  'BIOS-e820',
  'BIOS-e801',
  'BIOS-88',
  'extended',
  'reserve setup_data',
  'Xen',
  'user',
  'modified',
]

const labelOf = (line: Line): string => readRow(line.text)?.[0] ?? LABELLED.exec(line.text)?.[1] ?? ''

function rowOf(line: string): MemmapRow | null {
  const row = readRow(line)
  if (row === null) return null
  const [, start, last, newWord, oldStart, oldEnd, oldWord] = row
  const word = (start === '' ? oldWord : newWord).trim()
  const type = e820TypeOf(word)
  if (type === null) return null
  return start === ''
    ? e820Row(hexValue(oldStart), hexValue(oldEnd), type)
    : e820Row(hexValue(start), hexValue(last) + 1n, type)
}

/** Reads one list: that of the best label, until its first entry repeats, as in a log with two boots. */
function read(lines: readonly Line[]): Block {
  const present = new Set(lines.map(labelOf))
  const label = LABELS.find(name => present.has(name)) ?? ''
  const placed: Placed[] = []
  const problems: Problem[] = []
  let last = 0
  for (const line of lines) {
    if (labelOf(line) !== label) continue
    const row = GAP.test(line.text) ? 'gap' : rowOf(line.text)
    if (row !== null && row !== 'gap' && row.start === placed[0]?.row.start) break
    if (row === null) problems.push(unreadable(line, 'e820'))
    else if (row !== 'gap') placed.push({ row, line: line.at })
    last = line.at
  }
  if (label !== 'BIOS-e820' && placed.length > 0)
    problems.push(
      odd(
        'edited-map',
        label === 'Xen'
          ? 'the list is headed "Xen": it is what Xen gives its first domain, not what the firmware gave Xen'
          : `the list is headed ${JSON.stringify(label)}: ` +
              'it is the kernel’s modified copy of the firmware’s',
      ),
    )
  return { placed, problems, last }
}

export const e820: Dialect<'e820'> = {
  name: 'e820',
  kind: 'e820',
  title: 'any x86 kernel log: `BIOS-e820:`',
  example:
    'BIOS-e820: [mem 0x0000000000100000-0x0000000000805fff] usable\nBIOS-e820: [mem ' +
    '0x0000000000806000-0x0000000000807fff] ACPI NVS\nBIOS-e820: [mem ' +
    '0x0000000000808000-0x000000000080ffff]  System RAM\nBIOS-e820: [gap ' +
    '0x0000000000810000-0x00000000008fffff]',
  taken: 'exit-boot-services',
  lacks: E820_LACKS,
  looks: LOOKS,
  row: ROW,
  wide: false,
  valid: row => GAP.test(row) || rowOf(row) !== null,
  read,
}

/** Lists of something else. */
const KEXEC_OTHER = /^(?:reserved|coredump|crash)/i
const readKexecRow = groupsOf(/^([0-9a-fA-F]{16})-([0-9a-fA-F]{16}) \((-?\d{1,10})\)\s*$/, 3)
/**
 * Range types of kexec-tools, which begin at 0, as e820 types. Source: kexec-tools@2.0.32 kexec/kexec.h
 * RANGE_*.
 */
const KEXEC_TYPES: Readonly<Record<number, number>> = { 0: 1, 1: 2, 2: 3, 3: 4, 4: 2, 6: 7, 11: 12 }

/**
 * Reads the first list. Headed `E820 memmap:` its numbers are e820's, otherwise they are those of
 * kexec-tools. Types are printed with a sign. An end on a KiB is exclusive: Xen's ranges end so.
 */
function readKexec(lines: readonly Line[]): Block {
  const placed: Placed[] = []
  let e820Numbers = false
  let other = false
  let last = 0
  for (const line of lines) {
    const row = readKexecRow(line.text)
    if (row === null) {
      if (placed.length > 0) break
      e820Numbers = line.text.startsWith('E820')
      other = KEXEC_OTHER.test(line.text)
      continue
    }
    if (other) continue
    const [start, printedEnd, number] = row
    const type = Number(number) >>> 0
    const end = hexValue(printedEnd)
    placed.push({
      row: e820Row(
        hexValue(start),
        end % 0x400n === 0n ? end : end + 1n,
        e820Numbers ? type : (KEXEC_TYPES[type] ?? 2),
      ),
      line: line.at,
    })
    last = line.at
  }
  return { placed, problems: [], last }
}

export const kexec: Dialect<'kexec'> = {
  name: 'kexec',
  kind: 'e820',
  title: '`kexec -d`, or a kernel that debugs kexec_file_load',
  example: 'E820 memmap:\n0000000000001000-000000000009ffff (1)\n0000000000100000-0000000000805fff (1)',
  taken: 'exit-boot-services',
  lacks: [...E820_LACKS, 'memory used by the running kernel'],
  looks:
    /(?<![\w.])[0-9a-fA-F]{16}-[0-9a-fA-F]{16} \(-?\d|E820 memmap:|(?:\b[A-Za-z]{4,8} )?\b(?:memory|system ram) ranges?[:;]?(?!\w)/gi,
  row: /[0-9a-fA-F]{16}-[0-9a-fA-F]{16} \(-?\d{1,10}\)|E820 memmap:|(?:[A-Za-z]{4,8} )?(?:memory|system ram) ranges?[:;]?(?!\w)/iy,
  wide: false,
  hint: /E820 memmap:|\branges?(?!\w)|-[0-9a-f]{16} \(/i,
  repeats: true,
  read: readKexec,
}
