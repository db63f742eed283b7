/** A machine whose kernel is started without its firmware: what that holds in its map is free. HO-14. */
import { joinDescriptors } from '../firmware/memory-map.ts'
import {
  EfiACPIMemoryNVS,
  EfiACPIReclaimMemory,
  EfiConventionalMemory,
  RAM_TYPES,
} from '../image/memory-types.ts'
import type { MachineInput } from './machine.ts'

/** Types that an e820 table has, too: they do not tell that a firmware ran. */
const OF_ANY_TABLE: readonly number[] = [EfiConventionalMemory, EfiACPIReclaimMemory, EfiACPIMemoryNVS]
/** Types that only a firmware which ran gives to memory. */
const OF_FIRMWARE = RAM_TYPES.filter(type => !OF_ANY_TABLE.includes(type))

/**
 * The machine as a monitor finds it that loads the kernel itself; the same one where the map knows of no
 * firmware, as an e820 table does not.
 */
export function withoutFirmware(input: MachineInput): MachineInput {
  if (!input.map.some(({ type }) => OF_FIRMWARE.includes(type))) return input
  const map = input.map
    .map(one =>
      RAM_TYPES.includes(one.type) && one.type !== EfiConventionalMemory
        ? { ...one, type: EfiConventionalMemory, attribute: 0xfn }
        : one,
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
