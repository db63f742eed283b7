/** What the tests of chapter PE share: files that are loaded or refused, by EDK2 and by the other loaders. */
import { rangeAt } from '../../src/bytes/range.ts'
import type { ByteSource } from '../../src/bytes/source.ts'
import { createFirmware } from '../../src/firmware/boot-services.ts'
import { firmwareNamed } from '../../src/firmware/firmwares.ts'
import type { LoadedImage, LoadRequest, LoadResult } from '../../src/firmware/services.ts'
import { Memory } from '../../src/memory/memory.ts'
import { Recorder } from '../../src/memory/recorder.ts'
import { goodPe, outcomeOf } from '../unit/firmware/loader-bench.ts'
import { loadFile, SMALL_MAP, smallMachine, type SmallMachine } from '../unit/firmware/small-machine.ts'
import { smallPe, type SmallPe } from '../unit/firmware/small-pe.ts'

export const TOP = 0x1000000
export type Pair = readonly [VirtualAddress: number, Size: number]

export function loaded(
  machine: SmallMachine,
  source: ByteSource,
  more: Partial<LoadRequest> = {},
): LoadedImage {
  const result = loadFile(machine, source, more)
  if (result.image === null) throw new Error(`${result.status} ${result.clause} ${result.why}`)
  return result.image
}

/** Status and clause of the refusal of a file that lies in memory, where BDS has no say. */
export function refusal(source: ByteSource, machine = smallMachine()): [string, string] {
  const where = rangeAt(0x100000, Math.max(1, source.size))
  machine.memory.claim(where, 'file')
  if (source.size > 0) machine.memory.put(where.start, { source, at: 0, length: source.size }, 'file')
  const result = machine.firmware.loadImage({
    from: { kind: 'memory', range: where },
    name: 'kernel',
    ownerOf: () => ({ object: 'kernel', at: 0 }),
  })
  return [result.status, result.image === null ? result.clause : '']
}

export const refused = (pe: SmallPe) => refusal(smallPe(pe))
export const FIRST = { VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x200 }
export const PLAIN = goodPe([FIRST])
export const refusalBy = (loader: string, pe: SmallPe): string | undefined => {
  const { refused } = outcomeOf(loader, pe)
  return refused === null ? undefined : `${refused.status} ${refused.clause}`
}

export function machineOf(name: string, map = SMALL_MAP) {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  const { allocator, loader, contents } = firmwareNamed(name)
  const firmware = createFirmware({
    memory,
    recorder,
    map,
    allocator,
    loader,
    contents,
    assume: () => undefined,
  })
  const load = (pe: SmallPe): LoadResult =>
    firmware.loadImage({
      from: { kind: 'file', source: smallPe(pe) },
      name: 'uki',
      ownerOf: ({ name: object }) => ({ object, at: 0 }),
    })
  return { memory, recorder, firmware, load }
}
