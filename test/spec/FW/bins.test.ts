import { expect, test } from 'vitest'
import { range } from '../../../src/bytes/range.ts'
import { PAGE } from '../../../src/bytes/units.ts'
import { inferBins } from '../../../src/firmware/edk2/bins.ts'
import {
  binRangeOf,
  binsAtTop,
  binsInRange,
  firstDescriptor,
  placeBins,
  type HobList,
} from '../../../src/firmware/edk2/place-bins.ts'
import { edk2Behaviour } from '../../../src/firmware/edk2/behaviour.ts'
import { allocatorNamed } from '../../../src/firmware/firmwares.ts'
import { lowRam, profileMap, PROFILES } from '../../../src/firmware/profiles.ts'
import { recorded } from '../../support/allocator-runs.ts'
import { MIB } from '../../support/bytes.ts'
import { descriptor, edk2Pages } from '../../unit/firmware/small-machine.ts'

const ROW = edk2Behaviour('2022.11')

/** OVMF's list, in its order. */
const OVMF = [
  { type: 10, pages: 0x80 },
  { type: 9, pages: 0x12 },
  { type: 0, pages: 0x80 },
  { type: 5, pages: 0x100 },
  { type: 6, pages: 0x100 },
]
const HOBS: HobList = {
  phit: { memoryTop: 60 * MIB, freeBottom: 50 * MIB, freeTop: 58 * MIB, hobStart: 49 * MIB },
  resources: [{ range: range(MIB, 64 * MIB) }, { range: range(128 * MIB, 192 * MIB) }],
  allocations: [range(61 * MIB, 61 * MIB + PAGE)],
  memoryTypeInformation: OVMF,
}

test("FW-9 ends the default range below OVMF's bins, also with RAM above 4 GiB", () => {
  for (const id of ['good/247.3/5.10/512', 'ram/247.3/5.10/4096']) {
    const { row, map } = recorded(id)
    const top = lowRam('q35', row.ram_mib * MIB)
    expect(inferBins(map)).toEqual({
      bins: [
        { type: 6, base: top - 0xb14000, max: top - 0xa14001 },
        { type: 5, base: top - 0xa14000, max: top - 0x914001 },
        { type: 0, base: top - 0x914000, max: top - 0x894001 },
        { type: 9, base: top - 0x894000, max: top - 0x882001 },
        { type: 10, base: top - 0x882000, max: top - 0x802001 },
      ],
      defaultMax: top - 0xb14001,
      assumption: null,
    })
  }
})

test("FW-40 begins beside PEI's memory, in the largest free part that holds the bins", () => {
  expect(firstDescriptor({ ...HOBS, memoryTypeInformation: [{ type: 6, pages: 16 }] })).toEqual(
    range(61 * MIB + PAGE, 64 * MIB),
  )
  expect(firstDescriptor(HOBS)).toEqual(range(50 * MIB, 58 * MIB))
  // PEI's memory may end where the range does
  expect(firstDescriptor({ ...HOBS, phit: { ...HOBS.phit, memoryTop: 64 * MIB } })).toEqual(
    range(50 * MIB, 58 * MIB),
  )
  const little = { ...HOBS, phit: { ...HOBS.phit, freeTop: 51 * MIB } }
  expect(firstDescriptor(little)).toEqual(range(MIB, 49 * MIB))
  expect(firstDescriptor({ ...little, phit: { ...little.phit, hobStart: 2 * MIB } })).toEqual(
    range(128 * MIB, 192 * MIB),
  )
  expect(
    firstDescriptor({
      ...little,
      phit: { ...little.phit, hobStart: 2 * MIB },
      resources: HOBS.resources.slice(0, 1),
    }),
  ).toBeNull()
})

test('FW-41 places bins below one page, in the order of the list', () => {
  const { bins, defaultMax } = binsAtTop(OVMF, range(MIB, 32 * MIB), ROW)
  expect(bins.map(({ type, max }) => [type, (32 * MIB - max - 1) / PAGE])).toEqual([
    [10, 1],
    [9, 0x81],
    [0, 0x93],
    [5, 0x113],
    [6, 0x213],
  ])
  expect(defaultMax).toBe(32 * MIB - 0x313 * PAGE - 1)
  expect(binsAtTop(OVMF, range(MIB, 32 * MIB), edk2Behaviour('2026.08'))).toMatchObject({
    bins,
    defaultMax,
  })
  expect(binsAtTop(OVMF, range(MIB, 3 * MIB), ROW)).toMatchObject({ bins: [], placed: false })
  for (const profile of PROFILES) {
    const recorded = inferBins(profileMap(profile, 512 * MIB))
    const top = Math.max(...recorded.bins.map(bin => bin.max)) + 1 + PAGE
    const list = [...recorded.bins]
      .reverse()
      .map(({ type, base, max }) => ({ type, pages: (max + 1 - base) / PAGE }))
    expect(list.map(({ type }) => type)).toEqual(OVMF.map(({ type }) => type))
    const { bins: placed, defaultMax: below } = binsAtTop(
      list,
      range(MIB, top),
      allocatorNamed(profile.firmware).edk2 ?? ROW,
    )
    expect([[...placed].reverse(), below], profile.id).toEqual([recorded.bins, recorded.defaultMax])
  }
})

test('FW-42 takes the range of the one HOB that is large enough', () => {
  const bins = { range: range(200 * MIB, 204 * MIB), bins: true }
  const hobs = { ...HOBS, resources: [...HOBS.resources, bins] }
  expect(binRangeOf(hobs)).toEqual(bins.range)
  expect(binRangeOf({ ...hobs, resources: [...hobs.resources, bins] })).toBeNull()
  expect(binRangeOf({ ...hobs, resources: [{ range: range(200 * MIB, 201 * MIB), bins: true }] })).toBeNull()
  expect(binRangeOf({ ...HOBS, resources: [{ range: range(MIB, 64 * MIB), bins: true }] })).toBeNull()
  expect(placeBins(hobs, edk2Behaviour('2025.02'))).toEqual(binsInRange(OVMF, bins.range))
  expect(placeBins(hobs, edk2Behaviour('2025.02'))?.bins[0]).toEqual({
    type: 10,
    base: 204 * MIB - 0x80 * PAGE,
    max: 204 * MIB - 1,
  })
  expect(placeBins(hobs, ROW)?.bins[0]?.max).toBe(58 * MIB - PAGE - 1)
})

test('FW-52 counts pages in the bin and in the used part of the default range', () => {
  const allocator = edk2Pages([descriptor(7, 0x1000, 0x20000)], {
    bins: [{ type: 6, base: 0x10000, max: 0x13fff }],
    defaultMax: 0xffff,
  })
  allocator.allocate({ kind: 'any' }, 6, 3)
  allocator.allocate({ kind: 'any' }, 6, 2)
  allocator.allocate({ kind: 'address', at: 0x18000 }, 6, 1)
  expect(allocator.accounts.peaks([6, 4])).toEqual([
    { type: 6, pages: 5 },
    { type: 4, pages: 0 },
  ])
  expect(allocator.free(0x11000, 3).status).toBe('EFI_SUCCESS')
  allocator.allocate({ kind: 'any' }, 6, 3)
  expect(allocator.accounts.peaks([6])).toEqual([{ type: 6, pages: 5 }])
  allocator.allocate({ kind: 'any' }, 6, 1)
  expect(allocator.accounts.peaks([6])).toEqual([{ type: 6, pages: 6 }])
})
