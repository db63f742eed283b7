import { describe, expect, test } from 'vitest'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { bytesSource, sparseSource } from '../../../src/bytes/source.ts'
import { PAGE, phys } from '../../../src/bytes/units.ts'
import { boot_params, setupHeaderAt } from '../../../src/image/x86/boot-params.ts'
import { trampolinePlace, type Entry } from '../../../src/kernel/x86/steps/five-level.ts'
import { R } from '../../support/decompressor-runs.ts'
import {
  bench,
  clausesOf,
  eventsOf,
  free,
  handover,
  kernelOf,
  legacy,
  SMALL_MAP,
  start,
  type Bench,
  type HandoverOptions,
  type Kernel,
} from '../../support/kernel-bench.ts'
import { E2, E5, F, FACTS_2 } from '../../support/kernels.ts'

const FOUR_LEVELS = 'five-level paging is off on both sides of the trampoline'
/** The same kernel, built for five levels. */
const FIVE = withFlags(E2, 0x7f)
/** Right below 0x9f000, which is the highest start of the BIOS area that the kernel believes. */
const TRAMPOLINE = rangeAt(0x9f000 - 2 * PAGE, 2 * PAGE)
const NO_BIOS = { ebda: 0, lowMemory: 0 }

function withFlags({ source }: Kernel, xloadflags: number): Kernel {
  return kernelOf(
    sparseSource(source.size, [
      { at: 0, source },
      { at: setupHeaderAt('xloadflags'), source: bytesSource(Uint8Array.of(xloadflags, 0)) },
    ]),
  )
}

function handed(options: Partial<HandoverOptions> = {}, on: Bench = bench(), era = 'linux/E2'): Bench {
  expect(start(on, era, handover(on, { kernel: E2, image: F, ...options })).kind).toBe('arrived')
  return on
}

const ram = (start: number, end: number): Entry => ({ start, length: end - start, ram: true })
const reserved = (start: number, end: number): Entry => ({ start, length: end - start, ram: false })
const HIGH = 2 ** 46
const output = (la57: boolean, kernel: Kernel, commandLine = 'quiet'): number => {
  const on = bench({ la57, kaslr: 'seed:100000', map: [...SMALL_MAP, free(HIGH, 2 ** 40)] })
  handed({ kernel, commandLine }, on)
  return Number(on.notes.facts.decompressedKernel)
}
const { hdr, geometry } = FACTS_2
const top = rangeAt(R + hdr.init_size - PAGE, PAGE)

test('ZO-5 low memory is as it was', () => {
  const on = bench()
  const from = handover(on, { kernel: E2, image: F, commandLineAt: 0x9e000 })
  expect(start(on, 'linux/E2', from).kind).toBe('arrived')
  expect(on.memory.readAs(rangeAt(0x9e000, 12), 'cmdline').whole).toBe(true)
  expect(on.notes.doubts).toEqual([])
})

test('ZO-5 the trampoline is written and removed before the move, saved in .bss of the copy', () => {
  const on = handed({ commandLineAt: 0x9e000 })
  const [made] = eventsOf(on, 'ZO-5', 'make')
  const [save, restore] = eventsOf(on, 'ZO-5', 'copy')
  const bss = range(R + geometry._bss, R + geometry._ebss)
  expect(made).toMatchObject({ range: TRAMPOLINE, object: 'trampoline' })
  expect(save).toMatchObject({ from: TRAMPOLINE, range: rangeAt(bss.end - 2 * PAGE, 2 * PAGE) })
  expect(restore).toMatchObject({ from: rangeAt(bss.end - 2 * PAGE, 2 * PAGE), range: TRAMPOLINE })
  expect(restore?.id).toBeLessThan(eventsOf(on, 'ZO-6', 'copy')[0]?.id ?? 0)
  expect(on.memory.readAs(rangeAt(0x9e000, 12), 'cmdline').whole).toBe(true)
})

test('ZO-5 what lies in .bss of a copy that the loader made may be what is overwritten', () => {
  const on = bench()
  const at = 0x2000000
  const from = legacy(on, { kernel: E2, at })
  on.memory.make(range(at + geometry._bss, at + geometry._ebss), 'initrd#2')
  start(on, 'linux/E2', from)
  expect(on.notes.doubts.filter(({ clause }) => clause === 'ZO-5').map(({ why }) => why)).toEqual([
    'low memory is saved somewhere in .bss of the running copy, where initrd#2 lies',
  ])
})

test('ZO-5 where the .bss of the running copy is no RAM nobody knows what is put back', () => {
  const on = bench({ map: [...SMALL_MAP, free(0x40000000, geometry._bss)] })
  start(on, 'linux/E2', legacy(on, { kernel: E2, at: 0x40000000 }))
  expect(on.notes.doubts.map(({ why }) => why)).toContain(
    'the .bss in which low memory is saved is not entirely RAM',
  )
  expect(eventsOf(on, 'ZO-5', 'copy')).toEqual([])
})

test.each([
  ['right below 0x9f000 where RAM goes on', [ram(0, 0xa0000)], NO_BIOS, 0x9d000],
  ['right below the end of RAM', [ram(0x1000, 0x88000), ram(0x100000, 0x2000000)], NO_BIOS, 0x86000],
  ['below an end that is no multiple of a page', [ram(0, 0x9fc00)], NO_BIOS, 0x9d000],
  [
    'in the last entry with room',
    [ram(0x1000, 0x50000), ram(0x60000, 0x61000), reserved(0x61000, 0xa0000)],
    NO_BIOS,
    0x4e000,
  ],
  ['in an entry that is just large enough', [ram(0x60000, 0x62000)], NO_BIOS, 0x60000],
  ['where nothing is RAM, right below 0x9f000', [reserved(0, 0xa0000)], NO_BIOS, 0x9d000],
  [
    'after an entry of the first page, right below 0x9f000',
    [ram(0x10000, 0x50000), ram(0, 0x1000)],
    NO_BIOS,
    0x9d000,
  ],
  ['in the first two pages', [ram(0, 0x2000)], NO_BIOS, 0],
  ['below the extended data area', [ram(0, 0xa0000)], { ebda: 0x9a400, lowMemory: 0 }, 0x98000],
  [
    'below the least low memory that the kernel believes',
    [ram(0, 0xa0000)],
    { ebda: 0, lowMemory: 0x20000 },
    0x1e000,
  ],
  ['below the end of low memory', [ram(0, 0xa0000)], { ebda: 0, lowMemory: 0x7fc00 }, 0x7d000],
  [
    'as if a BIOS with too little low memory said nothing',
    [ram(0, 0xa0000)],
    { ebda: 0x20000, lowMemory: 0x1fc00 },
    0x9d000,
  ],
  [
    'as if a BIOS with too much low memory said nothing',
    [ram(0, 0xa0000)],
    { ebda: 0, lowMemory: 0x9fc00 },
    0x9d000,
  ],
] as const)('ZO-34 %s', (_, entries, bios, at) => {
  expect(trampolinePlace(entries, bios)).toEqual(rangeAt(at, 2 * PAGE))
})

test('ZO-34 the words of the BIOS count without an EFI signature only', () => {
  const low = (efi: boolean): number | undefined => {
    const on = bench({ map: [free(0, 0xa0000), ...SMALL_MAP.slice(1)] })
    const from = legacy(on, {
      kernel: E2,
      at: 0x2000000,
      bytes: efi
        ? Object.fromEntries(
            [...new TextEncoder().encode('EL64')].map((byte, i) => [
              boot_params.fields.efi_info[0] + i,
              byte,
            ]),
          )
        : {},
    })
    on.memory.patch(phys(0x40e), Uint8Array.of(0x00, 0x90), 'bios')
    on.memory.patch(phys(0x413), Uint8Array.of(0x7f, 0x02), 'bios')
    start(on, 'linux/E2', from)
    return eventsOf(on, 'ZO-5', 'make')[0]?.range.start
  }
  // The extended data area begins at segment 0x9000
  expect([low(false), low(true)]).toEqual([0x90000 - 2 * PAGE, TRAMPOLINE.start])
})

test('ZO-34 a BIOS whose words are not known is taken to say nothing', () => {
  const on = bench()
  start(on, 'linux/E2', legacy(on, { kernel: E2, at: 0x2000000 }))
  expect(on.notes.assumptions.filter(({ clause }) => clause === 'ZO-34')).toHaveLength(1)
  expect(eventsOf(on, 'ZO-5', 'make')).toMatchObject([{ range: TRAMPOLINE }])
})

test('ZO-34 a place that is no RAM is not refused, and nobody knows what happens', () => {
  const on = handed({}, bench({ map: SMALL_MAP.slice(1) }))
  expect(on.notes.doubts).toEqual([
    { clause: 'ZO-34', why: 'the trampoline goes to 0x9d000-0x9f000, which is not entirely RAM' },
  ])
  expect(eventsOf(on, 'ZO-5', 'make')).toEqual([])
})

describe('ZO-35', () => {
  const run = (era: string, la57: boolean, kernel = E5): Bench => {
    const on = bench({ la57 })
    expect(start(on, era, legacy(on, { kernel, at: 0x2000000, commandLine: 'quiet nokaslr' })).kind).toBe(
      'arrived',
    )
    return on
  }

  test('ZO-35 low memory is left alone unless the number of levels changes', () => {
    expect(eventsOf(run('linux/E5', false), 'ZO-5', 'make')).toEqual([])
    expect(clausesOf(run('linux/E5', false))).toContain('ZO-35')
    expect(eventsOf(run('linux/E5', true, E5), 'ZO-5', 'make')).toMatchObject([{ range: TRAMPOLINE }])
  })

  test('ZO-35 before, it was borrowed every time', () => {
    expect(eventsOf(run('linux/E2g', false, E2), 'ZO-5', 'make')).toMatchObject([{ range: TRAMPOLINE }])
    expect(eventsOf(run('linux/E3a', false), 'ZO-5', 'make')).toEqual([])
  })
})

test('ZO-36 memory from 2^46 on takes the kernel with five levels only', () => {
  expect(output(true, FIVE)).toBeGreaterThanOrEqual(HIGH)
  expect(output(false, FIVE)).toBeLessThan(HIGH)
  expect(output(true, E2)).toBeLessThan(HIGH)
  expect(output(true, FIVE, 'quiet no5lvl')).toBeLessThan(HIGH)
})

test('ZO-37 the top-level table goes to the end of the window, before the move', () => {
  const on = handed({ kernel: FIVE }, bench({ la57: true }))
  const setup = FIVE.image.setupSize
  expect(eventsOf(on, 'ZO-37', 'make')).toMatchObject([
    { range: top, object: 'kernel', at: setup + geometry._end - PAGE },
  ])
  expect(on.notes.assumptions.map(({ what }) => what)).toContain(
    'the firmware or the loader runs with four levels of page tables',
  )
  expect(on.notes.assumptions.map(({ what }) => what)).not.toContain(FOUR_LEVELS)
})

test.each([
  ['without LA57', FIVE, false, 'quiet nokaslr'],
  ['with no5lvl', FIVE, true, 'nokaslr no5lvl'],
  ['in a kernel built for four', E2, true, 'quiet nokaslr'],
] as const)('ZO-37 nothing changes %s', (_, kernel, la57, commandLine) => {
  const on = handed({ kernel, commandLine }, bench({ la57 }))
  expect(eventsOf(on, 'ZO-37', 'make')).toEqual([])
  expect(eventsOf(on, 'ZO-5', 'make')).toMatchObject([{ range: TRAMPOLINE }])
  expect(on.notes.assumptions.map(({ what }) => what).includes(FOUR_LEVELS)).toBe(!la57)
})

test('ZO-5 that the decompressor may change levels is a step of the EFI stub where there is LA57', () => {
  const changes = (la57: boolean): boolean =>
    handed({}, bench({ la57 })).recorder.steps.some(
      ({ what }) => what === 'the decompressor changes the number of paging levels',
    )
  expect([changes(true), changes(false)]).toEqual([true, false])
})

test('ZO-37 no5lvl is a word', () => {
  const on = handed({ kernel: FIVE, commandLine: 'nokaslr no5lvl=1' }, bench({ la57: true }))
  expect(eventsOf(on, 'ZO-37', 'make')).toHaveLength(1)
})
