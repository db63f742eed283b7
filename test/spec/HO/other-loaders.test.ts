import { expect, test } from 'vitest'
import { bootLoaders } from '../../../src/boot-loader/boot-loaders.ts'
import { buildMachine, type MachineInput } from '../../../src/boot/machine.ts'
import { prepareMachine } from '../../../src/boot/prepare.ts'
import { runBootLoader } from '../../../src/boot/run-boot-loader.ts'
import type { Run } from '../../../src/boot/run.ts'
import { withoutFirmware } from '../../../src/boot/without-firmware.ts'
import { rangeAt } from '../../../src/bytes/range.ts'
import { bytesSource, type ByteSource } from '../../../src/bytes/source.ts'
import { alignUp, PAGE, phys } from '../../../src/bytes/units.ts'
import { check } from '../../../src/check.ts'
import { judge } from '../../../src/hazard/registry.ts'
import { contentSource } from '../../../src/image/content.ts'
import type { MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { setup_data, setupHeaderAt } from '../../../src/image/x86/boot-params.ts'
import { kernelModel } from '../../../src/kernel/kernels.ts'
import { rangesOf } from '../../../src/memory/event.ts'
import { memoryMap } from '../../../src/vitest/builders.ts'
import { contracts, INITRD_SIZE, RAM_END, ROOMY, started, under } from '../../support/boot-loader-runs.ts'
import { edited, MIB } from '../../support/bytes.ts'
import { eraNamed, free, kernelNamed } from '../../support/kernel-bench.ts'
import { FACTS_5, LPA } from '../../support/kernels.ts'

const KERNEL = kernelNamed('debian-6.12.107-cloud')

function startedWith(loader: string, size: number | null, map = ROOMY): Run {
  const sized = (bytes: number): ByteSource =>
    bytes === 0 ? bytesSource(new Uint8Array(0)) : contentSource({ initrd: bytes })
  const initrd = size === null ? null : sized(size)
  const settings = { secureBoot: false, kaslr: 'off' } as const
  return runBootLoader({
    kernel: KERNEL.source,
    initrd,
    commandLine: 'quiet',
    map,
    contents: 'ovmf',
    settings,
    assumptions: [],
    bootLoader: bootLoaders[loader] ?? expect.fail(loader),
    model: () => kernelModel(eraNamed('linux/E5')),
  })
}

/** It begins on a page, as near to its limit as it fits. */
const INITRD_PAGES = alignUp(INITRD_SIZE, PAGE)

test('HO-14 the kernel is at 1 MiB and extracts to LOAD_PHYSICAL_ADDR; the initrd ends with RAM', () => {
  const run = started({ loader: 'vmm/direct' })
  expect(run.facts).toMatchObject({
    handOff: { entryMethod: 'legacy-32', entry: phys(0x100000) },
    compressedImage: 0x100000,
    decompressedKernel: LPA,
    ramdiskImage: RAM_END - INITRD_PAGES,
    bootParams: 0x10000,
  })
  expect(contracts(run)).toMatchObject({ 'HO-1': true, 'HO-3': true, 'HO-4': true })
})

test('HO-14 the initrd may lie above initrd_addr_max when the kernel may lie above 4 GiB', () => {
  const map = [free(0x1000, 0x9f000), free(0x100000, 0xbff00000), free(0x100000000, 0x40000000)]
  expect(started({ loader: 'vmm/direct', map }).facts.ramdiskImage).toBe(0xc0000000 - INITRD_PAGES)
  const { source } = kernelNamed('debian-6.12.107-cloud')
  const at = setupHeaderAt('xloadflags')
  const [flags = 0] = source.read(at as never, 1)
  expect(
    started({ loader: 'vmm/direct', map, kernel: edited(source, at, [flags & ~2]) }).facts.ramdiskImage,
    // initrd_addr_max is 0x7fffffff
  ).toBe(0x80000000 - INITRD_PAGES)
})

test('HO-14 an initrd that RAM forces into the window breaks a contract and is lost', () => {
  const end = 0x4a00000
  const run = started({ loader: 'vmm/direct', map: [free(0x1000, 0x9f000), free(0x100000, end - 0x100000)] })
  expect(contracts(run)['HO-4']).toBe(false)
  // The kernel moves over it with its .bss, and has page tables up to the last page of the window
  const { hdr, geometry } = FACTS_5
  const initrd = end - INITRD_PAGES
  const moved = LPA + hdr.init_size - geometry._end
  expect(run.facts.initrdDamage).toEqual([
    { from: 0, to: moved + geometry._ebss - initrd },
    { from: moved + geometry.pgtable - initrd, to: LPA + hdr.init_size - PAGE - initrd },
  ])
})

test('HO-14 nobody allocates: the monitor breaks no contract about allocations', () => {
  const run = started({ loader: 'vmm/direct' })
  expect(judge(run.recording).map(({ rule }) => rule)).toEqual([])
  expect(contracts(run)['HO-6']).toBe(true)
})

/** Every row that does without a firmware: QEMU with -kernel, and monitors that do alike. */
const MONITORS = Object.values(bootLoaders).filter(row => row.withoutFirmware === true)
const ON_FIRMWARE = buildMachine({ profile: 'ovmf', ram: 512 * MIB })

/** Maps of machines without UEFI. */
const E820: Readonly<Record<string, readonly MemoryDescriptor[]>> = {
  SeaBIOS: memoryMap(
    ['EfiConventionalMemory', 0, 0x9f000],
    ['EfiReservedMemoryType', 0xf0000, 0x100000],
    ['EfiConventionalMemory', 0x100000, 0x1ffe0000],
    ['EfiReservedMemoryType', 0x1ffe0000, 0x20000000],
  ),
  'cloud-hypervisor': memoryMap(
    ['EfiConventionalMemory', 0, 0xa0000],
    ['EfiConventionalMemory', 0x100000, 0x20000000],
    ['EfiReservedMemoryType', 0xe8000000, 0xf8000000],
  ),
  Firecracker: memoryMap(
    ['EfiConventionalMemory', 0, 0x9f000],
    ['EfiReservedMemoryType', 0x9f000, 0x100000],
    ['EfiConventionalMemory', 0x100000, 0x20000000],
  ),
}

test('HO-14 monitors break no contract on any machine: nobody allocates, no firmware holds memory', () => {
  expect(MONITORS.map(({ id }) => id)).toEqual(['vmm/direct', 'qemu/7.2.0'])
  const machines: MachineInput[] = [
    ON_FIRMWARE,
    ...Object.entries(E820).map(([name, map]) => buildMachine({ map, what: name })),
  ]
  for (const bootLoader of MONITORS)
    for (const machine of machines.map(prepareMachine))
      for (const name of ['5.10.223-cloud', '6.1.170-cloud', '6.12.107-cloud', '7.2.13-cloud', '5.10.223']) {
        const { report } = check({
          image: { name, source: kernelNamed(`debian-${name}`).source },
          machine,
          bootLoader,
          initrd: contentSource({ initrd: INITRD_SIZE }),
          commandLine: 'console=ttyS0',
          kaslr: 'off',
        })
        expect([bootLoader.id, machine.input.what, name, report.verdict, report.findings]).toEqual([
          bootLoader.id,
          machine.input.what,
          name,
          'clean',
          [],
        ])
      }
})

test('HO-14 what a firmware holds in the map is free where it does not run, and the report says so', () => {
  const said = (machine: MachineInput): string[] =>
    withoutFirmware(machine).assumptions?.map(({ clause }) => clause) ?? []
  expect(said(ON_FIRMWARE)).toContain('HO-14')
  expect(new Set(withoutFirmware(ON_FIRMWARE).map.map(({ type }) => type))).toEqual(new Set([0, 7, 11]))
  const e820 = buildMachine({ map: E820['Firecracker'] ?? [] })
  expect(withoutFirmware(e820)).toBe(e820)
})

test('HO-14 an initrd larger than RAM is refused', () => {
  expect(
    started({ loader: 'vmm/direct', map: [free(0x1000, 0x9f000), free(0x100000, 0x400000)] }).outcome,
  ).toMatchObject({ kind: 'refused', refusal: { clause: 'HO-14' } })
})

test('HO-15 the firmware loads the file; what is no kernel is outside the model', () => {
  const run = started({ loader: 'efi/start-image', commandLine: null, initrd: null })
  expect(run.facts).toMatchObject({ handOff: { entryMethod: 'pe-entry' }, commandLine: '' })
  expect(
    started({ loader: 'efi/start-image', kernel: bytesSource(new Uint8Array(4096)) }).outcome,
  ).toMatchObject({ kind: 'unknown', gap: { clause: 'HO-15' } })
  const { source } = kernelNamed('debian-6.12.107-cloud')
  expect(
    started({ loader: 'efi/start-image', kernel: edited(source, 0x44, [0x64, 0xaa]) }).outcome,
  ).toMatchObject({ kind: 'refused', refusal: { clause: 'HO-15' } })
})

test('HO-18 QEMU 7.2.0 puts a node of 48 bytes after the kernel, 16-aligned; others put none', () => {
  const run = startedWith('qemu/7.2.0', null)
  const end = 0x100000 + KERNEL.source.size - KERNEL.image.setupSize
  const at = Math.ceil(end / 16) * 16
  expect(under(run, 'HO-18', 'make')).toMatchObject([
    { object: 'loader:seed', range: rangeAt(at, setup_data.size + 32) },
  ])
  expect(under(run, 'ZO-17', 'read')).toMatchObject([
    { object: 'loader:seed', range: rangeAt(at, 48), deviations: [] },
  ])
  expect(under(startedWith('vmm/direct', null), 'ZO-17', 'read')).toEqual([])
})

/** Free memory below 4 GiB for the kernel alone, and 1 GiB above. */
const NO_ROOM_BELOW_4G = [free(0x1000, 0x9f000), free(0x100000, 0x6f00000), free(0x100000000, 0x40000000)]
const HALTING = expect.stringContaining('halting') as unknown
const haltedBy = (clause: string): object => ({
  kind: 'refused',
  refusal: { by: 'loader', clause, message: HALTING },
})
const initrdAt = (run: Run, clause: string): number =>
  under(run, clause, 'put').flatMap(rangesOf)[0]?.start ?? expect.fail('no initrd')
/** Events of taking memory, in their order. */
const taken = ({ recording }: Run): string[] => [
  ...new Set(
    recording.events.flatMap(event =>
      event.op === 'claim' && ['kernel', 'initrd'].includes(event.label) ? [event.label] : [],
    ),
  ),
]

test('HO-19 systemd-boot 257 takes the pages of the initrd before the kernel is loaded', () => {
  for (const id of ['systemd-boot/257', 'systemd-boot/257.5']) {
    const run = startedWith(id, 0x800000)
    expect(run.facts).toMatchObject({ ramdiskSize: 0x800000, initrdDamage: [] })
    const [pages] = under(run, 'HO-19', 'put')
    expect(pages).toMatchObject({ object: 'initrd', range: { end: 0x40000000 } })
    expect(startedWith(id, null).outcome.kind).toBe('arrived')
  }
})

test('HO-19 an initrd of no bytes halts systemd-boot 257', () => {
  expect(startedWith('systemd-boot/257', 0).outcome).toMatchObject(haltedBy('HO-19'))
  expect(startedWith('systemd-boot/257.5', 0).outcome).toMatchObject(haltedBy('HO-19'))
})

test('HO-30 up to 257.4 systemd-boot halts without room for the initrd below 4 GiB', () => {
  expect(startedWith('systemd-boot/257', 0x8000000, NO_ROOM_BELOW_4G).outcome).toMatchObject(
    haltedBy('HO-30'),
  )
  expect(startedWith('systemd-boot/257', 0x6000000, NO_ROOM_BELOW_4G).outcome.kind).toBe('arrived')
})

test('HO-31 from 257.5 on systemd-boot takes pages anywhere, and halts when there are none', () => {
  for (const id of ['systemd-boot/257.5', 'systemd-boot/258', 'systemd-boot/258.3', 'systemd-boot/261']) {
    const run = startedWith(id, 0x8000000, NO_ROOM_BELOW_4G)
    expect([id, run.outcome.kind]).toEqual([id, 'arrived'])
    expect(run.facts.ramdiskSize).toBe(0x8000000)
    const at = initrdAt(run, id === 'systemd-boot/257.5' ? 'HO-19' : 'HO-32')
    expect(at).toBeGreaterThan(0xffffffff)
    expect(startedWith(id, 0x50000000).outcome).toMatchObject(haltedBy('HO-31'))
  }
})

test('HO-32 from 258 on the kernel is loaded before the pages of the initrd are taken', () => {
  const after = startedWith('systemd-boot/258', 0x800000)
  expect(taken(after)).toEqual(['kernel', 'initrd'])
  // The buffer with the file is free again by then, and lies above the kernel
  expect(initrdAt(after, 'HO-32')).toBe(0x40000000 - 0x800000)
  expect(taken(startedWith('systemd-boot/257.5', 0x800000))).toEqual(['initrd', 'kernel'])
})

test('HO-33 an empty initrd is passed over from 258.3 on', () => {
  expect(startedWith('systemd-boot/258', 0).outcome).toMatchObject(haltedBy('HO-33'))
  for (const id of ['systemd-boot/258.3', 'systemd-boot/261']) {
    const run = startedWith(id, 0)
    expect([run.outcome.kind, run.facts.ramdiskSize ?? 0]).toEqual(['arrived', 0])
  }
})

test('HO-34 systemd-boot 261 has the kernel file in pool while the firmware loads it', () => {
  const run = startedWith('systemd-boot/261', 0x800000)
  const [file] = under(run, 'HO-34', 'put')
  expect(file).toMatchObject({ object: 'kernel' })
  const freed = run.recording.events.filter(event => event.op === 'release').flatMap(rangesOf)
  const at = (file === undefined ? [] : rangesOf(file))[0]?.start ?? expect.fail()
  expect(freed.some(range => range.start <= at && at < range.end)).toBe(true)
  expect(under(startedWith('systemd-boot/258.3', 0x800000), 'HO-34', 'put')).toEqual([])
  expect(startedWith('systemd-boot/261', null, [free(0x100000, 0x400000)]).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'HO-34' },
  })
})

test('HO-14 an initrd at the top of RAM is out of the way of the extracted kernel (128 MiB, 1 GiB)', () => {
  const bootLoader = MONITORS[0] ?? expect.fail('no monitor')
  for (const top of [0x8000000, 0x40000000]) {
    const machine = buildMachine({
      map: memoryMap(
        ['EfiConventionalMemory', 0, 0x9f000],
        ['EfiReservedMemoryType', 0xf0000, 0x100000],
        ['EfiConventionalMemory', 0x100000, top - 0x20000],
        ['EfiReservedMemoryType', top - 0x20000, top],
      ),
      what: 'QEMU',
    })
    const { report } = check({
      image: { name: 'k', source: kernelNamed('debian-5.10.223-cloud').source },
      machine,
      bootLoader,
      initrd: contentSource({ initrd: INITRD_SIZE }),
      commandLine: 'nokaslr',
    })
    const { ramdiskImage = 0 } = report.facts
    expect([report.verdict, report.findings, report.facts.decompressedKernel]).toEqual([
      'clean',
      [],
      0x1000000,
    ])
    expect(top - 0x20000 - (ramdiskImage + INITRD_SIZE)).toBeLessThan(0x10000)
  }
})
