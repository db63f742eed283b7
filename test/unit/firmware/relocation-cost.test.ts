import { expect, test } from 'vitest'
import { range } from '../../../src/bytes/range.ts'
import { bytesSource, countingSource } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import { applyBlocks } from '../../../src/firmware/image-loaders/relocate.ts'
import { ZERO } from '../../../src/memory/extent.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'

const SIZE = 0x60000
const DIRECTORY = { start: 0x10000, size: 2 ** 18 }
const FIXUPS = (DIRECTORY.size - 8) / 2

test('a relocation table as large as is applied reads every page once and stores every place once', () => {
  const file = new Uint8Array(SIZE)
  const view = new DataView(file.buffer)
  view.setUint32(DIRECTORY.start, 0x5000, true)
  view.setUint32(DIRECTORY.start + 4, DIRECTORY.size, true)
  for (let i = 0; i < FIXUPS; i++)
    view.setUint16(DIRECTORY.start + 8 + 2 * i, 0xa000 | ((8 * i) & 0xfff), true)
  const source = countingSource(bytesSource(file))
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  memory.ram(range(0, 2 ** 20), ZERO)
  memory.put(phys(0x1000), { source, at: 0, length: SIZE }, 'image')
  expect(FIXUPS).toBe(131068)
  expect(
    applyBlocks({ memory, base: phys(0x1000), size: SIZE, adjust: 0x1000n, name: 'image' }, DIRECTORY),
  ).toBeNull()
  expect(source.bytesRead()).toBeLessThanOrEqual(SIZE)
  const amended = recorder.events.filter(event => event.op === 'amend')
  expect(amended.map(({ ranges }) => ranges)).toEqual([[range(0x6000, 0x7000)]])
  // Each of the 512 places is adjusted 256 times, but for the last four
  expect(memory.number(0x6000, 8)).toBe(256 * 0x1000)
  expect(memory.number(0x6ff8, 8)).toBe(255 * 0x1000)
})
