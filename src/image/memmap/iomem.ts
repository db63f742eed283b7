/**
 * /proc/iomem and /sys/firmware/memmap: the resource tree and the e820 table as files. Source: linux
 * kernel/resource.c, drivers/firmware/memmap.c.
 */
import { groupsOf } from '../groups.ts'
import {
  EFI_MEMORY_SP,
  EfiACPIMemoryNVS,
  EfiACPIReclaimMemory,
  EfiConventionalMemory,
  EfiPersistentMemory,
  EfiReservedMemoryType,
  EfiUnusableMemory,
} from '../memory-types.ts'
import type { Problem } from '../problem.ts'
import {
  E820_LACKS,
  ATTRIBUTE_UNSAID,
  eachLine,
  HYPHENED,
  hexValue,
  odd,
  unreadable,
  type Block,
  type Dialect,
  type Line,
  type MemmapRow,
  type Placed,
} from './model.ts'

/** The kernel's names of e820 types, as UEFI types; all other names are devices. */
const NAMES: ReadonlyMap<string, number> = new Map([
  ['system ram', EfiConventionalMemory],
  ['reserved', EfiReservedMemoryType],
  ['acpi tables', EfiACPIReclaimMemory],
  ['acpi non-volatile storage', EfiACPIMemoryNVS],
  ['unusable memory', EfiUnusableMemory],
  ['persistent memory', EfiPersistentMemory],
  ['persistent memory (legacy)', EfiPersistentMemory],
  ['soft reserved', EfiConventionalMemory],
  ['unknown e820 type', EfiReservedMemoryType],
  ['ram buffer', EfiReservedMemoryType],
])

/** A device whose name resembles a kind of memory. */
const SYSTEM_ROM = 'system rom'
/** Consecutive wrong letters up to which a name still is a kind of memory, not a device. */
const WRONG_LETTERS = 2
/** Minimum length of a prefix that identifies a name. */
const BEGINNING = 4

/** The known name at the beginning, if only punctuation follows; otherwise the name unchanged. */
function plainName(name: string): string {
  const plain = name.trim().toLowerCase()
  if (NAMES.has(plain)) return plain
  const [words = ''] = /^[a-z0-9-]+(?: [a-z0-9-]+){0,3}/.exec(plain) ?? []
  return NAMES.has(words) ? words : plain
}

/** Length of the common prefix of two names, or of the common suffix. */
function sharedLetters(one: string, other: string, step: 1 | -1): number {
  let count = 0
  const at = (text: string): string | undefined => text.at(step === 1 ? count : -1 - count)
  while (count < one.length && at(one) === at(other)) count++
  return count
}

/** A kind of memory whose name is truncated, misspelt or followed by other words; not a device. */
function isAlmostMemory(name: string): boolean {
  const plain = plainName(name)
  if (NAMES.has(plain) || plain.startsWith(SYSTEM_ROM) || plain.length < BEGINNING) return false
  return [...NAMES.keys()].some(known => {
    if (known.startsWith(plain) || plain.startsWith(`${known} `)) return true
    const shared = sharedLetters(plain, known, 1) + sharedLetters(plain, known, -1)
    return Math.max(plain.length, known.length) - shared <= WRONG_LETTERS
  })
}

function rowOf(start: bigint, end: bigint, name: string): MemmapRow | null {
  const type = NAMES.get(plainName(name))
  if (type === undefined) return null
  return {
    type,
    start,
    end,
    attribute: plainName(name) === 'soft reserved' ? ATTRIBUTE_UNSAID | EFI_MEMORY_SP : ATTRIBUTE_UNSAID,
    loose: true,
  }
}

const readPart = groupsOf(/^ *([0-9a-fA-F]{8,16})-([0-9a-fA-F]{8,16}) +: +(.*)$/i, 3)

/** Text that a pasted name may have after it: a second blank, punctuation, an arrow. */
const REMARK = /(?:\s{2,}|\s*[<>#|"\\,;\u2190\u2192]|\s+-{1,3}>?).*$/

/**
 * Only what lies in nothing else: what is nested below System RAM is the kernel's own use of it. Blanks in
 * front of a line would say so, too, but they are what is lost first.
 */
function readIomem(lines: readonly Line[]): Block {
  const placed: Placed[] = []
  const problems: Problem[] = []
  const last = lines.at(-1)?.at ?? 0
  const parts = lines.flatMap(line => {
    const part = readPart(line.text)
    if (part === null) return []
    const [start, end, name] = part
    return [{ line, start: hexValue(start), end: hexValue(end), name: name.replace(REMARK, '') }]
  })
  if (parts.every(part => part.start === 0n && part.end === 0n)) {
    const first = String(lines[0]?.at ?? 0)
    return {
      placed,
      problems: [
        odd(
          'zero-address',
          `lines ${first}-${String(last)}: all addresses are zero, as the kernel shows them to ` +
            'readers without CAP_SYS_ADMIN: read /proc/iomem as root',
        ),
      ],
      last,
    }
  }
  let outer: { readonly start: bigint; readonly end: bigint } | null = null
  for (const { line, start, end, name } of parts) {
    const nested: boolean = outer !== null && start >= outer.start && end <= outer.end
    if (!nested) outer = { start, end }
    const row = nested ? null : rowOf(start, end + 1n, name)
    if (!nested && isAlmostMemory(name)) problems.push(unreadable(line, 'iomem'))
    if (row === null || plainName(name) === 'ram buffer') continue
    // the kernel always reserves the first page for itself
    const own = row.type === EfiReservedMemoryType && start === 0n && end === 0xfffn
    placed.push({ row: own ? { ...row, type: EfiConventionalMemory } : row, line: line.at })
  }
  return { placed, problems, last }
}

export const iomem: Dialect<'iomem'> = {
  name: 'iomem',
  kind: 'resources',
  title: '`/proc/iomem`, read as root',
  example:
    '00100000-00805fff : System RAM\n00900000-1ea9ffff : System RAM\n  14a00000-15801ef1 ' +
    ': Kernel code\n1eaa0000-1eba1fff : Reserved',
  taken: 'exit-boot-services',
  lacks: [...E820_LACKS, 'memory that the kernel hides or does not use (mem=, memmap=)'],
  looks: /(?<![\w.])[0-9a-fA-F]{8,16}-[0-9a-fA-F]{8,16} {1,3}: /gi,
  row: /[0-9a-fA-F]{8,16}-[0-9a-fA-F]{8,16} {1,3}: {1,3}(?:(?![\s",]{1,4}[0-9a-fA-F]{8,16}-[0-9a-fA-F]{8,16} {1,3}:)[^\n]){0,200}(?<=[\w)\].])/iy,
  wide: true,
  hint: HYPHENED,
  repeats: true,
  valid: row => {
    const name = plainName((readPart(row)?.[2] ?? '').replace(REMARK, ''))
    return (
      NAMES.has(name) || !(isAlmostMemory(name) || [...NAMES.keys()].some(known => known.startsWith(name)))
    )
  },
  read: readIomem,
}

const readField = groupsOf(/^(?:\S*\/)?(\d{1,6})\/(start|end|type):(.*)$/, 3)
const readAddress = groupsOf(/^0x([0-9a-fA-F]{1,16})(?!\w)/, 1)

interface Entry {
  start?: bigint
  end?: bigint
  type?: string
  line: number
}

function readSysfs(lines: readonly Line[]): Block {
  const entries = new Map<number, Entry>()
  const problems: Problem[] = []
  for (const line of lines) {
    const found = readField(line.text)
    if (found === null) continue
    const [number, field, text] = found
    const value = text.replace(REMARK, '').trim()
    const key = Number(number)
    const entry: Entry = entries.get(key) ?? { line: line.at }
    entries.set(key, entry)
    const digits = readAddress(value)?.[0]
    if (field === 'type') entry.type = value
    else if (digits === undefined) problems.push(unreadable(line, 'sysfs-memmap'))
    else entry[field === 'start' ? 'start' : 'end'] = hexValue(digits)
  }
  const placed: Placed[] = []
  for (const [number, { start, end, type, line }] of [...entries].sort(([a], [b]) => a - b)) {
    const row =
      start === undefined || end === undefined || type === undefined ? null : rowOf(start, end + 1n, type)
    if (row === null)
      problems.push(
        odd(
          'unreadable-line',
          `line ${String(line)}: entry ${String(number)} ` +
            (type !== undefined && start !== undefined && end !== undefined
              ? `has the unknown type ${JSON.stringify(type.slice(0, 40))}`
              : 'lacks its start, its end or its type'),
        ),
      )
    else placed.push({ row, line })
  }
  return { placed, problems, last: lines.at(-1)?.at ?? 0 }
}

export const sysfsMemmap: Dialect<'sysfs-memmap'> = {
  name: 'sysfs-memmap',
  kind: 'e820',
  title: '`grep . /sys/firmware/memmap/*/*`',
  example:
    '/sys/firmware/memmap/0/end:0x9ffff\n' +
    '/sys/firmware/memmap/0/start:0x0\n' +
    '/sys/firmware/memmap/0/type:System RAM',
  taken: 'exit-boot-services',
  lacks: E820_LACKS,
  looks: /(?<![\w.])(?:[\w./-]{0,80}\/)?\d{1,6}\/(?:start|end|type):/g,
  row: /(?:[\w./-]{0,80}\/)?\d{1,6}\/(?:start|end|type):(?:(?![\s",]{1,4}[^\s"]{0,80}\/(?:start|end|type):)[^\n]){0,80}(?<=[\w)])/y,
  wide: false,
  hint: /\/(?:start|end|type):/,
  repeats: true,
  valid: row => {
    const [, field = '', value = ''] = readField(row) ?? []
    return field === 'type' ? NAMES.has(plainName(value.replace(REMARK, ''))) : readAddress(value) !== null
  },
  read: readSysfs,
}

const readBlock = groupsOf(/^0x([0-9a-fA-F]{16})-0x([0-9a-fA-F]{16})\s+[\d.,]+[KMGTP]?\s+(on|off)line\b/, 3)

export const lsmem: Dialect<'lsmem'> = {
  name: 'lsmem',
  kind: 'resources',
  title: '`lsmem`',
  example:
    'RANGE                                 SIZE  STATE REMOVABLE ' +
    'BLOCK\n0x0000000000000000-0x000000007fffffff   2G online       yes  0-15',
  taken: 'exit-boot-services',
  lacks: [
    ...E820_LACKS,
    'everything that is smaller than a block of memory, 128 MiB or more: reserved memory ' +
      'and holes count as free',
  ],
  looks: /(?<!\w)0x[0-9a-fA-F]{16}-0x[0-9a-fA-F]{16}\s{1,20}[\d.,]{1,12}[KMGTP]?\s/g,
  row: /0x[0-9a-fA-F]{16}-0x[0-9a-fA-F]{16}\s{1,20}[\d.,]{1,12}[KMGTP]?\s{1,20}(?:on|off)line\b/y,
  wide: true,
  ...eachLine('lsmem', line => {
    const row = readBlock(line)
    if (row === null) return null
    const [start, last, state] = row
    const ram = rowOf(hexValue(start), hexValue(last) + 1n, 'System RAM')
    return state === 'on' && ram !== null ? [ram] : []
  }),
}
