import { expect, test } from 'vitest'
import { phys } from '../../../src/bytes/units.ts'
import { runtimeWindow } from '../../../src/kernel/x86/steps/head64.ts'
import { fileOf, handed, VECTOR } from '../../support/decompressor-runs.ts'
import { bench, eventsOf, handover, start } from '../../support/kernel-bench.ts'
import { E2, F, FACTS_2 } from '../../support/kernels.ts'

const { hdr, geometry } = FACTS_2

test.each(VECTOR)('ZO-3 below LOAD_PHYSICAL_ADDR: %s', (name, x, bss, ebss, pgtable, end) => {
  const file = fileOf(name)
  const {
    start: r,
    moved,
    length,
  } = runtimeWindow({ zo: phys(0x100000), imageOffset: 0, file }, 0x200000, file.initSize)
  expect([r, moved, moved + file.bss, moved + file.ebss, moved + file.pgtable, r + length]).toEqual([
    0x1000000,
    x,
    bss,
    ebss,
    pgtable,
    end,
  ])
  expect(moved + file.end).toBe(end)
})

test.each([
  ['debian-5.10.223', 0x567b000, 0x5d7a000],
  ['debian-5.10.223-cloud', 0x4389000, 0x4f5e000],
  ['debian-6.1.170', 0x597e000, 0x6198000],
  ['debian-6.1.170-cloud', 0x47ba000, 0x5577000],
  ['debian-6.12.107', 0x4dfa000, 0x59ef000],
  ['debian-6.12.107-cloud', 0x4e52000, 0x59dd000],
  ['debian-7.2.13', 0x5008000, 0x5e4e000],
  ['debian-7.2.13-cloud', 0x5074000, 0x5e3b000],
  ['debian-7.3-rc7', 0x4fe1000, 0x5e52000],
])('ZO-3 with the file at 0x2000000: %s', (name, x, end) => {
  const file = fileOf(name)
  const window = runtimeWindow(
    { zo: phys(0x2000000 + file.setupSize), imageOffset: 0, file },
    0x200000,
    file.initSize,
  )
  expect([window.start, window.moved, window.start + window.length]).toEqual([0x2200000, x, end])
})

const at = (zo: number, alignment: number, initSize: number, imageOffset = 0) =>
  runtimeWindow({ zo: phys(zo), imageOffset, file: fileOf('debian-5.10.223-cloud') }, alignment, initSize)

test('ZO-3 one byte more than a multiple goes to the next one', () => {
  expect(at(0x1000001, 0x200000, hdr.init_size)).toEqual({
    start: 0x1200000,
    moved: 0x1200000 + hdr.init_size - geometry._end,
    length: hdr.init_size,
  })
})

test('ZO-3 image_offset lets the window begin at an aligned image', () => {
  expect(at(0x2003c00, 0x200000, hdr.init_size, 0x3c00).start).toBe(0x2000000)
})

test('ZO-3 kernel_alignment 0 goes to the next multiple of 4 GiB; init_size 0 wraps at 32 bits', () => {
  expect(at(0x2000000, 0, hdr.init_size).start).toBe(2 ** 32)
  expect(at(0x2000000, 0x200000, 0).moved).toBe(0x2000000 + 2 ** 32 - geometry._end)
})

test('ZO-3 alignment and init_size are those of boot_params', () => {
  const { on } = handed({ header: { init_size: 0x3000000, kernel_alignment: 0x400000 } })
  expect(eventsOf(on, 'ZO-6', 'copy')).toMatchObject([
    { range: { start: 0x1800000 + 0x3000000 - geometry._end } },
  ])
})

test('ZO-3 startup_64 itself must be whole', () => {
  const on = bench()
  const from = handover(on, { kernel: E2, image: F })
  on.memory.patch(phys(F + E2.image.setupSize + 0x204), Uint8Array.of(0xcc), 'uki:.osrel')
  expect(start(on, 'linux/E5', from).kind).toBe('arrived')
  expect(start(on, 'linux/E2', from).kind).toBe('undefined')
})
