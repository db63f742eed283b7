import { expect, test } from 'vitest'
import {
  EfiACPIMemoryNVS,
  EfiACPIReclaimMemory,
  EfiBootServicesCode,
  EfiConventionalMemory,
  EfiLoaderData,
  EfiMemoryMappedIO,
  EfiReservedMemoryType,
} from '../../../../src/image/memory-types.ts'
import { e820Table } from '../../../../src/image/x86/e820-table.ts'
import { loadersE820Type } from '../../../../src/boot-loader/x86/boot-params.ts'
import { descriptor } from '../../../support/kernel-bench.ts'

/** Start, size and type of every entry that a loader makes. */
function entries(...map: (readonly [type: number, start: number, size: number])[]): string[] {
  return e820Table(
    map.map(([type, start, size]) => descriptor(type, start, size)),
    loadersE820Type,
  ).map(({ addr, size, type }) => `${addr.toString(16)} ${size.toString(16)} ${String(type)}`)
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

test('what has no type is left out, keeps its neighbours apart, and counts among the rows', () => {
  const map = [0, 0x1000, 0x2000].map((start, i) =>
    descriptor(i === 1 ? EfiMemoryMappedIO : 7, start, 0x1000),
  )
  expect(e820Table(map, ({ type }) => (type === 7 ? 1 : null))).toEqual([
    { addr: 0, size: 0x1000, type: 1, row: 0 },
    { addr: 0x2000, size: 0x1000, type: 1, row: 2 },
  ])
})
