/** The facts in which a recorded boot and a simulated one are compared, and the comparison itself. */
import type { HandOff } from '../../src/machine/model.ts'

/** How a boot ended, in the words of a run. */
export type Ending = 'arrived' | 'refused' | 'undefined' | 'unknown'

/** Half-open offsets. */
export interface Span {
  readonly from: number
  readonly to: number
}

/**
 * Addresses and texts of one boot; undefined where the boot did not get that far or the recorder could not
 * see it.
 */
export interface BootFacts {
  readonly ending: Ending
  readonly imageBase: number | undefined
  readonly entryMethod: HandOff['via'] | undefined
  readonly kernelImage: number | undefined
  /** First instruction of the kernel that the stub jumps to. */
  readonly kernelEntry: number | undefined
  readonly bootParams: number | undefined
  readonly cmdLinePtr: number | undefined
  readonly commandLine: string | undefined
  readonly ramdiskImageFromStub: number | undefined
  readonly ramdiskImage: number | undefined
  readonly ramdiskSize: number | undefined
  readonly compressedImage: number | undefined
  readonly decompressedKernel: number | undefined
  /** Offsets of the initrd that are not the file's when the kernel gets it. */
  readonly initrdDamage: readonly Span[] | undefined
}

/** The facts that are one number or one text. */
export const PLAIN_FACTS = [
  'imageBase',
  'entryMethod',
  'kernelImage',
  'kernelEntry',
  'bootParams',
  'cmdLinePtr',
  'commandLine',
  'ramdiskImageFromStub',
  'ramdiskImage',
  'ramdiskSize',
  'compressedImage',
  'decompressedKernel',
] as const
export type PlainFact = (typeof PLAIN_FACTS)[number]

/** A boot as a driver tells it. */
export interface Boot {
  readonly facts: BootFacts
  /** What was said about it: the simulator's verdict, or null for a recording. */
  readonly verdict: 'clean' | 'damage' | 'refused' | 'unknown' | null
}

/** Granularity of the recorder's comparison of the initrd with its file. */
const GRANULE = 512

/**
 * First damaged offset rounded down, last one rounded up to the recorder's granularity. The recorder cannot
 * see a zero that became a zero.
 */
export function damageHull(spans: readonly Span[]): Span | null {
  if (spans.length === 0) return null
  const from = Math.min(...spans.map(span => span.from))
  const to = Math.max(...spans.map(span => span.to))
  return { from: Math.floor(from / GRANULE) * GRANULE, to: Math.ceil(to / GRANULE) * GRANULE }
}

/** Every granule that was seen damaged has a damaged byte in the prediction. */
export function covers(predicted: readonly Span[], seen: readonly Span[]): boolean {
  return seen.every(({ from, to }) => {
    for (let at = from; at < to; at += GRANULE)
      if (!predicted.some(span => span.from < at + GRANULE && at < span.to)) return false
    return true
  })
}

/**
 * Is the boot harmed: did it fail, or did the kernel get an initrd or a command line that is not the image's?
 * `own` are the texts of the `.cmdline` sections.
 */
export function isHarmed(facts: BootFacts, outcome: string, own: readonly string[]): boolean {
  if (!outcome.startsWith('booted')) return true
  if ((facts.initrdDamage ?? []).length > 0) return true
  return facts.commandLine !== undefined && facts.commandLine !== '' && !own.includes(facts.commandLine)
}
