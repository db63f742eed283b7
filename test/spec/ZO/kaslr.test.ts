import { describe, expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { alignUp } from '../../../src/bytes/units.ts'
import { freeRegions, kaslrAreas } from '../../../src/kernel/x86/steps/kaslr.ts'
import { memoryOptions, memparse } from '../../../src/kernel/x86/steps/memory-options.ts'
import { enteredLegacy, WIDE } from '../../support/decompressor-runs.ts'
import { bench, eventsOf, type LegacyOptions } from '../../support/kernel-bench.ts'
import { row } from '../../support/descriptors.ts'
import { FACTS_5, LPA } from '../../support/kernels.ts'

/** What E5 takes: its decompressed length, up to a multiple of 2 MiB. */
const TAKES = alignUp(FACTS_5.output_len, 0x200000)

describe('ZO-23', () => {
  const kernel = 'debian-6.12.107-cloud'
  const run = (
    kaslr: 'all' | 'command-line' | `seed:${number}`,
    left: { at: number; size: number } | null,
    options: Partial<LegacyOptions> = {},
  ) => {
    const on = bench({ map: WIDE, kaslr })
    if (left !== null) on.memory.make(rangeAt(left.at, left.size), 'x-loader:log')
    return enteredLegacy(kernel, 'linux/E5', 0x100000, { commandLine: 'quiet', ...options }, on).on
  }

  test('ZO-23 what a loader left in RAM is named with the first slot that would hit it', () => {
    const on = run('all', { at: 0x20000000, size: 0x1000 })
    // The slot of 2 MiB whose kernel reaches the log with its last 2 MiB
    const first = 0x20000000 + 0x200000 - TAKES
    expect(on.notes.doubts.filter(doubt => doubt.clause === 'ZO-23')).toEqual([
      {
        clause: 'ZO-23',
        why: `the slot at 0x${first.toString(16)} would put the kernel over x-loader:log at 0x20000000`,
      },
    ])
    expect(
      run('command-line', { at: 0x20000000, size: 0x1000 }).notes.doubts.map(doubt => doubt.clause),
    ).toContain('ZO-23')
  })

  test('ZO-23 where nothing was left, or only what is avoided, all slots are free', () => {
    for (const initrd of [null, { at: 0x20000000, size: 0x100000 }]) {
      const on = run('all', null, { initrd })
      expect(on.notes.doubts.filter(doubt => doubt.clause === 'ZO-23')).toEqual([])
      expect(on.notes.assumptions.find(assumption => assumption.clause === 'ZO-23')?.what).toMatch(
        /^none of \d+ slots in \d runs contains/,
      )
    }
  })

  test('ZO-9 the output takes whole 2 MiB: a run that holds its bytes and no more is none', () => {
    const at = (length: number): unknown =>
      run('seed:0', null, { ram: [rangeAt(0x30000000, length)] }).notes.facts.decompressedKernel
    expect(FACTS_5.output_len).toBeLessThan(TAKES)
    expect(at(TAKES)).toBe(0x30000000)
    expect(at(TAKES - 0x1000)).not.toBe(0x30000000)
  })

  test('ZO-9 slots begin where the window does, but at 512 MiB at the latest', () => {
    const at = (start: number): unknown => {
      const on = bench({ map: WIDE, kaslr: 'seed:0' })
      const ram = [rangeAt(start, TAKES)]
      return enteredLegacy(kernel, 'linux/E5', 0x38000000, { commandLine: 'quiet', ram }, on).on.notes.facts
        .decompressedKernel
    }
    expect(at(0x20000000)).toBe(0x20000000)
    expect(at(0x18000000)).not.toBe(0x18000000)
  })

  test('ZO-23 a number chooses its slot, modulo their count', () => {
    const at = (kaslr: `seed:${number}`): unknown =>
      run(kaslr, null, { ram: [rangeAt(0x30000000, TAKES + 2 * 0x200000)] }).notes.facts.decompressedKernel
    expect((['seed:0', 'seed:1', 'seed:2', 'seed:3'] as const).map(at)).toEqual([
      // three slots
      0x30000000, 0x30200000, 0x30400000, 0x30000000,
    ])
  })
})

describe('ZO-24', () => {
  const M = 0x100000
  test('ZO-24 sizes are read as memparse reads them', () => {
    expect(['512M', '0x10', '1g', '3Kx', 'x', '010', '08', '0'].map(memparse)).toEqual([
      { value: 512 * M, rest: '' },
      { value: 16, rest: '' },
      { value: 1024 * M, rest: '' },
      { value: 3072, rest: 'x' },
      null,
      { value: 8, rest: '' },
      { value: 0, rest: '8' },
      { value: 0, rest: '' },
    ])
  })

  const none = { limit: 2 ** 52, avoid: [], tooMany: false, gigantic: 0 }
  test('ZO-24 mem= and memmap=nn lower the end, regions are kept free', () => {
    expect(memoryOptions('quiet mem=1G memmap=512M')).toEqual({ ...none, limit: 512 * M })
    expect(memoryOptions('memmap=1M$16M,1M#32M memmap=2M!64M memmap=1M@96M')).toEqual({
      ...none,
      avoid: [rangeAt(16 * M, M), rangeAt(32 * M, M), rangeAt(64 * M, 2 * M)],
    })
    expect(memoryOptions('memmap="1M$16M" mem=nopentium')).toEqual({ ...none, avoid: [rangeAt(16 * M, M)] })
    expect(memoryOptions('memmap=1$16M')).toEqual({ ...none, avoid: [rangeAt(16 * M, 1)] })
    expect(memoryOptions('memmap=0$16M')).toEqual(none)
  })

  test('ZO-24 a region from 0 on is a limit; mem=0 and -- end the reading, exactmap its list', () => {
    expect(memoryOptions('memmap=64M$0')).toEqual({ ...none, limit: 64 * M })
    expect(memoryOptions('mem=0 mem=1G')).toEqual(none)
    expect(memoryOptions('-- mem=1G')).toEqual(none)
    expect(memoryOptions('memmap=exactmap,1M$16M memmap=1M$32M')).toEqual({
      ...none,
      avoid: [rangeAt(32 * M, M)],
    })
  })

  test('ZO-24 five regions in one memmap= are too many; a fifth in its own memmap= is not seen', () => {
    expect(memoryOptions('memmap=1M$16M,1M$32M,1M$64M,1M$96M,1M$128M').tooMany).toBe(true)
    const four = 'memmap=1M$16M memmap=1M$32M memmap=1M$64M memmap=1M$96M'
    expect(memoryOptions(four)).toMatchObject({ tooMany: false, avoid: { length: 4 } })
    expect(memoryOptions(`${four} memmap=1M$128M memmap=512M`)).toEqual({
      ...none,
      avoid: [16, 32, 64, 96].map(at => rangeAt(at * M, M)),
    })
  })

  test('ZO-24 gigantic pages count with hugepagesz=1G in front only', () => {
    expect(memoryOptions('hugepages=7').gigantic).toBe(0)
    expect(memoryOptions('hugepagesz=1G hugepages=2').gigantic).toBe(2)
    expect(memoryOptions('hugepagesz=1G hugepages=0x2K').gigantic).toBe(2)
    expect(memoryOptions('hugepagesz=1G hugepagesz=2M hugepages=2').gigantic).toBe(0)
  })

  test('ZO-24 regions end at the limit and leave out gigantic pages of what is not avoided', () => {
    const sought = { size: 4 * M, align: 2 * M, minimum: 32 * M }
    const regions = [rangeAt(16 * M, 4096 * M), rangeAt(8192 * M, 512 * M)]
    expect(kaslrAreas(regions, [], sought, { limit: 64 * M, gigantic: 0 })).toEqual([
      { first: 32 * M, count: 15 },
    ])
    const slots = (from: number, to: number) => ({ first: from * M, count: 1 + (to - from - 4) / 2 })
    expect(kaslrAreas(regions, [], sought, { limit: 2 ** 52, gigantic: 2 })).toEqual([
      slots(32, 1024),
      slots(3072, 4112),
      slots(8192, 8704),
    ])
    expect(kaslrAreas(regions, [rangeAt(1025 * M, M)], sought, { limit: 2 ** 52, gigantic: 2 })).toEqual([
      slots(32, 1024),
      slots(1026, 2048),
      slots(4096, 4112),
      slots(8192, 8704),
    ])
  })

  test('ZO-24 efi_fake_mem= is a doubt', () => {
    expect(
      enteredLegacy(
        'debian-6.12.107-cloud',
        'linux/E5',
        0x100000,
        { commandLine: 'efi_fake_mem=1G@4G:0x40000' },
        bench({ map: WIDE, kaslr: 'seed:0' }),
      ).on.notes.doubts.map(doubt => doubt.clause),
    ).toContain('ZO-24')
  })

  test('ZO-24 a run obeys them', () => {
    const at = (commandLine: string): unknown =>
      eventsOf(
        enteredLegacy(
          'debian-6.12.107-cloud',
          'linux/E5',
          0x100000,
          { commandLine, ram: [rangeAt(0x20000000, 0x10000000)] },
          bench({ map: WIDE, kaslr: 'seed:0' }),
        ).on,
        'ZO-12',
        'make',
      )[0]?.range.start
    expect(at('quiet')).toBe(0x20000000)
    expect(at('memmap=1M$512M')).toBe(0x20000000 + 0x200000)
    // No slot is left
    expect(at('mem=256M')).toBe(LPA)
    expect(at('memmap=1M$1M,1M$2M,1M$3M,1M$4M,1M$5M')).toBe(LPA)
  })
})

test('ZO-9 unaccepted memory is free where the release takes it, other memory never is', () => {
  const map = [row(7, 0, 0x1000), row(15, 0x1000, 0x2000), row(4, 0x2000, 0x3000), row(0, 0x3000, 0x4000)]
  expect(freeRegions(map)).toEqual([rangeAt(0, 0x1000)])
  expect(freeRegions(map, true)).toEqual([rangeAt(0, 0x1000), rangeAt(0x1000, 0x1000)])
})
