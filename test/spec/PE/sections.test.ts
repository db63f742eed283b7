import { expect, test } from 'vitest'
import { range, rangeAt, sizeOf } from '../../../src/bytes/range.ts'
import { sparseSource } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import { loaded, refused } from '../../support/image-loader-runs.ts'
import { RECORDED } from '../../unit/firmware/recorded.ts'
import { smallMachine, type SmallMachine } from '../../unit/firmware/small-machine.ts'
import { HEADERS, smallPe } from '../../unit/firmware/small-pe.ts'

const byteAt = (machine: SmallMachine, at: number) => machine.memory.readRaw(rangeAt(at, 1))[0]
const steps = (machine: SmallMachine) => machine.recorder.steps.map(step => step.clause)

test('PE-7 zero-fills a short section up to its virtual size', () => {
  const machine = smallMachine({ contents: 'poison' })
  const image = loaded(
    machine,
    smallPe({
      sections: [
        { VirtualAddress: 0x1000, VirtualSize: 0x700, raw: 0x200 },
        { VirtualAddress: 0x2000, VirtualSize: 0x200, raw: 0x400 },
        { VirtualAddress: 0x3000, VirtualSize: 0x300, raw: 0 },
      ],
    }),
  )
  expect(
    [...machine.memory.extents(range(image.base + 0x1000, image.base + 0x4000))].map(
      ({ range: where, content, whose }) => [where.start - image.base, sizeOf(where), content.kind, whose],
    ),
  ).toEqual([
    [0x1000, 0x200, 'bytes', { object: 'uki:.s0', at: 0 }],
    [0x1200, 0x500, 'fill', { object: 'uki:.s0', at: 0x200 }],
    [0x1700, 0x900, 'garbage', null],
    [0x2000, 0x200, 'bytes', { object: 'uki:.s1', at: 0 }],
    [0x2200, 0xe00, 'garbage', null],
    [0x3000, 0x300, 'fill', { object: 'uki:.s2', at: 0 }],
    [0x3300, 0xd00, 'garbage', null],
  ])
  expect(steps(machine).filter(clause => clause === 'PE-7')).toHaveLength(2)
})

test('PE-9 wants raw data after the headers and inside the file', () => {
  const section = { VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x200 }
  expect(refused({ sections: [{ ...section, VirtualAddress: 0x3ff }] })).toEqual(['EFI_UNSUPPORTED', 'PE-9'])
  expect(refused({ sections: [{ ...section, VirtualAddress: 0x400 }] })).toEqual(['EFI_SUCCESS', ''])
  expect(refused({ sections: [{ ...section, PointerToRawData: 0x3ff }] })).toEqual([
    'EFI_UNSUPPORTED',
    'PE-9',
  ])
  expect(refused({ sections: [section], fileSize: 0x5ff })).toEqual(['EFI_UNSUPPORTED', 'PE-9'])
  expect(refused({ sections: [section], fileSize: 0x600 })).toEqual(['EFI_SUCCESS', ''])
  expect(
    refused({
      sections: [section, { VirtualAddress: 0x100, VirtualSize: 0x10, raw: 0, PointerToRawData: 0x9000 }],
    }),
  ).toEqual(['EFI_SUCCESS', ''])
  expect(RECORDED.find(row => row.id === 'f2-truncated-in-linux/257.13/6.12')?.outcome).toBe(
    'firmware refuses to load',
  )
})

test('PE-14 copies SizeOfHeaders bytes to the load address', () => {
  const machine = smallMachine({ contents: 'poison' })
  const image = loaded(machine, smallPe({ sections: [], fileSize: 0x1000 }), {
    headers: { object: 'kernel', at: 0x10 },
  })
  expect(
    [...machine.memory.extents(image.pages)].map(({ range: where, whose }) => [
      where.start - image.base,
      sizeOf(where),
      whose,
    ]),
  ).toEqual([
    [0, HEADERS, { object: 'kernel', at: 0x10 }],
    [HEADERS, 0x4000 - HEADERS, null],
  ])
  const plain = smallMachine()
  expect(plain.memory.readAs(rangeAt(loaded(plain, smallPe()).base, HEADERS), 'uki:headers').whole).toBe(true)
})

test('PE-15 lets a later section of the table win, its zero fill included', () => {
  const machine = smallMachine()
  const sections = [
    { VirtualAddress: 0x1000, VirtualSize: 0x3000, raw: 0x3000 },
    { VirtualAddress: 0x2000, VirtualSize: 0x1000, raw: 0x200 },
  ]
  const { base } = loaded(machine, smallPe({ sections }))
  expect([0x1fff, 0x2000, 0x21ff, 0x2200, 0x2fff, 0x3000].map(at => byteAt(machine, base + at))).toEqual([
    0x10, 0x11, 0x11, 0, 0, 0x10,
  ])
  const reversed = smallMachine()
  const other = loaded(reversed, smallPe({ sections: sections.toReversed() }))
  expect([0x1fff, 0x2000, 0x2200, 0x3000].map(at => byteAt(reversed, other.base + at))).toEqual([
    0x11, 0x11, 0x11, 0x11,
  ])
})

test('PE-16 refuses a section with raw data that leaves the image', () => {
  const section = (VirtualAddress: number, VirtualSize: number, raw = 0x200) =>
    refused({ sections: [{ VirtualAddress, VirtualSize, raw }] })
  expect(section(0x3000, 0x1000)).toEqual(['EFI_SUCCESS', ''])
  expect(section(0x3000, 0x1001)).toEqual(['EFI_LOAD_ERROR', 'PE-16'])
  expect(section(0x4000, 0x200)).toEqual(['EFI_LOAD_ERROR', 'PE-16'])
  expect(section(0x4000, 0)).toEqual(['EFI_LOAD_ERROR', 'PE-16'])
  expect(section(0xfffff000, 0x3000)).toEqual(['EFI_LOAD_ERROR', 'PE-16'])
  expect(section(0x3000, 0xfffff001, 0x200)).toEqual(['EFI_SUCCESS', ''])
})

test('PE-17 copies VirtualSize 0 whole, zeroes no raw data whole, past the end of the image', () => {
  const machine = smallMachine({ contents: 'poison' })
  const { pages } = loaded(
    machine,
    smallPe({ sections: [{ VirtualAddress: 0x3000, VirtualSize: 0, raw: 0x2000 }] }),
  )
  const written = machine.recorder.events.find(event => event.op === 'put' && event.object === 'uki:.s0')
  expect(written).toMatchObject({
    range: rangeAt(pages.start + 0x3000, 0x2000),
    lost: [{ range: rangeAt(pages.end + 0x18, 0xfe8), whose: { object: 'uki:file', at: 0 } }],
  })
  const empty = smallMachine()
  const image = loaded(
    empty,
    smallPe({ sections: [{ VirtualAddress: 0x3000, VirtualSize: 0x2000, raw: 0 }] }),
  )
  expect(empty.recorder.events.filter(event => event.op === 'zero')).toMatchObject([
    { range: rangeAt(image.base + 0x3000, 0x2000) },
  ])
  expect(steps(empty)).toContain('PE-17')
  expect(steps(empty)).not.toContain('PE-7')
})

test('PE-18 leaves gaps as the pages were', () => {
  const machine = smallMachine()
  machine.firmware.allocatePages({ kind: 'address', at: 0xf00000 }, 2, 0x100, 'earlier')
  machine.memory.put(
    phys(0xf00000),
    { source: sparseSource(0x100000, [], 0x77), at: 0, length: 0x100000 },
    'earlier',
  )
  const { base } = loaded(
    machine,
    smallPe({ ImageBase: 0n, sections: [{ VirtualAddress: 0x1000, VirtualSize: 0x10, raw: 0x10 }] }),
  )
  expect(base).toBeLessThan(0xf00000)
  const residue = smallMachine({ contents: 'residue' })
  residue.firmware.allocatePages({ kind: 'address', at: 0xf00000 }, 2, 0x100, 'earlier')
  residue.memory.put(
    phys(0xf00000),
    { source: sparseSource(0x100000, [], 0x77), at: 0, length: 0x100000 },
    'earlier',
  )
  residue.firmware.freePages(phys(0xf00000), 0x100)
  const image = loaded(
    residue,
    smallPe({ sections: [{ VirtualAddress: 0x1000, VirtualSize: 0x10, raw: 0x10 }] }),
  )
  expect(
    [HEADERS - 1, HEADERS, 0xfff, 0x1000, 0x100f, 0x1010, 0x3fff].map(at => byteAt(residue, image.base + at)),
  ).toEqual([0, 0x77, 0x77, 0x10, 0x10, 0x77, 0x77])
})

test('PE-26 zeroes address 0 for an empty section outside the image, up to 2024.08', () => {
  const zeroed = (row: 'edk2-2022.11' | 'edk2-2025.02') => {
    const machine = smallMachine({ allocator: row })
    loaded(machine, smallPe({ sections: [{ VirtualAddress: 0x4000, VirtualSize: 0x300, raw: 0 }] }))
    return machine.recorder.events.filter(event => event.op === 'zero').map(event => event.range)
  }
  expect(zeroed('edk2-2022.11')).toEqual([rangeAt(0, 0x300)])
  expect(zeroed('edk2-2025.02')).toEqual([])
})
