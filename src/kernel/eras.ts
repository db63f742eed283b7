/** The eras of linux: releases that behave alike, and their steps. Chapters EP and ZO. */
import type { ContractName } from '../machine/x86/contracts.ts'
import { told } from '../machine/told.ts'
import { canonical } from '../releases/change.ts'
import { erasOf, type Era } from '../releases/history.ts'
import type { Asked, KernelBehaviour } from './behaviour.ts'
import { linux } from './history.ts'
import type { X86Era, KernelSlots } from './model.ts'
import { kernelSteps } from './steps.ts'

/** What every kernel asks of a loader that enters it through the handover protocol. */
const HANDOVER: readonly ContractName[] = ['setup-header', 'alignment', 'sentinel', 'whole-addresses']

function asked(asks: Asked): ContractName[] {
  return (Object.keys(asks) as (keyof Asked)[]).filter(name => asks[name])
}

const made = new Map<string, unknown>()

/** Equal cells of two eras are one function, and `eras --diff` reads from it what its slot says. */
function shared(slots: KernelSlots, behaviour: KernelBehaviour): KernelSlots {
  return Object.fromEntries(
    Object.entries(slots).map(([slot, step]) => {
      const data = behaviour[slot as keyof KernelSlots]
      const key = `${slot} ${canonical(data)}`
      if (!made.has(key)) made.set(key, told(step as (boot: never) => void, data))
      return [slot, made.get(key)]
    }),
  ) as unknown as KernelSlots
}

function kernelEra(era: Era<KernelBehaviour>): X86Era {
  const { behaviour } = era
  return {
    ...era,
    shapes: behaviour.shapes,
    slots: shared(kernelSteps(behaviour), behaviour),
    contracts: {
      'efi-handover': [...HANDOVER, ...asked(behaviour.asks['efi-handover'])],
      'pe-entry': asked(behaviour.asks['pe-entry']),
    },
  }
}

/** The table of kernels, oldest first. */
export const x86Eras: readonly X86Era[] = erasOf(linux).map(kernelEra)
