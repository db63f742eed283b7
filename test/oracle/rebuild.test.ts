/** The images that are made from header facts have the recorded section tables. */
import { expect, test } from 'vitest'
import { hex } from '../../src/bytes/range.ts'
import { parsePe } from '../../src/image/pe.ts'
import { rebuild } from './rebuild.ts'
import { readRecordings } from './recording.ts'

const rows = readRecordings()

test.each(rows)('$id', recording => {
  const { pe } = parsePe(rebuild(recording))
  const table = pe?.sections.map(({ name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData }) => [
    name,
    ...[VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData].map(hex),
  ])
  expect(table).toEqual(recording.layout)
  expect(hex(pe?.optional.SizeOfImage ?? 0)).toBe(recording.size_of_image)
})
