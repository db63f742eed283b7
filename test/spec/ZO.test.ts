import { describe, expect, test } from 'vitest'
import { range, rangeAt } from '../../src/bytes/range.ts'
import { sparseSource, bytesSource, sliceSource } from '../../src/bytes/source.ts'
import { phys } from '../../src/bytes/units.ts'
import { KERNEL_FACTS } from '../../src/image/x86/kernel-facts.ts'
import { readKernelFile, type KernelFile } from '../../src/kernel/x86/file.ts'
import { startKernel } from '../../src/kernel/x86/model.ts'
import { runtimeWindow } from '../../src/kernel/x86/steps/head64.ts'
import { kaslrAreas } from '../../src/kernel/x86/steps/kaslr.ts'
import { memoryOptions, memparse } from '../../src/kernel/x86/steps/memory-options.ts'
import { Stop, type Outcome } from '../../src/machine/machine.ts'
import { lookAhead } from '../../src/boot/look-ahead.ts'
import { check } from '../../src/check.ts'
import { scenario } from '../../src/vitest/scenario.ts'
import {
  bench,
  BOOT_PARAMS,
  clausesOf,
  COMMAND_LINE,
  eraNamed,
  eventsOf,
  free,
  handover,
  kernelNamed,
  SMALL_MAP,
  legacy,
  start,
  type Bench,
  type HandoverOptions,
  type LegacyOptions,
} from '../support/kernel-bench.ts'

const E2 = kernelNamed('debian-5.10.223-cloud')
const E5 = kernelNamed('debian-6.12.107-cloud')
const F = 0x18200000
const INITRD = { at: 0x1b000000, size: 0x4a7e00 }
const R = 0x1600000
const X = R + 0x2d5e000 - 0xbd5000

function handed(
  options: Partial<HandoverOptions> = {},
  on: Bench = bench(),
  era = 'linux/E2',
): { on: Bench; outcome: Outcome } {
  const from = handover(on, { kernel: E2, image: F, initrd: INITRD, ...options })
  return { on, outcome: start(on, era, from) }
}

const fileOf = (name: string): KernelFile => {
  const { machine } = bench()
  return readKernelFile(machine, { object: 'kernel', source: kernelNamed(name).source })
}

describe('ZO-1', () => {
  test.each(Object.values(KERNEL_FACTS).map(facts => [facts.name, facts.output_len] as const))(
    'ZO-1 %s says how long it is decompressed',
    (name, length) => {
      expect(fileOf(name).outputLength).toBe(length)
    },
  )

  test('ZO-1 a file that ends before is a doubt, with init_size in its place', () => {
    const on = bench()
    const file = readKernelFile(on.machine, { object: 'kernel', source: sliceSource(E2.source, 0, 0x400000) })
    expect(file.outputLength).toBe(0x2d5e000)
    expect(on.notes.doubts.map(doubt => doubt.clause)).toContain('ZO-1')
  })
})

describe('ZO-2', () => {
  test.each(Object.values(KERNEL_FACTS).map(facts => [facts.name, facts.geometry] as const))(
    'ZO-2 the edges of %s are read from its code',
    (name, geometry) => {
      const { bss, ebss, pgtable, end, bootStackEnd } = fileOf(name)
      expect({ bss, ebss, pgtable, end, bootStackEnd }).toEqual({
        bss: geometry._bss,
        ebss: geometry._ebss,
        pgtable: geometry.pgtable,
        end: geometry._end,
        bootStackEnd: geometry.boot_stack_end,
      })
    },
  )

  /** The same kernel without the code that tells its edges. */
  const stripped = (name: string) => {
    const { source, image } = kernelNamed(name)
    const length = KERNEL_FACTS[name]?.hdr.payload_offset ?? 0
    return sparseSource(source.size, [
      { at: 0, source },
      { at: image.setupSize, source: bytesSource(new Uint8Array(length)) },
      {
        at: image.setupSize + (KERNEL_FACTS[name]?.geometry.relocated ?? 0),
        source: bytesSource(new Uint8Array(0x200)),
      },
    ])
  }

  test('ZO-2 without that code the PE tells them from 6.7 on', () => {
    const on = bench()
    const file = readKernelFile(on.machine, { object: 'kernel', source: stripped('debian-6.12.107-cloud') })
    expect(file).toMatchObject({ bss: 0xb26000, ebss: 0xb6a000, pgtable: 0xb6a000, end: 0xb8b000 })
    expect(on.notes.doubts).toEqual([])
    expect(on.notes.assumptions.map(assumption => assumption.clause)).toContain('ZO-2')
  })

  test('ZO-2 page tables begin on the page after .bss, and the stack is taken to be first in it, where the code does not say', () => {
    const { source, image } = E2
    const head = source.read(image.setupSize as never, 0x45c).slice()
    for (const pattern of [
      [0x8d, 0xbb],
      [0x48, 0x8d, 0xa3],
    ]) {
      for (let at = 0; at < head.length; at++)
        if (
          pattern.every((byte, i) => head[at + i] === byte) &&
          !(pattern.length === 2 && head[at - 1] === 0x48)
        )
          head.fill(0, at, at + pattern.length)
    }
    const on = bench()
    const file = readKernelFile(on.machine, {
      object: 'kernel',
      source: sparseSource(source.size, [
        { at: 0, source },
        { at: image.setupSize, source: bytesSource(head) },
      ]),
    })
    expect(file).toMatchObject({
      bss: 0xb91000,
      ebss: 0xbb3880,
      pgtable: 0xbb4000,
      end: 0xbd5000,
      bootStackEnd: 0xb95000,
    })
  })

  test('ZO-2 without that code an older kernel is a doubt', () => {
    const on = bench()
    const file = readKernelFile(on.machine, { object: 'kernel', source: stripped('debian-5.10.223-cloud') })
    expect(file.bss).toBe(0xb91000)
    expect(on.notes.doubts.map(doubt => doubt.clause)).toContain('ZO-2')
  })
})

/** facts measured on nine kernels: R, X, and the ranges that follow from them. */
const VECTOR = [
  ['debian-5.10.223', 0x447b000, 0x4b36000, 0x4b58880, 0x4b59000, 0x4b7a000],
  ['debian-5.10.223-cloud', 0x3189000, 0x3d1a000, 0x3d3c880, 0x3d3d000, 0x3d5e000],
  ['debian-6.1.170', 0x477e000, 0x4f54000, 0x4f768e0, 0x4f77000, 0x4f98000],
  ['debian-6.1.170-cloud', 0x35ba000, 0x4333000, 0x43558e0, 0x4356000, 0x4377000],
  ['debian-6.12.107', 0x3bfa000, 0x478a000, 0x47cd078, 0x47ce000, 0x47ef000],
  ['debian-6.12.107-cloud', 0x3c52000, 0x4778000, 0x47bb078, 0x47bc000, 0x47dd000],
  ['debian-7.2.13', 0x3e08000, 0x4be3000, 0x4c2d000, 0x4c2d000, 0x4c4e000],
  ['debian-7.2.13-cloud', 0x3e74000, 0x4bd0000, 0x4c1a000, 0x4c1a000, 0x4c3b000],
  ['debian-7.3-rc7', 0x3de1000, 0x4be7000, 0x4c31000, 0x4c31000, 0x4c52000],
] as const

describe('ZO-3', () => {
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
    expect(at(0x1000001, 0x200000, 0x2d5e000)).toEqual({
      start: 0x1200000,
      moved: 0x1200000 + 0x2d5e000 - 0xbd5000,
      length: 0x2d5e000,
    })
  })

  test('ZO-3 image_offset lets the window begin at an aligned image', () => {
    expect(at(0x2003c00, 0x200000, 0x2d5e000, 0x3c00).start).toBe(0x2000000)
  })

  test('ZO-3 a kernel_alignment of 0 goes to the next multiple of 4 GiB; an init_size of 0 wraps at 32 bits', () => {
    expect(at(0x2000000, 0, 0x2d5e000).start).toBe(2 ** 32)
    expect(at(0x2000000, 0x200000, 0).moved).toBe(0x2000000 + 2 ** 32 - 0xbd5000)
  })

  test('ZO-3 alignment and init_size are those of boot_params', () => {
    const { on } = handed({ header: { init_size: 0x3000000, kernel_alignment: 0x400000 } })
    expect(eventsOf(on, 'ZO-6', 'copy')).toMatchObject([
      { range: { start: 0x1800000 + 0x3000000 - 0xbd5000 } },
    ])
  })

  test('ZO-3 startup_64 itself must be whole', () => {
    const on = bench()
    const from = handover(on, { kernel: E2, image: F })
    on.memory.patch(phys(F + 0x3c00 + 0x204), Uint8Array.of(0xcc), 'uki:.osrel')
    expect(start(on, 'linux/E5', from).kind).toBe('arrived')
    expect(start(on, 'linux/E2', from).kind).toBe('undefined')
  })
})

test('ZO-4 the stack is written at the destination before the move', () => {
  const { on } = handed()
  const [stack] = eventsOf(on, 'ZO-4', 'make')
  expect(stack?.range.end).toBe(X + 0xba5000)
  expect(stack?.id).toBeLessThan(eventsOf(on, 'ZO-6', 'copy')[0]?.id ?? 0)
})

test('ZO-5 low memory is as it was', () => {
  const on = bench()
  const from = handover(on, { kernel: E2, image: F, commandLineAt: 0x9e000 })
  expect(start(on, 'linux/E2', from).kind).toBe('arrived')
  expect(on.memory.readAs(rangeAt(0x9e000, 12), 'cmdline').whole).toBe(true)
  expect(on.notes.doubts).toEqual([])
})

test('ZO-6 the move reads up to _bss and writes at X', () => {
  const { on } = handed()
  expect(eventsOf(on, 'ZO-6', 'copy')).toMatchObject([
    { from: rangeAt(R, 0xb91000), range: rangeAt(X, 0xb91000) },
  ])
})

test('ZO-7 only the copy is cleared', () => {
  const { on } = handed()
  expect(eventsOf(on, 'ZO-7', 'zero')).toMatchObject([
    { range: rangeAt(X + 0xb91000, 0x22880), object: 'kernel', at: 0x3c00 + 0xb91000 },
  ])
})

test('ZO-8 page tables reach to the end of the window', () => {
  const { on } = handed()
  expect(eventsOf(on, 'ZO-8', 'make')).toMatchObject([{ range: range(X + 0xbb4000, R + 0x2d5e000) }])
})

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

describe('ZO-11', () => {
  test('ZO-11 the payload is read where it was moved to', () => {
    const { on } = handed()
    expect(eventsOf(on, 'ZO-11', 'read')).toMatchObject([
      { range: rangeAt(X + 0x45c, 0xb7d599), at: 0x3c00 + 0x45c, deviations: [] },
    ])
  })

  test('ZO-11 an init_size that leaves no margin is a doubt', () => {
    const { on } = handed({ header: { init_size: 0x2d5e000 - 0x200000 } })
    expect(on.notes.doubts.map(doubt => doubt.clause)).toContain('ZO-11')
  })
})

describe('ZO-12', () => {
  test('ZO-12 the output is the decompressed length, from the output address on', () => {
    const { on } = handed()
    expect(eventsOf(on, 'ZO-12', 'make')).toMatchObject([{ range: rangeAt(R, 0x2cb8b34), object: 'vo' }])
  })

  test('ZO-12 in place, an initrd inside the window is gone', () => {
    const image = 0x18200000 - 0x3c00
    const { on, outcome } = handed(
      { image, initrd: { at: image + 0xb94000, size: 0x4a7e00 }, kernel: kernelNamed('derived-5.7-rc1') },
      bench(),
      'linux/E1',
    )
    expect(outcome.kind).toBe('arrived')
    expect(on.notes.facts).toMatchObject({
      compressedImage: 0x18200000,
      decompressedKernel: 0x18200000,
      initrdDamage: [{ from: 0, to: 0x4a7e00 }],
    })
  })
})

describe('ZO-13', () => {
  test('ZO-13 VO is entered at the output address with boot_params', () => {
    const { on, outcome } = handed()
    expect(outcome).toEqual({ kind: 'arrived', at: { entry: R, kernel: R, bootParams: BOOT_PARAMS } })
    expect(on.notes.facts.decompressedKernel).toBe(R)
    expect(eventsOf(on, 'ZO-13', 'read')).toMatchObject([{ as: 'code', object: 'vo', actor: 'kernel' }])
  })
})

describe('ZO-14', () => {
  test('ZO-14 a sentinel that is not 0 wipes the high halves', () => {
    const bytes = { 0x1ef: 0xff, 0xc0: 1 }
    const wiped = handed({ bytes })
    expect(wiped.on.notes.facts.ramdiskImage).toBe(INITRD.at)
    const kept = handed({ bytes: { 0xc0: 1 } })
    expect(kept.on.notes.facts.ramdiskImage).toBe(INITRD.at + 2 ** 32)
  })

  test('ZO-14 damage to boot_params is seen', () => {
    const on = bench()
    const from = handover(on, { kernel: E5, image: F })
    on.memory.patch(phys(BOOT_PARAMS + 0x800), Uint8Array.of(1), 'uki:.osrel')
    start(on, 'linux/E5', from)
    expect(eventsOf(on, 'ZO-14', 'read')[0]).toMatchObject({ deviations: [{ at: 0x800 }] })
  })
})

describe('ZO-15', () => {
  test('ZO-15 the command line is read at its address as its object', () => {
    const { on } = handed({ commandLine: 'nokaslr root=LABEL=x' })
    expect(on.notes.facts).toMatchObject({ cmdLinePtr: COMMAND_LINE, commandLine: 'nokaslr root=LABEL=x' })
    expect(eventsOf(on, 'ZO-15', 'read')).toMatchObject([{ object: 'cmdline', deviations: [] }])
  })

  test('ZO-15 bytes written over it are what the kernel gets, also when they end it early', () => {
    const on = bench()
    const from = handover(on, {
      kernel: E5,
      image: F,
      initrd: { at: F + 0xb2b000, size: 0x1000 },
      commandLineAt: F + 0xb2e000,
      commandLine: 'nokaslr quiet',
    })
    start(on, 'linux/E5', from)
    expect(on.notes.facts.commandLine).toBe('')
    expect(eventsOf(on, 'ZO-15', 'read')).toMatchObject([{ deviations: [{ kind: 'clobbered' }] }])
  })

  test("ZO-15 a line without an end is 2047 bytes long, and one of nobody is the loader's own", () => {
    const on = bench()
    const from = handover(on, { kernel: E2, image: F, commandLine: 'x'.repeat(3000) })
    start(on, 'linux/E2', { ...from, cmdlineObject: null })
    expect(on.notes.facts.commandLine).toHaveLength(2047)
  })

  test('ZO-15 no pointer, no command line', () => {
    expect(handed({ commandLine: null }).on.notes.facts.cmdLinePtr).toBeUndefined()
  })
})

describe('ZO-16', () => {
  test('ZO-16 damage is said in offsets of the initrd, joined', () => {
    const on = bench()
    const from = handover(on, { kernel: E2, image: F, initrd: INITRD })
    for (const at of [0x100, 0x110, 0x1000])
      on.memory.patch(phys(INITRD.at + at), new Uint8Array(0x10), 'uki:.osrel')
    start(on, 'linux/E2', from)
    expect(on.notes.facts.initrdDamage).toEqual([
      { from: 0x100, to: 0x120 },
      { from: 0x1000, to: 0x1010 },
    ])
  })

  test('ZO-16 what ramdisk_size leaves out is missing', () => {
    const { on } = handed({ header: { ramdisk_size: 0x1000 } })
    expect(on.notes.facts.initrdDamage).toEqual([{ from: 0x1000, to: INITRD.size }])
  })

  test('ZO-16 an address beyond physical memory is a doubt, not a crash', () => {
    const { on, outcome } = handed(
      { bytes: { 0xc3: 0xff, 0xcb: 0xff, 0x25f: 0xff } },
      bench({ kaslr: 'command-line' }),
    )
    expect(outcome.kind).toBe('arrived')
    expect(on.notes.doubts.map(doubt => doubt.clause)).toEqual(['ZO-16'])
    expect(on.notes.facts).not.toHaveProperty('ramdiskImageFromStub')
  })

  test('ZO-16 an initrd that nobody handed over is a doubt; one that is no object of the image is only an address', () => {
    const { on } = handed({ header: { ramdisk_size: 0, ramdisk_image: 0 } })
    expect(on.notes.doubts.map(doubt => doubt.clause)).toContain('ZO-16')
    const other = bench()
    const from = handover(other, { kernel: E2, image: F, initrd: INITRD })
    start(other, 'linux/E2', { ...from, initrdObject: null })
    expect(other.notes.facts.ramdiskSize).toBe(INITRD.size)
    expect(other.notes.facts.initrdDamage).toBeUndefined()
  })
})

test('ZO-13 whatever the headers say, a run ends in an outcome', () => {
  let seed = 1
  const next = (limit: number): number => {
    seed = (seed * 48271) % 0x7fffffff
    return seed % limit
  }
  for (let round = 0; round < 150; round++) {
    const kernel = round % 2 === 0 ? E2 : E5
    const header = kernel.source.read(0 as never, 0x1000).slice()
    for (let i = 0; i < 6; i++) header[0x1f1 + next(0x7b)] = next(256)
    header.set([0x55, 0xaa], 0x1fe)
    header.set([0x48, 0x64, 0x72, 0x53], 0x202)
    const source = sparseSource(kernel.source.size, [
      { at: 0, source: kernel.source },
      { at: 0, source: bytesSource(header) },
    ])
    const on = bench({ kaslr: 'command-line' })
    const bytes = Object.fromEntries(Array.from({ length: 6 }, () => [0xc0 + next(0x1b0), next(256)]))
    const from = handover(on, { kernel, image: F, initrd: INITRD, bytes })
    expect(['arrived', 'refused', 'undefined', 'unknown']).toContain(
      start(on, round % 2 === 0 ? 'linux/E1' : 'linux/E4', { ...from, payload: { object: 'kernel', source } })
        .kind,
    )
  }
})

test('ZO-17 a node that nobody wrote is a doubt, and so is what it leads to', () => {
  expect(handed().on.notes.doubts).toEqual([])
  const { on } = handed({ header: { setup_data: 0x1e003000n } })
  expect(on.notes.doubts.map(doubt => doubt.clause)).toEqual(['ZO-17'])
  expect(clausesOf(on).at(-1)).toBe('ZO-17')
})

test('ZO-18 without an initrd of the image and without root= there is nothing to boot into', () => {
  const gaps = (initrd: string | null, cmdline: string): string[] =>
    check(scenario({ image: { initrd, cmdline } })).report.gaps.map(gap => gap.clause)
  expect(gaps(null, 'console=ttyS0 nokaslr')).toEqual(['ZO-18'])
  expect(gaps(null, 'nokaslr xroot=1')).toEqual(['ZO-18'])
  expect(gaps(null, 'root=/dev/vda1 nokaslr')).toEqual([])
  expect(gaps('1M', 'console=ttyS0 nokaslr')).toEqual([])
})

test('ZO-19 an initrd that begins as nothing known is a doubt, with zeros in front or without', () => {
  const doubted = (hex: string, ramdiskSize = 0x1000): string[] => {
    const on = bench()
    const bytes = Uint8Array.from({ length: ramdiskSize }, (_, i) =>
      Number.parseInt(hex.slice(2 * i, 2 * i + 2) || '00', 16),
    )
    on.memory.patch(phys(0x1e008000), bytes, 'initrd')
    lookAhead(on.machine, 'initrd', {
      ramdiskImage: phys(0x1e008000),
      ramdiskSize,
      commandLine: 'root=/dev/vda',
    })
    return on.notes.doubts.map(doubt => doubt.clause)
  }
  for (const hex of [
    '303730373031',
    '303730373032',
    '1f8b',
    '1f9e',
    '425a',
    '5d00',
    'fd37',
    '894c',
    '0221',
    '28b5',
    '0000000028b52ffd',
    '',
  ])
    expect([hex, doubted(hex)]).toEqual([hex, []])
  for (const hex of ['303730373037', '6a756e6b6a75', '00000000303730373037'])
    expect([hex, doubted(hex)]).toEqual([hex, ['ZO-19']])
  expect(doubted('6a756e6b6a75', 5)).toEqual([])
})

/** One GiB of RAM as a legacy loader sees it, nothing taken but its own small things. */
const WIDE = [free(0x1000, 0x9f000), free(0x100000, 0x3fe00000)]
const LEGACY = { bootParams: 0x90000, commandLineAt: 0x92000 }

function enteredLegacy(
  name: string,
  era: string,
  at: number,
  options: Partial<LegacyOptions> = {},
  on: Bench = bench({ map: WIDE }),
): { on: Bench; outcome: Outcome } {
  const from = legacy(on, { kernel: kernelNamed(name), at, ...LEGACY, ...options })
  return { on, outcome: start(on, era, from) }
}

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

describe('ZO-20', () => {
  test.each(NINE)(
    'ZO-20 %s from 0x100000 extracts itself to LOAD_PHYSICAL_ADDR through the window that its numbers give',
    (name, era) => {
      const { on, outcome } = enteredLegacy(name, era, 0x100000)
      const [, x = 0, bss = 0, ebss, pgtable, end] = VECTOR.find(([kernel]) => kernel === name) ?? []
      const facts = KERNEL_FACTS[name]
      expect(outcome).toMatchObject({ kind: 'arrived', at: { kernel: 0x1000000 } })
      expect(eventsOf(on, 'ZO-6', 'copy')).toMatchObject([
        { from: rangeAt(0x100000, facts?.geometry._bss ?? 0), range: { start: x, end: bss } },
      ])
      expect(eventsOf(on, 'ZO-7', 'zero')).toMatchObject([{ range: { start: bss, end: ebss } }])
      expect(eventsOf(on, 'ZO-8', 'make')).toMatchObject([{ range: { start: pgtable, end } }])
      expect(eventsOf(on, 'ZO-11', 'read')).toMatchObject([
        { range: rangeAt(x + (facts?.hdr.payload_offset ?? 0), facts?.hdr.payload_length ?? 0) },
      ])
      expect(eventsOf(on, 'ZO-12', 'make')).toMatchObject([
        { range: rangeAt(0x1000000, facts?.output_len ?? 0) },
      ])
      expect(on.notes.doubts.map(doubt => doubt.clause)).toEqual([])
    },
  )

  test('ZO-20 the room between output and input is what was measured', () => {
    const margins = NINE.map(([name, era]) => {
      const { on } = enteredLegacy(name, era, 0x100000)
      return (
        (eventsOf(on, 'ZO-11', 'read')[0]?.range.end ?? 0) -
        (eventsOf(on, 'ZO-12', 'make')[0]?.range.end ?? 0)
      )
    })
    expect(margins).toEqual([0x5b42c, 0x4dec1, 0x5fd54, 0x5310c, 0x581b6, 0x577b5, 0x5c04c, 0x5bdc1, 0x5b7fc])
  })

  test.each(NINE)('ZO-20 %s from 0x2000000, flat and not moved, needs what lies after it', (name, era) => {
    const setup = kernelNamed(name).image.setupSize
    const { on } = enteredLegacy(name, era, 0x2000000 + setup)
    const initSize = KERNEL_FACTS[name]?.hdr.init_size ?? 0
    expect(eventsOf(on, 'ZO-8', 'make')).toMatchObject([{ range: { end: 0x2200000 + initSize } }])
    expect(eventsOf(on, 'ZO-12', 'make')).toMatchObject([{ range: { start: 0x2200000 } }])
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
      initrd: { at: 0x100000 + 0xb26000, size: 0x1000 },
    })
    expect(on.notes.doubts.map(doubt => doubt.clause)).toContain('ZO-20')
    const behind = enteredLegacy(name, 'linux/E5', 0x100000, {
      initrd: { at: 0x100000 + 0xb69078, size: 0x1000 },
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
})

describe('ZO-21', () => {
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

  test('ZO-21 from 2 GiB on the signed comparison of older kernels goes to LOAD_PHYSICAL_ADDR, the 64-bit entry does not', () => {
    const high = (): Bench => bench({ map: [...WIDE, free(0x80000000, 0x20000000)] })
    const tables = (name: string, era: string): unknown =>
      eventsOf(enteredLegacy(name, era, 0x80000000, { via: 'legacy-32' }, high()).on, 'ZO-21', 'zero')[0]
        ?.range.start
    expect(tables('derived-5.6', 'linux/E0')).toBe(0x3d3d000)
    expect(tables('debian-5.10.223-cloud', 'linux/E2')).toBe(0x80000000 + 0x3d3d000 - 0x1000000)
    for (const via of ['legacy-32', 'legacy-64'] as const)
      expect(enteredLegacy('derived-5.6', 'linux/E0', 0x80000000, { via }, high()).outcome).toMatchObject({
        at: { kernel: 0x80000000 },
      })
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
  expect(place({ 0xc4: 6 })).toBe(0x1000000)
})

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
    const first = 0x20000000 + 0x200000 - 0x3800000
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

  test('ZO-23 a number chooses its slot, modulo their count', () => {
    const at = (kaslr: `seed:${number}`): unknown =>
      run(kaslr, null, { ram: [rangeAt(0x30000000, 0x3c00000)] }).notes.facts.decompressedKernel
    expect((['seed:0', 'seed:1', 'seed:2', 'seed:3'] as const).map(at)).toEqual([
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
  })

  test('ZO-24 a region from 0 on is a limit, mem=0 ends the reading, so does --, exactmap ends its list', () => {
    expect(memoryOptions('memmap=64M$0')).toEqual({ ...none, limit: 64 * M })
    expect(memoryOptions('mem=0 mem=1G')).toEqual(none)
    expect(memoryOptions('-- mem=1G')).toEqual(none)
    expect(memoryOptions('memmap=exactmap,1M$16M memmap=1M$32M')).toEqual({
      ...none,
      avoid: [rangeAt(32 * M, M)],
    })
  })

  test('ZO-24 five regions in one memmap= are too many; a fifth in a memmap= of its own is not even seen', () => {
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
    expect(at('memmap=1M$512M')).toBe(0x20200000)
    expect(at('mem=256M')).toBe(0x1000000)
    expect(at('memmap=1M$1M,1M$2M,1M$3M,1M$4M,1M$5M')).toBe(0x1000000)
  })
})

describe('ZO-29', () => {
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
})

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

test("ZO-30 a heap above 64 TiB and a kernel of more than 1 GiB are refused in the decompressor's words", () => {
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
    expect(run(0x6000000).on.notes.facts.decompressedKernel).toBe(0x1000000)
    expect(run(0x6000000, 'command-line').on.notes.facts.decompressedKernel).toBe(0x1000000)
  })

  test('ZO-31 from a place a little above its destination it overwrites itself', () => {
    const { initSize, end } = fileOf(name)
    const moved = 0x1000000 + initSize - end
    expect(run(moved + 0x1000).outcome).toMatchObject({
      kind: 'undefined',
      why: 'the copy goes downwards and overwrites what it has not read yet',
    })
    expect(run(moved - 0x1000).outcome).toMatchObject({ at: { kernel: 0x1000000 } })
  })
})
