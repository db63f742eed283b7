import { describe, expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { randomAllocSlots } from '../../../src/kernel/x86/steps/decompress.ts'
import { handed } from '../../support/efi-stub-runs.ts'
import {
  bench,
  clausesOf,
  descriptor,
  eventsOf,
  FIRST_SLOT,
  free,
  kernelNamed,
  peEntry,
  SMALL_MAP,
  start,
} from '../../support/kernel-bench.ts'
import { E4, E5, F } from '../../support/kernels.ts'

/** What EP-52 says when this kernel is entered with that command line. */
function said(
  era: string,
  commandLine: string,
  kaslr: 'command-line' | 'off' | 'seed:0' = 'command-line',
): string[] {
  const on = bench({ kaslr })
  start(on, `linux/${era}`, peEntry(on, { kernel: E5, image: F, commandLine }))
  return on.notes.doubts.filter(({ clause }) => clause === 'EP-52').map(({ why }) => why)
}

test.each([
  ['debian-6.1.170', 0x4000000],
  ['debian-6.1.170-cloud', 0x3400000],
  ['debian-6.12.107', 0x3800000],
  ['debian-6.12.107-cloud', 0x3800000],
  ['debian-7.2.13', 0x3c00000],
  ['debian-7.2.13-cloud', 0x3c00000],
  ['debian-7.3-rc7', 0x3c00000],
])('EP-20 %s takes up(olen, 2 MiB) at the first slot', (name, size) => {
  const { on } = handed(name.startsWith('debian-7') ? 'linux/E6' : 'linux/E5', kernelNamed(name))
  expect(eventsOf(on, 'EP-20', 'claim')).toMatchObject([{ range: rangeAt(FIRST_SLOT, size), label: 'vo' }])
  expect(on.notes.facts.decompressedKernel).toBe(FIRST_SLOT)
})

test("EP-20 slots are in the map's order, aligned, not below the minimum, in free memory only", () => {
  const M = 0x100000
  const map = [
    free(40 * M, 8 * M),
    free(15 * M, 7 * M),
    descriptor(2, 24 * M, 8 * M),
    free(32 * M, M),
    descriptor(7, 64 * M, 8 * M, 0x40000n),
    descriptor(7, 80 * M, 8 * M, 0x100000n),
  ]
  expect(randomAllocSlots(map, 2 * M, 2 * M, 16 * M)).toEqual([
    { first: 40 * M, count: 4, lowest: 40 * M },
    { first: 16 * M, count: 3, lowest: 16 * M },
  ])
  expect(randomAllocSlots([...map, descriptor(7, 96 * M, 2 * M, 0x10000n)], 2 * M, 2 * M, 16 * M)).toEqual([
    { first: 96 * M, count: 1, lowest: 96 * M },
  ])
})

test('EP-21 without a slot 6.12 says no, with the words of the real one', () => {
  const map = [free(0x1500000, 0x2000000), ...SMALL_MAP.slice(3)]
  expect(handed('linux/E5', E5, {}, bench({ map })).outcome).toMatchObject({
    kind: 'refused',
    refusal: {
      status: 'EFI_OUT_OF_RESOURCES',
      clause: 'EP-21',
      message: 'Failed to decompress kernel\nefi_stub_entry() failed!',
    },
  })
})

test('EP-25 6.1.y without a slot is lost instead of refused', () => {
  const map = [free(0x1500000, 0x2000000), ...SMALL_MAP.slice(3)]
  const { on, outcome } = handed('linux/E4', E4, {}, bench({ map }))
  expect(outcome).toMatchObject({
    kind: 'undefined',
    why: 'the kernel is decompressed to an address that was never set',
  })
  expect(clausesOf(on)).toContain('EP-25')
})

describe('EP-32, EP-33', () => {
  const at = (era: string, map: Parameters<typeof bench>[0]): unknown =>
    handed(era, E5, {}, bench(map)).on.notes.facts.decompressedKernel
  // Free memory that begins below LOAD_PHYSICAL_ADDR and ends above it; and memory with room below it alone
  const straddles = { map: [free(0x600000, 0x9000000), ...SMALL_MAP.slice(3)] }
  const low = {
    map: [
      free(0x100000, 0x3b00000),
      descriptor(4, 0x3c00000, 0x400000),
      free(0x4000000, 0x8000000),
      ...SMALL_MAP.slice(3),
    ],
  }

  test('EP-32 6.6.16 and 6.7.4 go to the first free descriptor with room, however low', () => {
    for (const era of ['linux/E3a', 'linux/E4c'])
      expect([era, at(era, straddles), at(era, low)]).toEqual([era, 0x600000, 0x200000])
  })

  test('EP-32 free memory from address 0 on has its first slot there', () => {
    const map = [free(0, 0x8000000), ...SMALL_MAP.slice(3)]
    expect(at('linux/E3a', { map })).toBe(0)
    // And the last one at the end of that memory
    const on = bench({ map, kaslr: 'seed:4294967295' })
    handed('linux/E3a', E5, { commandLine: 'quiet', initrd: null }, on)
    expect(on.notes.facts.decompressedKernel).toBe(0x8000000 - 0x3800000)
  })

  test('EP-33 6.8 counts from LOAD_PHYSICAL_ADDR and goes below it all the same', () => {
    for (const era of ['linux/E3', 'linux/E3b', 'linux/E3d', 'linux/E4e', 'linux/E4d'])
      expect([era, at(era, straddles), at(era, low)]).toEqual([era, 0x600000, 0x4000000])
  })

  test('EP-33 from 6.9 on the limit is kept', () => {
    for (const era of [
      'linux/E3c',
      'linux/E4a',
      'linux/E4f',
      'linux/E4g',
      'linux/E4h',
      'linux/E4i',
      'linux/E5a',
      'linux/E5',
      'linux/E6',
    ])
      expect([era, at(era, straddles), at(era, low)]).toEqual([era, 0x1000000, 0x4000000])
  })
})

test('EP-39 memory that may be unplugged has no slots, and where there is some that is said', () => {
  const map = SMALL_MAP.map(entry =>
    entry.range.start === 0x1500000 ? { ...entry, attribute: 0x10000fn } : entry,
  )
  const { on, outcome } = handed('linux/E5', E5, { initrd: null }, bench({ map }))
  expect(outcome).toMatchObject({ kind: 'refused', refusal: { clause: 'EP-21' } })
  expect(on.notes.assumptions.map(assumption => assumption.clause)).toContain('EP-39')
  expect(clausesOf(handed('linux/E5', E5).on)).not.toContain('EP-39')
})

test('EP-52 a region of memmap= that slots reach is named, in releases that ignore memmap=', () => {
  const region = 'memmap=16M!256M'
  expect(said('E4a', region)).toEqual([
    'the kernel may be placed in 0x10000000-0x11000000, which memmap= reserves, and overwrite it',
  ])
  expect(said('E3c', `${region},1M$320M`)).toHaveLength(2)
  expect(said('E4b', region)).toEqual([])
  expect(said('E5', region)).toEqual([])
})

test('EP-52 it is not named where no slot reaches it, or the slot that is taken does not', () => {
  expect(said('E4a', 'memmap=16M!8G')).toEqual([])
  expect(said('E4a', 'memmap=16M!256M nokaslr')).toEqual([])
  expect(said('E4a', 'memmap=16M!256M', 'off')).toEqual([])
  expect(said('E4a', 'memmap=16M!256M', 'seed:0')).toEqual([])
})

test('EP-52 the first slot may be in such a region, too', () => {
  expect(said('E5', 'memmap=16M!24M nokaslr')).toHaveLength(1)
})
