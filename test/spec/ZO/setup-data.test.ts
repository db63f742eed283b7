import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import { setup_data } from '../../../src/image/x86/boot-params.ts'
import { handed } from '../../support/decompressor-runs.ts'
import {
  bench,
  clausesOf,
  descriptor,
  eventsOf,
  free,
  handover,
  kernelNamed,
  legacy,
  SMALL_MAP,
  start,
  type Bench,
} from '../../support/kernel-bench.ts'
import { E2, F } from '../../support/kernels.ts'

const AT = 0x1e008000

/** A list of nodes with 32 bytes of data each, as a loader leaves it. */
function seeds({ memory }: Bench, places: readonly number[], type = 9): void {
  places.forEach((at, i) => {
    const bytes = new Uint8Array(48)
    bytes.set(setup_data.write({ next: BigInt(places[i + 1] ?? 0), type, len: 32 }))
    memory.patch(phys(at), bytes, `loader:seed#${String(i)}`)
  })
}

const listed = (on: Bench, places: readonly number[], type = 9) => {
  const from = handover(on, { kernel: E2, image: F, header: { setup_data: BigInt(places[0] ?? 0) } })
  seeds(on, places, type)
  return start(on, 'linux/E2', from)
}
const WIDE = [free(0x1000, 0x9f000), free(0x1000000, 0x1f000000), descriptor(2, 0x20000000, 0x10000)]

test('ZO-17 a node that nobody wrote is a doubt, and so is what it leads to', () => {
  expect(handed().on.notes.doubts).toEqual([])
  const { on } = handed({ header: { setup_data: 0x1e003000n } })
  expect(on.notes.doubts.map(doubt => doubt.clause)).toEqual(['ZO-17'])
  expect(clausesOf(on)).toContain('ZO-17')
})

test('ZO-17 every node is read, as what it was', () => {
  const on = bench()
  expect(listed(on, [AT, AT + 0x100]).kind).toBe('arrived')
  expect(eventsOf(on, 'ZO-17', 'read')).toMatchObject([
    { object: 'loader:seed#0', range: rangeAt(AT, 48), deviations: [] },
    { object: 'loader:seed#1', range: rangeAt(AT + 0x100, 48), deviations: [] },
  ])
  expect(on.notes.doubts).toEqual([])
})

test('ZO-17 a node that was overwritten on the way is damage', () => {
  const on = bench()
  // Where the kernel is extracted to
  expect(listed(on, [0x1700000]).kind).toBe('arrived')
  expect(eventsOf(on, 'ZO-17', 'read')[0]?.deviations.length).toBeGreaterThan(0)
})

test.each([
  ['in no memory', 0xc0000000],
  ['beyond all addresses', 2 ** 53 - 4096],
])('ZO-17 a list that leads to a place %s is a doubt', (_, next) => {
  const on = bench()
  const from = handover(on, { kernel: E2, image: F, header: { setup_data: BigInt(AT) } })
  on.memory.patch(phys(AT), setup_data.write({ next: BigInt(next), type: 9, len: 0 }), 'loader:seed')
  start(on, 'linux/E2', from)
  expect(on.notes.doubts.map(({ clause }) => clause)).toEqual(['ZO-17'])
  expect(eventsOf(on, 'ZO-17', 'read')).toHaveLength(1)
})

test('ZO-17 a list that runs in a circle ends', () => {
  const on = bench()
  const from = handover(on, { kernel: E2, image: F, header: { setup_data: BigInt(AT) } })
  on.memory.patch(phys(AT), setup_data.write({ next: BigInt(AT), type: 9, len: 0 }), 'loader:seed')
  expect(start(on, 'linux/E2', from).kind).toBe('arrived')
  expect(on.notes.doubts.map(({ why }) => why)).toEqual(['the list of setup_data does not end'])
})

test('ZO-17 data that lies elsewhere is not followed', () => {
  const on = bench()
  listed(on, [AT], 2 ** 31)
  expect(on.notes.doubts.map(({ why }) => why)).toEqual([
    'a node of setup_data names data elsewhere, which is not followed',
  ])
})

test('ZO-32 no slot overlaps a node of setup_data', () => {
  const places = (setupData: readonly number[]): number => {
    const on = bench({ map: WIDE, kaslr: 'seed:0' })
    const from = legacy(on, {
      kernel: E2,
      at: 0x1000000,
      commandLine: 'quiet',
      bootParams: 0x10000,
      commandLineAt: 0x20000,
      header: { setup_data: BigInt(setupData[0] ?? 0) },
    })
    seeds(on, setupData)
    const outcome = start(on, 'linux/E2', from)
    return outcome.kind === 'arrived' ? outcome.at.kernel : -1
  }
  const plain = places([])
  expect(plain).toBeGreaterThan(0)
  expect(places([plain + 0x100000])).toBeGreaterThan(plain + 0x100000)
})

test('ZO-33 a kernel that would be extracted into unaccepted memory is a gap', () => {
  const kernel = kernelNamed('debian-5.10.223-cloud')
  const run = (type: number, kaslr: 'off' | 'command-line') => {
    const on = bench({ map: [descriptor(type, 0x40000000, 0x40000000), ...SMALL_MAP], kaslr })
    return start(on, 'linux/E2g', handover(on, { kernel, image: F, commandLine: 'quiet' }))
  }
  expect(run(15, 'command-line')).toMatchObject({ kind: 'unknown', gap: { clause: 'ZO-33' } })
  expect(run(15, 'off').kind).toBe('arrived')
  expect(run(7, 'command-line').kind).toBe('arrived')
})
