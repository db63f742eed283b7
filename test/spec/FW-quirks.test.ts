import { expect, test } from 'vitest'
import { UsageError } from '../../src/bytes/errors.ts'
import { bytesSource } from '../../src/bytes/source.ts'
import { firmwareNamed } from '../../src/firmware/firmwares.ts'
import { profileMap, profileNamed } from '../../src/firmware/profiles.ts'
import { QUIRKS, quirkNamed, withSectionsMax } from '../../src/firmware/quirks.ts'
import { goodPe } from '../unit/firmware/loader-bench.ts'
import { smallMachine } from '../unit/firmware/small-machine.ts'
import { smallPe } from '../unit/firmware/small-pe.ts'

const GIB = 2 ** 30

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
