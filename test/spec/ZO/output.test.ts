import { describe, expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import type { KernelFile } from '../../../src/kernel/x86/file.ts'
import { startKernel } from '../../../src/kernel/x86/model.ts'
import { kaslrAreas } from '../../../src/kernel/x86/steps/kaslr.ts'
import { Stop, type Outcome } from '../../../src/machine/machine.ts'
import { fileOf, handed, R, WIDE, X } from '../../support/decompressor-runs.ts'
import {
  bench,
  eraNamed,
  eventsOf,
  free,
  kernelNamed,
  legacy,
  SMALL_MAP,
  type Bench,
} from '../../support/kernel-bench.ts'
import { E2, F, FACTS_2, INITRD, LPA } from '../../support/kernels.ts'

/** A kernel whose file says something else, at the 64-bit entry. */
function startedWith(name: string, era: string, at: number, other: Partial<KernelFile>, on: Bench): Outcome {
  const from = legacy(on, {
    kernel: kernelNamed(name),
    at,
    bootParams: 0x90000,
    commandLineAt: 0x92000,
    commandLine: 'quiet',
  })
  try {
    return {
      kind: 'arrived',
      at: startKernel(eraNamed(era), on.machine, from, { ...fileOf(name), ...other }),
    }
  } catch (stop) {
    if (stop instanceof Stop) return stop.outcome
    throw stop
  }
}

describe('ZO-9', () => {
  const M = 0x100000
  const place = (commandLine: string | null, map = SMALL_MAP): unknown =>
    handed({ commandLine }, bench({ kaslr: 'command-line', map })).on.notes.facts.decompressedKernel

  test('ZO-9 with nokaslr, or without a command line, the output address is R', () => {
    expect(place('nokaslr')).toBe(R)
    expect(place(null)).toBe(R)
    expect(place('quiet')).toBeUndefined()
    expect(place('a="b nokaslr c"')).toBe(R)
    expect(place('nokaslr=1')).toBeUndefined()
  })

  test('ZO-9 when nothing else fits it is R as well', () => {
    const map = [free(0x1600000, 0x2e00000), ...SMALL_MAP.slice(3, 4), ...SMALL_MAP.slice(5)]
    expect(place('quiet', map)).toBe(R)
  })

  test('ZO-9 the window is written whatever place is chosen', () => {
    const { on } = handed({ commandLine: 'quiet' }, bench({ kaslr: 'command-line' }))
    expect(eventsOf(on, 'ZO-6', 'copy')).toMatchObject([{ range: { start: X } }])
    expect(eventsOf(on, 'ZO-12', 'make')[0]?.range.start).not.toBe(R)
  })

  test('ZO-9 candidates keep off what must be avoided', () => {
    const regions = [rangeAt(16 * M, 16 * M), rangeAt(64 * M, 3 * M)]
    const sought = { size: 4 * M, align: 2 * M, minimum: 16 * M }
    expect(kaslrAreas(regions, [], sought)).toEqual([{ first: 16 * M, count: 7 }])
    expect(kaslrAreas(regions, [rangeAt(17 * M, M)], sought)).toEqual([{ first: 18 * M, count: 6 }])
    expect(kaslrAreas(regions, [rangeAt(22 * M, M), rangeAt(20 * M, M)], sought)).toEqual([
      { first: 16 * M, count: 1 },
      { first: 24 * M, count: 3 },
    ])
    expect(kaslrAreas(regions, [], { ...sought, minimum: 30 * M })).toEqual([])
  })

  test('ZO-9 mirrored memory is preferred, memory set aside is not used', () => {
    const mirrored = SMALL_MAP.map(entry =>
      entry.range.start === 0x1c000000 ? { ...entry, attribute: 0x1000fn } : entry,
    )
    const reserved = SMALL_MAP.map(entry =>
      entry.range.start === 0x1500000 ? entry : { ...entry, attribute: 0x4000fn },
    )
    expect(place('quiet', mirrored)).toBe(R)
    expect(
      place('quiet', [...SMALL_MAP, { type: 6, range: rangeAt(0x1f000000, 0x1000), attribute: 0x1000fn }]),
    ).toBe(R)
    expect(place('quiet', reserved)).toBeUndefined()
  })
})

test("ZO-10 an output address that is no multiple of 2 MiB is refused in the decompressor's words", () => {
  const { outcome } = handed(
    { header: { kernel_alignment: 0x1000 } },
    bench({ map: [free(0x1501000, 0x10000000), ...SMALL_MAP.slice(3)] }),
  )
  expect(outcome).toMatchObject({
    kind: 'refused',
    refusal: {
      by: 'decompressor',
      clause: 'ZO-10',
      message: 'Destination physical address inappropriately aligned\n -- System halted',
    },
  })
})

test('ZO-12 the output is the decompressed length, from the output address on', () => {
  const { on } = handed()
  expect(eventsOf(on, 'ZO-12', 'make')).toMatchObject([
    { range: rangeAt(R, FACTS_2.output_len), object: 'vo' },
  ])
})

test('ZO-12 in place, an initrd inside the window is gone', () => {
  // So that startup_32 lies at a multiple of 2 MiB and the kernel may stay
  const image = F - E2.image.setupSize
  const { on, outcome } = handed(
    { image, initrd: { ...INITRD, at: image + 0xb94000 }, kernel: kernelNamed('derived-5.7-rc1') },
    bench(),
    'linux/E1',
  )
  expect(outcome.kind).toBe('arrived')
  expect(on.notes.facts).toMatchObject({
    compressedImage: F,
    decompressedKernel: F,
    initrdDamage: [{ from: 0, to: INITRD.size }],
  })
})

test('ZO-29 an SRAT is taken not to be there, unless acpi=off makes it so', () => {
  const said = (commandLine: string): boolean =>
    handed({ commandLine }, bench({ kaslr: 'command-line' })).on.notes.assumptions.some(
      assumption => assumption.clause === 'ZO-29',
    )
  expect([said('quiet'), said('acpi=off'), said('acpi=force'), said('nokaslr')]).toEqual([
    true,
    false,
    true,
    false,
  ])
})

test('ZO-29 no more than a hundred runs of slots are kept', () => {
  const M = 0x100000
  const regions = Array.from({ length: 120 }, (_, i) => rangeAt((16 + 8 * i) * M, 4 * M))
  expect(kaslrAreas(regions, [], { size: 4 * M, align: 2 * M, minimum: 16 * M })).toHaveLength(100)
})

test('ZO-30 the decompressor refuses a heap above 64 TiB and a kernel of more than 1 GiB', () => {
  const name = 'debian-5.10.223-cloud'
  const at = (high: number): Outcome =>
    startedWith(name, 'linux/E2', high, {}, bench({ map: [...WIDE, free(high, 0x8000000)] }))
  expect(at(2 ** 46)).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'ZO-30', message: 'Destination address too large\n -- System halted' },
  })
  expect(at(2 ** 46 - 0x8000000).kind).toBe('arrived')
  const length = (outputLength: number): Outcome =>
    startedWith(name, 'linux/E2', 0x100000, { outputLength }, bench({ map: WIDE }))
  expect(length(2 ** 30)).toMatchObject({
    kind: 'refused',
    refusal: {
      clause: 'ZO-30',
      message: 'Destination virtual address is beyond the kernel mapping area\n -- System halted',
    },
  })
})

describe('ZO-31', () => {
  const name = 'debian-6.12.107-cloud'
  const run = (
    at: number,
    kaslr: 'off' | 'command-line' = 'off',
  ): { readonly on: Bench; readonly outcome: Outcome } => {
    const on = bench({ map: WIDE, kaslr })
    return { on, outcome: startedWith(name, 'linux/E5', at, { relocatable: false }, on) }
  }
  test('ZO-31 it is extracted to LOAD_PHYSICAL_ADDR, with or without KASLR', () => {
    expect(fileOf(name).relocatable).toBe(true)
    expect(run(0x6000000).on.notes.facts.decompressedKernel).toBe(LPA)
    expect(run(0x6000000, 'command-line').on.notes.facts.decompressedKernel).toBe(LPA)
  })

  test('ZO-31 from a place a little above its destination it overwrites itself', () => {
    const { initSize, end } = fileOf(name)
    const moved = LPA + initSize - end
    expect(run(moved + 0x1000).outcome).toMatchObject({
      kind: 'undefined',
      why: 'the copy goes downwards and overwrites what it has not read yet',
    })
    expect(run(moved - 0x1000).outcome).toMatchObject({ at: { kernel: LPA } })
  })
})
