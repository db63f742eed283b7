import { expect, test } from 'vitest'
import { ModelBug } from '../../../src/bytes/errors.ts'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { bytesSource } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import { GARBAGE, ZERO } from '../../../src/memory/extent.ts'
import { Memory, RAW_READ_MAX } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'
import { RunMap } from '../../../src/memory/run-map.ts'

function fresh(ram = 0x100000): { memory: Memory; recorder: Recorder } {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  memory.ram(range(0, ram), ZERO)
  return { memory, recorder }
}

const slice = (length: number) => ({
  source: bytesSource(Uint8Array.from({ length }, (_, i) => i & 0xff)),
  at: 0,
  length,
})

test('a run is found at its first address wherever its bucket begins; a window may start in one', () => {
  const map = new RunMap<number>()
  const count = 2000
  for (let i = 0; i < count; i++) map.assign(16 * i, 16 * i + 16, i)
  for (let i = 0; i < count; i++)
    expect(map.at(16 * i)).toEqual({ start: 16 * i, end: 16 * i + 16, value: i })
  for (const first of [0, 255, 256, 300, 511, 512, 1500]) {
    const values = [...map.runs(16 * first + 8, 16 * (first + 600))].map(run => run.value)
    expect(values).toEqual(Array.from({ length: Math.min(600, count - first) }, (_, i) => first + i))
  }
  expect(() => {
    map.clear(5, 5)
  }).toThrow(/empty run 5-5/)
})

test('an extent that was cut still names the bytes of its first address', () => {
  const { memory } = fresh()
  memory.put(phys(0x1000), { ...slice(0x400), at: 0x20, length: 0x300 }, 'kernel', 0x50)
  memory.zero(rangeAt(0x1000, 0x100), null)
  const [, second] = memory.extents(rangeAt(0x1000, 0x200))
  expect(second).toMatchObject({
    range: rangeAt(0x1100, 0x100),
    content: { kind: 'bytes', at: 0x120 },
    whose: { object: 'kernel', at: 0x150 },
  })
  const [made] = memory.extents(rangeAt(0x1080, 0x10))
  expect(made?.content).toEqual(ZERO)
})

test('the length of an object grows with what is made of it, never of one that is composed', () => {
  const { memory } = fresh()
  memory.make(rangeAt(0x1000, 0x300), 'vo', 0x100)
  expect(memory.lengthOf('vo')).toBe(0x400)
  memory.compose('all', [{ object: 'vo', at: 0, length: 0x40 }])
  memory.put(phys(0x8000), slice(0x200), 'all')
  expect(memory.lengthOf('all')).toBe(0x40)
})

test('what is missing counts from where the read began', () => {
  const { memory, recorder } = fresh()
  memory.put(phys(0x1000), slice(0x400), 'initrd')
  const reading = memory.readAs(rangeAt(0x1100, 0x100), 'initrd', { at: 0x100, all: true })
  expect(reading.whole).toBe(false)
  expect(recorder.events[reading.event]).toMatchObject({ missing: 0x200 })
})

test('a copy out of what is no RAM arrives as garbage of nobody', () => {
  const { memory } = fresh()
  memory.put(phys(0xff000), slice(0x1000), 'kernel')
  const event = memory.copy(phys(0x4000), rangeAt(0xff000, 0x2000))
  expect([...memory.extents(rangeAt(0x4000, 0x2000))]).toMatchObject([
    { whose: { object: 'kernel', at: 0 } },
    { range: rangeAt(0x5000, 0x1000), content: GARBAGE, whose: null, written: true, by: event },
  ])
  expect(memory.peek(rangeAt(0x5000, 0x10)).known).toBe(false)
})

test('a raw read takes 16 MiB and no byte more, and fills only where the fill is', () => {
  const { memory } = fresh(RAW_READ_MAX + 0x1000)
  expect(memory.readRaw(rangeAt(0, RAW_READ_MAX)).length).toBe(RAW_READ_MAX)
  expect(() => memory.readRaw(rangeAt(0, RAW_READ_MAX + 1))).toThrow(ModelBug)
  memory.release(rangeAt(0x2000, 0x10), 'pages', { kind: 'fill', byte: 0xaf })
  const { bytes } = memory.peek(rangeAt(0x1ff8, 0x20))
  expect([...bytes]).toEqual([
    ...Array<number>(8).fill(0),
    ...Array<number>(16).fill(0xaf),
    ...Array<number>(8).fill(0),
  ])
})

test('claims are listed within a window only', () => {
  const { memory } = fresh()
  memory.claim(rangeAt(0x1000, 0x1000), 'first')
  memory.claim(rangeAt(0x8000, 0x1000), 'second')
  expect([...memory.claims(rangeAt(0x8800, 0x100))]).toMatchObject([
    { range: rangeAt(0x8800, 0x100), label: 'second' },
  ])
})

test('a zero fill in nobody’s name clobbers; the deviation names the part that was wanted', () => {
  const { memory } = fresh()
  memory.claim(rangeAt(0x1000, 0x2000), 'pages')
  memory.put(phys(0x1000), slice(0x400), 'initrd', 0x40)
  memory.zero(rangeAt(0x1200, 0x100), null)
  memory.compose('all', [
    { object: 'pad', at: 0, length: 0 },
    { object: 'initrd', at: 0x40, length: 0x400 },
  ])
  expect(memory.readAs(rangeAt(0x1000, 0x400), 'all').deviations).toMatchObject([
    { range: rangeAt(0x1200, 0x100), at: 0x200, kind: 'clobbered', wanted: { object: 'initrd', at: 0x240 } },
  ])
})
