/** Slot pool: the memory type of what the stub allocates in pool (chapter ST). */
import { EfiBootServicesData, EfiLoaderData } from '../../../../src/image/memory-types.ts'
import type { Booting } from '../model.ts'

/** EfiLoaderData: the kernel keeps it until it has its own memory map. */
export function loaderPool({ machine }: Booting): number {
  return machine.step('ST-87', 'takes pool of the loader', () => EfiLoaderData)
}

/** EfiBootServicesData: free for everybody once boot services end. */
export function bootServicesPool({ machine }: Booting): number {
  return machine.step('ST-88', 'takes pool of the boot services', () => EfiBootServicesData)
}
