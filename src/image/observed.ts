/**
 * Facts from the log of a real boot: lines of the decompressor, the EFI stub, the kernel and /proc/iomem with
 * an address, a length or a text. Source: linux arch/x86/boot/compressed/misc.c, arch/x86/kernel/setup.c.
 */
import { linesOf, textOf } from './memmap/lines.ts'
import { MEMMAP_TEXT_MAX } from './memmap.ts'
import type { Problem } from './problem.ts'

export const OBSERVED_FACTS = [
  'imageBase',
  'release',
  'commandLine',
  'initrdFrom',
  'input_data',
  'input_len',
  'output',
  'output_len',
  'kernel_total_size',
  'needed_size',
  'trampoline_32bit',
  'ramdiskStart',
  'ramdiskEnd',
  'kernelCode',
] as const
export type ObservedFactName = (typeof OBSERVED_FACTS)[number]

/** One fact as it was printed: an address or a length in bytes, or a text. */
export interface ObservedFact {
  readonly name: ObservedFactName
  readonly value: number | string
  /** From 1. */
  readonly line: number
}

/** Facts in the order of the log, each once; `imageBase` once for each image that the firmware loaded. */
export interface Observed {
  readonly facts: readonly ObservedFact[]
  readonly problems: readonly Problem[]
}

interface Pattern {
  readonly line: RegExp
  /** Names of the groups. */
  readonly names: readonly ObservedFactName[]
  readonly as: 'hex' | 'text'
}

/** `debug_putaddr` prints a name, a colon and 0x with 16 digits. */
const PUTADDR = [
  'input_data',
  'input_len',
  'output',
  'output_len',
  'kernel_total_size',
  'needed_size',
  'trampoline_32bit',
] as const

/** What may stand in front of a line that was pasted. */
const PASTED = /^(?:.{0,200}?[\s>|:"+#\]])??/.source

const PATTERNS: readonly Pattern[] = [
  // an image with a name was built with the firmware: a unified kernel image has none
  {
    line: /^Loading driver at 0x([0-9a-f]{6,16}) EntryPoint=0x[0-9a-f]{6,16}(?![0-9a-f])(?!\s{0,4}\S{1,80}\.(?:efi|dll|pdb))/i,
    names: ['imageBase'],
    as: 'hex',
  },
  { line: /^Linux version (\S{1,200}) /, names: ['release'], as: 'text' },
  { line: /^Command line: (.*)$/, names: ['commandLine'], as: 'text' },
  { line: /^EFI stub: Loaded initrd from (.*)$/, names: ['initrdFrom'], as: 'text' },
  ...PUTADDR.map(name => ({
    line: new RegExp(`^${name}: 0x([0-9a-f]{1,16})\\b`, 'i'),
    names: [name],
    as: 'hex' as const,
  })),
  {
    line: /^RAMDISK: \[mem 0x([0-9a-f]{1,16})-0x([0-9a-f]{1,16})\]/,
    names: ['ramdiskStart', 'ramdiskEnd'],
    as: 'hex',
  },
  { line: /^ *([0-9a-f]{8,16})-[0-9a-f]{8,16} : Kernel code$/, names: ['kernelCode'], as: 'hex' },
]

/**
 * Reads a log, a journal, a serial capture or /proc/iomem. Of a log with several boots the first one counts:
 * reading ends where a fact repeats with another value, with a problem that names the line. `ramdiskEnd` is
 * exclusive. Never throws.
 */
export function readObserved(input: string | Uint8Array): Observed {
  const problems: Problem[] = []
  if (input.length > MEMMAP_TEXT_MAX)
    return {
      facts: [],
      problems: [
        {
          id: 'too-long',
          at: null,
          what: `the text has ${String(input.length)} units, ${String(MEMMAP_TEXT_MAX)} at the most`,
          fatal: true,
        },
      ],
    }
  const facts = new Map<ObservedFactName, ObservedFact>()
  const bases: ObservedFact[] = []
  const all = (): ObservedFact[] => [...bases, ...facts.values()].sort((a, b) => a.line - b.line)
  for (const { text, at } of linesOf(textOf(input))) {
    for (const { name, value } of factsIn(text)) {
      const known = facts.get(name)
      if (value === null)
        problems.push({
          id: 'unreadable-line',
          at: null,
          what: `line ${String(at)}: ${name} exceeds 52 bits`,
          fatal: false,
        })
      else if (name === 'imageBase') {
        if (!bases.some(base => base.value === value)) bases.push({ name, value, line: at })
      } else if (known === undefined) facts.set(name, { name, value, line: at })
      else if (known.value !== value) {
        problems.push({
          id: 'second-boot',
          at: null,
          what:
            `line ${String(at)}: ${name} repeats with another value: another boot begins, which ` +
            'is not read',
          fatal: false,
        })
        return { facts: all(), problems }
      }
    }
  }
  if (facts.size + bases.length === 0)
    problems.push({
      id: 'nothing-observed',
      at: null,
      what: 'no line of a kernel, its decompressor or /proc/iomem with an address',
      fatal: true,
    })
  return { facts: all(), problems }
}

/** The facts of one line: names of the first matching pattern, with the values of its groups. */
function factsIn(
  text: string,
): { readonly name: ObservedFactName; readonly value: ObservedFact['value'] | null }[] {
  for (const { line, names, as } of PATTERNS) {
    const [, ...groups] = line.exec(text) ?? loose(line).exec(text.slice(0, 4096)) ?? []
    if (groups.length > 0)
      return names.flatMap((name, i) =>
        groups.slice(i, i + 1).map(group => ({ name, value: valueOf(group, as, name) })),
      )
  }
  return []
}

const LOOSE = new Map<RegExp, RegExp>()

/** The same line after whatever people put in front of it. */
function loose(line: RegExp): RegExp {
  const known = LOOSE.get(line) ?? new RegExp(`${PASTED}${line.source.slice(1)}`, line.flags)
  LOOSE.set(line, known)
  return known
}

function valueOf(text: string, as: Pattern['as'], name: ObservedFactName): number | string | null {
  if (as === 'text') return text.trim()
  const value = Number.parseInt(text, 16) + (name === 'ramdiskEnd' ? 1 : 0)
  return Number.isSafeInteger(value) ? value : null
}
