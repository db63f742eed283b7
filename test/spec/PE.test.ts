import { expect, test } from 'vitest'
import { range, rangeAt, sizeOf } from '../../src/bytes/range.ts'
import { bytesSource, sparseSource, type ByteSource } from '../../src/bytes/source.ts'
import { PAGE, phys } from '../../src/bytes/units.ts'
import { bootManagerMessage } from '../../src/firmware/edk2/boot-manager.ts'
import type { LoadedImage, LoadRequest } from '../../src/firmware/services.ts'
import { RECORDED } from '../unit/firmware/recorded.ts'
import {
  descriptor,
  loadFile,
  SMALL_MAP,
  smallMachine,
  type SmallMachine,
} from '../unit/firmware/small-machine.ts'
import { E_LFANEW, HEADERS, smallPe, smallPeBytes, type SmallPe } from '../unit/firmware/small-pe.ts'

const TOP = 0x1000000

type Pair = readonly [VirtualAddress: number, Size: number]

function loaded(machine: SmallMachine, source: ByteSource, more: Partial<LoadRequest> = {}): LoadedImage {
  const result = loadFile(machine, source, more)
  if (result.image === null) throw new Error(`${result.status} ${result.clause} ${result.why}`)
  return result.image
}

/** Status and clause of the refusal of a file that lies in memory, where BDS has no say. */
function refusal(source: ByteSource, machine = smallMachine()): [string, string] {
  const where = rangeAt(0x100000, Math.max(1, source.size))
  machine.memory.claim(where, 'file')
  if (source.size > 0) machine.memory.put(where.start, { source, at: 0, length: source.size }, 'file')
  const result = machine.firmware.loadImage({
    from: { kind: 'memory', range: where },
    name: 'kernel',
    ownerOf: () => ({ object: 'kernel', at: 0 }),
  })
  return [result.status, result.image === null ? result.clause : '']
}

const refused = (pe: SmallPe) => refusal(smallPe(pe))
const byteAt = (machine: SmallMachine, at: number) => machine.memory.readRaw(rangeAt(at, 1))[0]
const steps = (machine: SmallMachine) => machine.recorder.steps.map(step => step.clause)

test('PE-1 reads the file into a buffer before it takes pages for the image, and frees it in the end', () => {
  const machine = smallMachine()
  const image = loaded(machine, smallPe())
  const buffer = 2 * PAGE
  expect(image.pages).toEqual(rangeAt(TOP - buffer - 0x4000, 0x4000))
  expect(machine.firmware.memoryMap().slice(-2)).toEqual([
    descriptor(1, image.base, image.base + 0x4000),
    descriptor(7, TOP - buffer, TOP),
  ])
  for (const extent of machine.memory.extents(rangeAt(TOP - buffer, buffer)))
    expect(extent).toMatchObject({ whose: null, content: { kind: 'fill', byte: 0xaf } })
  const stale = smallMachine({ contents: 'residue' })
  loaded(stale, smallPe())
  expect([...stale.memory.readRaw(rangeAt(TOP - buffer + 0x18, 2))]).toEqual([0x4d, 0x5a])
  expect(stale.memory.readAs(rangeAt(TOP - buffer + 0x18, 2), 'uki:file').deviations).toMatchObject([
    { kind: 'unclaimed' },
  ])
  const full = loadFile(smallMachine(), sparseSource(0xa00000, [{ at: 0, source: smallPe() }]))
  expect(full).toMatchObject({
    status: 'EFI_NOT_FOUND',
    clause: 'PE-1',
    message: 'BdsDxe: failed to load … : Not Found',
  })
})

test('PE-2 leaves a boot option out whose headers are not those of an application', () => {
  for (const pe of [
    { e_magic: 0 },
    { signature: 0 },
    { Magic: 0x107 },
    { Subsystem: 11 },
    { fileSize: 63 },
    { fileSize: E_LFANEW + 263 },
    { fileSize: 0 },
  ] satisfies SmallPe[]) {
    expect(loadFile(smallMachine(), smallPe(pe)), JSON.stringify(pe)).toMatchObject({
      status: 'EFI_NOT_FOUND',
      clause: 'PE-2',
      image: null,
      message: 'BdsDxe: failed to load … : Not Found',
    })
  }
  expect(loadFile(smallMachine(), smallPe({ fileSize: E_LFANEW + 264 }))).toMatchObject({
    status: 'EFI_UNSUPPORTED',
  })
  expect(loadFile(smallMachine(), smallPe({ pe32: true })).status).toBe('EFI_SUCCESS')
})

test('PE-3 wants the headers inside the file', () => {
  expect(refused({ fileSize: 63 })).toEqual(['EFI_UNSUPPORTED', 'PE-3'])
  expect(refused({ fileSize: E_LFANEW + 263 })).toEqual(['EFI_UNSUPPORTED', 'PE-3'])
  expect(refused({ signature: 0x4551 })).toEqual(['EFI_UNSUPPORTED', 'PE-3'])
  expect(refused({ Magic: 0x107 })).toEqual(['EFI_UNSUPPORTED', 'PE-3'])
  expect(refused({ e_magic: 0 })).toEqual(['EFI_UNSUPPORTED', 'PE-3'])
})

test('PE-4 wants the data directories to fill the optional header', () => {
  const directories = (n: number) => Array.from({ length: n }, () => [0, 0] as const)
  expect(refused({ directories: directories(17) })).toEqual(['EFI_UNSUPPORTED', 'PE-4'])
  expect(refused({ NumberOfRvaAndSizes: 15 })).toEqual(['EFI_UNSUPPORTED', 'PE-4'])
  expect(refused({ SizeOfOptionalHeader: 0xf8 })).toEqual(['EFI_UNSUPPORTED', 'PE-4'])
  expect(refused({ directories: directories(6) })).toEqual(['EFI_SUCCESS', ''])
  expect(refused({ directories: directories(6), pe32: true })).toEqual(['EFI_SUCCESS', ''])
})

test('PE-5 wants room for the section table in headers and image', () => {
  const end = E_LFANEW + 24 + 240
  expect(refused({ SizeOfImage: end })).toEqual(['EFI_UNSUPPORTED', 'PE-5'])
  expect(refused({ sections: [], SizeOfImage: end + 39, SizeOfHeaders: end + 1 })).toEqual([
    'EFI_UNSUPPORTED',
    'PE-5',
  ])
  expect(refused({ sections: [], SizeOfImage: end + 40, SizeOfHeaders: end + 1 })).toEqual([
    'EFI_SUCCESS',
    '',
  ])
  expect(refused({ SizeOfHeaders: end + 39 })).toEqual(['EFI_UNSUPPORTED', 'PE-5'])
  expect(refused({ SizeOfHeaders: end + 40 })).toEqual(['EFI_SUCCESS', ''])
  expect(refused({ sections: [], SizeOfHeaders: end, fileSize: 0x400 })).toEqual(['EFI_UNSUPPORTED', 'PE-5'])
  expect(refused({ sections: [], SizeOfHeaders: 0x400, SizeOfImage: 0x400, fileSize: 0x400 })).toEqual([
    'EFI_UNSUPPORTED',
    'PE-5',
  ])
  expect(refused({ sections: [], SizeOfHeaders: 0x400, SizeOfImage: 0x401, fileSize: 0x400 })).toEqual([
    'EFI_SUCCESS',
    '',
  ])
  expect(refused({ sections: [], SizeOfHeaders: 0x401, fileSize: 0x400 })).toEqual([
    'EFI_UNSUPPORTED',
    'PE-5',
  ])
})

test('PE-6 wants the certificate table to end inside the file', () => {
  const certificates = (at: number, size: number) =>
    refused({ directories: Array.from({ length: 16 }, (_, i): Pair => (i === 4 ? [at, size] : [0, 0])) })
  expect(certificates(0x1000, 0x400)).toEqual(['EFI_SUCCESS', ''])
  expect(certificates(0x1000, 0x401)).toEqual(['EFI_UNSUPPORTED', 'PE-6'])
  expect(certificates(0x9000, 0)).toEqual(['EFI_SUCCESS', ''])
})

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

test("PE-8 takes x64 and i386 images of EFI's subsystems", () => {
  expect(refused({ Machine: 0x14c })).toEqual(['EFI_SUCCESS', ''])
  for (const Machine of [0xebc, 0xaa64, 0x1c2])
    expect(refused({ Machine })).toEqual(['EFI_UNSUPPORTED', 'PE-8'])
  expect(refused({ Subsystem: 9 })).toEqual(['EFI_UNSUPPORTED', 'PE-8'])
  for (const [Subsystem, type] of [
    [10, 1],
    [11, 3],
    [12, 5],
    [13, 5],
  ] as const) {
    const machine = smallMachine()
    expect(refusal(smallPe({ Subsystem }), machine)[0]).toBe('EFI_SUCCESS')
    expect(machine.firmware.memoryMap().at(-1)?.type, String(Subsystem)).toBe(type)
  }
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

/** A file with a debug directory of two entries at 0x1000; the second is of this type, address and place. */
function withDebug(
  type: number,
  address: number,
  place: number,
  directory: readonly [number, number] = [0x1000, 56],
  fileSize?: number,
): SmallPe {
  const bytes = new Uint8Array(56)
  const view = new DataView(bytes.buffer)
  view.setUint32(12, 20, true)
  view.setUint32(28 + 12, type, true)
  view.setUint32(28 + 16, 0x123, true)
  view.setUint32(28 + 20, address, true)
  view.setUint32(28 + 24, place, true)
  return {
    sections: [{ VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x1000, bytes }],
    directories: Array.from({ length: 16 }, (_, i): Pair => (i === 6 ? directory : [0, 0])),
    ...(fileSize === undefined ? {} : { fileSize }),
  }
}

test('PE-10 makes the image larger by CodeView data without an address', () => {
  const size = (pe: SmallPe) => loaded(smallMachine(), smallPe(pe)).size
  expect(size(withDebug(2, 0, 0x1400))).toBe(0x4123)
  expect(size(withDebug(2, 0x1400, 0x1400))).toBe(0x4000)
  expect(size(withDebug(2, 0, 0))).toBe(0x4000)
  expect(size(withDebug(3, 0, 0x1400))).toBe(0x4000)
  expect(size(withDebug(2, 0, 0x1400, [0x1000, 28]))).toBe(0x4000)
  expect(size(withDebug(2, 0, 0x1400, [0x2000, 56]))).toBe(0x4000)
  expect(size(withDebug(2, 0, 0x1400, [0xfff, 56]))).toBe(0x4000)
  expect(size({ directories: Array.from({ length: 6 }, () => [0, 0] as const) })).toBe(0x4000)
  expect(refused(withDebug(3, 0, 0, [0x1fe5, 28]))).toEqual(['EFI_UNSUPPORTED', 'PE-10'])
  expect(size(withDebug(3, 0, 0, [0x1fe4, 28]))).toBe(0x4000)
})

test('PE-11 tries the preferred address first, from 1 MiB on', () => {
  const base = (pe: SmallPe) => loadFile(smallMachine(), smallPe(pe))
  expect(base({ ImageBase: 0x100000n }).image?.base).toBe(0x100000)
  expect(base({ ImageBase: 0xff000n }).image?.base).toBe(TOP - 0x6000)
  expect(base({ ImageBase: 0x800000n }).image?.base).toBe(TOP - 0x6000)
  expect(base({ ImageBase: 2n ** 63n }).image?.base).toBe(TOP - 0x6000)
  expect(base({ ImageBase: 0xff000n, Characteristics: 0x23 }).image?.base).toBe(0xff000)
  expect(base({ ImageBase: 0x800000n, Characteristics: 0x23 })).toMatchObject({
    status: 'EFI_NOT_FOUND',
    clause: 'PE-11',
  })
  expect(base({ ImageBase: 0x200000n, pe32: true }).image?.base).toBe(0x200000)
})

test('PE-12 puts other images where AllocateAnyPages puts them', () => {
  expect(loaded(smallMachine(), smallPe({ SizeOfImage: 0x7f0000 })).pages).toEqual(
    rangeAt(TOP - 0x2000 - 0x7f0000, 0x7f0000),
  )
  expect(loaded(smallMachine(), smallPe({ SizeOfImage: 0x7fe000 })).pages).toEqual(rangeAt(0x2000, 0x7fe000))
  expect(loadFile(smallMachine(), smallPe({ SizeOfImage: 0x800001 }))).toMatchObject({
    status: 'EFI_OUT_OF_RESOURCES',
    clause: 'PE-12',
    message: 'BdsDxe: failed to load … : Out of Resources',
  })
})

test('PE-13 aligns the load address inside the pages', () => {
  const place = (SectionAlignment: number) => {
    const { base, pages } = loaded(smallMachine(), smallPe({ SectionAlignment }))
    return [base, pages.start, sizeOf(pages)]
  }
  expect(place(0x200)).toEqual([TOP - 0x6000, TOP - 0x6000, 0x4000])
  expect(place(0x1000)).toEqual([TOP - 0x6000, TOP - 0x6000, 0x4000])
  expect(place(0x2000)).toEqual([TOP - 0x8000, TOP - 0x8000, 0x6000])
  expect(place(0x4000)).toEqual([TOP - 0x8000, TOP - 0xa000, 0x8000])
  expect(place(0x3000)).toEqual([0xff9000, 0xff7000, 0x7000])
  expect(loadFile(smallMachine(), smallPe({ SectionAlignment: 0 }))).toMatchObject({
    status: 'EFI_INVALID_PARAMETER',
    clause: 'PE-13',
  })
  expect(
    loadFile(
      smallMachine(),
      smallPe({ ImageBase: 0x101000n, SectionAlignment: 0x2000, Characteristics: 0x23 }),
    ),
  ).toMatchObject({ status: 'EFI_INVALID_PARAMETER', clause: 'PE-13' })
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

test("PE-17 copies a section of VirtualSize 0 whole, and zeroes a section without raw data whole, past the image's end", () => {
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

/** A relocation directory at 0x2000: blocks of [page, size or null for the right one, entries]. */
function withRelocations(
  blocks: readonly (readonly [page: number, size: number | null, entries: readonly number[]])[],
  more: SmallPe = {},
  directory?: readonly [number, number],
): SmallPe {
  const bytes = new Uint8Array(0x400)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const [page, size, entries] of blocks) {
    view.setUint32(at, page, true)
    view.setUint32(at + 4, size ?? 8 + 2 * entries.length, true)
    entries.forEach((entry, i) => {
      view.setUint16(at + 8 + 2 * i, entry, true)
    })
    at += 8 + 2 * entries.length
  }
  const code = new Uint8Array(0x200).map((_, i) => i)
  return {
    sections: [
      { VirtualAddress: 0x1000, VirtualSize: 0x200, raw: 0x200, bytes: code },
      { VirtualAddress: 0x2000, VirtualSize: 0x400, raw: 0x400, bytes },
    ],
    directories: Array.from({ length: 16 }, (_, i): Pair => (i === 5 ? (directory ?? [0x2000, at]) : [0, 0])),
    ...more,
  }
}

test('PE-19 relocates a moved image under the owners of its bytes, and writes nothing at ImageBase', () => {
  const machine = smallMachine()
  const entries = [0x0000, 0x1000 | 0x10, 0x2000 | 0x20, 0x3000 | 0x30, 0xa000 | 0x40]
  const { base } = loaded(
    machine,
    smallPe(withRelocations([[0x1000, null, entries]], { ImageBase: 0x12345n })),
  )
  const delta = BigInt(base - 0x12345)
  const view = new DataView(machine.memory.readRaw(rangeAt(base + 0x1000, 0x200)).slice().buffer)
  expect(view.getUint16(0x10, true)).toBe(Number((0x1110n + (delta >> 16n)) & 0xffffn))
  expect(view.getUint16(0x20, true)).toBe(Number((0x2120n + delta) & 0xffffn))
  expect(view.getUint32(0x30, true)).toBe(Number((0x33323130n + delta) & 0xffffffffn))
  expect(view.getBigUint64(0x40, true)).toBe(0x4746454443424140n + delta)
  expect([0, 0x0f, 0x12, 0x1f, 0x22, 0x2f, 0x34, 0x3f, 0x48].map(at => view.getUint8(at))).toEqual([
    0, 0x0f, 0x12, 0x1f, 0x22, 0x2f, 0x34, 0x3f, 0x48,
  ])
  expect(machine.memory.readAs(rangeAt(base + 0x1000, 0x200), 'uki:.s0').whole).toBe(true)
  const field = machine.memory.readRaw(rangeAt(base + E_LFANEW + 48, 8))
  expect(new DataView(field.slice().buffer).getBigUint64(0, true)).toBe(BigInt(base))
  const still = smallMachine()
  loaded(still, smallPe(withRelocations([[0x1000, null, entries]], { ImageBase: 0x400000n })))
  expect(still.recorder.events.some(event => event.op === 'patch' || event.op === 'amend')).toBe(false)
})

test('PE-19 moves an image downwards, narrow ones too, and skips one whose relocations are stripped', () => {
  const machine = smallMachine()
  const { base } = loaded(
    machine,
    smallPe(withRelocations([[0x1000, null, [0x3030]]], { ImageBase: 0xfffff000n, pe32: true })),
  )
  const view = new DataView(machine.memory.readRaw(rangeAt(base + 0x1030, 8)).slice().buffer)
  expect(view.getUint32(0, true)).toBe((0x33323130 + base - 0xfffff000 + 2 ** 33) % 2 ** 32)
  expect(view.getUint32(4, true)).toBe(0x37363534)
  expect(
    new DataView(machine.memory.readRaw(rangeAt(base + E_LFANEW + 52, 4)).slice().buffer).getUint32(0, true),
  ).toBe(base)
  const stripped = smallMachine()
  loaded(
    stripped,
    smallPe(withRelocations([[0x1000, 0, []]], { ImageBase: 0x400000n, Characteristics: 0x23 }, [0x9000, 8])),
  )
  expect(stripped.recorder.events.some(event => event.op === 'patch' || event.op === 'amend')).toBe(false)
})

test('PE-20 fails a load for a bad relocation directory', () => {
  const relocations = (
    blocks: Parameters<typeof withRelocations>[0],
    directory?: readonly [number, number],
    more: SmallPe = {},
  ) => refused(withRelocations(blocks, more, directory))
  const bad = ['EFI_LOAD_ERROR', 'PE-20']
  const good = ['EFI_SUCCESS', '']
  expect(relocations([[0x1000, null, [0xa000]]])).toEqual(good)
  expect(relocations([], [0x2000, 0])).toEqual(good)
  expect(relocations([], [0x4000, 8])).toEqual(bad)
  expect(relocations([], [0x2000, 0x2001])).toEqual(bad)
  expect(relocations([], [0x3000, 0xfffff000])).toEqual(bad)
  expect(relocations([], [0x3000, 0xfffff000], { ImageBase: 0x400000n })).toEqual(bad)
  expect(relocations([[0x1000, 0, []]])).toEqual(bad)
  expect(relocations([[0x1000, 0, []]], undefined, { ImageBase: 0x400000n })).toEqual(good)
  expect(relocations([[0x1000, 12, [0xa000]]])).toEqual(bad)
  expect(relocations([[0x4000, null, [0x0000]]])).toEqual(bad)
  expect(relocations([[0x3fff, null, [0x0000]]])).toEqual(good)
  expect(relocations([[0x3001, null, [0x0fff]]])).toEqual(bad)
  expect(relocations([[0x1000, null, [0x4000]]])).toEqual(['EFI_UNSUPPORTED', 'PE-20'])
  expect(relocations([[0x1000, null, [0x0000]]], [0x2000, 11])).toEqual(good)
})

test('PE-20 reads a directory only where the header has room for one, and applies none that is beyond all measure', () => {
  const few = (n: number) =>
    refused({
      directories: Array.from({ length: n }, () => [0, 0] as const),
      sections: [{ name: 'ABCDEFGH', VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x1000 }],
    })
  expect(few(4)).toEqual(['EFI_SUCCESS', ''])
  expect(few(5)).toEqual(['EFI_LOAD_ERROR', 'PE-20'])
  const machine = smallMachine()
  loaded(
    machine,
    smallPe(withRelocations([[0x1000, null, [0xa000]]], { SizeOfImage: 0x100000 }, [0x2000, 0x40001])),
  )
  expect(machine.assumptions.map(([clause]) => clause)).toContain('PE-20')
})

test('PE-21 words the refusal as BDS does', () => {
  for (const [id, words] of [
    ['d3-section-beyond-SizeOfImage/247.3/5.10', 'Load Error'],
    ['f2-truncated-in-linux/257.13/6.12', 'Unsupported'],
    ['g-ram/247.3/5.10/128', 'Out of Resources'],
  ] as const) {
    const printed = RECORDED.find(row => row.id === id)?.serial.errors.join('\n') ?? ''
    expect(printed).toMatch(/^BdsDxe: failed to load .*: /u)
    expect(printed.endsWith(`: ${words}`)).toBe(true)
  }
  expect(bootManagerMessage('load', 'EFI_LOAD_ERROR')).toBe('BdsDxe: failed to load … : Load Error')
  expect(bootManagerMessage('load', 'EFI_UNSUPPORTED')).toBe('BdsDxe: failed to load … : Unsupported')
  expect(bootManagerMessage('start', 'EFI_OUT_OF_RESOURCES')).toBe(
    'BdsDxe: failed to start … : Out of Resources',
  )
  const machine = smallMachine()
  machine.memory.put(
    phys(0x100000),
    { source: bytesSource(smallPeBytes({ Subsystem: 9 })), at: 0, length: 0x1400 },
    'file',
  )
  expect(
    machine.firmware.loadImage({
      from: { kind: 'memory', range: rangeAt(0x100000, 0x1400) },
      name: 'kernel',
      ownerOf: () => ({ object: 'kernel', at: 0 }),
    }),
  ).toMatchObject({ message: null })
})

test('PE-22 frees the pages of a failed load', () => {
  const machine = smallMachine()
  expect(
    loadFile(machine, smallPe({ sections: [{ VirtualAddress: 0x9000, VirtualSize: 1, raw: 1 }] })).status,
  ).toBe('EFI_LOAD_ERROR')
  expect(machine.firmware.memoryMap()).toEqual(SMALL_MAP)
  expect([...machine.memory.claims()]).toHaveLength(1)
})

test('PE-23 frees the pages of an unloaded image', () => {
  const machine = smallMachine()
  const image = loaded(machine, smallPe({ SectionAlignment: 0x4000 }))
  expect(machine.firmware.unloadImage(image)).toBe('EFI_SUCCESS')
  expect(machine.firmware.memoryMap()).toEqual(SMALL_MAP)
  expect(machine.firmware.unloadImage(image)).toBe('EFI_NOT_FOUND')
})

test('PE-24 puts an image where it was observed', () => {
  const machine = smallMachine()
  const image = loaded(machine, smallPe({ ImageBase: 0x400000n }), { pinned: phys(0x200000) })
  expect([image.base, image.pages]).toEqual([0x200000, rangeAt(0x200000, 0x4000)])
  expect(machine.firmware.memoryMap()).toContainEqual(descriptor(1, 0x200000, 0x204000))
  expect(machine.assumptions.map(([clause]) => clause)).not.toContain('PE-24')
  expect(loaded(machine, smallPe(), { pinned: phys(0x7fe000) }).base).toBe(0x7fe000)
  expect(machine.assumptions.map(([clause]) => clause)).toContain('PE-24')
  expect(machine.firmware.memoryMap().slice(-5, -1)).toEqual([
    descriptor(7, 0x204000, 0x7fe000),
    descriptor(1, 0x7fe000, 0x800000),
    descriptor(4, 0x800000, 0x801000),
    descriptor(1, 0x801000, 0x802000),
  ])
})

test('PE-25 gives address 0 as the entry point of an image that has it outside', () => {
  const entry = (AddressOfEntryPoint: number) => {
    const image = loaded(smallMachine(), smallPe({ AddressOfEntryPoint }))
    return image.entry === 0 ? null : image.entry - image.base
  }
  expect(entry(0x1234)).toBe(0x1234)
  expect(entry(0x3fff)).toBe(0x3fff)
  expect(entry(0x4000)).toBeNull()
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
