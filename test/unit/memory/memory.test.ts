import { expect, test } from 'vitest'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { bytesSource } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import { ZERO } from '../../../src/memory/extent.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'

function memoryWithRam(): { memory: Memory; recorder: Recorder } {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  memory.ram(range(0, 0x100000), ZERO)
  return { memory, recorder }
}

const slice = (length: number, first = 1) => ({
  source: bytesSource(Uint8Array.from({ length }, (_, i) => (first + i) & 0xff)),
  at: 0,
  length,
})

test('an object that nobody touched reads whole', () => {
  const { memory } = memoryWithRam()
  memory.claim(rangeAt(0x1000, 0x2000), 'initrd')
  memory.put(phys(0x1000), slice(0x1800), 'initrd')
  expect(memory.readAs(rangeAt(0x1000, 0x1800), 'initrd').whole).toBe(true)
})

test('a write over an object is lost, and a later read of it deviates there and only there', () => {
  const { memory, recorder } = memoryWithRam()
  memory.claim(rangeAt(0x1000, 0x3000), 'image')
  memory.put(phys(0x1000), slice(0x1000), 'initrd')
  const zero = memory.zero(rangeAt(0x1800, 0x1000), 'kernel', 0x100)
  const reading = memory.readAs(rangeAt(0x1000, 0x1000), 'initrd')
  expect(reading.deviations).toMatchObject([
    { range: rangeAt(0x1800, 0x800), at: 0x800, kind: 'clobbered', found: { by: zero } },
  ])
  expect(recorder.events[zero]).toMatchObject({
    lost: [{ range: rangeAt(0x1800, 0x800), whose: { object: 'initrd', at: 0x800 } }],
  })
})

test('what was never written reads as uninitialised, never allocated as unclaimed, no RAM as outside', () => {
  const { memory } = memoryWithRam()
  memory.claim(rangeAt(0xfe000, 0x1000), 'bss')
  const reading = memory.readAs(range(0xfe000, 0x101000), 'kernel')
  expect(reading.deviations.map(({ kind, range: { start, end } }) => [kind, start, end])).toEqual([
    ['uninitialised', 0xfe000, 0xff000],
    ['unclaimed', 0xff000, 0x100000],
    ['outside', 0x100000, 0x101000],
  ])
})

test('identity travels with a copy, also over itself', () => {
  const { memory } = memoryWithRam()
  memory.claim(rangeAt(0x1000, 0x8000), 'image')
  memory.put(phys(0x1000), slice(0x1000, 7), 'kernel')
  memory.copy(phys(0x1800), rangeAt(0x1000, 0x1000))
  expect(memory.readAs(rangeAt(0x1800, 0x1000), 'kernel').whole).toBe(true)
  expect([...memory.readRaw(rangeAt(0x1800, 3))]).toEqual([7, 8, 9])
})

test('a composed object is checked part by part, at offsets of the whole', () => {
  const { memory } = memoryWithRam()
  memory.claim(rangeAt(0x1000, 0x8000), 'pages')
  memory.put(phys(0x1000), slice(0x100), 'initrd')
  memory.put(phys(0x1100), slice(0x20), 'cpio')
  memory.compose('all', [
    { object: 'initrd', at: 0, length: 0x100 },
    { object: 'cpio', at: 0, length: 0x20 },
  ])
  expect(memory.readAs(rangeAt(0x1000, 0x120), 'all', { all: true }).whole).toBe(true)
  memory.patch(phys(0x1108), new Uint8Array(4), 'x')
  expect(memory.readAs(rangeAt(0x1000, 0x120), 'all').deviations).toMatchObject([
    { at: 0x108, range: rangeAt(0x1108, 4) },
  ])
})
