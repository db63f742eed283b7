import { describe, expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { handed } from '../../support/efi-stub-runs.ts'
import { bench, FIRST_SLOT, free, SMALL_MAP } from '../../support/kernel-bench.ts'
import { E5 } from '../../support/kernels.ts'

describe('EP-22', () => {
  const at = (era: string, commandLine: string, map = SMALL_MAP): unknown =>
    handed(era, E5, { commandLine }, bench({ kaslr: 'command-line', map })).on.notes.facts.decompressedKernel
  test('EP-22 with KASLR the place is not known, with nokaslr it is the first slot', () => {
    expect(at('linux/E5', 'quiet')).toBeUndefined()
    expect(at('linux/E5', 'quiet nokaslr')).toBe(FIRST_SLOT)
  })

  test.each(['mem=1G', 'memmap=1M$2M', 'hugepages=4'])(
    'EP-22 %s makes it the first slot from 6.1.93 on',
    option => {
      expect(at('linux/E5', option)).toBe(FIRST_SLOT)
      expect(at('linux/E4b', option)).toBe(FIRST_SLOT)
      for (const era of ['linux/E4', 'linux/E4g', 'linux/E4h', 'linux/E4i', 'linux/E5a', 'linux/E6'])
        expect([era, at(era, option)]).toEqual([era, FIRST_SLOT])
      for (const era of ['linux/E4a', 'linux/E4f', 'linux/E3c'])
        expect([era, at(era, option)]).toEqual([era, undefined])
    },
  )

  test('EP-22 so does efi_fake_mem= up to 6.10', () => {
    const option = 'efi_fake_mem=1G@4G:0x40000'
    for (const era of ['linux/E4b', 'linux/E4', 'linux/E4g', 'linux/E4h', 'linux/E4i'])
      expect([era, at(era, option)]).toEqual([era, FIRST_SLOT])
    for (const era of ['linux/E4a', 'linux/E4f', 'linux/E5a', 'linux/E5', 'linux/E6'])
      expect([era, at(era, option)]).toEqual([era, undefined])
  })

  test('EP-22 a single slot leaves nothing to chance', () => {
    const map = [free(FIRST_SLOT, 0x3800000), ...SMALL_MAP.slice(3, 4), ...SMALL_MAP.slice(5)]
    expect(at('linux/E5', 'quiet', map)).toBe(FIRST_SLOT)
  })
})

describe('EP-35', () => {
  /** The kernel takes 0x3800000, so the first run has three slots of 2 MiB and the second has two. */
  const map = [
    free(0x1600000, 0x3c00000),
    free(0x8000000, 0x3a00000),
    ...SMALL_MAP.slice(3, 4),
    ...SMALL_MAP.slice(5),
  ]
  test('EP-35 a seed chooses its share of the slots', () => {
    const at = (kaslr: `seed:${number}`): unknown =>
      handed('linux/E5', E5, { commandLine: 'quiet', initrd: null }, bench({ kaslr, map })).on.notes.facts
        .decompressedKernel
    expect((['seed:0', 'seed:1073741824', 'seed:2147483648', 'seed:4294967295'] as const).map(at)).toEqual([
      // slots 0, 1, 2 and 4 of five
      0x1600000, 0x1800000, 0x1a00000, 0x8200000,
    ])
  })

  test('EP-35 all slots are proven free', () => {
    const { on } = handed(
      'linux/E5',
      E5,
      { commandLine: 'quiet', initrd: null },
      bench({ kaslr: 'all', map }),
    )
    expect(on.notes.assumptions).toContainEqual({
      clause: 'EP-35',
      what: 'none of 5 slots in 2 runs contains anything that is needed later',
    })
    expect(on.notes.facts.decompressedKernel).toBeUndefined()
  })

  test('EP-35 something allocated inside a slot, against the map, would be named', () => {
    const on = bench({ kaslr: 'all', map })
    on.memory.claim(rangeAt(0x8100000, 0x1000), 'x-driver')
    on.memory.make(rangeAt(0x8100000, 0x1000), 'x-driver')
    handed('linux/E5', E5, { commandLine: 'quiet', initrd: null }, on)
    expect(on.notes.doubts).toEqual([
      { clause: 'EP-35', why: 'the slot at 0x8000000 would put the kernel over x-driver at 0x8100000' },
    ])
  })

  test('EP-35 something at the end of the last slot of a run is named with that slot', () => {
    const on = bench({ kaslr: 'all', map })
    on.memory.claim(rangeAt(0xb9ff000, 0x1000), 'x-driver')
    on.memory.make(rangeAt(0xb9ff000, 0x1000), 'x-driver')
    handed('linux/E5', E5, { commandLine: 'quiet', initrd: null }, on)
    expect(on.notes.doubts).toEqual([
      { clause: 'EP-35', why: 'the slot at 0x8200000 would put the kernel over x-driver at 0xb9ff000' },
    ])
  })
})
