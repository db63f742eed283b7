import { expect, test } from 'vitest'
import { MapView } from '../../../src/firmware/edk2/shown-map.ts'
import { inferBins, OVMF_BINS } from '../../../src/firmware/edk2/bins.ts'
import { PAGE } from '../../../src/bytes/units.ts'
import type { MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { descriptor } from './small-machine.ts'
import { GIB } from '../../support/bytes.ts'
import { highestOutside, piecesAt } from '../../../src/firmware/bin-edges.ts'
import { BinAccounts } from '../../../src/firmware/edk2/bin-accounts.ts'

/** The five bins one after the other from `start`, with this many pages each. */
function bins(start: number, pages: readonly number[] = OVMF_BINS.map(bin => bin.pages)): MemoryDescriptor[] {
  let next = start
  return OVMF_BINS.map(({ type }, i) => {
    const from = next
    next += (pages[i] ?? 0) * PAGE
    return descriptor(type, from, next)
  })
}

const below = descriptor(7, 0x100000, 0x1000000)

test('five bins of the least size are recognised, larger ones too', () => {
  expect(inferBins([below, ...bins(0x1000000)])).toMatchObject({ defaultMax: 0xffffff, assumption: null })
  const grown = inferBins([below, ...bins(0x1000000, [0x200, 0x100, 0x90, 0x12, 0x80])])
  expect(grown.bins[0]).toEqual({ type: 6, base: 0x1000000, max: 0x11fffff })
  expect(grown.assumption).toBeNull()
})

test('bins that are too small, apart or in another order are not', () => {
  for (let i = 0; i < OVMF_BINS.length; i++) {
    const sizes = OVMF_BINS.map((bin, at) => bin.pages - (at === i ? 1 : 0))
    expect(inferBins([below, ...bins(0x1000000, sizes)]).assumption).not.toBeNull()
  }
  const apart = bins(0x1000000).map((one, i) =>
    i < 3 ? one : descriptor(one.type, one.range.start + PAGE, one.range.end + PAGE),
  )
  expect(inferBins([below, ...apart]).assumption).not.toBeNull()
  const swapped = bins(0x1000000).map((one, i, all) => ({
    ...one,
    type: (all[i < 2 ? 1 - i : i] ?? one).type,
  }))
  expect(inferBins([below, ...swapped]).assumption).not.toBeNull()
})

test('the highest set of bins below 4 GiB counts', () => {
  expect(inferBins([below, ...bins(0x1000000), ...bins(0x8000000)]).defaultMax).toBe(0x7ffffff)
  expect(inferBins([below, ...bins(0x1000000), ...bins(5 * GIB)]).defaultMax).toBe(0xffffff)
})

test('without bins the default range ends at the highest RAM below 4 GiB, and that is said', () => {
  const search = inferBins([
    below,
    descriptor(4, 0x2000000, 0x3000000),
    descriptor(7, 4 * GIB, 5 * GIB),
    descriptor(11, 0xf0000000, 0xf0001000),
  ])
  expect(search).toMatchObject({ bins: [], defaultMax: 0x2ffffff })
  expect(search.assumption).toContain('0x2ffffff')
  expect(inferBins([descriptor(7, 3 * GIB, 4 * GIB)]).defaultMax).toBe(4 * GIB - 1)
  expect(inferBins([descriptor(7, 4 * GIB, 5 * GIB)]).defaultMax).toBe(0)
})

test('FW-34 a free descriptor is cut at every edge inside it, from the first to the last', () => {
  const cut = (edges: readonly number[]) =>
    piecesAt(descriptor(7, 0x1000, 0x9000), edges).map(({ range: { start, end } }) => [start, end])
  expect(cut([0x1000, 0x2000, 0x4000, 0x7000, 0x9000])).toEqual([
    [0x1000, 0x2000],
    [0x2000, 0x4000],
    [0x4000, 0x7000],
    [0x7000, 0x9000],
  ])
  expect(cut([0x1000, 0x9000])).toEqual([[0x1000, 0x9000]])
})

test('FW-51 pages that are exactly what a bin leaves fit, one more does not', () => {
  const bins = [{ type: 6, base: 0x4000, max: 0x5fff }]
  const map = [descriptor(7, 0x1000, 0x6000)]
  expect(highestOutside(map, 0xffff, 3, bins)).toBe(0x1000)
  expect(highestOutside(map, 0xffff, 4, bins)).toBeNull()
})

test('FW-52 pages count from none, from address 0 on where there is no bin; a fork keeps the peaks', () => {
  const accounts = new BinAccounts({ bins: [{ type: 6, base: 0x4000, max: 0x5fff }], defaultMax: 0x3fff })
  accounts.converted(0x4000, 2, 7, 6)
  accounts.converted(0x4000, 2, 6, 7)
  accounts.converted(0x4000, 1, 7, 6)
  accounts.converted(0, 1, 7, 4)
  const twin = accounts.fork()
  expect(twin.peaks([6, 4, 2])).toEqual([
    { type: 6, pages: 2 },
    { type: 4, pages: 1 },
    { type: 2, pages: 0 },
  ])
  twin.converted(0x5000, 1, 7, 6)
  twin.converted(0x4000, 2, 6, 7)
  twin.converted(0x4000, 3, 7, 6)
  expect(twin.peaks([6])).toEqual([{ type: 6, pages: 3 }])
  expect(accounts.peaks([6])).toEqual([{ type: 6, pages: 2 }])
})

test('FW-15 FW-34 the clause of a map says whether free pages are shown as those of a bin', () => {
  const shown = (cuts: boolean, start: number, end: number) =>
    new MapView([{ type: 6, base: 0x4000, max: 0x5fff }], cuts).show([descriptor(7, start, end)], []).clause
  expect([shown(false, 0x4000, 0x6000), shown(true, 0x4000, 0x6000)]).toEqual(['FW-15', 'FW-34'])
  expect([shown(false, 0x3000, 0x6000), shown(true, 0x3000, 0x6000)]).toEqual(['FW-14', 'FW-34'])
  expect([shown(false, 0x1000, 0x4000), shown(true, 0x1000, 0x4000)]).toEqual(['FW-14', 'FW-14'])
})
