import { expect, test } from 'vitest'
import { PAGE, phys } from '../../../src/bytes/units.ts'
import type { AllocatorId } from '../../../src/firmware/allocators.ts'
import { machineWith } from '../../support/allocator-runs.ts'
import { MIB } from '../../support/bytes.ts'

/** Frees three pages of which the middle one is free already. */
function freeAround(row: AllocatorId, from = 5 * MIB): unknown[] {
  const { firmware } = machineWith(row)
  firmware.allocatePages({ kind: 'address', at: 5 * MIB }, 2, 1, 'x')
  firmware.allocatePages({ kind: 'address', at: 5 * MIB + 2 * PAGE }, 2, 1, 'x')
  const status = firmware.freePages(phys(from), 3)
  return [
    status,
    firmware
      .memoryMap()
      .filter(({ type }) => type === 2)
      .map(({ range: { start } }) => start),
  ]
}

test('FW-29 takes the highest pages, and a limit excludes the page that it is in', () => {
  const { any, max } = machineWith('u-boot')
  expect([any(1).at, any(0x300).at, any(0x100).at, any(0x2fe).at]).toEqual([
    6 * MIB - PAGE,
    null,
    5 * MIB - PAGE,
    null,
  ])
  expect(max(0x1fffff, 1).at).toBe(0x1fe000)
  expect(max(0x200000, 1).at).toBe(0x1ff000)
  expect(machineWith('edk2-2022.11').max(0x1fffff, 1).at).toBe(0x1ff000)
})

test('FW-30 puts a pool buffer 64 bytes after the start of its pages', () => {
  const { firmware } = machineWith('u-boot')
  const first = firmware.allocatePool(2, PAGE, 'a')
  expect(first.at).toBe(6 * MIB - 2 * PAGE + 64)
  expect(firmware.allocatePool(2, 1, 'b').at).toBe(6 * MIB - 3 * PAGE + 64)
  expect(firmware.freePool(phys(first.at ?? 0))).toBe('EFI_SUCCESS')
  expect(firmware.freePool(phys(first.at ?? 0))).toBe('EFI_INVALID_PARAMETER')
  expect(firmware.allocatePages({ kind: 'any' }, 2, 2, 'c').at).toBe(6 * MIB - 2 * PAGE)
})

test('FW-48 grants free memory as a type in U-Boot, and tells a later page from the first', () => {
  expect([
    machineWith('u-boot').any(1, 7).status,
    machineWith('u-boot').any(1, 14).status,
    machineWith('u-boot').any(1, 15).status,
  ]).toEqual(['EFI_SUCCESS', 'EFI_INVALID_PARAMETER', 'EFI_INVALID_PARAMETER'])
  const status = (row: AllocatorId, at: number) =>
    machineWith(row).firmware.allocatePages({ kind: 'address', at }, 2, 2, 'x').status
  expect(
    (['u-boot', 'u-boot-2025.01', 'edk2-2022.11'] as const).map(row => [
      status(row, 2 * MIB - PAGE),
      status(row, 2 * MIB),
    ]),
  ).toEqual([
    ['EFI_OUT_OF_RESOURCES', 'EFI_NOT_FOUND'],
    ['EFI_NOT_FOUND', 'EFI_NOT_FOUND'],
    ['EFI_NOT_FOUND', 'EFI_NOT_FOUND'],
  ])
})

test('FW-49 frees all of a range whose first page is taken', () => {
  expect(freeAround('u-boot')).toEqual(['EFI_SUCCESS', []])
  expect(freeAround('u-boot', 5 * MIB + PAGE)).toEqual(['EFI_NOT_FOUND', [5 * MIB, 5 * MIB + 2 * PAGE]])
  expect(machineWith('u-boot').firmware.freePages(phys(2 * MIB), 0)).toBe('EFI_INVALID_PARAMETER')
})

test('FW-50 frees nothing of a range of which a page is free', () => {
  expect(freeAround('u-boot-2025.01')).toEqual(['EFI_NOT_FOUND', [5 * MIB, 5 * MIB + 2 * PAGE]])
  expect(freeAround('edk2-2022.11')).toEqual(['EFI_NOT_FOUND', [5 * MIB + 2 * PAGE]])
})
