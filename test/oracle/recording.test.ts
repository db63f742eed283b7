/** The recordings can be read, all of them, and say what their README says. */
import { expect, test } from 'vitest'
import { range } from '../../src/bytes/range.ts'
import { covers, damageHull } from './facts.ts'
import { isRecordedHarmed } from './judge.ts'
import { endingOf, factsOf, mapBeforeLoad, parseMap, readRecordings } from './recording.ts'

const rows = readRecordings()

test('234 boots of five stubs and fourteen kernels of Debian', () => {
  expect(rows).toHaveLength(234)
  expect([...new Set(rows.map(row => row.stub))].sort()).toEqual([
    '247.3',
    '252.39',
    '254.26',
    '257.13',
    '262.1',
  ])
  expect(new Set(rows.map(row => row.kernel).filter(name => !name.startsWith('tiny-'))).size).toBe(14)
})

test('an outcome that nobody classified is an error', () => {
  const [row] = rows
  if (row === undefined) throw new Error('no row')
  expect(() => endingOf({ ...row, outcome: 'stood still' })).toThrow('unknown outcome stood still')
})

test('every map is sorted, and giving the image back leaves a map of the same extent', () => {
  for (const row of rows) {
    const before = mapBeforeLoad(row)
    if (before === null) continue
    const taken = parseMap(row.trace.efi_map_at_stub_entry ?? '')
    const pages = (map: typeof before): number =>
      map.reduce((sum, entry) => sum + entry.range.end - entry.range.start, 0)
    expect(pages(before), row.id).toBe(pages(taken))
    before.reduce(
      (end, entry) => (expect(entry.range.start, row.id).toBeGreaterThanOrEqual(end), entry.range.end),
      0,
    )
  }
})

test('only boots that were stopped before the stub have no map', () => {
  const without = rows.filter(row => mapBeforeLoad(row) === null)
  expect(without.map(row => row.outcome)).toEqual(Array.from(without, () => 'firmware refuses to load'))
  expect(without).toHaveLength(12)
})

test('a map entry that cannot be read is an error', () => {
  expect(parseMap('7:1000+9f')).toEqual([{ type: 7, range: range(0x1000, 0xa0000), attribute: 0xfn }])
  expect(() => parseMap('7:1000-9f')).toThrow('not a map entry')
})

test('harmed are the boots that failed or got another initrd or command line than the image holds', () => {
  const harmed = rows.filter(isRecordedHarmed)
  const booted = harmed.filter(row => row.outcome.startsWith('booted')).map(row => row.id)
  expect(booted).toEqual([
    'a7-osrel-over-cmdline-partly/247.3/5.10',
    'c2-cmdline-in-data/257.13/6.12',
    'tiny/bss/initrd-right-behind',
  ])
  expect(harmed).toHaveLength(61)
})

test('damage is compared in units of 512 bytes, and a zero that became a zero is not seen', () => {
  expect(damageHull([{ from: 0, to: 0x43078 }])).toEqual({ from: 0, to: 0x43200 })
  expect(damageHull([])).toBeNull()
  const seen = [
    { from: 0, to: 0x600 },
    { from: 0x1000, to: 0x43200 },
  ]
  expect(covers([{ from: 0, to: 0x43078 }], seen)).toBe(true)
  expect(covers([{ from: 0, to: 0x42078 }], seen)).toBe(false)
})

test('a recorded boot in the words of a run', () => {
  const row = rows.find(one => one.id === 'good/247.3/5.10/512')
  if (row === undefined) throw new Error('no row')
  expect(factsOf(row)).toMatchObject({
    ending: 'arrived',
    imageBase: 0x186cd000,
    entryMethod: 'efi-handover',
    kernelImage: 0x1a6cd000,
    bootParams: 0x1dfbc000,
    cmdLinePtr: 0x9f000,
    compressedImage: 0x1600000,
    decompressedKernel: 0x1600000,
    initrdDamage: [],
  })
})
