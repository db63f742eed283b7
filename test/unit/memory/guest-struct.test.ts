import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { struct } from '../../../src/bytes/struct.ts'
import { phys } from '../../../src/bytes/units.ts'
import { GuestStruct, guestBytes, guestValues } from '../../../src/memory/guest-struct.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'

const node = struct('node', 0x18, {
  kind: [0, 'u8'],
  flags: [2, 'u16'],
  length: [4, 'u32'],
  next: [8, 'u64'],
  name: [16, [8]],
})
const AT = phys(0x10000)

function fresh(): { memory: Memory; recorder: Recorder; there: GuestStruct<typeof node.fields> } {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  memory.ram(rangeAt(AT, 0x1000), { kind: 'fill', byte: 0 })
  return { memory, recorder, there: new GuestStruct(memory, node, phys(AT + 0x40), 'list', 0x100) }
}

test('what is set is read again, field by field and as a whole', () => {
  const { there } = fresh()
  there.set('kind', 7)
  there.set('flags', 0x1234)
  there.set('length', 0xfedcba98)
  there.set('next', 0x1234567890)
  expect(there.get('next')).toBe(0x1234567890)
  expect(there.values()).toEqual({ kind: 7, flags: 0x1234, length: 0xfedcba98, next: 0x1234567890 })
})

test('a value that is too wide is cut to the field, and leaves its neighbours alone', () => {
  const { there } = fresh()
  there.set('flags', 0xffff)
  there.set('kind', 0x1ff)
  there.set('length', 2 ** 32 + 5)
  expect(there.values()).toEqual({ kind: 0xff, flags: 0xffff, length: 5, next: 0 })
})

test('every write is one patch at the place of the field, in the name of the object', () => {
  const { recorder, there } = fresh()
  const event = there.set('length', 0x20)
  expect(recorder.events).toHaveLength(2)
  expect(recorder.events[event]).toMatchObject({
    op: 'patch',
    range: rangeAt(AT + 0x44, 4),
    object: 'list',
    at: 0x104,
  })
  expect(recorder.events[there.patch(0x10, Uint8Array.of(1, 2))]).toMatchObject({
    range: rangeAt(AT + 0x50, 2),
    at: 0x110,
  })
})

test('reading records nothing, and what is not modelled reads as zero', () => {
  const { memory, recorder, there } = fresh()
  memory.make(rangeAt(AT, 0x100), 'tables')
  const before = recorder.events.length
  expect(there.get('next')).toBe(0)
  expect(there.values()).toEqual({ kind: 0, flags: 0, length: 0, next: 0 })
  expect(recorder.events).toHaveLength(before)
})

test('a field has a place', () => {
  const { there } = fresh()
  expect(there.range('next')).toEqual(rangeAt(AT + 0x48, 8))
  expect(there.range('name')).toEqual(rangeAt(AT + 0x50, 8))
})

test('its bytes are those of the codec for files', () => {
  const numbers = { kind: 1, flags: 0x203, length: 0x4050607, next: 2 ** 52 }
  const bytes = guestBytes(node, numbers)
  expect(bytes).toEqual(node.write({ ...numbers, next: 2n ** 52n }))
  expect(guestValues(node, bytes)).toEqual(numbers)
  expect(guestValues(node, bytes, 1)).toBeNull()
})

test('a field that the layout lacks is our mistake', () => {
  expect(() => guestBytes(node, { colour: 1 } as never)).toThrow('node has no field colour')
  expect(() => fresh().there.get('colour' as never)).toThrow('node has no field colour')
})
