/**
 * How the UKI of each recorded boot was made: which bytes, at which VMA, by which tool, and which header
 * fields were edited afterwards.
 */
import type { Recording } from './recording.ts'

export type PayloadName = 'osrel' | 'cmdline' | 'linux' | 'initrd'

/** What is done to the kernel's bytes before they become `.linux`. */
export type KernelEdit = 'none' | 'text' | 'flip' | 'major0'

export interface Recipe {
  readonly tool: 'objcopy' | 'ukify'
  readonly without: readonly PayloadName[]
  readonly kernel: KernelEdit
  /** A fifth section, `.foo`, and its bytes. */
  readonly extra: { readonly vma: number; readonly bytes: Uint8Array } | null
  /** VMAs go to objcopy as they stand, without the stub's ImageBase. */
  readonly absolute: boolean
  /** The file is cut to this many bytes. */
  readonly truncate: number | null
  readonly commandLine: string
}

const WORDS = [
  'console=ttyS0',
  'earlyprintk=ttyS0,115200',
  'ignore_loglevel',
  'efi=debug',
  'nokaslr',
  'no_timer_check',
  'panic=-1',
  'rdinit=/init',
] as const
const without = (...gone: readonly string[]): string => WORDS.filter(word => !gone.includes(word)).join(' ')

/** Early recordings were made without no_timer_check; those named kaslr without nokaslr. */
const COMMAND_LINES = [
  without(),
  without('no_timer_check'),
  without('nokaslr'),
  without('nokaslr', 'no_timer_check'),
  '',
] as const

/**
 * The text whose length is that of the recorded section. A section whose VirtualSize was edited to zero, or
 * that is missing, had the full text.
 */
function commandLineOf(recording: Recording): string {
  const size = recording.layout.find(([name]) => name === '.cmdline')?.[2]
  if (recording.id.startsWith('i10-')) return ''
  if (size === undefined || Number(size) === 0) return COMMAND_LINES[0]
  const text = COMMAND_LINES.find(line => line.length === Number(size))
  if (text === undefined) throw new Error(`${recording.id}: no command line of ${size} bytes`)
  return text
}

const text = (words: string): Uint8Array => new TextEncoder().encode(words)

/** The recipe of a recorded boot, by the name of its case. */
export function recipeOf(recording: Recording): Recipe {
  const { id } = recording
  const is = (prefix: string): boolean => id.startsWith(`${prefix}-`)
  const commandLine = commandLineOf(recording)
  const gone: PayloadName[] = []
  if (is('i2')) gone.push('cmdline')
  if (is('i3')) gone.push('linux')
  if (is('i6')) gone.push('initrd')
  if (is('i7')) gone.push('osrel')
  let extra: Recipe['extra'] = null
  if (is('h1')) extra = { vma: 0x38000, bytes: text('x'.repeat(100)) }
  if (is('h2')) extra = { vma: 0x38000, bytes: text(`${commandLine} second=1`) }
  if (is('h4')) extra = { vma: 0x2f00000, bytes: text('junk'.repeat(4096)) }
  let kernel: KernelEdit = 'none'
  if (is('i4')) kernel = 'text'
  if (is('i8')) kernel = 'flip'
  if (id.startsWith('handover-forced')) kernel = 'major0'
  return {
    tool: id.startsWith('ukify-') ? 'ukify' : 'objcopy',
    without: gone,
    kernel,
    extra,
    absolute: id.startsWith('absolute-vma/'),
    truncate: is('f2') ? 8 << 20 : null,
    commandLine,
  }
}
