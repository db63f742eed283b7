/** What the tests of chapter LZ share: boots of images of lanzaboote. */
import { check, type CheckInput } from '../../src/check.ts'
import type { KernelFacts } from '../../src/image/x86/kernel-facts.ts'
import type { Actor, MemoryEvent } from '../../src/memory/event.ts'
import { kernel, lanzaboote, scenario, type LanzabooteOptions } from '../../src/vitest/index.ts'

/** A small kernel, so that hashing it costs little. */
export const SMALL: KernelFacts = kernel('6.12.107-cloud', { size: '256K' })
export const WHERE = { ram: '512M' } as const

/** Their stubs do not say which release they are. */
export const EARLY: Readonly<Record<string, string>> = {
  '0.1.0': 'lanzaboote/0.1',
  '0.3.0': 'lanzaboote/0.3',
}

export function boot(options: LanzabooteOptions, more: Partial<Omit<CheckInput, 'image' | 'machine'>> = {}) {
  const { report, runs } = check(
    scenario({
      ...lanzaboote({ kernel: SMALL, initrd: 4096, ...options }),
      ...WHERE,
      ...(EARLY[options.release ?? ''] === undefined ? {} : { stub: EARLY[options.release ?? ''] }),
      ...more,
    }),
  )
  const [run] = runs
  if (run === undefined) throw new Error('no run')
  const { events, steps } = run.recording
  const under = (clause: string): readonly MemoryEvent[] =>
    events.filter(({ step }) => {
      for (let at = step; at !== null; at = steps[at]?.parent ?? null)
        if (steps[at]?.clause === clause) return true
      return false
    })
  /** Whose step it was in the first place. */
  const askedBy = ({ step }: MemoryEvent): Actor | undefined => {
    let outermost = step === null ? undefined : steps[step]
    while (outermost !== undefined && outermost.parent !== null) outermost = steps[outermost.parent]
    return outermost?.actor
  }
  const claims = (label: string): number[] =>
    events.flatMap(event =>
      event.op === 'claim' && event.label === label && askedBy(event) === 'stub'
        ? [event.range.end - event.range.start]
        : [],
    )
  return { report, under, claims, clauses: new Set(steps.map(({ clause }) => clause)) }
}
