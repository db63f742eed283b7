import { expect, test } from 'vitest'
import { bootLoaders } from '../../../src/boot-loader/boot-loaders.ts'
import type { Run } from '../../../src/boot/run.ts'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { alignUp, PAGE } from '../../../src/bytes/units.ts'
import { judge } from '../../../src/hazard/registry.ts'
import type { MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { setupHeaderAt } from '../../../src/image/x86/boot-params.ts'
import { rangesOf, type MemoryEvent } from '../../../src/memory/event.ts'
import { contracts, INITRD_SIZE, RAM_END, started, under } from '../../support/boot-loader-runs.ts'
import { edited, MIB } from '../../support/bytes.ts'
import { descriptor, free, kernelNamed } from '../../support/kernel-bench.ts'
import { FACTS_5, LPA } from '../../support/kernels.ts'

/** The same RAM with pref_address taken. */
const TAKEN: readonly MemoryDescriptor[] = [
  free(0x1000, 0x9f000),
  free(0x100000, 0x800000),
  descriptor(4, 0x900000, 0xc00000),
  free(0x1500000, RAM_END - 0x1500000),
]
/** Two memory maps of 12 KiB, taken before the heap. */
const MAP_PAGES = 6
const putOf = (run: Run, object: string): MemoryEvent | undefined =>
  run.recording.events.find(
    event => event.op === 'put' && event.actor === 'loader' && event.object === object,
  )

test('HO-10 to HO-15 every loader starts a kernel of every kind, with its initrd', () => {
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
      expect(run.facts.handOff?.entryMethod).toBe(bootLoaders[loader]?.entryMethod)
    }
  }
})

test.each([
  ['grub/linuxefi', 'HO-10'],
  ['grub/relocator', 'HO-13'],
  ['vmm/direct', 'HO-14'],
])('HO-10, HO-13, HO-14 a command line that %s cuts makes the verdict unknown', (loader, clause) => {
  const of = (length: number) =>
    started({ loader, commandLine: 'nokaslr '.repeat(256).slice(0, length) }).gaps.filter(
      gap => gap.clause === clause,
    )
  expect(of(2047)).toEqual([])
  expect(of(2048)).toEqual([
    {
      clause,
      why:
        'the command line of 2048 characters is cut to cmdline_size, 2047: ' +
        'what the boot lacks then is not known',
    },
  ])
})

test('HO-10 the kernel lies at pref_address, or as high as init_size fits below 1 GiB', () => {
  expect(putOf(started({ loader: 'grub/linuxefi' }), 'kernel')).toMatchObject({
    range: { start: LPA },
  })
  const high = putOf(
    started({ loader: 'grub/linuxefi', map: [...TAKEN, free(0x100000000, 0x40000000)] }),
    'kernel',
  )
  // A quarter of the free pages from 1 MiB to 4 GiB, without those of the two maps
  const heap = Math.floor(((0x800000 + RAM_END - 0x1500000) / PAGE - MAP_PAGES) / 4)
  expect(high).toMatchObject({
    range: { start: RAM_END - (MAP_PAGES + heap) * PAGE - FACTS_5.hdr.init_size },
  })
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
    started({ loader: 'grub/linuxefi', map: [free(0x1000, 0x9f000), free(0x80000000, 0x40000000)] }).outcome,
  ).toMatchObject({ kind: 'refused', refusal: { by: 'loader', clause: 'HO-10' } })
})

test('HO-35 the sentinel is 0, no contract is broken, and no finding comes of it', () => {
  const run = started({ loader: 'grub/linuxefi', era: 'linux/E0', name: 'derived-5.6', map: TAKEN })
  expect(contracts(run)).toMatchObject({ 'HO-1': true, 'HO-2': true, 'HO-3': true, 'HO-9': true })
  for (const [era, name] of [
    ['linux/E0', 'derived-5.6'],
    ['linux/E2', 'debian-5.10.223-cloud'],
    ['linux/E4', 'debian-6.1.170-cloud'],
    ['linux/E5', 'debian-6.12.107-cloud'],
  ] as const) {
    const { outcome, recording } = started({ loader: 'grub/linuxefi', era, name })
    expect([name, outcome.kind, judge(recording)]).toEqual([name, 'arrived', []])
  }
})

test('HO-35 of the file the setup header up to 0x268 is copied; up to 0x400 GRUB leaves its stack', () => {
  const run = started({ loader: 'grub/linuxefi', era: 'linux/E2', name: 'debian-5.10.223-cloud' })
  expect(run.facts).toMatchObject({ ramdiskSize: INITRD_SIZE, initrdDamage: [] })
  const page = run.facts.bootParams ?? expect.fail('no boot_params')
  expect(under(run, 'HO-35', 'zero').flatMap(rangesOf)).toEqual([rangeAt(page, 0x4000)])
  expect(under(run, 'HO-35', 'patch').flatMap(rangesOf)[0]).toEqual(range(page + 0x1f1, page + 0x268))
  expect(under(run, 'HO-35', 'make').flatMap(rangesOf)).toEqual([range(page + 0x268, page + 0x400)])
})

test('HO-35 a kernel without a handover entry is refused', () => {
  const { source } = kernelNamed('debian-6.12.107-cloud')
  expect(
    started({
      loader: 'grub/linuxefi',
      kernel: edited(source, setupHeaderAt('handover_offset'), [0, 0, 0, 0]),
    }).outcome,
  ).toMatchObject({ kind: 'refused', refusal: { clause: 'HO-35' } })
})

test('HO-12 the image is loaded from pages of GRUB and entered as PE', () => {
  const run = started({ loader: 'grub/efi' })
  const size = kernelNamed('debian-6.12.107-cloud').source.size
  expect(putOf(run, 'kernel')).toMatchObject({
    // After the maps come a heap of 32 MiB, then the file in whole pages
    range: rangeAt(RAM_END - MAP_PAGES * PAGE - 32 * MIB - alignUp(size, PAGE), size),
  })
  expect(run.facts.handOff?.entryMethod).toBe('pe-entry')
  expect(under(run, 'EP-14', 'put')).toHaveLength(1)
})

test('HO-12 a kernel of before 5.7 goes through the relocator, with its initrd', () => {
  const run = started({ loader: 'grub/efi', era: 'linux/E0', name: 'derived-5.6' })
  expect(run.facts).toMatchObject({
    handOff: { entryMethod: 'legacy-32' },
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
  expect(started({ loader: 'grub/efi', kernel: edited(source, 0x44, [0x64, 0xaa]) }).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'HO-12' },
  })
})

test("HO-13 the window is the kernel's own at pref_address", () => {
  const run = started({ loader: 'grub/relocator' })
  expect(run.facts).toMatchObject({ compressedImage: 0x1000000, decompressedKernel: 0x1000000 })
  expect(contracts(run)).toMatchObject({ 'HO-2': true, 'HO-4': true, 'HO-6': true })
})

test('HO-13 after a fallback kernel_alignment is half of what was used, which breaks a contract', () => {
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
