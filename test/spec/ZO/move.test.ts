import { expect, test } from 'vitest'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { handed, R, X } from '../../support/decompressor-runs.ts'
import { eventsOf } from '../../support/kernel-bench.ts'

test('ZO-4 the stack is written at the destination before the move', () => {
  const { on } = handed()
  const [stack] = eventsOf(on, 'ZO-4', 'make')
  expect(stack?.range.end).toBe(X + 0xba5000)
  expect(stack?.id).toBeLessThan(eventsOf(on, 'ZO-6', 'copy')[0]?.id ?? 0)
})

test('ZO-6 the move reads up to _bss and writes at X', () => {
  const { on } = handed()
  expect(eventsOf(on, 'ZO-6', 'copy')).toMatchObject([
    { from: rangeAt(R, 0xb91000), range: rangeAt(X, 0xb91000) },
  ])
})

test('ZO-7 only the copy is cleared', () => {
  const { on } = handed()
  expect(eventsOf(on, 'ZO-7', 'zero')).toMatchObject([
    { range: rangeAt(X + 0xb91000, 0x22880), object: 'kernel', at: 0x3c00 + 0xb91000 },
  ])
})

test('ZO-8 page tables reach to the end of the window', () => {
  const { on } = handed()
  expect(eventsOf(on, 'ZO-8', 'make')).toMatchObject([{ range: range(X + 0xbb4000, R + 0x2d5e000) }])
})

test('ZO-11 the payload is read where it was moved to', () => {
  const { on } = handed()
  expect(eventsOf(on, 'ZO-11', 'read')).toMatchObject([
    { range: rangeAt(X + 0x45c, 0xb7d599), at: 0x3c00 + 0x45c, deviations: [] },
  ])
})

test('ZO-11 an init_size that leaves no margin is a doubt', () => {
  const { on } = handed({ header: { init_size: 0x2d5e000 - 0x200000 } })
  expect(on.notes.doubts.map(doubt => doubt.clause)).toContain('ZO-11')
})
