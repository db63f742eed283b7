import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { KERNEL_FACTS } from '../../../src/image/x86/kernel-facts.ts'
import { enteredLegacy, LEGACY, VECTOR, WIDE } from '../../support/decompressor-runs.ts'
import { PAGE } from '../../../src/bytes/units.ts'
import { bench, clausesOf, eventsOf, free, kernelNamed, type Bench } from '../../support/kernel-bench.ts'
import { FACTS_2, FACTS_5, LPA } from '../../support/kernels.ts'

const NINE = [
  ['debian-5.10.223', 'linux/E2'],
  ['debian-5.10.223-cloud', 'linux/E2'],
  ['debian-6.1.170', 'linux/E4'],
  ['debian-6.1.170-cloud', 'linux/E4'],
  ['debian-6.12.107', 'linux/E5'],
  ['debian-6.12.107-cloud', 'linux/E5'],
  ['debian-7.2.13', 'linux/E6'],
  ['debian-7.2.13-cloud', 'linux/E6'],
  ['debian-7.3-rc7', 'linux/E6'],
] as const

test.each(NINE)(
  'ZO-20 %s from 0x100000 extracts itself to LOAD_PHYSICAL_ADDR through the window that its numbers give',
  (name, era) => {
    const { on, outcome } = enteredLegacy(name, era, 0x100000)
    const [, x = 0, bss = 0, ebss, pgtable, end = 0] = VECTOR.find(([kernel]) => kernel === name) ?? []
    const facts = KERNEL_FACTS[name]
    expect(outcome).toMatchObject({ kind: 'arrived', at: { kernel: LPA } })
    expect(eventsOf(on, 'ZO-6', 'copy')).toMatchObject([
      { from: rangeAt(0x100000, facts?.geometry._bss ?? 0), range: { start: x, end: bss } },
    ])
    expect(eventsOf(on, 'ZO-7', 'zero')).toMatchObject([{ range: { start: bss, end: ebss } }])
    expect(eventsOf(on, 'ZO-8', 'make')).toMatchObject([{ range: { start: pgtable, end: end - PAGE } }])
    expect(eventsOf(on, 'ZO-11', 'read')).toMatchObject([
      { range: rangeAt(x + (facts?.hdr.payload_offset ?? 0), facts?.hdr.payload_length ?? 0) },
    ])
    expect(eventsOf(on, 'ZO-12', 'make')).toMatchObject([{ range: rangeAt(LPA, facts?.output_len ?? 0) }])
    expect(on.notes.doubts.map(doubt => doubt.clause)).toEqual([])
  },
)

test('ZO-20 the room between output and input is what was measured', () => {
  const margins = NINE.map(([name, era]) => {
    const { on } = enteredLegacy(name, era, 0x100000)
    return (
      (eventsOf(on, 'ZO-11', 'read')[0]?.range.end ?? 0) - (eventsOf(on, 'ZO-12', 'make')[0]?.range.end ?? 0)
    )
  })
  expect(margins).toEqual([0x5b42c, 0x4dec1, 0x5fd54, 0x5310c, 0x581b6, 0x577b5, 0x5c04c, 0x5bdc1, 0x5b7fc])
})

/** startup_64 lies a setup block above 0x2000000: the next multiple of 2 MiB. */
const ABOVE = 0x2200000

test.each(NINE)('ZO-20 %s from 0x2000000, flat and not moved, needs what lies after it', (name, era) => {
  const setup = kernelNamed(name).image.setupSize
  const { on } = enteredLegacy(name, era, 0x2000000 + setup)
  const initSize = KERNEL_FACTS[name]?.hdr.init_size ?? 0
  expect(eventsOf(on, 'ZO-8', 'make')).toMatchObject([{ range: { end: ABOVE + initSize - PAGE } }])
  expect(eventsOf(on, 'ZO-12', 'make')).toMatchObject([{ range: { start: ABOVE } }])
})

test('ZO-20 nothing of the EFI stub runs', () => {
  for (const [name, era] of NINE)
    expect(
      clausesOf(enteredLegacy(name, era, 0x100000).on).filter(
        clause => clause.startsWith('EP-') && clause !== 'EP-1' && clause !== 'EP-2',
      ),
    ).toEqual([])
})

test("ZO-20 what lies in .bss after the loader's copy may be written, which the loader is told", () => {
  const name = 'debian-6.12.107-cloud'
  const { on } = enteredLegacy(name, 'linux/E5', 0x100000, {
    initrd: { at: 0x100000 + FACTS_5.geometry._bss, size: 0x1000 },
  })
  expect(on.notes.doubts.map(doubt => doubt.clause)).toContain('ZO-20')
  const behind = enteredLegacy(name, 'linux/E5', 0x100000, {
    initrd: { at: 0x100000 + FACTS_5.geometry._ebss, size: 0x1000 },
  })
  expect(behind.on.notes.doubts.map(doubt => doubt.clause)).not.toContain('ZO-20')
})

test('ZO-20 with KASLR the place is one of e820, not of a memory map', () => {
  const { on } = enteredLegacy(
    'debian-6.12.107-cloud',
    'linux/E5',
    0x100000,
    { commandLine: 'quiet', ram: [rangeAt(0x30000000, 0x8000000)] },
    bench({ map: WIDE, kaslr: 'command-line' }),
  )
  expect(eventsOf(on, 'ZO-12', 'make')[0]?.range.start).toBe(0x30000000)
  expect(on.notes.facts.decompressedKernel).toBeUndefined()
})

test('ZO-21 the first page tables lie where the copy will have its own', () => {
  for (const [name, era] of NINE) {
    const { on } = enteredLegacy(name, era, 0x100000, { via: 'legacy-32' })
    expect(eventsOf(on, 'ZO-21', 'zero')).toMatchObject([
      { range: rangeAt(VECTOR.find(([kernel]) => kernel === name)?.[4] ?? 0, 0x6000) },
    ])
    expect(eventsOf(on, 'ZO-21', 'patch')).toMatchObject([{ range: rangeAt(LEGACY.bootParams + 0x1e4, 4) }])
    expect(eventsOf(on, 'ZO-21', 'make')).toMatchObject([
      { range: { end: 0x100000 + (KERNEL_FACTS[name]?.geometry.boot_stack_end ?? 0) } },
    ])
  }
})

test('ZO-21 from 2 GiB on a signed comparison gives LOAD_PHYSICAL_ADDR; the 64-bit entry not', () => {
  const { hdr, geometry } = FACTS_2
  const PAGE_TABLES = LPA + hdr.init_size - geometry._end + geometry.pgtable
  const high = (): Bench => bench({ map: [...WIDE, free(0x80000000, 0x20000000)] })
  const tables = (name: string, era: string): unknown =>
    eventsOf(enteredLegacy(name, era, 0x80000000, { via: 'legacy-32' }, high()).on, 'ZO-21', 'zero')[0]?.range
      .start
  expect(tables('derived-5.6', 'linux/E0')).toBe(PAGE_TABLES)
  expect(tables('debian-5.10.223-cloud', 'linux/E2')).toBe(0x80000000 + PAGE_TABLES - LPA)
  for (const via of ['legacy-32', 'legacy-64'] as const)
    expect(enteredLegacy('derived-5.6', 'linux/E0', 0x80000000, { via }, high()).outcome).toMatchObject({
      at: { kernel: 0x80000000 },
    })
})

test('ZO-22 a size whose high half is junk of the file does not keep the kernel from a random place', () => {
  const place = (bytes: Readonly<Record<number, number>>): unknown =>
    enteredLegacy(
      'debian-5.10.223-cloud',
      'linux/E2',
      0x100000,
      { commandLine: 'quiet', initrd: { at: 0x3e00000, size: 0x1000 }, bytes },
      bench({ map: WIDE, kaslr: 'command-line' }),
    ).on.notes.facts.decompressedKernel
  expect(place({ 0x1ef: 0xff, 0xc4: 6 })).toBeUndefined()
  expect(place({ 0xc4: 6 })).toBe(LPA)
})
