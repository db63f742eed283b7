import { expect, test } from 'vitest'
import { UsageError } from '../../../src/bytes/errors.ts'
import { inferBins } from '../../../src/firmware/edk2/bins.ts'
import { FIRMWARES } from '../../../src/firmware/firmwares.ts'
import {
  profileAssumption,
  profileMap,
  profileNamed,
  PROFILES,
  RAM_MAX,
  RAM_MIN,
} from '../../../src/firmware/profiles.ts'
import { EFI_MEMORY_RUNTIME } from '../../../src/image/memory-types.ts'
import { edk2Pages } from './small-machine.ts'
import { GIB, MIB } from '../../support/bytes.ts'

test('every profile is found by its own name, and its row exists', () => {
  for (const profile of PROFILES) {
    expect(profileNamed(profile.id)).toBe(profile)
    expect(profile.id).toBe(`ovmf-${profile.version}-${profile.machine}-${profile.flash}`)
    expect(FIRMWARES.map(({ id }) => id)).toContain(profile.firmware)
  }
  expect(new Set(PROFILES.map(profile => profile.id)).size).toBe(PROFILES.length)
})

test('shorter names mean the usual machine', () => {
  expect(profileNamed('ovmf').id).toBe('ovmf-2022.11-q35-4M')
  expect(profileNamed('ovmf-2022.11').id).toBe('ovmf-2022.11-q35-4M')
  expect(profileNamed('ovmf-2022.11-pc').id).toBe('ovmf-2022.11-pc-4M')
  expect(profileNamed('ovmf-2025.02').id).toBe('ovmf-2025.02-q35-4M')
  expect(profileNamed('ovmf-2020.11').id).toBe('ovmf-2020.11-q35-4M')
})

test('unknown names and sizes are refused in one line', () => {
  for (const name of ['ovm', 'seabios', '', 'ovmf-2022']) expect(() => profileNamed(name)).toThrow(UsageError)
  expect(() => profileNamed('seabios')).toThrow('ovmf-2022.11-q35-2M')
  const profile = profileNamed('ovmf')
  for (const bytes of [RAM_MIN - MIB, RAM_MAX + MIB, 512 * MIB + 4096, Number.NaN])
    expect(() => profileMap(profile, bytes)).toThrow(UsageError)
  for (const bytes of [RAM_MIN, RAM_MAX]) expect(() => profileMap(profile, bytes)).not.toThrow()
})

test("every profile has OVMF's bins at every size, and all RAM is accounted for", () => {
  for (const profile of PROFILES) {
    for (const mib of [96, 128, 512, 2048, 2816, 4096, 8192]) {
      const map = profileMap(profile, mib * MIB)
      expect(inferBins(map).assumption, `${profile.id} ${String(mib)}`).toBeNull()
      const low = map.filter(one => one.range.end <= 3 * GIB && one.attribute !== 1n)
      expect(Math.max(...low.map(one => one.range.end))).toBe(
        map.some(one => one.range.start === 4 * GIB) ? (profile.machine === 'q35' ? 2 : 3) * GIB : mib * MIB,
      )
      const ram = map
        .filter(one => (one.attribute & 0xfn) === 0xfn)
        .reduce((sum, one) => sum + one.range.end - one.range.start, 0)
      expect(ram, `${profile.id} ${String(mib)}`).toBe(mib * MIB - 0x60000)
      expect(map.filter(one => one.type === 11)).toMatchObject([{ attribute: EFI_MEMORY_RUNTIME | 1n }])
    }
  }
})

test('every version of OVMF is there for both machines, and for both flash sizes if it had two', () => {
  expect(PROFILES.map(({ id }) => id).sort()).toEqual([
    ...['2020.11', '2022.11'].flatMap(version =>
      ['pc-2M', 'pc-4M', 'q35-2M', 'q35-4M'].map(rest => `ovmf-${version}-${rest}`),
    ),
    'ovmf-2025.02-pc-4M',
    'ovmf-2025.02-q35-4M',
  ])
})

/**
 * Stub 257.13 with kernel 6.12, booted on OVMF 2020.11 and pc: the command line, the initrd, the record of
 * the kernel's image, entries of the map, the kernel.
 */
test('a boot that fills the entries of the map puts everything where it was recorded', () => {
  const profile = profileNamed('ovmf-2020.11-pc')
  const map = profileMap(profile, 512 * MIB)
  const allocator = edk2Pages(map, inferBins(map), '2020.11', { pool: profile.pool })
  const any = (type: number, pages: number) => allocator.allocate({ kind: 'any' }, type, pages).at
  expect([any(1, 0x34a8), any(2, 1), any(2, 0x4a8)]).toEqual([0x18a8e000, 0x1e9b8000, 0x1dfad000])
  expect([any(4, 1), allocator.takeEntryPages().map(({ start }) => start as number), any(1, 0xb90)]).toEqual([
    0x1e9b7000,
    [0x1e9b6000],
    0x1d41d000,
  ])
})

test('what is scaled or recorded elsewhere is said', () => {
  expect(profileAssumption(profileNamed('ovmf'), 512 * MIB)).toBeNull()
  expect(profileAssumption(profileNamed('ovmf'), 4096 * MIB)).toBeNull()
  expect(profileAssumption(profileNamed('ovmf'), 768 * MIB)).toBe(
    'the memory map of ovmf-2022.11-q35-4M with 768.0 MiB is scaled: it was recorded ' +
      'with 160, 192, 256, 512, 1024, 2048, 4096 MiB',
  )
  expect(profileAssumption({ ...profileNamed('ovmf-2025.02'), basis: 'application' }, 512 * MIB)).toContain(
    'other devices',
  )
})
