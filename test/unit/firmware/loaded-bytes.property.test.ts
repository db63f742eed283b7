import fc from 'fast-check'
import { expect, test } from 'vitest'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { bytesSource } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import { LoadedBytes } from '../../../src/firmware/image-loaders/loaded-bytes.ts'
import { GARBAGE, ZERO } from '../../../src/memory/extent.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'

/** An image across the border of two pages, whose end lies beyond RAM. */
const BASE = 0xf80
const LENGTH = 0x100
const RAM = range(0xf00, 0x1060)
const FILE = bytesSource(Uint8Array.from({ length: 2 * LENGTH }, (_, i) => (i * 41 + 3) & 0xff))

/** Bytes of a file, zeroes and bytes that are not modelled, each with owners, and gaps that nobody owns. */
function imageIn(layout: readonly (readonly [kind: number, length: number])[]): {
  memory: Memory
  recorder: Recorder
} {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  memory.ram(RAM, layout.length % 2 === 0 ? GARBAGE : ZERO)
  memory.claim(rangeAt(BASE, LENGTH - 0x30), 'image')
  let at = BASE
  for (const [kind, length] of layout) {
    if (at + length > RAM.end) break
    if (kind === 0)
      memory.put(phys(at), { source: FILE, at: at - BASE, length }, `section${String(at)}`, at % 7)
    if (kind === 1) memory.zero(rangeAt(at, length), 'zeroes', 3)
    if (kind === 2) memory.make(rangeAt(at, length), 'made')
    at += length
  }
  return { memory, recorder }
}

/** Of every byte of RAM: whose it is, at which offset, whether it was written, and by which event. */
function ownersIn(memory: Memory): string[] {
  const owners: string[] = []
  for (const { range: where, whose, written, by } of memory.extents())
    for (let at = 0; at < where.end - where.start; at++)
      owners[where.start + at] =
        whose === null
          ? `nobody ${String(written)} ${String(by)}`
          : `${whose.object} ${String(whose.at + at)} ${String(written)} ${String(by)}`
  return owners
}

/** Without the event. */
const cut = (owner: string): string => owner.slice(0, owner.lastIndexOf(' '))

const widths = fc.constantFrom(2 as const, 4 as const, 8 as const)
const anyLayout = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 0x60 })), {
  minLength: 1,
  maxLength: 9,
})
const anyChange = fc.record({
  at: fc.oneof(fc.nat(LENGTH), fc.integer({ min: 0x78, max: 0x80 })),
  width: widths,
  add: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }),
})

test('fields read, added to and written in turn hold what memory would, and owners stay', () => {
  fc.assert(
    fc.property(anyLayout, fc.array(anyChange, { minLength: 1, maxLength: 30 }), (layout, changes) => {
      const { memory, recorder } = imageIn(layout)
      const expected = ownersIn(memory)
      const plain = memory.readRaw(range(0, 0x2000)).slice()
      const view = new DataView(plain.buffer)
      const touched = new Set<number>()
      const image = new LoadedBytes(memory, phys(BASE))
      for (const { at, width, add } of changes) {
        const bytes = Array.from({ length: width }, (_, i) => view.getUint8(BASE + at + i))
        const value = bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n)
        expect(image.read(at, width)).toBe(value)
        image.write(at, width, value + add)
        for (let i = 0; i < width; i++) {
          touched.add(BASE + at + i)
          view.setUint8(BASE + at + i, Number(BigInt.asUintN(8, (value + add) >> BigInt(8 * i))))
        }
      }
      const first = recorder.next
      image.store('image')
      const events = recorder.events.slice(first)
      expect(events.filter(event => event.op === 'amend').length).toBeLessThan(2)
      expect(memory.readRaw(RAM)).toEqual(plain.subarray(RAM.start, RAM.end))
      for (const at of touched)
        if (expected[at]?.startsWith('nobody') === true) expected[at] = `image ${String(at - BASE)} true`
      const found = ownersIn(memory)
      for (const at of touched) if (found[at]?.startsWith('image ') === true) found[at] = cut(found[at])
      expect(found.join()).toBe(expected.join())
    }),
    { numRuns: 100 },
  )
})
