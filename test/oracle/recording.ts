/**
 * Reads the recorded boots. Fail-closed: a line that cannot be read, a name used twice or an empty set is an
 * error, never fewer rows.
 */
import { readFileSync } from 'node:fs'
import { range } from '../../src/bytes/range.ts'
import type { MemoryDescriptor } from '../../src/image/memory-types.ts'
import type { BootFacts, Ending, Span } from './facts.ts'
import { PAGE } from '../../src/bytes/units.ts'

type Hex = `0x${string}`

/** boot_params as it lay in guest memory. */
export interface RecordedBootParams {
  /** Its own address. */
  readonly at?: Hex
  readonly ramdisk_image: Hex
  readonly ramdisk_size: Hex
  readonly cmd_line_ptr: Hex
  /** The text that cmd_line_ptr points at. */
  readonly cmdline?: string
}

/** The initrd in guest memory, compared with the file in units of 512 bytes. */
export interface RecordedInitrd {
  readonly at: Hex
  readonly length: Hex
  readonly differing: readonly (readonly [Hex, Hex])[]
}

export interface RecordedTrace {
  readonly image_base?: Hex
  readonly efi_map_at_stub_entry?: string
  readonly efi_map_at_kernel_entry?: string
  readonly section_check?: readonly (readonly [string, 'intact' | readonly (readonly [Hex, Hex])[]])[]
  readonly kernel_entry?: {
    readonly kind: 'handover64' | 'pe_entry'
    readonly rip: Hex
    readonly image_at: Hex
  }
  readonly boot_params_from_stub?: RecordedBootParams
  readonly compressed_image_at?: Hex
  readonly decompressed_at?: Hex
  readonly boot_params_final?: RecordedBootParams
  readonly initrd_at_decompressed_entry?: RecordedInitrd
}

/** Header facts of the kernel file in `.linux`, under the names of the recording. */
export interface RecordedKernel {
  readonly size: Hex
  readonly setup_size: Hex
  readonly pref: Hex
  readonly align: Hex
  readonly init_size: Hex
  readonly handover: Hex
  readonly release: string
}

/** One line: one real boot. */
export interface Recording {
  readonly id: string
  readonly note: string
  /** Version of the stub: `247.3`. */
  readonly stub: string
  /**
   * Short name of the kernel: `5.10` is Debian's cloud flavour, `5.10-full` the ordinary one, `tiny-…` our
   * own builds.
   */
  readonly kernel: string
  readonly ovmf: string
  readonly fd: '2M' | '4M'
  readonly machine: 'q35' | 'pc'
  readonly ram_mib: number
  readonly vmas: Readonly<Record<string, string>>
  readonly edit: readonly (readonly [string, Readonly<Record<string, string>>])[]
  /** Section table in table order: name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData. */
  readonly layout: readonly (readonly [string, Hex, Hex, Hex, Hex])[]
  readonly pe_image_base: Hex
  readonly size_of_image: Hex
  readonly bzimage?: RecordedKernel
  readonly vmlinux?: {
    readonly output_len: number
    readonly entry_offset?: number
    readonly loads: readonly (readonly [Hex, Hex, Hex, Hex])[]
  }
  readonly trace: RecordedTrace
  readonly serial: {
    readonly ramdisk?: readonly [Hex, Hex]
    readonly kernel_code?: readonly [Hex, Hex]
    readonly errors?: readonly string[]
  }
  readonly outcome: string
}

const KNOWN_OUTCOMES: readonly (readonly [RegExp, Ending])[] = [
  [/^booted( without a console)?$/, 'arrived'],
  [/^kernel panic: /, 'arrived'],
  [/^hang in kernel$/, 'arrived'],
  [/^firmware exception$/, 'undefined'],
  [/^firmware refuses to load$/, 'refused'],
  [/^returned to firmware$/, 'refused'],
  [/^stopped in EFI stub\/decompressor$/, 'refused'],
]

/** What the recorded outcome is in the words of a run. Throws on an outcome that this list does not know. */
export function endingOf(recording: Recording): Ending {
  const known = KNOWN_OUTCOMES.find(([pattern]) => pattern.test(recording.outcome))
  if (known === undefined) throw new Error(`${recording.id}: unknown outcome ${recording.outcome}`)
  return known[1]
}

const REQUIRED = [
  'id',
  'stub',
  'kernel',
  'ovmf',
  'fd',
  'machine',
  'ram_mib',
  'vmas',
  'edit',
  'layout',
  'pe_image_base',
  'size_of_image',
  'trace',
  'serial',
  'outcome',
] as const

function parseLine(line: string, number: number): Recording {
  const row = JSON.parse(line) as Recording
  for (const field of REQUIRED) if (!(field in row)) throw new Error(`line ${String(number)}: no ${field}`)
  endingOf(row)
  return row
}

let read: readonly Recording[] | undefined

/** All recorded boots, in the order of the file, which is read once. */
export function readRecordings(): readonly Recording[] {
  return (read ??= readAll())
}

function readAll(): readonly Recording[] {
  const lines = readFileSync(new URL('observations.jsonl', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
  const rows = lines.map((line, index) => parseLine(line, index + 1))
  if (new Set(rows.map(row => row.id)).size !== rows.length)
    throw new Error('two recordings have the same id')
  if (rows.length < 100) throw new Error(`only ${String(rows.length)} recordings`)
  return rows
}

/** `type:start+pages`, hexadecimal, as recorded. */
export function parseMap(text: string): MemoryDescriptor[] {
  return text.split(' ').map(word => {
    const found = /^([0-9a-f]+):([0-9a-f]+)\+([0-9a-f]+)$/.exec(word)
    if (found === null) throw new Error(`not a map entry: ${word}`)
    const [type = 0, start = 0, pages = 0] = found.slice(1).map(digits => parseInt(digits, 16))
    return { type, range: range(start, start + pages * PAGE), attribute: 0xfn }
  })
}

/**
 * The firmware's map before the UKI was loaded: the map at the stub's entry with the pages of the image given
 * back. Null without a trace.
 */
export function mapBeforeLoad(recording: Recording): MemoryDescriptor[] | null {
  const { efi_map_at_stub_entry: text, image_base } = recording.trace
  if (text === undefined || image_base === undefined) return null
  const start = Number(image_base)
  const end = start + Math.ceil(Number(recording.size_of_image) / PAGE) * PAGE
  const before: MemoryDescriptor[] = []
  let freed = 0
  for (const entry of parseMap(text)) {
    const inside = entry.range.start >= start && entry.range.end <= end
    if (inside) freed += entry.range.end - entry.range.start
    const next = inside ? { ...entry, type: 7 } : entry
    const last = before.at(-1)
    if (last !== undefined && last.type === 7 && next.type === 7 && last.range.end === next.range.start)
      before[before.length - 1] = { ...last, range: range(last.range.start, next.range.end) }
    else before.push(next)
  }
  if (freed !== end - start) throw new Error(`${recording.id}: the map does not show the pages of the image`)
  return before
}

const number = (text: Hex | undefined): number | undefined => (text === undefined ? undefined : Number(text))

/** The facts of a recorded boot, in the words of a run. */
export function factsOf(recording: Recording): BootFacts {
  const { trace } = recording
  const entry = trace.kernel_entry
  const final = trace.boot_params_final
  const spans = trace.initrd_at_decompressed_entry?.differing.map(([from, to]): Span => ({
    from: Number(from),
    to: Number(to),
  }))
  return {
    ending: endingOf(recording),
    imageBase: number(trace.image_base),
    entryMethod: entry && (entry.kind === 'handover64' ? 'efi-handover' : 'pe-entry'),
    kernelImage: number(entry?.image_at),
    kernelEntry: number(entry?.rip),
    bootParams: number(final?.at),
    cmdLinePtr: number(final?.cmd_line_ptr) || undefined,
    commandLine: final?.cmdline,
    ramdiskImageFromStub: number(trace.boot_params_from_stub?.ramdisk_image),
    ramdiskImage: number(final?.ramdisk_image),
    ramdiskSize: number(final?.ramdisk_size),
    compressedImage: number(trace.compressed_image_at),
    decompressedKernel: number(trace.decompressed_at ?? recording.serial.kernel_code?.[0]),
    initrdDamage: spans,
  }
}
