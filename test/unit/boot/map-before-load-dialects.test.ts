/**
 * A map that was taken late becomes the map before the load, whoever printed it; each rule that was used is
 * an assumption.
 */
import { describe, expect, test } from 'vitest'
import { machineFromMemmap } from '../../../src/boot/memmap-machine.ts'
import { mapBeforeLoad } from '../../../src/boot/map-before-load.ts'
import { readMemmap } from '../../../src/image/memmap.ts'
import { DIALECTS } from '../../../src/image/memmap/dialects.ts'
import type { MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { PRINTERS, WRAPPERS, zeroPage } from '../../support/memmap-printers.ts'
import { row } from '../../support/descriptors.ts'

/** Free, loader code and data, boot services, runtime, ACPI, reserved: as an EFI map has them. */
const LATE = [
  row(3, 0x1000, 0xa0000),
  row(7, 0x100000, 0x800000),
  row(1, 0x800000, 0x900000),
  row(2, 0x900000, 0xa00000),
  row(4, 0xa00000, 0xb00000),
  row(6, 0xb00000, 0xc00000),
  row(9, 0xc00000, 0xd00000),
  row(0, 0xd00000, 0xe00000),
]
/** The same as a kernel's e820 table has it. */
const E820 = [
  row(0, 0x1000, 0xa0000),
  row(7, 0x100000, 0xb00000),
  row(0, 0xb00000, 0xc00000),
  row(9, 0xc00000, 0xd00000),
  row(0, 0xd00000, 0xe00000),
]

const EFI_LATE = new Set(['linux', 'linux-arm', 'xen-efi', 'esxi'])
const free = (map: readonly MemoryDescriptor[]): number[][] =>
  map.filter(({ type }) => type === 7).map(({ range: { start, end } }) => [start, end])

/** What check makes of the text: the machine, and the map that the simulated boot begins with. */
function before(text: string | Uint8Array) {
  const machine = machineFromMemmap('log', readMemmap(text))
  return { machine, ...mapBeforeLoad(machine.map, machine.taken, 0x1000) }
}

/** lsmem tells of blocks of RAM alone. */
const TESTED = PRINTERS.filter(({ dialect }) => dialect !== 'lsmem')

describe.each(TESTED)('$name', ({ dialect, print, log, head, tail }) => {
  const poor = DIALECTS.some(({ name, kind }) => name === dialect && kind !== 'efi')
  const lines = (poor ? E820 : LATE).flatMap((one, i) => print(one, i)?.line.split('\n') ?? [])
  const text = [...(head ?? []), ...lines, ...(tail ?? [])]

  test.each(log ? ['bare', 'journalctl', 'dmesg with callers'] : ['bare'])('%s', wrap => {
    const { machine, map, assumptions } = before(text.map(WRAPPERS[wrap] ?? (line => line)).join('\n'))
    if (poor) {
      expect(free(map)).toEqual([[0x100000, 0xb00000]])
      expect([machine.taken, assumptions, machine.doubts.map(({ clause }) => clause)]).toEqual([
        'before-load',
        [],
        ['FW-28'],
      ])
      expect(machine.assumptions.map(({ clause }) => clause)).toEqual(['FW-28'])
      return
    }
    expect(machine.doubts).toEqual([])
    if (EFI_LATE.has(dialect)) {
      expect(free(map)).toEqual([
        [0x100000, 0x800000],
        [0x800000, 0x900000],
        [0x900000, 0xa00000],
      ])
      expect(assumptions).toEqual([expect.stringContaining('taken at exit-boot-services')])
      expect(machine.assumptions.map(({ clause }) => clause)).toEqual(['FW-27'])
    } else {
      expect([free(map), assumptions]).toEqual([[[0x100000, 0x800000]], []])
      expect(map.filter(({ type }) => type === 1 || type === 2)).toHaveLength(2)
    }
  })
})

test('boot_params/data: all of it is free, and no run on it is clean', () => {
  const { machine, map, assumptions } = before(zeroPage(E820).page)
  expect([free(map), assumptions, machine.doubts.length, machine.what]).toEqual([
    [[0x100000, 0xb00000]],
    [],
    1,
    expect.stringContaining('boot-params'),
  ])
})

test('a moment that is said wins over the form’s own', () => {
  const text = PRINTERS.find(({ dialect }) => dialect === 'uefi-shell')
  const shell = readMemmap(LATE.map((one, i) => text?.print(one, i)?.line ?? '').join('\n'))
  expect(
    free(mapBeforeLoad(LATE, machineFromMemmap('map', shell, 'kernel-entry').taken, 0x1000).map),
  ).toHaveLength(3)
  const { map, assumptions } = mapBeforeLoad(
    LATE,
    machineFromMemmap('map', shell, 'stub-entry').taken,
    0x100000,
  )
  expect([free(map).at(-1), assumptions]).toEqual([
    [0x800000, 0x900000],
    ['the LoaderCode entry 0x800000-0x900000 was the UKI when the map was taken, and free before'],
  ])
})
