import { expect, test } from 'vitest'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { PAGE } from '../../../src/bytes/units.ts'
import { handed, R, X } from '../../support/decompressor-runs.ts'
import { bench, eventsOf } from '../../support/kernel-bench.ts'
import { bssOf, E2, FACTS_2 } from '../../support/kernels.ts'

const { hdr, geometry } = FACTS_2

test('ZO-4 the stack is written at the destination before the move', () => {
  const { on } = handed()
  const [stack] = eventsOf(on, 'ZO-4', 'make')
  expect(stack?.range.end).toBe(X + geometry.boot_stack_end)
  const { start = 0, end = 0 } = stack?.range ?? {}
  expect(stack).toMatchObject({
    object: 'kernel',
    at: E2.image.setupSize + geometry.boot_stack_end - (end - start),
  })
  expect(stack?.id).toBeLessThan(eventsOf(on, 'ZO-6', 'copy')[0]?.id ?? 0)
})

test('ZO-6 the move reads up to _bss and writes at X', () => {
  const { on } = handed()
  expect(eventsOf(on, 'ZO-6', 'copy')).toMatchObject([
    { from: rangeAt(R, geometry._bss), range: rangeAt(X, geometry._bss) },
  ])
})

test('ZO-7 only the copy is cleared', () => {
  const { on } = handed()
  expect(eventsOf(on, 'ZO-7', 'zero')).toMatchObject([
    { range: range(X + geometry._bss, X + geometry._ebss), object: 'kernel', at: bssOf(FACTS_2.name).start },
  ])
})

const TABLES = range(X + geometry.pgtable, R + hdr.init_size - PAGE)

test('ZO-8 page tables reach to the last page of the window', () => {
  const { on } = handed()
  expect(eventsOf(on, 'ZO-8', 'make')).toMatchObject([
    { range: TABLES, object: 'kernel', at: E2.image.setupSize + geometry.pgtable },
  ])
})

test('ZO-50 up to 5.9 there are page tables with KASLR alone', () => {
  expect(eventsOf(handed({}, bench(), 'linux/E2h').on, 'ZO-50', 'make')).toEqual([])
  const random = handed({ commandLine: 'quiet' }, bench({ kaslr: 'seed:1' }), 'linux/E2h').on
  expect(eventsOf(random, 'ZO-50', 'make')).toMatchObject([{ range: TABLES }])
  expect(eventsOf(random, 'ZO-8', 'make')).toEqual([])
})

test('ZO-11 the payload is read where it was moved to', () => {
  const { on } = handed()
  expect(eventsOf(on, 'ZO-11', 'read')).toMatchObject([
    {
      range: rangeAt(X + hdr.payload_offset, hdr.payload_length),
      at: E2.image.setupSize + hdr.payload_offset,
      deviations: [],
    },
  ])
})

test('ZO-11 an init_size that leaves no margin is a doubt', () => {
  const { on } = handed({ header: { init_size: hdr.init_size - 0x200000 } })
  expect(on.notes.doubts.map(doubt => doubt.clause)).toContain('ZO-11')
})

test('ZO-11 an init_size in boot_params below that of the file has lost its margin', () => {
  const doubts = (init_size: number): string[] =>
    handed({ header: { init_size } }, bench(), 'linux/E2').on.notes.doubts.map(({ why }) => why)
  expect(doubts(hdr.init_size)).toEqual([])
  expect(doubts(hdr.init_size - PAGE)).toContain(
    'init_size in boot_params is less than the kernel was built with: its safety margin is lost',
  )
})
