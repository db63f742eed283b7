import { describe, expect, test } from 'vitest'
import { compareWithObserved, contradictions } from '../../../src/boot/compare.ts'
import { compareImageLoaders, type ImageLoaderComparison } from '../../../src/boot/compare-image-loaders.ts'
import { machineFromMemmap } from '../../../src/boot/memmap-machine.ts'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { bytesSource } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import { firmwareNamed } from '../../../src/firmware/firmwares.ts'
import { readMemmap, type MemmapParse } from '../../../src/image/memmap.ts'
import type { ObservedFact, ObservedFactName } from '../../../src/image/observed.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { buildKernel } from '../../../src/image/synthetic.ts'
import { viewUki } from '../../../src/image/uki.ts'
import type { Facts } from '../../../src/machine/model.ts'
import { ZERO } from '../../../src/memory/extent.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder, type Recording } from '../../../src/memory/recorder.ts'
import { goodPe } from '../firmware/loader-bench.ts'
import { SMALL_MAP } from '../firmware/small-machine.ts'
import { smallPe, type SmallPe, type SmallSection } from '../firmware/small-pe.ts'
import { factsOf } from '../../support/facts.ts'

const NOTHING: Recording = { events: [], steps: [] }
const seen = (name: ObservedFactName, value: number | string, line = 1): ObservedFact => ({
  name,
  value,
  line,
})

describe('what a boot said beside the prediction', () => {
  const kernel = factsOf('debian-5.10.223')
  const told = (
    facts: Facts,
    linux: boolean,
    observed: readonly ObservedFact[],
    recording = NOTHING,
  ): unknown[] =>
    compareWithObserved({ facts, recording }, linux ? buildKernel(kernel) : null, observed).map(
      ({ predicted, observed: was, agrees }) => [predicted, was, agrees],
    )

  test('a run without facts predicts nothing', () => {
    const names = [
      'release',
      'commandLine',
      'initrdFrom',
      'input_data',
      'input_len',
      'output',
      'output_len',
      'kernel_total_size',
      'needed_size',
      'trampoline_32bit',
      'ramdiskStart',
      'ramdiskEnd',
      'kernelCode',
    ] as const
    expect(
      told(
        {},
        false,
        names.map(name => seen(name, 16)),
      ),
    ).toEqual(names.map(() => [null, '0x10', null]))
    expect(
      compareWithObserved({ facts: {}, recording: NOTHING }, bytesSource(new Uint8Array(16)), [
        seen('release', '5.10', 7),
      ]),
    ).toEqual([{ name: 'release', predicted: null, observed: '5.10', line: 7, agrees: null }])
  })

  test('the kernel’s file predicts release and sizes', () => {
    const initSize = `at most 0x${kernel.hdr.init_size.toString(16)}`
    expect(
      told({}, true, [
        seen('release', '5.10.0-32-amd64'),
        seen('release', '6.1'),
        seen('output_len', kernel.output_len),
        seen('needed_size', kernel.hdr.init_size),
        seen('kernel_total_size', kernel.hdr.init_size + 1),
      ]),
    ).toEqual([
      ['5.10.0-32-amd64', '5.10.0-32-amd64', true],
      ['5.10.0-32-amd64', '6.1', false],
      [`0x${kernel.output_len.toString(16)}`, `0x${kernel.output_len.toString(16)}`, true],
      [initSize, `0x${kernel.hdr.init_size.toString(16)}`, true],
      [initSize, `0x${(kernel.hdr.init_size + 1).toString(16)}`, false],
    ])
  })

  test('an initrd is predicted when there is one, its source at the PE entry only', () => {
    const ramdisk = { ramdiskImage: phys(0x1000000), ramdiskSize: 0x1001 }
    const handOff = { kernelImage: phys(0x2000000), entry: phys(0x2000200) }
    const observed = [
      seen('ramdiskStart', 0x1000000),
      seen('ramdiskEnd', 0x1002000),
      seen('initrdFrom', 'LINUX_EFI_INITRD_MEDIA_GUID device path'),
    ]
    const medium = 'LINUX_EFI_INITRD_MEDIA_GUID device path'
    expect(told({ ...ramdisk, handOff: { entryMethod: 'pe-entry', ...handOff } }, false, observed)).toEqual([
      ['0x1000000', '0x1000000', true],
      ['0x1002000', '0x1002000', true],
      [medium, medium, true],
    ])
    expect(
      told({ ...ramdisk, handOff: { entryMethod: 'efi-handover', ...handOff } }, false, observed)[2],
    ).toEqual([null, medium, null])
    for (const none of [{ ...ramdisk, ramdiskSize: 0 }, { ramdiskImage: phys(0x1000000) }])
      expect(told(none, false, observed).map(fact => (fact as unknown[])[2])).toEqual([null, null, null])
  })

  test('places come from the run: the payload’s is what step ZO-11 reads', () => {
    const recorder = new Recorder()
    const memory = new Memory(recorder)
    memory.ram(range(0, 0x10000), ZERO)
    const observed = [seen('input_data', 0x4000), seen('input_len', 0x100)]
    recorder.step('ZO-10', 'another step', () => memory.readAs(rangeAt(0x2000, 0x10), 'kernel'))
    expect(told({}, false, observed, recorder)).toEqual([
      [null, '0x4000', null],
      [null, '0x100', null],
    ])
    const silent = new Recorder()
    silent.step('ZO-11', 'a step that reads nothing', () => 0)
    expect(told({}, false, observed, silent)).toEqual([
      [null, '0x4000', null],
      [null, '0x100', null],
    ])
    recorder.step('ZO-11', 'the payload', () => memory.readAs(rangeAt(0x4000, 0x80), 'kernel'))
    expect(
      told(
        { decompressedKernel: phys(0x1000), commandLine: ' quiet ' },
        false,
        [...observed, seen('output', 0x1000), seen('kernelCode', 0x2000), seen('commandLine', 'quiet')],
        recorder,
      ),
    ).toEqual([
      ['0x4000', '0x4000', true],
      ['0x80', '0x100', false],
      ['0x1000', '0x1000', true],
      ['0x1000', '0x2000', false],
      ['quiet', 'quiet', true],
    ])
  })

  test('only what disagrees is a contradiction', () => {
    const fact = { predicted: '0x1', observed: '0x2', line: 1 }
    expect(
      contradictions([
        { ...fact, name: 'output', agrees: true },
        { ...fact, name: 'release', agrees: null },
      ]),
    ).toEqual([])
    expect(
      contradictions([
        { ...fact, name: 'output', agrees: false },
        { ...fact, name: 'kernelCode', agrees: false },
      ]),
    ).toMatchObject([{ clause: 'HZ-18', why: expect.stringContaining('in output, kernelCode:') as unknown }])
  })
})

test('of all loaded images, the one at the predicted place is compared; else the last', () => {
  const bases = [0x1000, 0x2000, 0x3000].map((value, i) => ({
    name: 'imageBase' as const,
    value,
    line: i + 1,
  }))
  const compared = (imageBase: number | undefined) =>
    compareWithObserved(
      {
        facts: imageBase === undefined ? {} : { imageBase: phys(imageBase) },
        recording: { events: [], steps: [] },
      },
      null,
      bases,
    ).map(({ observed, agrees }) => [observed, agrees])
  expect([compared(0x2000), compared(0x9000), compared(undefined)]).toEqual([
    [['0x2000', true]],
    [['0x3000', false]],
    [['0x3000', null]],
  ])
})

describe('a machine from a memory map', () => {
  test('of UEFI’s own: as it is, taken when its dialect says', () => {
    expect(
      machineFromMemmap(
        'map.txt',
        readMemmap('\nAvailable  0000000000000000-00000000000FFFFF 0000000000000100 000000000000000F'),
      ),
    ).toMatchObject({
      what: 'memory map map.txt (uefi-shell, lines 2-2)',
      taken: 'before-load',
      problems: [],
      doubts: [],
    })
    const log = readMemmap(
      'efi: mem00: [Conventional Memory|   |  |  |  |  |  |  |  |   |WB|WT|WC|UC] ' +
        'range=[0x0000000000000000-0x00000000000fffff] (1MB)\nBIOS-e820: [mem ' +
        '0x0000000000000000-0x00000000000fffff] usable',
    )
    expect(machineFromMemmap('log', log)).toMatchObject({
      what: 'memory map log (linux, lines 1-1; not used: e820 from line 2), taken at exit-boot-services',
      taken: 'exit-boot-services',
      assumptions: [{ clause: 'FW-27' }],
    })
    expect(machineFromMemmap('log', log, 'stub-entry')).toMatchObject({ taken: 'stub-entry' })
  })

  test('of anything poorer: with a doubt that tells the free memory', () => {
    const list = readMemmap(
      'BIOS-e820: [mem 0x0000000000000000-0x00000000000fffff] usable\nBIOS-e820: [mem ' +
        '0x0000000000100000-0x00000000002fffff] reserved',
    )
    expect(machineFromMemmap('log', list)).toMatchObject({
      what: 'memory map log (e820, lines 1-2)',
      taken: 'before-load',
      assumptions: [{ clause: 'FW-28' }],
      doubts: [
        {
          clause: 'FW-28',
          why: expect.stringMatching(/^the map shows 1\.0 MiB of usable memory/) as unknown,
        },
      ],
    })
  })

  test('of a loader’s command: what the command cannot say is assumed', () => {
    expect(
      machineFromMemmap('g', readMemmap('conv-mem  0000000000100000-00000000001fffff 00000100      1MiB UC')),
    ).toMatchObject({
      taken: 'before-load',
      assumptions: [
        {
          clause: 'FW-3',
          what:
            "a map in the form grub lacks: GRUB's own memory stays occupied: correct only if " +
            'the image is started from GRUB',
        },
      ],
    })
  })

  test('of no known form: without lines, with the problems of the file', () => {
    const parse: MemmapParse = readMemmap('hello')
    expect(parse.dialect).toBeNull()
    const machine = machineFromMemmap('m', { ...parse, kind: 'efi', lacks: ['all'] })
    expect(machine).toMatchObject({
      what: 'memory map m (unknown form)',
      map: [],
      assumptions: [{ clause: 'FW-3', what: 'a map in the form unknown lacks: all' }],
      doubts: [],
    })
    expect(machine.problems).toEqual(parse.problems.map(({ id, at, what }) => ({ file: 'm', id, at, what })))
    expect(machineFromMemmap('m', { ...parse, kind: 'efi' }).assumptions).toEqual([])
  })
})

describe('loaders on a small machine', () => {
  const first: SmallSection = { VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x1000 }
  const compare = (
    names: readonly string[],
    sections: readonly SmallSection[],
    pe: SmallPe = {},
  ): ImageLoaderComparison => {
    const source = smallPe(goodPe(sections, { SizeOfHeaders: 0x400, ...pe }))
    return compareImageLoaders(
      source,
      viewUki(parsePe(source).pe ?? expect.fail('no PE')),
      SMALL_MAP,
      names.map(firmwareNamed),
    )
  }
  const BOTH = ['edk2-2022.11', 'u-boot-2022.01']

  test('two that fill the section alike agree, though one takes less memory', () => {
    const { agree, differences, outcomes } = compare(BOTH, [first])
    expect([agree, differences]).toEqual([true, []])
    expect(
      outcomes.map(({ loader, refused, loaded, unallocated }) => [
        loader,
        refused,
        loaded?.taken,
        loaded?.imageSize,
        unallocated,
      ]),
    ).toEqual([
      // SizeOfImage; the end of the last section
      ['edk2-2022.11', null, 0x8000, 0x8000, []],
      ['u-boot-2022.01', null, 0x2000, 0x2000, []],
    ])
  })

  test('an overlap is told once for each section', () => {
    const { agree, differences } = compare(BOTH, [
      { VirtualAddress: 0x1000, VirtualSize: 0x2000, raw: 0x1800 },
      { VirtualAddress: 0x2000, VirtualSize: 0x800, raw: 0x200 },
    ])
    expect(agree).toBe(false)
    // What the second has as raw data, then what it has as zeros
    expect(
      differences.map(({ index, section, from, to, groups }) => [
        index,
        section,
        from,
        to,
        groups.map(({ holds, loaders }) => [holds.kind, ...loaders]),
      ]),
    ).toEqual(
      [0, 1].flatMap(index => [
        [
          index,
          `.s${String(index)}`,
          0x2000,
          0x2200,
          [
            ['data', 'edk2-2022.11'],
            ['data', 'u-boot-2022.01'],
          ],
        ],
        [
          index,
          `.s${String(index)}`,
          0x2200,
          0x2800,
          [
            ['zero', 'edk2-2022.11'],
            ['data', 'u-boot-2022.01'],
          ],
        ],
      ]),
    )
  })

  test('a loader that refuses is no disagreement about bytes', () => {
    const { agree, differences, outcomes } = compare(
      ['audk', 'edk2-2022.11'],
      [
        { VirtualAddress: 0x1000, VirtualSize: 0x2000, raw: 0x1800 },
        { VirtualAddress: 0x2000, VirtualSize: 0x800, raw: 0x200 },
      ],
    )
    expect([agree, differences]).toEqual([false, []])
    expect(outcomes.map(({ loader, refused, loaded }) => [loader, refused?.clause, loaded === null])).toEqual(
      [
        ['audk', 'PE-48', true],
        ['edk2-2022.11', undefined, false],
      ],
    )
  })

  test('a section past the end of the image is not placed', () => {
    const { outcomes } = compare(
      ['rust-hypervisor-firmware'],
      [first, { VirtualAddress: 0x6000, VirtualSize: 0x1000, raw: 0 }],
    )
    expect(outcomes[0]?.refused).toBeNull()
    expect(outcomes[0]?.unallocated.length).toBe(1)
  })

  test('an image at a place that is no RAM holds no memory there', () => {
    const { outcomes } = compare(['rust-hypervisor-firmware'], [first], { ImageBase: 0xfff000n })
    // RAM ends at 16 MiB, a page behind ImageBase
    expect(outcomes.map(({ runs }) => runs.map(({ from, holds }) => [from, holds.kind]).at(-1))).toEqual([
      [0x1000, 'no-memory'],
    ])
  })

  test('more than 1024 sections are not compared', () => {
    const source = smallPe(goodPe([first]))
    const view = viewUki(parsePe(source).pe ?? expect.fail('no PE'))
    const sections = Array.from({ length: 1025 }, () => view.sections[0] ?? expect.fail('none'))
    expect(() => compareImageLoaders(source, { ...view, sections }, SMALL_MAP, [])).toThrow(
      '1025 sections: at most 1024 can be compared',
    )
  })
})
