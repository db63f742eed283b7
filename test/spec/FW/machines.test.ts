import { expect, test } from 'vitest'
import { mapBeforeLoad } from '../../../src/boot/map-before-load.ts'
import { machineFromMemmap } from '../../../src/boot/memmap-machine.ts'
import { UsageError } from '../../../src/bytes/errors.ts'
import { bytesSource } from '../../../src/bytes/source.ts'
import { check, type MachineInput } from '../../../src/check.ts'
import { firmwareNamed } from '../../../src/firmware/firmwares.ts'
import { lowRam, profileMap, profileNamed } from '../../../src/firmware/profiles.ts'
import { quirkNamed, QUIRKS, withSectionsMax } from '../../../src/firmware/quirks.ts'
import { readMemmap } from '../../../src/image/memmap.ts'
import type { MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../../src/image/synthetic.ts'
import { recorded } from '../../support/allocator-runs.ts'
import { GIB, MIB } from '../../support/bytes.ts'
import { factsOf } from '../../support/facts.ts'
import { goodPe } from '../../unit/firmware/loader-bench.ts'
import { textOf } from '../../unit/firmware/recorded.ts'
import { descriptor, smallMachine } from '../../unit/firmware/small-machine.ts'
import { smallPe } from '../../unit/firmware/small-pe.ts'

test("FW-21 keeps the distance of OVMF's upper memory from the top of low RAM", () => {
  for (const [id, mib] of [
    ['g-ram/247.3/5.10/160', 160],
    ['good/247.3/6.1/2048', 2048],
  ] as const) {
    const { row, map } = recorded(id)
    const scaled = profileMap(profileNamed('ovmf-2022.11-q35-4M'), mib * MIB)
    const free = (one: MemoryDescriptor) => one.type === 7 || one.type === 1
    expect(row.ram_mib).toBe(mib)
    expect(textOf(scaled.filter(one => !free(one)))).toBe(textOf(map.filter(one => !free(one))))
    expect(scaled.findLast(one => one.range.end < 4 * GIB && one.type === 10)?.range.end).toBe(mib * MIB)
  }
})

test("FW-22 splits RAM at 4 GiB as QEMU's machines do", () => {
  expect(lowRam('q35', 2815 * MIB)).toBe(2815 * MIB)
  expect(lowRam('q35', 2816 * MIB)).toBe(2 * GIB)
  expect(lowRam('pc', 3583 * MIB)).toBe(3583 * MIB)
  expect(lowRam('pc', 3584 * MIB)).toBe(3 * GIB)
  const high = profileMap(profileNamed('ovmf-2022.11-q35-4M'), 4096 * MIB).filter(
    one => one.type === 7 && one.range.start >= 4 * GIB,
  )
  expect(high).toEqual([descriptor(7, 4 * GIB, 6 * GIB)])
  expect(recorded('ram/247.3/5.10/4096').map).toContainEqual(descriptor(7, 4 * GIB, 6 * GIB))
  expect(
    profileMap(profileNamed('ovmf-2022.11-q35-4M'), 2815 * MIB).some(
      one => one.type === 7 && one.range.start >= 4 * GIB,
    ),
  ).toBe(false)
})

test('FW-27 frees the loader memory of a map that a kernel printed, and nothing else', () => {
  const types = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
  const map = types.map(type => descriptor(type, type * 0x1000, (type + 1) * 0x1000))
  for (const taken of ['kernel-entry', 'exit-boot-services'] as const) {
    expect(mapBeforeLoad(map, taken, 0).map.map(({ type }) => type)).toEqual([
      0, 7, 7, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ])
    expect(mapBeforeLoad(map, taken, 0).assumptions).toHaveLength(1)
  }
  const log = readMemmap('efi: mem00: [Loader Code |WB] range=[0x0000000000000000-0x0000000000000fff] (0MB)')
  expect(machineFromMemmap('log', log)).toMatchObject({
    taken: 'exit-boot-services',
    doubts: [],
    assumptions: [{ clause: 'FW-27' }],
  })
  expect(machineFromMemmap('log', log, 'before-load')).toMatchObject({ taken: 'before-load' })
})

test('FW-28 takes all usable memory of an e820 table as free, and no run on it is clean', () => {
  const poor = readMemmap(
    'BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable\nBIOS-e820: [mem ' +
      '0x0000000000100000-0x000000001fffffff] usable\n',
  )
  expect(poor.map).toEqual([descriptor(7, 0, 0xa0000), descriptor(7, 0x100000, 0x20000000)])
  const stub = STUB_FACTS['247.3']
  const sections = [
    { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'console=ttyS0 nokaslr' } },
    {
      name: '.linux',
      VirtualAddress: 0x2000000,
      content: buildKernel(factsOf('debian-5.10.223-cloud')),
    },
    { name: '.initrd', VirtualAddress: 0x6000000, content: { initrd: 0x10000 } },
  ]
  const image = { name: 'uki.efi', source: buildUki({ stub, sections }) }
  const { report } = check({ image, machine: machineFromMemmap('log', poor) })
  expect(report).toMatchObject({
    verdict: 'unknown',
    outcome: { kind: 'arrived' },
    gaps: [{ clause: 'FW-28' }],
  })
  expect(report.assumptions.filter(one => one.clause === 'FW-28')).toHaveLength(1)
  expect(check({ image, machine: { what: 'the same as an EFI map', map: poor.map } }).report.verdict).toBe(
    'clean',
  )
})

test('FW-35 changes the map, the contents or the firmware as it was described', () => {
  const map = profileMap(profileNamed('ovmf'), 8 * GIB)
  const below = (quirk: string) =>
    smallMachine({ map: quirkNamed(quirk).map?.(map) ?? map }).firmware.allocatePages(
      { kind: 'max', limit: 4 * GIB - 1 },
      2,
      1,
      'x',
    ).status
  expect([below('no-low-memory'), below('hole-16m')]).toEqual(['EFI_OUT_OF_RESOURCES', 'EFI_SUCCESS'])
  expect(
    smallMachine({ map: quirkNamed('no-low-memory').map?.(map) ?? map }).firmware.allocatePages(
      { kind: 'any' },
      2,
      1,
      'x',
    ).at,
  ).toBe(10 * GIB - 0x1000)
  expect(() => quirkNamed('no-low-memory').map?.(profileMap(profileNamed('ovmf'), GIB / 2))).toThrow(
    UsageError,
  )
  expect(
    quirkNamed('hole-16m')
      .map?.(map)
      .find(({ range: { start, end } }) => start <= 0x1000000 && 0x1000000 < end)?.type,
  ).toBe(0)
  expect([quirkNamed('dirty-residue').contents, quirkNamed('dirty-poison').contents]).toEqual([
    'residue',
    'poison',
  ])
  expect(
    quirkNamed('no-high-memory')
      .map?.(map)
      .filter(({ type, range: { end } }) => type === 7 && end > 4 * GIB),
  ).toEqual([])
  expect(quirkNamed('no-high-memory').map?.(profileMap(profileNamed('ovmf'), GIB))).toEqual(
    profileMap(profileNamed('ovmf'), GIB),
  )
  const narrow = withSectionsMax(firmwareNamed('edk2-2022.11'), 2)
  const sections = (count: number) =>
    smallPe(
      goodPe(
        Array.from({ length: count }, (_, i) => ({
          VirtualAddress: 0x1000 * (i + 1),
          VirtualSize: 0x10,
          raw: 0x200,
        })),
        { SizeOfImage: 0x20000, SizeOfHeaders: 0x400 },
      ),
    )
  expect([
    narrow.loader.check(sections(2)),
    narrow.loader.check(sections(3)),
    narrow.loader.check(bytesSource(new Uint8Array(8))),
  ]).toMatchObject([
    { imageSize: 0x20000 },
    { status: 'EFI_SECURITY_VIOLATION', clause: 'FW-35' },
    { status: 'EFI_UNSUPPORTED' },
  ])
  expect(quirkNamed('sections-25').sectionsMax).toBe(25)
  expect(quirkNamed('heap-guard').guard).toMatchObject({ PcdHeapGuardPropertyMask: 3 })
  expect(firmwareNamed(quirkNamed('file-size-only').firmware ?? '').loader.id).toBe(
    'rust-hypervisor-firmware',
  )
  expect(quirkNamed('ami-kaslr').assumption).toMatch(/seed 0/)
  for (const { id, source, what } of QUIRKS)
    expect([id, source.length > 10, what.length > 20]).toEqual([id, true, true])
  expect(() => quirkNamed('nothing')).toThrow('known are dirty-residue')
})

test('FW-55 a firmware that nobody named is EDK2, and the report says that this was assumed', () => {
  const image = { name: 'uki', source: buildUki({ stub: STUB_FACTS['257.13'], sections: [] }) }
  const { map } = recorded('good/257.13/6.12/512')
  const assumed = (machine: Partial<MachineInput>) =>
    check({ image, machine: { what: 'a map', map, ...machine } })
      .report.assumptions.filter(({ clause }) => clause === 'FW-55')
      .map(({ what }) => what)
  expect(assumed({})).toEqual([expect.stringMatching(/allocated .* loaded as by EDK2 2022\.11/)])
  expect([
    assumed({ firmware: 'edk2-2022.11' }),
    assumed({ firmware: 'u-boot-2022.01' }),
    assumed({ pool: 'unknown' }),
  ]).toEqual([[], [], []])
  expect(
    check({
      image: {
        name: 'kernel',
        source: buildKernel(factsOf('debian-6.12.107-cloud')),
      },
      machine: { what: 'a map', map },
      bootLoader: 'vmm/direct',
    }).report.assumptions.map(({ clause }) => clause),
  ).toContain('FW-55')
})
