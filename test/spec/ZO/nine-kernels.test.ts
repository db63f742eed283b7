/** Nine real kernels, worked through by hand: every place that follows from their headers, value by value. */
import { describe, expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { alignUp, PAGE } from '../../../src/bytes/units.ts'
import { buildKernel } from '../../../src/image/synthetic.ts'
import { WIDE } from '../../support/decompressor-runs.ts'
import { bench, eventsOf, handover, kernelOf, legacy, start, type Bench } from '../../support/kernel-bench.ts'
import { NINE_KERNELS, type KernelFixture } from '../../support/kernel-fixtures.ts'

const ERA: Readonly<Record<string, string>> = {
  A: 'linux/E2',
  B: 'linux/E2',
  C: 'linux/E4',
  D: 'linux/E4',
  E: 'linux/E5',
  F: 'linux/E5',
  G: 'linux/E6',
  H: 'linux/E6',
  I: 'linux/E6',
}
const MIB_2 = 0x200000
const eraOf = ({ key }: KernelFixture): string => ERA[key ?? ''] ?? 'none'

function entered(fixture: KernelFixture, at: number): Bench {
  const on = bench({ map: WIDE })
  const from = legacy(on, {
    kernel: kernelOf(buildKernel(fixture.facts)),
    at,
    bootParams: 0x90000,
    commandLineAt: 0x92000,
  })
  expect(start(on, eraOf(fixture), from).kind).toBe('arrived')
  return on
}

const only = <Item>(items: readonly Item[]): Item => {
  const [first] = items
  if (first === undefined || items.length !== 1) throw new Error(`${String(items.length)} events`)
  return first
}

/** R, X and what lies between, as events of memory. */
function places(
  on: Bench,
): Record<
  | 'L'
  | 'R'
  | 'X'
  | 'moveLength'
  | 'movedEnd'
  | 'clearEnd'
  | 'pageTables'
  | 'windowEnd'
  | 'inputStart'
  | 'inputEnd'
  | 'outputEnd'
  | 'stackEnd',
  number
> {
  const move = only(eventsOf(on, 'ZO-6', 'copy'))
  const tables = only(eventsOf(on, 'ZO-8', 'make'))
  const input = only(eventsOf(on, 'ZO-11', 'read'))
  const output = only(eventsOf(on, 'ZO-12', 'make'))
  return {
    L: move.from.start,
    R: output.range.start,
    X: move.range.start,
    moveLength: move.from.end - move.from.start,
    movedEnd: move.range.end,
    clearEnd: only(eventsOf(on, 'ZO-7', 'zero')).range.end,
    pageTables: tables.range.start,
    // The last page is for five levels
    windowEnd: tables.range.end + PAGE,
    inputStart: input.range.start,
    inputEnd: input.range.end,
    outputEnd: output.range.end,
    stackEnd: only(eventsOf(on, 'ZO-4', 'make')).range.end,
  }
}

function vectors(fixture: KernelFixture): NonNullable<KernelFixture['vectors']> {
  if (fixture.vectors === null) throw new Error('no vectors')
  return fixture.vectors
}

test('ZO-3 nine kernels with 32 worked values each', () => {
  expect(NINE_KERNELS.map(({ key }) => key).join('')).toBe('ABCDEFGHI')
  for (const fixture of NINE_KERNELS)
    expect(Object.values(vectors(fixture)).map(group => Object.keys(group).length)).toEqual([7, 14, 7, 4])
})

describe.each(NINE_KERNELS)('$key $facts.name', fixture => {
  const { facts } = fixture
  const { geometry, hdr, vmlinux } = facts
  const setup = (hdr.setup_sects + 1) * 512

  test("ZO-3 init_size is what the build's formula gives", () => {
    const extra = Math.floor(facts.output_len / 256) + 131072
    const min_extract_offset = alignUp(facts.output_len + extra - hdr.payload_length, PAGE)
    const { window } = vectors(fixture)
    expect({
      extra,
      min_extract_offset,
      ZO_INIT: geometry._end + min_extract_offset,
      VO_INIT: vmlinux.kernel_total_size,
      init_size: Math.max(geometry._end + min_extract_offset, vmlinux.kernel_total_size),
      margin: hdr.init_size - geometry._end + hdr.payload_offset + hdr.payload_length - facts.output_len,
      allocation: alignUp(Math.max(facts.output_len, vmlinux.kernel_total_size), MIB_2),
    }).toEqual(window)
    expect(hdr.init_size).toBe(window['init_size'])
  })

  test('ZO-20 entered at 0x100000 with nokaslr', () => {
    const on = entered(fixture, 0x100000)
    const { L, ...found } = places(on)
    expect(L).toBe(0x100000)
    const { voEnd, voEntry, relocationsAt, ...placed } = vectors(fixture).legacy
    expect(found).toEqual(placed)
    expect(found.inputEnd - found.outputEnd).toBe(vectors(fixture).window['margin'])
    // What the payload alone tells: the extracted kernel's end and entry, and where its relocations begin
    expect([
      found.R + vmlinux.kernel_total_size,
      found.R + vmlinux.entry,
      found.outputEnd - vmlinux.relocations,
    ]).toEqual([voEnd, voEntry, relocationsAt])
  })

  test('ZO-20 the flat file at 0x2000000, entered at startup_64', () => {
    const found = places(entered(fixture, 0x2000000 + setup))
    const { flat } = vectors(fixture)
    const fileEnd = 0x2000000 + facts.fileSize
    expect({
      L: found.L,
      R: found.R,
      X: found.X,
      windowEnd: found.windowEnd,
      outputEnd: found.outputEnd,
      fileEnd,
      neighbourBytes: found.windowEnd - fileEnd,
    }).toEqual(flat)
  })

  test('EP-6 what a handover clears, in offsets from the file, and what it allocates', () => {
    const on = bench()
    const image = 0x18200000
    const kernel = kernelOf(buildKernel(facts))
    start(on, eraOf(fixture), handover(on, { kernel, image, initrd: { at: 0x1b000000, size: 0x4a7e00 } }))
    const cleared = on.recorder.events.flatMap(event =>
      event.op === 'zero' &&
      event.range.start >= image &&
      event.range.end <= image + facts.fileSize + 0x100000
        ? [event.range]
        : [],
    )
    const { from = 0, to = 0, beyondFile, gap } = vectors(fixture).handoverClear
    // 5.10 moves away before anything is cleared: there the numbers are only for comparison
    const moves = fixture.key === 'A' || fixture.key === 'B'
    expect(cleared).toEqual(moves ? [] : [rangeAt(image + from, to - from)])
    const allocated = on.recorder.events.flatMap(event =>
      event.op === 'claim' && event.step !== null && on.recorder.steps[event.step]?.clause === 'EP-20'
        ? [event.range.end - event.range.start]
        : [],
    )
    expect(allocated).toEqual(moves ? [] : [vectors(fixture).window['allocation']])
    expect({
      from: setup + geometry._bss,
      to: setup + geometry._ebss,
      beyondFile: setup + geometry._ebss - facts.fileSize,
      gap: alignUp(setup + geometry._ebss, PAGE),
    }).toEqual({ from, to, beyondFile, gap })
  })
})
