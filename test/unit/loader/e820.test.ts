import { expect, test } from 'vitest'
import { boot_e820_entry } from '../../../src/image/x86/boot-params.ts'
import {
  EfiACPIMemoryNVS,
  EfiACPIReclaimMemory,
  EfiBootServicesCode,
  EfiConventionalMemory,
  EfiLoaderData,
  EfiMemoryMappedIO,
  EfiReservedMemoryType,
} from '../../../src/image/memory-types.ts'
import { e820Entries } from '../../../src/loader/e820.ts'
import { descriptor } from '../../support/kernel-bench.ts'

/** Start, size and type of every entry. */
function entries(...map: (readonly [type: number, start: number, size: number])[]): string[] {
  return e820Entries(map.map(([type, start, size]) => descriptor(type, start, size))).map(bytes => {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    expect(bytes).toHaveLength(boot_e820_entry.size)
    return `${view.getBigUint64(0, true).toString(16)} ${view.getBigUint64(8, true).toString(16)} ${String(view.getUint32(16, true))}`
  })
}

test('every type of memory has its type in the table', () => {
  expect(
    entries(
      [EfiConventionalMemory, 0x1000, 0x1000],
      [EfiACPIReclaimMemory, 0x2000, 0x1000],
      [EfiACPIMemoryNVS, 0x3000, 0x2000],
      [EfiReservedMemoryType, 0x5000, 0x1000],
    ),
  ).toEqual(['1000 1000 1', '2000 1000 3', '3000 2000 4', '5000 1000 2'])
})

test('neighbours of one type are one entry', () => {
  expect(
    entries(
      [EfiConventionalMemory, 0, 0x1000],
      [EfiLoaderData, 0x1000, 0x1000],
      [EfiBootServicesCode, 0x2000, 0x3000],
      [EfiReservedMemoryType, 0x5000, 0x1000],
      [EfiMemoryMappedIO, 0x6000, 0x1000],
    ),
  ).toEqual(['0 5000 1', '5000 2000 2'])
})

test('a hole keeps two entries of one type apart', () => {
  expect(entries([EfiConventionalMemory, 0, 0x1000], [EfiConventionalMemory, 0x2000, 0x1000])).toEqual([
    '0 1000 1',
    '2000 1000 1',
  ])
})

test('no memory gives no entry', () => {
  expect(entries()).toEqual([])
})
