import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { formatMap } from '../../../src/report/index.ts'
import { mapAround } from '../../../src/report/map.ts'
import type { Finding, MapSnapshot } from '../../../src/report/model.ts'
import { examples } from '../hazard/examples.ts'
import { cleanReport, damagedReport, line } from './reports.ts'

const finding = (object: string | null, ...ranges: Finding['ranges'][number][]): Finding => ({
  ...(examples['clobbered-object']?.()[0] as Finding),
  object,
  ranges,
})

test('every snapshot has its table, addresses and sizes flush right', () => {
  const snapshots: MapSnapshot[] = [
    { point: 'before-load', lines: [line(0x1000, 0x9f000, 'free', 0, 'EfiConventionalMemory')] },
    {
      point: 'stub-entry',
      lines: [line(0x1000, 0x1000, 'free'), line(0x1000000, 0x100000, 'kernel', 0x200, '.linux')],
    },
  ]
  expect(formatMap(cleanReport({ snapshots }))).toMatchInlineSnapshot(`
    "before the image is loaded
       0x1000  0xa0000  free  636.0 KiB  EfiConventionalMemory

    at the entry of the stub
          0x1000     0x2000  free            4.0 KiB
       0x1000000  0x1100000  kernel + 0x200  1.0 MiB  .linux
    "
  `)
})

test('a run that did not begin has no map', () => {
  expect(formatMap(cleanReport({ snapshots: [] }))).toBe('no memory map: the run did not begin\n')
})

test('the neighbourhood shows where the object lay and what lies there now', () => {
  const report = damagedReport()
  expect(mapAround(finding('initrd', rangeAt(0x1140000, 0x1000)), report.snapshots)).toEqual([
    '   0x1100000  kernel  256.0 KiB',
    '>  0x1140000  initrd  128.0 KiB  now: kernel 12.5 KiB, initrd 115.5 KiB',
    '   0x1160000',
  ])
})

test('what lies there now is below a row that is too narrow for both', () => {
  const report = damagedReport()
  expect(mapAround(finding('initrd', rangeAt(0x1140000, 0x1000)), report.snapshots, 50)).toEqual([
    '   0x1100000  kernel  256.0 KiB',
    '>  0x1140000  initrd  128.0 KiB',
    '      now: kernel 12.5 KiB, initrd 115.5 KiB',
    '   0x1160000',
  ])
})

test('an object that came later is shown in the first snapshot that has it', () => {
  const snapshots: MapSnapshot[] = [
    { point: 'before-load', lines: [line(0x5000, 0x1000, 'copy')] },
    { point: 'stub-entry', lines: [line(0x5000, 0x1000, 'free')] },
    { point: 'hand-off', lines: [line(0x5000, 0x1000, 'copy', 0x10)] },
  ]
  expect(mapAround(finding('copy', rangeAt(0x5000, 0x10)), snapshots)).toEqual([
    '>  0x5000  copy + 0x10  4.0 KiB',
    '   0x6000',
  ])
})

test('an object that never lay there is shown in the last snapshot that has anything there', () => {
  const snapshots: MapSnapshot[] = [
    { point: 'stub-entry', lines: [line(0x5000, 0x1000, 'free')] },
    { point: 'arrival', lines: [line(0x9000, 0x1000, 'vo')] },
  ]
  expect(mapAround(finding('initrd', rangeAt(0x5000, 0x10)), snapshots)).toEqual([
    '>  0x5000  free  4.0 KiB',
    '   0x6000',
  ])
  expect(mapAround(finding('initrd', rangeAt(0x7000, 0x10)), snapshots)).toEqual([])
  expect(mapAround(finding('initrd', rangeAt(0x7000, 0x10)), [])).toEqual([])
  expect(mapAround(finding(null), snapshots)).toEqual([])
})

test('a long neighbourhood is cut and says so', () => {
  const lines = Array.from({ length: 20 }, (_, i) => line(0x1000 * (i + 1), 0x1000, `x${String(i)}`))
  const shown = mapAround(finding('x0', rangeAt(0x1000, 0x10000)), [{ point: 'arrival', lines }])
  expect(shown).toHaveLength(14)
  expect(shown.at(-1)).toBe('   and 5 more lines')
})

test('a breach is shown as it was at the hand-off', () => {
  const snapshots: MapSnapshot[] = [
    { point: 'stub-entry', lines: [line(0x5000, 0x1000, 'kernel')] },
    { point: 'hand-off', lines: [line(0x5000, 0x1000, 'initrd', 0, '4.0 KiB')] },
    { point: 'arrival', lines: [line(0x5000, 0x1000, 'kernel')] },
  ]
  expect(mapAround({ ...finding('kernel', rangeAt(0x5000, 0x10)), class: 'breach' }, snapshots)).toEqual([
    '>  0x5000  initrd  4.0 KiB  now: kernel 4.0 KiB',
    '   0x6000',
  ])
  expect(formatMap(cleanReport({ snapshots: snapshots.slice(1, 2) })).split('\n')[1]).toBe(
    '   0x5000  0x6000  initrd  4.0 KiB',
  )
})
