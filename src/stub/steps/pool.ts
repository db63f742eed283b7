/** Slot pool: the memory type of the stub's pool allocations (chapter ST). */
import { EfiBootServicesData, EfiLoaderData } from '../../image/memory-types.ts'
import type { StubBehaviour } from '../behaviour.ts'
import type { StubContext } from '../model.ts'

/** The step of a release whose pool has this type. */
export function choosePool({ type }: StubBehaviour['pool']): (ctx: StubContext) => number {
  return type === 'EfiLoaderData' ? loaderPool : bootServicesPool
}

/** EfiLoaderData: the kernel keeps it until it has its own memory map. */
function loaderPool({ machine }: StubContext): number {
  return machine.step('ST-87', 'allocates pool as EfiLoaderData', () => EfiLoaderData)
}

/** EfiBootServicesData: free memory once boot services end. */
function bootServicesPool({ machine }: StubContext): number {
  return machine.step('ST-88', 'allocates pool as EfiBootServicesData', () => EfiBootServicesData)
}
