/**
 * The facts of a run under the names and in the form in which real boots are recorded: addresses as
 * hexadecimal strings.
 */
import { hex } from '../bytes/range.ts'
import type { KernelSlots } from '../machine/model.ts'
import type { RunReport } from './model.ts'

/** Places of a kernel under KASLR. */
export function slotsJson({ from, to, count, align, size, runs }: KernelSlots): Record<string, unknown> {
  return {
    from: hex(from),
    to: hex(to),
    count,
    align: hex(align),
    size: hex(size),
    runs: runs.map(run => ({ first: hex(run.first), count: run.count })),
  }
}

/**
 * Facts with `outcome` and `refusal`; facts that the run did not reach are absent. `ramdiskSize` and the
 * offsets of `initrdDamage` are hexadecimal, too, as recordings have them.
 */
export function factsOf({ facts, outcome }: Pick<RunReport, 'facts' | 'outcome'>): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  const address = (
    name:
      | 'imageBase'
      | 'bootParams'
      | 'cmdLinePtr'
      | 'ramdiskImage'
      | 'ramdiskSize'
      | 'ramdiskImageFromStub'
      | 'compressedImage'
      | 'decompressedKernel',
  ): void => {
    const value = facts[name]
    if (value !== undefined) out[name] = hex(value)
  }
  address('imageBase')
  if (facts.sections !== undefined)
    out['sections'] = facts.sections.map(({ name, address: at, size, intact }) => ({
      name,
      address: hex(at),
      size,
      intact,
    }))
  if (facts.handOff !== undefined)
    out['handOff'] = {
      door: facts.handOff.entryMethod,
      kernelImage: hex(facts.handOff.kernelImage),
      entry: hex(facts.handOff.entry),
    }
  address('bootParams')
  address('cmdLinePtr')
  if (facts.commandLine !== undefined) out['commandLine'] = facts.commandLine
  address('ramdiskImage')
  address('ramdiskSize')
  address('ramdiskImageFromStub')
  address('compressedImage')
  address('decompressedKernel')
  if (facts.kernelSlots !== undefined) out['kernelSlots'] = slotsJson(facts.kernelSlots)
  if (facts.harmfulSlots !== undefined) out['harmfulSlots'] = facts.harmfulSlots
  if (facts.payload !== undefined) out['payload'] = facts.payload
  if (facts.initrdDamage !== undefined)
    out['initrdDamage'] = facts.initrdDamage.map(({ from, to }) => ({ from: hex(from), to: hex(to) }))
  out['outcome'] = outcome.kind
  if (outcome.kind === 'refused')
    out['refusal'] = {
      by: outcome.refusal.by,
      status: outcome.refusal.status,
      message: outcome.refusal.message,
    }
  return out
}
