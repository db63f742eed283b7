import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runBootLoader, type BootLoaderSetup } from '../../src/boot/run-boot-loader.ts'
import type { Run } from '../../src/boot/run.ts'
import { rangeAt } from '../../src/bytes/range.ts'
import { bytesSource } from '../../src/bytes/source.ts'
import { phys } from '../../src/bytes/units.ts'
import { contentSource } from '../../src/image/content.ts'
import { setupHeaderAt } from '../../src/image/x86/boot-params.ts'
import type { MemoryDescriptor } from '../../src/image/memory-types.ts'
import { kernelModel } from '../../src/kernel/kernels.ts'
import { createFirmware } from '../../src/firmware/boot-services.ts'
import { readMemmap } from '../../src/image/memmap.ts'
import { HEAP_2_06, HEAP_2_12, takeHeap, type HeapRule } from '../../src/boot-loader/x86/heap.ts'
import { bootLoaders } from '../../src/boot-loader/boot-loaders.ts'
import { createMachine } from '../../src/machine/machine.ts'
import type { MemoryEvent } from '../../src/memory/event.ts'
import { Memory } from '../../src/memory/memory.ts'
import { Recorder } from '../../src/memory/recorder.ts'
import { descriptor, eraNamed, free, kernelNamed } from '../support/kernel-bench.ts'
import { edited } from '../support/bytes.ts'

/** 1 GiB; pref_address free or taken. */
const ROOMY: readonly MemoryDescriptor[] = [free(0x1000, 0x9f000), free(0x100000, 0x3ff00000)]
const TAKEN: readonly MemoryDescriptor[] = [
  free(0x1000, 0x9f000),
  free(0x100000, 0x800000),
  descriptor(4, 0x900000, 0xc00000),
  free(0x1500000, 0x3eb00000),
]
const INITRD_SIZE = 0x4a7e00

type Given = Partial<Omit<BootLoaderSetup, 'bootLoader' | 'model'>> & {
  readonly loader: string
  readonly era?: string
  readonly name?: string
}

function started({ loader, era = 'linux/E5', name = 'debian-6.12.107-cloud', ...given }: Given): Run {
  const model = bootLoaders[loader]
  if (model === undefined) throw new Error(loader)
  return runBootLoader({
    kernel: kernelNamed(name).source,
    initrd: contentSource({ size: INITRD_SIZE, parts: [{ at: 0, content: { hex: '1f8b0800' } }] }),
    commandLine: 'nokaslr quiet',
    map: ROOMY,
    contents: 'ovmf',
    settings: { secureBoot: false, kaslr: 'off' },
    assumptions: [],
    bootLoader: model,
    model: () => kernelModel(eraNamed(era)),
    ...given,
  })
}

const contracts = ({ recording }: Run): Record<string, boolean> =>
  Object.fromEntries(
    recording.events.flatMap(event => (event.op === 'contract' ? [[event.clause, event.kept]] : [])),
  )
const under = ({ recording }: Run, clause: string, op: MemoryEvent['op']): MemoryEvent[] =>
  recording.events.filter(
    event => event.op === op && event.step !== null && recording.steps[event.step]?.clause === clause,
  )
const putOf = (run: Run, object: string): MemoryEvent | undefined =>
  run.recording.events.find(
    event => event.op === 'put' && event.actor === 'loader' && event.object === object,
  )
test('HO-10 to HO-15 every loader brings a kernel of every kind to its first instruction, with its initrd', () => {
  const kernels = [
    ['linux/E2', 'debian-5.10.223-cloud'],
    ['linux/E4', 'debian-6.1.170-cloud'],
    ['linux/E5', 'debian-6.12.107-cloud'],
    ['linux/E6', 'debian-7.3-rc7'],
  ] as const
  for (const loader of Object.keys(bootLoaders)) {
    for (const [era, name] of kernels) {
      const run = started({ loader, era, name })
      expect([loader, era, run.outcome.kind]).toEqual([loader, era, 'arrived'])
      expect([loader, era, run.facts.commandLine, run.facts.ramdiskSize, run.facts.initrdDamage]).toEqual([
        loader,
        era,
        'nokaslr quiet',
        INITRD_SIZE,
        [],
      ])
      expect(run.facts.handOff?.door).toBe(bootLoaders[loader]?.door)
    }
  }
})

describe('HO-10', () => {
  test('HO-10 the kernel lies at pref_address, or as high as init_size fits below 1 GiB', () => {
    expect(putOf(started({ loader: 'grub/linuxefi' }), 'kernel')).toMatchObject({
      range: { start: 0x1000000 },
    })
    const high = putOf(
      started({ loader: 'grub/linuxefi', map: [...TAKEN, free(0x100000000, 0x40000000)] }),
      'kernel',
    )
    expect(high).toMatchObject({ range: { start: 0x40000000 - 6 * 0x1000 - 0xfcbe000 - 0x37dd000 } })
  })

  test('HO-10 the memory after the file is not cleared: 5.7-rc1 reads it, later kernels do not', () => {
    const old = started({
      loader: 'grub/linuxefi',
      era: 'linux/E1',
      name: 'derived-5.7-rc1',
      contents: 'poison',
    })
    expect(contracts(old)['HO-5']).toBe(false)
    expect(under(old, 'EP-4', 'read')).toMatchObject([{ deviations: [{ kind: 'uninitialised' }] }])
    expect(contracts(started({ loader: 'grub/linuxefi', contents: 'poison' }))['HO-6']).toBe(true)
  })

  test('HO-10 without room below 1 GiB it gives up', () => {
    expect(
      started({ loader: 'grub/linuxefi', map: [free(0x1000, 0x9f000), free(0x80000000, 0x40000000)] })
        .outcome,
    ).toMatchObject({ kind: 'refused', refusal: { by: 'loader', clause: 'HO-10' } })
  })
})

describe('HO-11', () => {
  test('HO-11 the sentinel of the file comes along, and everything else is as it should be', () => {
    const run = started({ loader: 'grub/linuxefi', era: 'linux/E0', name: 'derived-5.6', map: TAKEN })
    expect(contracts(run)).toMatchObject({ 'HO-1': true, 'HO-2': true, 'HO-3': false, 'HO-9': true })
  })

  test('HO-11 what the file has in place of the high halves is wiped before it is used', () => {
    const run = started({ loader: 'grub/linuxefi', era: 'linux/E2', name: 'debian-5.10.223-cloud' })
    expect(run.facts).toMatchObject({ ramdiskSize: INITRD_SIZE, initrdDamage: [] })
  })

  test('HO-11 a kernel without a handover entry is refused', () => {
    const { source } = kernelNamed('debian-6.12.107-cloud')
    expect(
      started({
        loader: 'grub/linuxefi',
        kernel: edited(source, setupHeaderAt('handover_offset'), [0, 0, 0, 0]),
      }).outcome,
    ).toMatchObject({ kind: 'refused', refusal: { clause: 'HO-11' } })
  })
})

describe('HO-12', () => {
  test('HO-12 the image is loaded from pages of GRUB and entered as PE', () => {
    const run = started({ loader: 'grub/efi' })
    const size = kernelNamed('debian-6.12.107-cloud').source.size
    expect(putOf(run, 'kernel')).toMatchObject({
      range: rangeAt(0x40000000 - 6 * 0x1000 - 0x2000000 - 0xb2b000, size),
    })
    expect(run.facts.handOff?.door).toBe('pe-entry')
    expect(under(run, 'EP-14', 'put')).toHaveLength(1)
  })

  test('HO-12 a kernel of before 5.7 goes through the relocator, with its initrd', () => {
    const run = started({ loader: 'grub/efi', era: 'linux/E0', name: 'derived-5.6' })
    expect(run.facts).toMatchObject({
      handOff: { door: 'legacy-32' },
      ramdiskSize: INITRD_SIZE,
      initrdDamage: [],
    })
  })

  test('HO-12 the initrd is in no memory before the kernel asks for it', () => {
    const run = started({ loader: 'grub/efi' })
    expect(putOf(run, 'initrd')).toBeUndefined()
    expect(under(run, 'EP-14', 'put')).toHaveLength(1)
  })

  test('HO-12 what the firmware refuses is refused', () => {
    const { source } = kernelNamed('debian-6.12.107-cloud')
    expect(started({ loader: 'grub/efi', kernel: edited(source, 0x44, [0x64, 0xaa]) }).outcome).toMatchObject(
      { kind: 'refused', refusal: { clause: 'HO-12' } },
    )
  })
})

describe('HO-13', () => {
  test("HO-13 the window is the kernel's own at pref_address", () => {
    const run = started({ loader: 'grub/relocator' })
    expect(run.facts).toMatchObject({ compressedImage: 0x1000000, decompressedKernel: 0x1000000 })
    expect(contracts(run)).toMatchObject({ 'HO-2': true, 'HO-4': true, 'HO-6': true })
  })

  test('HO-13 after a fallback kernel_alignment is half of what was used, which breaks a contract and nothing else', () => {
    const run = started({ loader: 'grub/relocator', map: TAKEN })
    expect(run.facts).toMatchObject({ compressedImage: 0x1600000, decompressedKernel: 0x1600000 })
    expect(contracts(run)).toMatchObject({ 'HO-2': false, 'HO-4': true })
  })

  test('HO-13 without an aligned chunk it gives up', () => {
    expect(
      started({
        loader: 'grub/relocator',
        map: [free(0x1000, 0x9f000), free(0x1100000, 0x2000000), free(0x10000000, 0x2800000)],
      }).outcome,
    ).toMatchObject({ kind: 'refused', refusal: { clause: 'HO-13' } })
  })
})

describe('HO-14', () => {
  test('HO-14 the kernel lies at 1 MiB and extracts itself to LOAD_PHYSICAL_ADDR; the initrd ends with RAM', () => {
    const run = started({ loader: 'vmm/direct' })
    expect(run.facts).toMatchObject({
      handOff: { door: 'legacy-32', entry: phys(0x100000) },
      compressedImage: 0x100000,
      decompressedKernel: 0x1000000,
      ramdiskImage: 0x40000000 - 0x4a8000,
      bootParams: 0x10000,
    })
    expect(contracts(run)).toMatchObject({ 'HO-1': true, 'HO-3': true, 'HO-4': true })
  })

  test('HO-14 the initrd may lie above initrd_addr_max when the kernel may lie above 4 GiB', () => {
    const map = [free(0x1000, 0x9f000), free(0x100000, 0xbff00000), free(0x100000000, 0x40000000)]
    expect(started({ loader: 'vmm/direct', map }).facts.ramdiskImage).toBe(0xc0000000 - 0x4a8000)
    const { source } = kernelNamed('debian-6.12.107-cloud')
    const at = setupHeaderAt('xloadflags')
    const [flags = 0] = source.read(at as never, 1)
    expect(
      started({ loader: 'vmm/direct', map, kernel: edited(source, at, [flags & ~2]) }).facts.ramdiskImage,
    ).toBe(0x80000000 - 0x4a8000)
  })

  test('HO-14 an initrd that RAM forces into the window breaks a contract and is lost', () => {
    const run = started({ loader: 'vmm/direct', map: [free(0x1000, 0x9f000), free(0x100000, 0x4900000)] })
    expect(contracts(run)['HO-4']).toBe(false)
    expect(run.facts.initrdDamage).toEqual([
      { from: 0, to: 0x263078 },
      { from: 0x264000, to: 0x285000 },
    ])
  })

  test('HO-14 an initrd larger than RAM is refused', () => {
    expect(
      started({ loader: 'vmm/direct', map: [free(0x1000, 0x9f000), free(0x100000, 0x400000)] }).outcome,
    ).toMatchObject({ kind: 'refused', refusal: { clause: 'HO-14' } })
  })
})

test('HO-15 the firmware loads the file; what is no kernel is outside the model', () => {
  const run = started({ loader: 'efi/start-image', commandLine: null, initrd: null })
  expect(run.facts).toMatchObject({ handOff: { door: 'pe-entry' }, commandLine: '' })
  expect(
    started({ loader: 'efi/start-image', kernel: bytesSource(new Uint8Array(4096)) }).outcome,
  ).toMatchObject({ kind: 'unknown', gap: { clause: 'HO-15' } })
  const { source } = kernelNamed('debian-6.12.107-cloud')
  expect(
    started({ loader: 'efi/start-image', kernel: edited(source, 0x44, [0x64, 0xaa]) }).outcome,
  ).toMatchObject({ kind: 'refused', refusal: { clause: 'HO-15' } })
})

describe('HO-16', () => {
  const RECORDED = new URL('../fixtures/memmaps/recorded/', import.meta.url)
  const recorded = (name: string) => readMemmap(readFileSync(new URL(name, RECORDED), 'utf8')).map
  const heapOf = (map: readonly MemoryDescriptor[]) =>
    map.filter(({ type }) => type === 1).map(({ range }) => range)

  /** The map after a loader's heap, on a machine with this map. */
  function heapOn(map: readonly MemoryDescriptor[], rule: HeapRule) {
    const recorder = new Recorder()
    const memory = new Memory(recorder)
    const firmware = createFirmware({ memory, recorder, map, contents: 'ovmf', assume: () => undefined })
    const machine = createMachine(
      recorder,
      memory,
      firmware,
      { secureBoot: false, kaslr: 'off' },
      { assumptions: [], doubts: [], facts: {} },
    )
    takeHeap(machine, rule)
    return heapOf(firmware.memoryMap())
  }

  test.each([
    [
      '2.06 is a quarter of what is free',
      'ovmf-2022.11-q35-512M-grub2.06-lsefimmap.txt',
      HEAP_2_06,
      0x7394000,
    ],
    ['2.12 is 32 MiB', 'ovmf-2025.02-q35-512M-grub2.12-lsefimmap.txt', HEAP_2_12, 0x2000000],
  ] as const)(
    'HO-16 the recorded heap of GRUB %s, at the end of the largest region',
    (_, file, rule, size) => {
      const within = recorded(file)
      const heap = heapOf(within).find(range => range.end - range.start === size) ?? expect.fail('no heap')
      expect(
        heapOn(
          within.map(entry => (entry.range === heap ? { ...entry, type: 7 } : entry)),
          rule,
        ),
      ).toEqual(heapOf(within))
    },
  )

  test('HO-16 a quarter has bounds; what the largest region lacks comes from the next', () => {
    const sizes = (map: readonly MemoryDescriptor[], rule: HeapRule) =>
      heapOn(map, rule).map(({ start, end }) => [start, end - start])
    expect(sizes([free(0x100000, 0x200000)], HEAP_2_06)).toEqual([[0x300000 - 0x6000 - 0x100000, 0x100000]])
    expect(sizes([free(0x100000, 0xe0000000)], HEAP_2_06).map(([, size]) => size)).toEqual([
      0x38000000 - 0x2000,
    ])
    expect(sizes([free(0x100000, 0x1900000), free(0x2000000, 0x1000000)], HEAP_2_12)).toEqual([
      [0x100000, 0x1900000],
      [0x2000000 + 0x1000000 - 0x6000 - 0x700000, 0x700000],
    ])
    expect(
      started({ loader: 'grub/efi', map: [free(0x1000, 0x9f000), free(0x100000, 0x1000000)] }).outcome,
    ).toMatchObject({ kind: 'refused', refusal: { clause: 'HO-16', message: 'error: too little memory.' } })
  })

  test('HO-16 linuxefi reads the kernel into its heap first', () => {
    expect(
      started({ loader: 'grub/linuxefi', map: [free(0x1000, 0x9f000), free(0x100000, 0x2000000)] }).outcome,
    ).toMatchObject({
      kind: 'refused',
      refusal: { clause: 'HO-16', message: 'error: cannot allocate kernel buffer.' },
    })
  })

  test('HO-16 a map that was taken inside GRUB has its heap', () => {
    const run = started({
      loader: 'grub/efi',
      map: [
        free(0x1000, 0x9f000),
        free(0x100000, 0x2ff00000),
        descriptor(1, 0x30000000, 0x2000000),
        free(0x32000000, 0xe000000),
      ],
    })
    expect(run.outcome.kind).toBe('arrived')
    expect(run.assumptions.map(({ what }) => what)).toContain(
      'the map was taken inside GRUB: its heap is the loader code in it',
    )
  })
})
