import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import { originOf, pastOf } from '../../../src/hazard/trace-back.ts'
import { INITRD, INITRD_SIZE, KERNEL, KERNEL_SIZE, loaded, slice } from './recordings.ts'

const COPY = 0x2000000

test('an untouched byte is intact up to the end of what was placed', () => {
  const { recorder } = loaded()
  expect(pastOf(recorder.events, 'initrd', 0x10, INITRD + 0x10, recorder.next)).toEqual({
    state: 'intact',
    by: null,
    placed: 3,
    moved: [],
    length: INITRD_SIZE - 0x10,
  })
})

test('a byte that never was there is absent up to the next thing that may differ', () => {
  const { recorder } = loaded()
  expect(pastOf(recorder.events, 'initrd', 0, COPY, recorder.next)).toMatchObject({
    state: 'absent',
    by: null,
    placed: null,
  })
  expect(pastOf(recorder.events, 'initrd', 0, KERNEL - 0x10, recorder.next)).toMatchObject({
    state: 'absent',
    length: 0x10,
  })
  expect(pastOf(recorder.events, 'initrd', 0x20, INITRD, recorder.next)).toMatchObject({ state: 'absent' })
})

test('the first that took its place counts, not the last that wrote there', () => {
  const { memory, recorder } = loaded()
  const first = memory.zero(rangeAt(INITRD, 0x100), null)
  memory.make(rangeAt(INITRD, 0x200), 'vo')
  expect(pastOf(recorder.events, 'initrd', 0, INITRD, recorder.next)).toEqual({
    state: 'destroyed',
    by: first,
    placed: 3,
    moved: [],
    length: 0x100,
  })
  expect(pastOf(recorder.events, 'initrd', 0x100, INITRD + 0x100, recorder.next)).toMatchObject({
    by: first + 1,
    length: 0x100,
  })
})

test('a copy that was overwritten leads to the place where it came from', () => {
  const { memory, recorder } = loaded()
  const copied = memory.copy(phys(COPY), rangeAt(INITRD, 0x1000))
  const again = memory.copy(phys(COPY + 0x10000), rangeAt(COPY, 0x1000))
  expect(pastOf(recorder.events, 'initrd', 4, COPY + 0x10004, recorder.next)).toMatchObject({
    state: 'intact',
    placed: 3,
    moved: [copied, again],
  })
  const gone = memory.zero(rangeAt(COPY + 0x10000, 0x1000), null)
  expect(pastOf(recorder.events, 'initrd', 4, COPY + 0x10004, recorder.next)).toEqual({
    state: 'destroyed',
    by: gone,
    placed: 3,
    moved: [copied, again],
    length: 0xffc,
  })
})

test('damage from before a copy is found in the copy', () => {
  const { memory, recorder } = loaded()
  const gone = memory.zero(rangeAt(KERNEL + 0x40, 0x10), null)
  const copied = memory.copy(phys(COPY), rangeAt(KERNEL, KERNEL_SIZE))
  expect(pastOf(recorder.events, 'kernel', 0x40, COPY + 0x40, recorder.next)).toEqual({
    state: 'destroyed',
    by: gone,
    placed: 2,
    moved: [copied],
    length: 0x10,
  })
})

test('a foreign copy over the object is what destroyed it', () => {
  const { memory, recorder } = loaded()
  const over = memory.copy(phys(INITRD), rangeAt(KERNEL, 0x100))
  expect(pastOf(recorder.events, 'initrd', 0, INITRD, recorder.next)).toMatchObject({
    state: 'destroyed',
    by: over,
    placed: 3,
    moved: [],
    length: 0x100,
  })
})

test('memory that was given back is destroyed by that', () => {
  const { memory, recorder } = loaded()
  const released = memory.release(rangeAt(INITRD, 0x1000), 'uki')
  expect(pastOf(recorder.events, 'initrd', 0, INITRD, recorder.next)).toMatchObject({
    state: 'destroyed',
    by: released,
    placed: 3,
  })
  const claimed = memory.claim(rangeAt(INITRD, 0x1000), 'other')
  memory.put(phys(INITRD), slice(0x10), 'other')
  expect(pastOf(recorder.events, 'initrd', 0, INITRD, claimed)).toMatchObject({ by: released })
})

test('an object placed again is intact again', () => {
  const { memory, recorder } = loaded()
  memory.zero(rangeAt(INITRD, 0x1000), null)
  const again = memory.put(phys(INITRD), slice(0x1000), 'initrd')
  expect(pastOf(recorder.events, 'initrd', 0, INITRD, recorder.next)).toMatchObject({
    state: 'intact',
    placed: again,
  })
})

test('the origin of copied bytes nobody wrote is the copy', () => {
  const { memory, recorder } = loaded()
  const copied = memory.copy(phys(COPY), rangeAt(0x3000000, 0x10))
  expect(originOf(recorder.events, copied, COPY)).toMatchObject({ placed: copied, moved: [] })
})

test('a copy that overlaps its source moved the byte from where it was before', () => {
  const { memory, recorder } = loaded()
  const copied = memory.copy(phys(KERNEL + 0x100), rangeAt(KERNEL, 0x1000))
  expect(originOf(recorder.events, copied, KERNEL + 0x200)).toMatchObject({ placed: 2, moved: [copied] })
})
