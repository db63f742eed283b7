/**
 * A contract violated at a hand-off, reported as a breach. The stages evaluate contracts, the rules here
 * report them. Chapter HZ.
 */
import { formatRange, formatSize, hex, sizeOf } from '../bytes/range.ts'
import type { AnyClauseId } from '../memory/event.ts'
import type { Recording } from '../memory/recorder.ts'
import type { Reporter } from './rule.ts'
import { contentName, legsOf } from './describe.ts'
import { signsIn, type ContractEvent } from './signs.ts'

export type { ContractEvent } from './signs.ts'

/** The reason and the fix for one broken contract. */
export interface ContractWords {
  readonly object: (contract: ContractEvent) => string | null
  readonly why: (contract: ContractEvent) => string
  readonly fix: (contract: ContractEvent) => string
  /** When it was found. Default: the hand-off was checked. */
  readonly found?: string
}

/** Reports every breach of these contracts, each message once. */
export function reportBroken(
  recording: Recording,
  report: Reporter,
  contracts: readonly AnyClauseId[],
  words: ContractWords,
): void {
  const said = new Set<string>()
  for (const contract of signsIn(recording).broken) {
    if (!contracts.includes(contract.clause)) continue
    const where = contract.range === null ? '' : ` at ${formatRange(contract.range)}`
    const key = `${contract.clause} ${contract.what}${where}`
    if (said.has(key)) continue
    said.add(key)
    const whole = contract.range === null ? [] : [contract.range]
    report({
      object: words.object(contract),
      ranges: contract.found.length > 0 ? contract.found.map(extent => extent.range) : whole,
      offsets: [],
      what: `${contract.clause} was violated: ${contract.what}.`,
      why: words.why(contract),
      fix: words.fix(contract),
      legs: [
        ...legsOf(
          recording,
          'placed',
          [...new Set(contract.found.map(extent => extent.by))].sort((a, b) => a - b),
          contract.found.map(extent => extent.range),
        ),
        {
          role: 'found',
          event: contract.id,
          actor: contract.actor,
          clause: contract.clause,
          range: contract.range,
          what: words.found ?? 'the hand-off was checked',
        },
      ],
    })
  }
}

/** `initrd (4.7 MiB from 0x1b261000 on)` for the content of a contract's range, one entry per object. */
export function intruders(contract: ContractEvent): string[] {
  const seen = new Map<string, { start: number; bytes: number }>()
  for (const extent of contract.found) {
    const name = contentName(extent)
    const known = seen.get(name)
    if (known === undefined) seen.set(name, { start: extent.range.start, bytes: sizeOf(extent.range) })
    else known.bytes += sizeOf(extent.range)
  }
  return [...seen].map(([name, { start, bytes }]) => `${name} (${formatSize(bytes)} from ${hex(start)} on)`)
}
