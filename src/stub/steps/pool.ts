/** Slot pool: the memory type of what the stub allocates in pool (chapter ST). */
import { EfiBootServicesData, EfiLoaderData } from '../../image/memory-types.ts'
import type { StubBehaviour } from '../behaviour.ts'
import type { Booting } from '../model.ts'

/** The step of a release whose pool has this type. */
export function choosePool({ type }: StubBehaviour['pool']): (on: Booting) => number {
  return type === 'EfiLoaderData' ? loaderPool : bootServicesPool
}

/** EfiLoaderData: the kernel keeps it until it has its own memory map. */
function loaderPool({ machine }: Booting): number {
  return machine.step('ST-87', 'takes pool of the loader', () => EfiLoaderData)
}

/** EfiBootServicesData: free for everybody once boot services end. */
function bootServicesPool({ machine }: Booting): number {
  return machine.step('ST-88', 'takes pool of the boot services', () => EfiBootServicesData)
}
