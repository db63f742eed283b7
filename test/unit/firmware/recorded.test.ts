import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { PAGE, pagesOf } from '../../../src/bytes/units.ts'
import { EDK2_RELEASES } from '../../../src/firmware/edk2/releases.ts'
import type { Edk2Pages } from '../../../src/firmware/edk2/pages.ts'
import { inferBins } from '../../../src/firmware/edk2/bins.ts'
import { retype } from '../../../src/firmware/memory-map.ts'
import { poolBlockSize } from '../../../src/firmware/edk2/pool.ts'
import { profileMap, profileNamed } from '../../../src/firmware/profiles.ts'
import type { MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { edk2Pages } from './small-machine.ts'
import { fileSize, mapOf, RECORDED, textOf, type Recorded } from './recorded.ts'
import { MIB } from '../../support/bytes.ts'

/** SizeOfImage and ImageBase of the kernels' own PE headers, from their files. */
const KERNELS: Readonly<Record<string, { readonly SizeOfImage: number; readonly ImageBase: number }>> = {
  '5.10.0-32-cloud-amd64': { SizeOfImage: 0x2f5e000, ImageBase: 0x1000000 },
  '6.1.0-47-cloud-amd64': { SizeOfImage: 0xdc2000, ImageBase: 0 },
  '6.12.107+deb13-cloud-amd64': { SizeOfImage: 0xb90000, ImageBase: 0 },
}

const allocatorOver = (map: readonly MemoryDescriptor[]) => edk2Pages(map, inferBins(map))

/** The pages of an image: its own base when that is at least 1 MiB and free, else anywhere. */
function imageBase(allocator: Edk2Pages, ImageBase: number, SizeOfImage: number): number | null {
  const preferred =
    ImageBase >= MIB
      ? allocator.allocate({ kind: 'address', at: ImageBase }, 1, pagesOf(SizeOfImage)).at
      : null
  return preferred ?? allocator.allocate({ kind: 'any' }, 1, pagesOf(SizeOfImage)).at
}

/** Image base of a UKI: file buffer first. */
function loadUki(map: readonly MemoryDescriptor[], row: Recorded): number | null {
  const allocator = allocatorOver(map)
  allocator.allocate({ kind: 'any' }, 4, pagesOf(poolBlockSize(fileSize(row))))
  return imageBase(allocator, Number(row.pe_image_base), Number(row.size_of_image))
}

const withEntryMap = RECORDED.flatMap(row => {
  const map = row.trace?.efi_map_at_stub_entry
  const base = row.trace?.image_base
  return typeof map === 'string' && base !== undefined
    ? [
        {
          row,
          base: Number(base),
          before: retype(mapOf(map), rangeAt(Number(base), pagesOf(Number(row.size_of_image)) * PAGE), 7),
        },
      ]
    : []
})

test('there are recorded boots to compare with', () => {
  expect(withEntryMap.length).toBeGreaterThan(100)
})

test("every recorded map shows OVMF's bins, whatever the size of RAM", () => {
  for (const { row, before } of withEntryMap)
    expect(inferBins(before), row.id).toMatchObject({ assumption: null })
})

test('R1: every recorded image base comes out of the recorded map', () => {
  for (const { row, base, before } of withEntryMap) expect(loadUki(before, row), row.id).toBe(base)
})

test('every recorded map comes out of the profile, but for boot services memory of 4 GiB guests', () => {
  const bootServices = (text: string) => textOf(retypeBootServices(mapOf(text)))
  for (const { row, before } of withEntryMap) {
    const scaled = profileMap(profileNamed(`ovmf-${row.ovmf}-${row.machine}-${row.fd}`), row.ram_mib * MIB)
    expect(bootServices(textOf(scaled)), row.id).toBe(bootServices(textOf(before)))
    if (row.ram_mib < 4096) expect(textOf(scaled), row.id).toBe(textOf(before))
  }
})

function retypeBootServices(map: readonly MemoryDescriptor[]): MemoryDescriptor[] {
  return retype(
    map.map(descriptor => (descriptor.type === 3 ? { ...descriptor, type: 4 } : descriptor)),
    rangeAt(0xfff00000, PAGE),
    11,
  )
}

test('every recorded image base comes out of the scaled profile', () => {
  for (const { row, base } of withEntryMap) {
    const scaled = profileMap(profileNamed(`ovmf-${row.ovmf}-${row.machine}-${row.fd}`), row.ram_mib * MIB)
    expect(loadUki(scaled, row), row.id).toBe(base)
  }
})

test('the guest of 128 MiB that answered Out of Resources has no room for the image', () => {
  const row = RECORDED.find(one => one.ram_mib === 128)
  expect(row?.outcome).toBe('firmware refuses to load')
  if (row !== undefined)
    expect(loadUki(profileMap(profileNamed('ovmf-2022.11-q35-4M'), 128 * MIB), row)).toBeNull()
})

const atKernelEntry = RECORDED.flatMap(row => {
  const map = row.trace?.efi_map_at_kernel_entry
  const entry = row.trace?.kernel_entry
  return typeof map === 'string' && entry?.kind === 'pe_entry'
    ? [{ row, map: mapOf(map), image: Number(entry.image_at) }]
    : []
})

test('R6: every recorded inner image lies where the allocator puts it', () => {
  let compared = 0
  for (const { row, map, image } of atKernelEntry) {
    const kernel = KERNELS[row.bzimage?.release ?? '']
    if (kernel === undefined) continue
    compared++
    const before = retype(map, rangeAt(image, pagesOf(kernel.SizeOfImage) * PAGE), 7)
    expect(imageBase(allocatorOver(before), kernel.ImageBase, kernel.SizeOfImage), row.id).toBe(image)
  }
  expect(compared).toBeGreaterThan(30)
})

/** A pool page that is taken between the recorded map and the copy moves the initrd down by one page. */
const ONE_PAGE_BELOW = new Set(['machine-pc/257.13/5.10', 'machine-pc/257.13/6.12'])

test('R7: every recorded initrd copy of the EFI stub lies where the allocator puts it', () => {
  let compared = 0
  for (const { row, map } of atKernelEntry) {
    const passed = row.trace?.boot_params_final
    if (passed === undefined || Number(passed.ramdisk_size) <= PAGE) continue
    compared++
    const found = allocatorOver(map).allocate(
      { kind: 'max', limit: 0x7fffffff },
      2,
      pagesOf(Number(passed.ramdisk_size)),
    ).at
    expect(found, row.id).toBe(Number(passed.ramdisk_image) + (ONE_PAGE_BELOW.has(row.id) ? PAGE : 0))
  }
  expect(compared).toBeGreaterThan(30)
})

test('no release of EDK2 from 2020.11 to 2026.05 moves a recorded image', () => {
  const releases = EDK2_RELEASES
  expect(releases.length).toBeGreaterThan(4)
  for (const release of releases) {
    for (const { row: recorded, base, before } of withEntryMap.filter((_, i) => i % 7 === 0)) {
      const allocator = edk2Pages(before, inferBins(before), release)
      allocator.allocate({ kind: 'any' }, 4, pagesOf(poolBlockSize(fileSize(recorded))))
      expect([
        release,
        recorded.id,
        imageBase(allocator, Number(recorded.pe_image_base), Number(recorded.size_of_image)),
      ]).toEqual([release, recorded.id, base])
    }
  }
})
