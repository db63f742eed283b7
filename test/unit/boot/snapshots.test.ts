import { expect, test } from 'vitest'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { bytesSource } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import { takeSnapshot } from '../../../src/boot/snapshots.ts'
import { ZERO } from '../../../src/memory/extent.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'

test('a moment joins what belongs together and names what nobody has written', () => {
  const memory = new Memory(new Recorder())
  memory.ram(range(0, 0x20000), ZERO)
  memory.claim(rangeAt(0x1000, 0x1000), 'firmware:boot')
  memory.make(rangeAt(0x1000, 0x800), 'firmware:boot')
  memory.make(rangeAt(0x1800, 0x800), 'firmware:runtime')
  memory.claim(rangeAt(0x4000, 0x4000), 'uki')
  memory.put(phys(0x4000), { source: bytesSource(new Uint8Array(0x1000)), at: 0, length: 0x1000 }, 'kernel')
  memory.put(
    phys(0x5000),
    { source: bytesSource(new Uint8Array(0x1000)), at: 0, length: 0x800 },
    'kernel',
    0x1000,
  )
  memory.put(phys(0x6000), { source: bytesSource(new Uint8Array(0x1000)), at: 0, length: 0x800 }, 'kernel')
  memory.zero(rangeAt(0x6800, 0x100), null)
  expect(
    takeSnapshot(memory, 'hand-off').lines.map(({ range: { start, end }, object, at }) => [
      start,
      end,
      object,
      at,
    ]),
  ).toEqual([
    [0, 0x1000, 'free', 0],
    [0x1000, 0x2000, 'firmware', 0],
    [0x2000, 0x4000, 'free', 0],
    [0x4000, 0x5800, 'kernel', 0],
    [0x5800, 0x6000, 'uki, not written', 0],
    [0x6000, 0x6800, 'kernel', 0],
    [0x6800, 0x6900, 'uki, nobody’s', 0],
    [0x6900, 0x8000, 'uki, not written', 0],
    [0x8000, 0x20000, 'free', 0],
  ])
})
