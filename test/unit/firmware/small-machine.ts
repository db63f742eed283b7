/**
 * A small machine to try the boot services on: sixteen megabytes, the low half of one page free at 0, the
 * rest as given.
 */
import type { AllocatorId } from '../../../src/firmware/allocators.ts'
import { createFirmware, type Contents } from '../../../src/firmware/boot-services.ts'
import type { Build } from '../../../src/firmware/build.ts'
import { edk2Behaviour } from '../../../src/firmware/edk2/behaviour.ts'
import type { Edk2Release } from '../../../src/firmware/edk2/releases.ts'
import { Edk2Pages } from '../../../src/firmware/edk2/pages.ts'
import { allocatorNamed } from '../../../src/firmware/firmwares.ts'
import type { SearchPolicy } from '../../../src/firmware/page-allocator.ts'
import type { BootServices, LoadRequest, LoadResult } from '../../../src/firmware/services.ts'
import type { MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'
import type { ByteSource } from '../../../src/bytes/source.ts'
import { row as descriptor } from '../../support/descriptors.ts'

export { descriptor }

/** Free up to 16 MiB but for one page of boot services data at 0x800000. */
export const SMALL_MAP = [
  descriptor(7, 0, 0x800000),
  descriptor(4, 0x800000, 0x801000),
  descriptor(7, 0x801000, 0x1000000),
]

/** EDK2's page allocator over a map. */
export const edk2Pages = (
  map: readonly MemoryDescriptor[],
  search: SearchPolicy,
  release: Edk2Release = '2022.11',
  build: Build = {},
): Edk2Pages => new Edk2Pages(map, search, edk2Behaviour(release), build)

export interface SmallMachine {
  readonly memory: Memory
  readonly recorder: Recorder
  readonly firmware: BootServices
  readonly assumptions: [clause: string, what: string][]
}

export function smallMachine(
  options: {
    map?: readonly MemoryDescriptor[]
    contents?: Contents
    /** Default: EDK2 2022.11. */
    allocator?: AllocatorId
    build?: Build
  } = {},
): SmallMachine {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  const assumptions: [string, string][] = []
  const firmware = createFirmware({
    memory,
    recorder,
    map: options.map ?? SMALL_MAP,
    contents: options.contents ?? 'ovmf',
    ...(options.allocator === undefined ? {} : { allocator: allocatorNamed(options.allocator) }),
    ...(options.build === undefined ? {} : { build: options.build }),
    assume: (clause, what) => {
      assumptions.push([clause, what])
    },
  })
  return { memory, recorder, firmware, assumptions }
}

/** Sections belong to `uki:<name>`, from offset 0. */
export function loadFile(
  machine: SmallMachine,
  source: ByteSource,
  more: Partial<LoadRequest> = {},
): LoadResult {
  return machine.firmware.loadImage({
    from: { kind: 'file', source },
    name: 'uki',
    ownerOf: section => ({ object: `uki:${section.name}`, at: 0 }),
    ...more,
  })
}
