/** A machine whose kernel is started without its firmware: what that holds in its map is free. HO-14. */
import { joinDescriptors } from '../firmware/memory-map.ts'
import {
  EfiACPIMemoryNVS,
  EfiACPIReclaimMemory,
  EfiBootServicesCode,
  EfiBootServicesData,
  EfiConventionalMemory,
  EfiLoaderCode,
  EfiLoaderData,
  EfiRuntimeServicesCode,
  EfiRuntimeServicesData,
} from '../image/memory-types.ts'
import type { MachineInput } from './machine.ts'

/** Types that only a firmware which ran gives to memory. */
const OF_FIRMWARE: readonly number[] = [
  EfiLoaderCode,
  EfiLoaderData,
  EfiBootServicesCode,
  EfiBootServicesData,
  EfiRuntimeServicesCode,
  EfiRuntimeServicesData,
]
const FREE_WITHOUT: readonly number[] = [...OF_FIRMWARE, EfiACPIReclaimMemory, EfiACPIMemoryNVS]

/**
 * The machine as a monitor finds it that loads the kernel itself; the same one where the map knows of no
 * firmware, as an e820 table does not.
 */
export function withoutFirmware(input: MachineInput): MachineInput {
  if (!input.map.some(({ type }) => OF_FIRMWARE.includes(type))) return input
  const map = input.map
    .map(one =>
      FREE_WITHOUT.includes(one.type) ? { ...one, type: EfiConventionalMemory, attribute: 0xfn } : one,
    )
    .sort((a, b) => a.range.start - b.range.start)
  return {
    ...input,
    map: joinDescriptors(map),
    taken: 'before-load',
    assumptions: [
      ...(input.assumptions ?? []),
      {
        clause: 'HO-14',
        what: 'the map is that of a firmware, which does not run here: the memory that it holds is free',
      },
    ],
  }
}
