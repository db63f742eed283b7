import { expect, test } from 'vitest'
import { PAGE, phys } from '../../../src/bytes/units.ts'
import type { AllocatorId } from '../../../src/firmware/allocators.ts'
import { machineWith } from '../../support/allocator-runs.ts'
import { MIB } from '../../support/bytes.ts'
import { descriptor, smallMachine } from '../../unit/firmware/small-machine.ts'

test('FW-31 takes the first descriptor above 1 MiB, at its start', () => {
  const { any, max, firmware } = machineWith('rust-hypervisor-firmware')
  expect(any(1).at).toBe(3 * MIB)
  expect(any(1).at).toBe(3 * MIB + PAGE)
  expect([max(2 * PAGE, 2).at, max(0x9f000, 0x9e).at, max(2 * MIB, 0x100).at]).toEqual([0, null, MIB])
  expect(firmware.allocatePages({ kind: 'address', at: 2 * MIB }, 2, 1, 'x').status).toBe(
    'EFI_OUT_OF_RESOURCES',
  )
  expect(firmware.allocatePages({ kind: 'address', at: 5 * MIB }, 2, 1, 'x').at).toBe(5 * MIB)
})

test('FW-32 frees the descriptor that begins at the address', () => {
  const { firmware, any } = machineWith('rust-hypervisor-firmware')
  const [first, second] = [any(4), any(4)]
  expect(firmware.freePages(phys(first.at ?? 0), 1)).toBe('EFI_SUCCESS')
  expect(firmware.freePages(phys((second.at ?? 0) + PAGE), 1)).toBe('EFI_NOT_FOUND')
  expect(firmware.memoryMap().slice(-3)).toEqual([
    descriptor(7, 3 * MIB, 3 * MIB + 4 * PAGE),
    descriptor(2, 3 * MIB + 4 * PAGE, 3 * MIB + 8 * PAGE),
    descriptor(7, 3 * MIB + 8 * PAGE, 6 * MIB),
  ])
  expect(firmware.allocatePool(4, 10, 'p').at).toBe(3 * MIB)
})

test('FW-33 takes the highest pages without bins', () => {
  const search = { bins: [{ type: 2, base: MIB, max: 2 * MIB - 1 }], defaultMax: MIB - 1 }
  expect(machineWith('patina', search).any(1).at).toBe(6 * MIB - PAGE)
  expect(machineWith('edk2-2025.02', search).any(1).at).toBe(2 * MIB - PAGE)
})

test("FW-34 shows the part of a free descriptor that lies in a bin as the bin's type", () => {
  const search = { bins: [{ type: 6, base: 4 * MIB, max: 5 * MIB - 1 }], defaultMax: 4 * MIB - 1 }
  const shown = (row: AllocatorId) =>
    machineWith(row, search)
      .firmware.memoryMap()
      .filter(({ range: { start } }) => start >= 3 * MIB)
      .map(({ type, range: { start, end } }) => [type, start, end])
  expect(shown('edk2-2026.05')).toEqual([
    [7, 3 * MIB, 4 * MIB],
    [6, 4 * MIB, 5 * MIB],
    [7, 5 * MIB, 6 * MIB],
  ])
  expect(shown('edk2-2025.08')).toEqual([[7, 3 * MIB, 6 * MIB]])
})

test('FW-51 leaves the bin of another type alone', () => {
  const search = { bins: [{ type: 4, base: 5 * MIB, max: 6 * MIB - 1 }], defaultMax: 0 }
  const { any, firmware } = machineWith('patina', search)
  expect([
    any(1).at,
    any(1, 4).at,
    any(0x300).at,
    machineWith('patina', search).max(MIB, 0x300).status,
  ]).toEqual([5 * MIB - PAGE, 6 * MIB - PAGE, null, 'EFI_NOT_FOUND'])
  expect(firmware.allocatePages({ kind: 'address', at: 5 * MIB }, 2, 1, 'x').at).toBe(5 * MIB)
  expect(
    firmware
      .memoryMap()
      .slice(-3)
      .map(({ type, range: { start } }) => [type, start]),
  ).toEqual([
    [7, 3 * MIB],
    [2, 5 * MIB - PAGE],
    [4, 5 * MIB + PAGE],
  ])
  expect(firmware.freePages(phys(5 * MIB), 2)).toBe('EFI_NOT_FOUND')
})

test('FW-54 takes a mebibyte for a type of memory, and block after block of it', () => {
  const { firmware, assumptions } = smallMachine({ allocator: 'patina' })
  const at = (size: number, type = 2) => firmware.allocatePool(type, size, 'mine').at ?? 0
  const region = 0x1000000 - MIB
  // 64 bytes tell of the region; a head of 24 bytes stands before each buffer
  expect([at(8), at(40), at(100), at(8)]).toEqual([
    region + 64 + 24,
    region + 128 + 24,
    region + 256 + 24,
    region + 96 + 24,
  ])
  expect(at(4072)).toBe(region + 0x1000 + 24)
  expect(at(5000)).toBe(region + 0x2000 + 24)
  const large = 2 * MIB
  const other = region - large - PAGE
  expect([at(large), at(8, 1)]).toEqual([other + 64 + 24, other - MIB + 64 + 24])
  expect(assumptions.filter(([clause]) => clause === 'FW-19')).toEqual([])
  at(8, 4)
  at(8, 4)
  expect(assumptions.filter(([clause]) => clause === 'FW-19')).toHaveLength(1)
})

test('FW-54 hands out the block that was freed last, and gives no page back', () => {
  const { firmware } = smallMachine({ allocator: 'patina' })
  const [first, second, large] = [8, 8, 0x8000].map(size => firmware.allocatePool(2, size, 'x').at ?? phys(0))
  const before = firmware.memoryMap()
  for (const at of [first, second, large]) expect(firmware.freePool(at ?? phys(0))).toBe('EFI_SUCCESS')
  expect(firmware.freePool(first ?? phys(0))).toBe('EFI_INVALID_PARAMETER')
  expect(firmware.memoryMap()).toEqual(before)
  const again = [8, 8, 0x8000].map(size => firmware.allocatePool(2, size, 'x').at)
  expect(again).toEqual([second, first, large])
})
