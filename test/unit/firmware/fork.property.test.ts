import fc from 'fast-check'
import { expect, test } from 'vitest'
import { range } from '../../../src/bytes/range.ts'
import { PAGE, phys } from '../../../src/bytes/units.ts'
import { createFirmware, type ForkableServices } from '../../../src/firmware/boot-services.ts'
import { firmwareNamed } from '../../../src/firmware/firmwares.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'
import { descriptor } from './small-machine.ts'

const TOP = 0x400000
const MAP = [
  descriptor(7, 0, 0x100000),
  descriptor(4, 0x100000, 0x108000),
  descriptor(7, 0x108000, 0x200000),
  descriptor(6, 0x200000, 0x204000),
  descriptor(7, 0x204000, TOP),
]
/** Allocators and pools that differ: EDK2's with everything that a build may have, and the three others. */
const FIRMWARE = ['edk2-2022.11', 'u-boot-2022.01', 'rust-hypervisor-firmware', 'patina'] as const
const GUARDED = { PcdHeapGuardPropertyMask: 3, PcdHeapGuardPageType: 4n, PcdHeapGuardPoolType: 4n }

interface Side {
  readonly recorder: Recorder
  readonly memory: Memory
  readonly services: ForkableServices
  readonly assumed: string[]
  /** Addresses that were handed out. */
  readonly pages: number[]
  readonly buffers: number[]
}

function fresh(id: string): Side {
  const found = firmwareNamed(id)
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  const assumed: string[] = []
  const services = createFirmware({
    memory,
    recorder,
    map: MAP,
    contents: found.contents,
    allocator: found.allocator,
    build: id.startsWith('edk2')
      ? {
          guard: GUARDED,
          pool: { imageRecord: 'new-page', mapEntries: { hidden: 0, capacity: 8 } },
          untested: [range(TOP, TOP + 16 * PAGE)],
        }
      : {},
    assume: (clause, what) => assumed.push(`${clause} ${what}`),
  })
  return { recorder, memory, services, assumed, pages: [], buffers: [] }
}

function fork(side: Side): Side {
  const recorder = side.recorder.fork()
  const memory = side.memory.fork(recorder)
  const assumed = [...side.assumed]
  return {
    recorder,
    memory,
    services: side.services.fork({
      memory,
      recorder,
      assume: (clause, what) => assumed.push(`${clause} ${what}`),
    }),
    assumed,
    pages: [...side.pages],
    buffers: [...side.buffers],
  }
}

const type = fc.constantFrom(2, 4, 6, 0x70000001)
const anyCall = fc.oneof(
  fc.record({ call: fc.constant('pages' as const), type, count: fc.integer({ min: 0, max: 300 }) }),
  fc.record({ call: fc.constant('below' as const), type, count: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ call: fc.constant('at' as const), type, count: fc.nat(TOP / PAGE) }),
  fc.record({ call: fc.constant('free' as const), type, count: fc.nat() }),
  fc.record({ call: fc.constant('pool' as const), type, count: fc.nat(3000) }),
  fc.record({ call: fc.constant('freePool' as const), type, count: fc.nat() }),
  fc.record({ call: fc.constant('readOnly' as const), type, count: fc.nat(TOP / PAGE) }),
)
type Call = typeof anyCall extends fc.Arbitrary<infer C> ? C : never

function act({ services, pages, buffers }: Side, { call, type: of, count }: Call): unknown {
  const kept = (at: number | null, list: number[]): number | null => {
    if (at !== null) list.push(at)
    return at
  }
  switch (call) {
    case 'pages':
      return kept(services.allocatePages({ kind: 'any' }, of, count, 'a').at, pages)
    case 'below':
      return kept(services.allocatePages({ kind: 'max', limit: 0x1fffff }, of, count, 'b').at, pages)
    case 'at':
      return kept(services.allocatePages({ kind: 'address', at: count * PAGE }, of, 2, 'c').at, pages)
    case 'free':
      return services.freePages(phys(pages[count % pages.length] ?? 0), 2)
    case 'pool':
      return kept(services.allocatePool(of, count, 'd').at, buffers)
    case 'freePool':
      return services.freePool(phys(buffers[count % buffers.length] ?? 0))
    case 'readOnly':
      return services.setReadOnly?.(range(count * PAGE, (count + 3) * PAGE), true)
  }
}

const seen = ({ recorder, memory, services, assumed }: Side) => ({
  map: services.memoryMap(),
  extents: memory.extents(),
  claims: memory.claims(),
  assumed,
  events: recorder.events,
  steps: recorder.steps.map(({ clause, what }) => `${clause} ${what}`),
})

for (const id of FIRMWARE)
  test(`${id}: a fork goes on as a firmware with the same history does, and so does its parent`, () => {
    const calls = fc.array(anyCall, { maxLength: 14 })
    fc.assert(
      fc.property(calls, calls, calls, (before, here, there) => {
        const play = (turns: readonly Call[], side = fresh(id)): [unknown[], Side] => [
          turns.map(call => act(side, call)),
          side,
        ]
        const [, parent] = play(before)
        const twin = fork(parent)
        const [, child] = play([], fork(twin))
        const answers = [play(here, parent)[0], play(there, child)[0]]
        for (const [i, [side, turns]] of [[parent, here] as const, [child, there] as const].entries()) {
          const [alone, whole] = play([...before, ...turns])
          expect(answers[i]).toEqual(alone.slice(before.length))
          expect(seen(side)).toEqual(seen(whole))
        }
        expect(seen(twin)).toEqual(seen(play(before)[1]))
      }),
      { numRuns: 40 },
    )
  })
