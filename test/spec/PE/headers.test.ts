import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { bytesSource, sparseSource } from '../../../src/bytes/source.ts'
import { PAGE, phys } from '../../../src/bytes/units.ts'
import { bootManagerMessage } from '../../../src/firmware/edk2/boot-manager.ts'
import { loaded, refusal, refused, TOP, type Pair } from '../../support/image-loader-runs.ts'
import { RECORDED } from '../../unit/firmware/recorded.ts'
import { descriptor, loadFile, smallMachine } from '../../unit/firmware/small-machine.ts'
import { E_LFANEW, smallPe, smallPeBytes, type SmallPe } from '../../unit/firmware/small-pe.ts'

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
