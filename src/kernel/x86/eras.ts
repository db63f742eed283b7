/** The eras of linux: releases that behave alike, and their steps. Chapters EP and ZO. */
import type { ContractName } from '../../machine/x86/contracts.ts'
import { eraTable, type Era } from '../../releases/history.ts'
import type { Asked, KernelBehaviour } from './behaviour.ts'
import { linux } from './history.ts'
import type { X86Era } from './model.ts'
import { kernelSteps } from './steps.ts'

/** What every kernel requires of a loader that enters it through the handover protocol. */
const HANDOVER: readonly ContractName[] = ['setup-header', 'alignment', 'sentinel', 'whole-addresses']

function asked(asks: Asked): ContractName[] {
  return (Object.keys(asks) as (keyof Asked)[]).filter(name => asks[name])
}

function withSteps(era: Era<KernelBehaviour>): X86Era {
  const { behaviour } = era
  return {
    ...era,
    shapes: behaviour.shapes,
    slots: kernelSteps(behaviour),
    contracts: {
      'efi-handover': [
        ...HANDOVER.filter(name => name !== 'alignment' || behaviour.run.by === 'head_64.S'),
        ...asked(behaviour.asks['efi-handover']),
      ],
      'pe-entry': asked(behaviour.asks['pe-entry']),
    },
  }
}

/** The eras, oldest first. */
export const x86Table = eraTable(linux, withSteps)

/**
 * An era made from a behaviour, for example an existing era's with one field changed: `kernelEra({
 * ...behaviour, exit: { ...behaviour.exit, slack: 8 } })`. It has no releases.
 */
export function kernelEra(
  behaviour: KernelBehaviour,
  id = 'x-kernel',
  title = 'an era of the caller',
): X86Era {
  return withSteps({ id, title, spans: [], commits: [], seen: [], behaviour, began: [] })
}
