import { expect, test } from 'vitest'
import { rangeAt } from '../../src/bytes/range.ts'
import { fileOffset, phys } from '../../src/bytes/units.ts'
import type { ByteSource } from '../../src/bytes/source.ts'
import { stubCandidates } from '../../src/boot/identify.ts'
import { parsePe } from '../../src/image/pe.ts'
import { STUB_FACTS } from '../../src/image/stub-facts.ts'
import { buildKernel, buildUki, type AddedSection } from '../../src/image/synthetic.ts'
import { viewUki } from '../../src/image/uki.ts'
import type { Memory } from '../../src/memory/memory.ts'
import {
  BASE,
  CMDLINE,
  INITRD_AT,
  INITRD_SIZE,
  KERNEL_AT,
  kernelFacts,
  runStub,
  sectionsOf,
  withoutInitrdSupport,
  type StubRun,
  type StubSetting,
} from '../support/stub-run.ts'

const GIB = 2 ** 30
type Change = Readonly<Record<string, AddedSection | null>>
const section = (
  name: string,
  VirtualAddress: number,
  text: string,
  more: Partial<AddedSection> = {},
): AddedSection => ({ name, VirtualAddress, content: { text }, ...more })
const kernel61 = buildKernel(kernelFacts('debian-6.1.170'))
const oldKernel = buildKernel(withoutInitrdSupport())
/** Sections that lie after the larger stubs, too. */
const laterSections = (change: Change = {}, kernel: ByteSource = kernel61): AddedSection[] =>
  sectionsOf(
    {
      '.osrel': section('.osrel', 0x40000, 'ID=x\n'),
      '.cmdline': section('.cmdline', 0x50000, CMDLINE),
      ...change,
    },
    kernel,
  )

/** Rows by the version that they begin with. */
const early = (row: string, setting: StubSetting = {}): StubRun =>
  runStub(`systemd-stub/${row}`, {
    stub: row.startsWith('S3') || row.startsWith('S4') ? '252.39' : '247.3',
    ...setting,
  })
const later = (row: string, setting: StubSetting = {}): StubRun =>
  runStub(`systemd-stub/${row}`, { stub: '262.1', sections: laterSections(), ...setting })
const refusal = (run: StubRun) => (run.outcome?.kind === 'refused' ? run.outcome.refusal : run.outcome)
const doubts = (run: StubRun) => run.notes.doubts.map(({ clause }) => clause)
const assumed = (run: StubRun) => run.notes.assumptions.map(({ clause }) => clause)
const pages = ({ calls }: StubRun) =>
  calls
    .filter(({ call }) => call === 'pages')
    .map(({ label, size, type, where }) => [label, size, type, where])
const params = (run: StubRun): number => run.notes.facts.bootParams ?? 0
const u32 = ({ memory }: StubRun, at: number): number =>
  new DataView(memory.readRaw(rangeAt(at, 4)).buffer).getUint32(0, true)
const byte = ({ memory }: StubRun, at: number): number | undefined => memory.readRaw(rangeAt(at, 1))[0]
const lineOf = (run: StubRun): string | undefined =>
  run.notes.facts.commandLine ??
  (run.handOff?.via === 'pe-entry' ? run.handOff.loaded.loadOptions?.text : undefined)
const baseOf = (run: StubRun): number => (run.handOff?.via === 'pe-entry' ? run.handOff.loaded.base : 0)

const patch = (object: string, place: (base: number) => number, ...bytes: number[]): StubSetting => ({
  before: (memory: Memory, base: number) =>
    void memory.patch(phys(place(base)), Uint8Array.from(bytes), object, place(base) - base),
})
const header = (at: number, ...bytes: number[]): StubSetting =>
  patch('uki:headers', base => base + at, ...bytes)
/** Bytes of the kernel file in the image. */
const edit = (at: number, ...bytes: number[]): StubSetting => ({
  before: (memory: Memory, base: number) =>
    void memory.patch(phys(base + KERNEL_AT + at), Uint8Array.from(bytes), 'kernel', at),
})
const little = (value: number): number[] => [0, 8, 16, 24].map(shift => (value >>> shift) & 0xff)

/** COFF header and optional header of the stubs: 247.3 and 252.39 have e_lfanew 0x80, 262.1 0x40. */
const PE_262 = 0x40
const NUMBER_OF_SECTIONS = 6
const OPTIONAL = 24

test('ST-52 from 250 on 96 sections are the most, until the cap went', () => {
  const many = header(0x80 + NUMBER_OF_SECTIONS, 97)
  for (const row of ['S3', 'S4/252', 'S4/252.3', 'S4/253'])
    expect(refusal(early(row, many)), row).toMatchObject({ clause: 'ST-52', status: 'EFI_LOAD_ERROR' })
  for (const row of ['S4/252.36', 'S4/253.31']) expect(refusal(early(row, many)), row).toBeNull()
  const more = header(PE_262 + NUMBER_OF_SECTIONS, 97)
  for (const row of ['S5/254', 'S5/256', 'S6/254', 'S6/256', 'S6/257'])
    expect(refusal(later(row, more)), row).toMatchObject({ clause: 'ST-52' })
  for (const row of ['S6/254.24', 'S6/256.12', 'S6/257.3', 'S7', 'S8'])
    expect(refusal(later(row, more)), row).toBeNull()
})

/**
 * Moves the PE header of the image to 4, inside the DOS header, e_lfanew included: the field at 0x3c is
 * SectionAlignment there, and says 4.
 */
const insideDos: StubSetting = {
  before: (memory, base) => {
    memory.copy(phys(base + 4), rangeAt(base + PE_262, 0x600))
    memory.patch(phys(base + 0x3c), Uint8Array.of(4, 0, 0, 0), 'uki:headers', 0x3c)
  },
}

test('ST-53 e_lfanew below 64 is refused from 257 on', () => {
  expect(refusal(later('S6/256', insideDos))).toBeNull()
  for (const row of ['S6/257', 'S6/257.11', 'S7', 'S8'])
    expect(refusal(later(row, insideDos)), row).toMatchObject({
      clause: 'ST-53',
      status: 'EFI_LOAD_ERROR',
      message: 'Unable to locate PE section table: Load error',
    })
})

const HARDENED = ['S7/258.10', 'S8/259.8', 'S8']
const NOT_HARDENED = ['S7', 'S7/258.8', 'S7/259.1', 'S8/259.7', 'S8/261.1']
const on61 = kernelFacts('debian-6.1.170').pe

test('ST-54 five data directories are too few, for the image and for the kernel', () => {
  const image = header(PE_262 + OPTIONAL + 108, 5)
  const kernel = edit(on61.e_lfanew + OPTIONAL + 108, 5)
  for (const row of HARDENED) {
    expect(refusal(later(row, image)), row).toMatchObject({
      clause: 'ST-54',
      message: 'Unable to locate PE section table: Load error',
    })
    expect(refusal(later(row, kernel)), row).toMatchObject({
      clause: 'ST-54',
      message: 'Bad kernel image: Load error',
    })
  }
  for (const row of NOT_HARDENED)
    expect([refusal(later(row, image)), refusal(later(row, kernel))], row).toEqual([null, null])
})

test('ST-55 a section table that leaves the image is refused', () => {
  const many = header(PE_262 + NUMBER_OF_SECTIONS, 0xff, 0xff)
  const small: StubSetting = { ...many, edit: { SizeOfImage: 0x200000 } }
  for (const row of ['S8/259.8', 'S8'])
    expect(refusal(later(row, small)), row).toMatchObject({ clause: 'ST-55', status: 'EFI_LOAD_ERROR' })
  for (const row of ['S7/258.10', 'S8/259.7', 'S8/261.1'])
    expect(refusal(later(row, small)), row).not.toMatchObject({ clause: 'ST-55' })
})

/** xloadflags without CAN_BE_LOADED_ABOVE_4G. */
const low = edit(0x236, 0x3d)
const HIGH = 5 * GIB

test('ST-56 252 and 253 refuse a handover kernel above 4 GiB that cannot lie there', () => {
  const old = { sections: sectionsOf({}, oldKernel), base: HIGH }
  for (const row of ['S4/252', 'S4/252.3', 'S4/252.36', 'S4/253', 'S4/253.31']) {
    expect(refusal(early(row, { ...old, ...low })), row).toMatchObject({
      clause: 'ST-56',
      status: 'EFI_UNSUPPORTED',
      message: 'Unified kernel image was loaded above 4G, but kernel lacks support.',
    })
    expect(early(row, old).handOff, row).toMatchObject({ via: 'efi-handover', image: HIGH + KERNEL_AT })
  }
  expect(refusal(later('S5/254', { sections: laterSections({}, oldKernel), base: HIGH, ...low }))).toBeNull()
})

test('ST-57 252 and 253 refuse an initrd above 4 GiB that the kernel cannot reach', () => {
  const apart = { sections: sectionsOf({}, oldKernel), base: 4 * GIB - INITRD_AT }
  expect(refusal(early('S4/252.3', { ...apart, ...low }))).toMatchObject({
    clause: 'ST-57',
    status: 'EFI_UNSUPPORTED',
    message: 'Initrd is above 4G, but kernel lacks support.',
  })
  expect(early('S4/252.3', apart).notes.facts.ramdiskImageFromStub).toBe(4 * GIB)
  expect(
    refusal(
      early('S4/252.3', {
        sections: sectionsOf({ '.initrd': null }, oldKernel),
        base: 4 * GIB - INITRD_AT,
        ...low,
      }),
    ),
  ).toBeNull()
})

test('ST-58 below 4 GiB the kernel stays, above it is copied without a tail', () => {
  const size = kernelFacts().fileSize
  const old = { sections: laterSections({}, oldKernel) }
  for (const row of ['S5/254', 'S5/256', 'S7', 'S7/258.10', 'S8/259.2', 'S8']) {
    expect(later(row, old).handOff, row).toMatchObject({ via: 'efi-handover', image: BASE + KERNEL_AT })
    const high = later(row, { ...old, base: HIGH })
    expect(
      pages(high).find(([label]) => label === 'kernel'),
      row,
    ).toEqual(['kernel', Math.ceil(size / 0x1000), 1, 'max ffffffff'])
    const image = high.handOff?.via === 'efi-handover' ? high.handOff.image : 0
    expect(high.memory.readAs(rangeAt(image, size), 'kernel').whole, row).toBe(true)
    expect(high.memory.readAs(rangeAt(image + size, 8), 'kernel', { at: size }).whole, row).toBe(false)
  }
})

test('ST-58 an NX_COMPAT image whose .linux is not executable is a doubt in place', () => {
  const executable = laterSections({
    '.linux': { name: '.linux', VirtualAddress: KERNEL_AT, content: oldKernel, Characteristics: 0x60000020 },
  })
  expect(doubts(later('S8', { sections: laterSections({}, oldKernel) }))).toEqual(['ST-58'])
  expect(doubts(later('S8', { sections: executable }))).toEqual([])
})

test('ST-59 MajorImageVersion chooses between the own loader and the handover protocol', () => {
  expect(later('S8').handOff).toMatchObject({
    via: 'pe-entry',
    loaded: { name: 'kernel', pe: { optional: { MajorImageVersion: on61.optional.MajorImageVersion } } },
  })
  expect(later('S8', { sections: laterSections({}, oldKernel) }).handOff?.via).toBe('efi-handover')
  expect(refusal(later('S8', edit(0, 0)))).toMatchObject({
    clause: 'ST-59',
    status: 'EFI_LOAD_ERROR',
    message: 'Bad kernel image: Load error',
  })
})

test('ST-60 the own loader writes sections, and nothing else', () => {
  const run = later('S8')
  const [first] = on61.sections
  const base = baseOf(run)
  expect(run.calls.filter(({ label }) => label === 'stub:kernel_file_path')).toMatchObject([
    { call: 'pool', size: 28 },
  ])
  expect(
    [...run.memory.extents(rangeAt(base, first?.[1] ?? 1))].filter(({ whose }) => whose !== null),
  ).toEqual([])
  for (const [name, VirtualAddress, , , SizeOfRawData] of on61.sections)
    expect(
      run.memory.readAs(rangeAt(base + VirtualAddress, SizeOfRawData), 'kernel', { at: VirtualAddress })
        .whole,
      name,
    ).toBe(true)
  expect(run.handOff).toMatchObject({ entry: base + on61.optional.AddressOfEntryPoint })
})

const TABLE_61 = on61.e_lfanew + OPTIONAL + 160
const sectionField = (index: number, at: number): number => TABLE_61 + 40 * index + at

test('ST-60 relocations end the boot, and a section without raw data is passed over', () => {
  expect(refusal(later('S8', edit(on61.e_lfanew + OPTIONAL + 112 + 40 + 4, 8)))).toMatchObject({
    clause: 'ST-60',
    status: 'EFI_LOAD_ERROR',
    message: 'Inner kernel image contains base relocations, which we do not support.',
  })
  expect(refusal(later('S8', edit(sectionField(0, 24), 8)))).toMatchObject({
    clause: 'ST-60',
    message: 'Inner kernel image contains sections with relocations, which we do not support.',
  })
  const run = later('S8', edit(sectionField(3, 16), 0, 0, 0, 0))
  const [, VirtualAddress = 0] = on61.sections[3] ?? []
  expect(
    [...run.memory.extents(rangeAt(baseOf(run) + VirtualAddress, 0x1000))].filter(
      ({ whose }) => whose !== null,
    ),
  ).toEqual([])
})

const SIZE_61 = on61.optional.SizeOfImage / 0x1000

test('ST-61 the pages of the own loader are any, of code, for SizeOfImage', () => {
  for (const row of ['S7/258.10', 'S8/259.2', 'S8/261'])
    expect(pages(later(row)).at(-1), row).toEqual(['kernel', SIZE_61, 1, 'any'])
  expect(refusal(later('S8/261', { full: ['kernel'] }))).toMatchObject({
    clause: 'ST-61',
    status: 'EFI_OUT_OF_RESOURCES',
  })
})

test('ST-62 an alignment above a page takes a larger piece', () => {
  const aligned = edit(on61.e_lfanew + OPTIONAL + 32, ...little(0x10000))
  for (const row of ['S8/259.7', 'S8/259.8', 'S8/261.1', 'S8']) {
    expect(pages(later(row)).at(-1), row).toEqual(['kernel', SIZE_61, 1, 'any'])
    const run = later(row, aligned)
    expect(pages(run).at(-1), row).toEqual(['kernel', SIZE_61 + 16, 1, 'any'])
    expect(baseOf(run) % 0x10000, row).toBe(0)
  }
  expect(pages(later('S8/259.6', aligned)).at(-1)).toEqual(['kernel', SIZE_61, 1, 'any'])
  expect(pages(later('S8', edit(on61.e_lfanew + OPTIONAL + 32, ...little(0x10001)))).at(-1)).toEqual([
    'kernel',
    SIZE_61,
    1,
    'any',
  ])
})

const BASE_16M = edit(on61.e_lfanew + OPTIONAL + 24, ...little(0x1000000))
const UP_TO_259_1 = ['S7', 'S7/258.4', 'S7/258.8', 'S7/258.10', 'S7/259', 'S7/259.1']
const FROM_259_2 = ['S8/259.2', 'S8/259.6', 'S8/259.7', 'S8/259.8', 'S8/261', 'S8/261.1', 'S8']
const outside = { status: 'EFI_LOAD_ERROR', message: 'Section would write outside of memory' }

test('ST-63 a kernel with an ImageBase is refused up to 259.1', () => {
  for (const row of UP_TO_259_1)
    expect(refusal(later(row, BASE_16M)), row).toMatchObject({
      ...outside,
      clause: row === 'S7/258.10' ? 'ST-64' : 'ST-63',
    })
  for (const row of FROM_259_2) expect(refusal(later(row, BASE_16M)), row).toBeNull()
})

test('ST-63 raw data beyond SizeOfImage is refused, and a difference below zero clears nearly 4 GiB', () => {
  expect(refusal(later('S7', edit(sectionField(3, 16), ...little(0x8000000))))).toMatchObject(outside)
  const wrapped = later('S7', edit(sectionField(3, 8), ...little(0x100)))
  expect(wrapped.outcome).toMatchObject({ kind: 'undefined' })
  expect(wrapped.recorder.events.at(-1)).toMatchObject({ op: 'zero' })
})

const beyond = edit(sectionField(3, 8), ...little(0x100000))

test('ST-64 258.10 looks at the virtual size', () => {
  expect(refusal(later('S7/258.10', beyond))).toMatchObject({
    clause: 'ST-64',
    message: 'Section virtual size would write outside of memory',
  })
  expect(
    later('S7/258.8', beyond).recorder.events.some(event => event.op === 'zero' && event.strayed.length > 0),
  ).toBe(true)
})

test('ST-65 raw data must lie in its section, in the image and in the file', () => {
  const rawSize = (size: number): StubSetting => edit(sectionField(3, 16), ...little(size))
  for (const row of FROM_259_2) {
    expect(refusal(later(row, edit(sectionField(3, 8), ...little(0x100)))), row).toMatchObject({
      status: 'EFI_LOAD_ERROR',
      message: 'Invalid PE section, raw data size is greater than virtual size',
    })
    expect(refusal(later(row, rawSize(0x8000000))), row).toMatchObject(outside)
    expect(refusal(later(row, edit(sectionField(3, 20), ...little(0x8000000)))), row).toMatchObject({
      message: 'Invalid PE section, raw data extends outside of file',
    })
    expect(refusal(later(row, edit(sectionField(3, 20), ...little(0xffffff00)))), row).toMatchObject({
      message: 'Invalid PE section, PointerToRawData + SizeOfRawData overflows',
    })
    expect(refusal(later(row, edit(sectionField(3, 12), ...little(0xffffff00)))), row).toMatchObject({
      message: 'Invalid PE section, SizeOfRawData + VirtualAddress, overflows',
    })
  }
  expect(refusal(later('S8/259.2', rawSize(0x8000000)))).toMatchObject({ clause: 'ST-65' })
})

test('ST-2 what the own loader clears of the stub itself is a doubt', () => {
  const near: StubSetting = { free: [BASE - on61.optional.SizeOfImage - 0x200000, BASE] }
  const cleared = later('S8/261.1', { ...near, ...edit(sectionField(3, 8), ...little(0x400000)) })
  expect(doubts(cleared)).toContain('ST-2')
  expect(doubts(later('S8/261.1', near))).not.toContain('ST-2')
})

test('ST-66 the virtual size must end in the image, too', () => {
  for (const row of ['S8/259.8', 'S8']) {
    expect(refusal(later(row, beyond)), row).toMatchObject({
      clause: 'ST-66',
      message: 'Section virtual size would write outside of memory',
    })
    expect(refusal(later(row, edit(sectionField(3, 8), ...little(0xffffff00)))), row).toMatchObject({
      message: 'Invalid PE section, VirtualSize + VirtualAddress overflows',
    })
  }
  for (const row of ['S8/259.2', 'S8/259.7', 'S8/261', 'S8/261.1'])
    expect(
      later(row, beyond).recorder.events.some(event => event.op === 'zero' && event.strayed.length > 0),
      row,
    ).toBe(true)
})

test('ST-67 under Secure Boot with shim LoadImage gets the kernel', () => {
  const secure = { secureBoot: true, shim: true }
  expect(later('S8', secure).calls).toContainEqual(expect.objectContaining({ call: 'load' }))
  expect(refusal(later('S8', { ...secure, full: ['load'] }))).toMatchObject({
    clause: 'ST-67',
    status: 'EFI_LOAD_ERROR',
    message: 'Error loading inner kernel with shim: Load error',
  })
  for (const other of [{ shim: true }, { secureBoot: true }])
    expect(later('S8', other).calls.map(({ call }) => call)).not.toContain('load')
  expect(assumed(later('S8', secure))).toContain('ST-67')
})

test('ST-68 code of an NX_COMPAT kernel that is not made of whole pages is a doubt', () => {
  expect(doubts(later('S8'))).toEqual([])
  expect(assumed(later('S8'))).toContain('ST-68')
  expect(
    doubts(later('S8', edit(sectionField(2, 8), ...little((on61.sections[2]?.[2] ?? 0) + 0x10)))),
  ).toEqual(['ST-68'])
})

test('ST-69 an entry point after the image is a bad kernel image', () => {
  const away = edit(on61.e_lfanew + OPTIONAL + 16, ...little(0x7fffffff))
  for (const row of HARDENED)
    expect(refusal(later(row, away)), row).toMatchObject({
      clause: 'ST-69',
      status: 'EFI_LOAD_ERROR',
      message: 'Bad kernel image: Load error',
    })
  for (const row of NOT_HARDENED) expect(refusal(later(row, away)), row).toBeNull()
})

test('ST-70 a section after the end of the image is passed over', () => {
  const huge = laterSections({
    '.initrd': {
      name: '.initrd',
      VirtualAddress: INITRD_AT,
      VirtualSize: 0x1000,
      content: { initrd: 0x1000 },
    },
  })
  const short: StubSetting = { sections: huge, edit: { SizeOfImage: INITRD_AT + 0x800 } }
  const offered = (row: string): unknown =>
    (later(row, short).handOff as { initrdObject: string }).initrdObject
  for (const row of ['S8/259.8', 'S8'])
    expect(
      later(row, short)
        .memory.partsOf(String(offered(row)))
        ?.map(({ object }) => object),
      row,
    ).not.toContain('initrd')
  for (const row of ['S7/258.10', 'S8/259.7', 'S8/261.1'])
    expect(
      later(row, short)
        .memory.partsOf(String(offered(row)))
        ?.map(({ object }) => object),
      row,
    ).toContain('initrd')
})

test('ST-71 252 and 253 warn of neighbours in the table that overlap or are not in order', () => {
  const swapped = [...sectionsOf({ '.osrel': null }), section('.osrel', 0x20000, 'ID=x')]
  const plain = sectionsOf()
  for (const row of ['S4/252', 'S4/252.3', 'S4/252.36', 'S4/253', 'S4/253.31'])
    expect(assumed(early(row, { sections: swapped })), row).toContain('ST-71')
  expect(assumed(early('S3', { sections: swapped }))).not.toContain('ST-71')
  expect(assumed(later('S5/254', { sections: swapped }))).not.toContain('ST-71')
  expect(assumed(runStub('systemd-stub/S4/253', { stub: '254.26', sections: plain }))).not.toContain('ST-71')
  expect(assumed(early('S4/252.36', { sections: plain }))).not.toContain('ST-71')
})

test('ST-72 233 to 239 take any text', () => {
  for (const row of ['S0/233', 'S1', 'S1/236', 'S1/239']) {
    expect(lineOf(early(row, { options: '\u0001q' })), row).toBe('\u0001q')
    expect(lineOf(early(row, { options: '', optionBytes: 2 })), row).toBe(CMDLINE)
    expect(lineOf(early(row, { options: 'q', secureBoot: true })), row).toBe(CMDLINE)
  }
  expect(lineOf(early('S1/240', { options: '\u0001q' }))).toBe(CMDLINE)
})

test('ST-73 229 to 232 take any LoadOptions', () => {
  expect(lineOf(early('S0', { options: '', optionBytes: 2 }))).toBe('')
  expect(lineOf(early('S0', { options: 'q', secureBoot: true }))).toBe(CMDLINE)
})

test('ST-74 252.0 keeps bytes, makes odd ones spaces, and widens the line for LoadImage', () => {
  const run = early('S4/252', { options: 'a\tb\u00e9' })
  expect(run.handOff).toMatchObject({
    via: 'pe-entry',
    loaded: { loadOptions: { text: 'a b \0', bytes: 12, object: 'cmdline:utf-16' } },
  })
  expect(
    run.memory.readRaw(
      rangeAt((run.handOff?.via === 'pe-entry' ? run.handOff.loaded.loadOptions?.at : 0) ?? 0, 4),
    ),
  ).toEqual(Uint8Array.of(0x61, 0, 0x20, 0))
  expect(early('S4/252', { sections: sectionsOf({ '.cmdline': null }) }).handOff).toMatchObject({
    loaded: { loadOptions: null },
  })
})

test('ST-75 from 261 on a line without console= rests on an assumption', () => {
  const silent = laterSections({ '.cmdline': section('.cmdline', 0x50000, 'quiet') })
  for (const row of ['S8/261', 'S8/261.1', 'S8'])
    expect(
      [assumed(later(row)).includes('ST-75'), assumed(later(row, { sections: silent })).includes('ST-75')],
      row,
    ).toEqual([false, true])
  expect(assumed(later('S8/259.8', { sections: silent }))).not.toContain('ST-75')
})

test('ST-76 252.0 copies the line as it is, however long', () => {
  const old = sectionsOf({}, oldKernel)
  const run = early('S4/252', { sections: old, ...edit(0x238, 3, 0) })
  expect(run.notes.facts.commandLine).toBe(CMDLINE)
  expect(pages(run).at(-1)).toEqual(['cmdline', 1, 2, 'any'])
  expect(u32(run, params(run) + 0x228)).toBe(run.notes.facts.cmdLinePtr)
  expect(pages(early('S4/252', { sections: old, ...low })).at(-1)).toEqual(['cmdline', 1, 2, 'max a0000'])
  expect(early('S4/252.3', { sections: old, ...edit(0x238, 3, 0) }).notes.facts.commandLine).toBe('con')
})

test('ST-77 up to 241 boot_params begins with the kernel file, below 1 GiB', () => {
  for (const row of ['S0', 'S0/233', 'S1', 'S1/236', 'S1/239', 'S1/240']) {
    const run = early(row)
    expect(pages(run)[0], row).toEqual(['boot_params', 4, 2, 'max 3fffffff'])
    expect(u32(run, params(run)) & 0xffff, row).toBe(0x5a4d)
    expect(byte(run, params(run) + 0x1ef), row).toBe(byte(run, BASE + KERNEL_AT + 0x1ef))
    expect(u32(run, params(run) + 0x268), row).toBe(0)
    const none = early(row, edit(0x1f1, 0))
    expect(u32(none, params(none) + 0x214), row).toBe(BASE + KERNEL_AT + 512)
  }
})

test('ST-78 236 to 241 tell of Secure Boot', () => {
  const told = (row: string, secureBoot: boolean): number | undefined => {
    const run = early(row, { secureBoot })
    return byte(run, params(run) + 0x1ec)
  }
  const inFile = buildKernel(kernelFacts()).read(fileOffset(0x1ec), 1)[0]
  expect([told('S1/236', true), told('S1/240', true)]).toEqual([3, 3])
  expect([told('S1/236', false), told('S1', true), told('S0', true)]).toEqual([inFile, inFile, inFile])
})

test('ST-79 250 passes the initrd in boot_params and through LoadFile2', () => {
  const run = early('S3')
  expect(run.handOff).toMatchObject({
    via: 'efi-handover',
    image: BASE + KERNEL_AT,
    initrd: { at: BASE + INITRD_AT, size: INITRD_SIZE },
    initrdObject: 'initrd',
  })
  expect(u32(run, params(run) + 0x218)).toBe(BASE + INITRD_AT)
  expect(runStub('systemd-stub/S2').handOff).not.toHaveProperty('initrd')
  expect(early('S3', { sections: sectionsOf({ '.initrd': null }) }).notes.facts.ramdiskImageFromStub).toBe(0)
})

const variableCalls = (row: string) =>
  early(row)
    .calls.filter(({ call, label }) => call !== 'pages' && label === 'stub:SecureBoot')
    .map(({ call }) => call)

test('ST-80 up to 238 and from 248 on the buffer of SecureBoot is freed', () => {
  expect(
    Object.fromEntries(
      ['S0', 'S0/233', 'S1', 'S1/236', 'S2/248', 'S2/249.6', 'S3', 'S4/252', 'S4/252.36', 'S4/253.31'].map(
        row => [row, variableCalls(row).join()],
      ),
    ),
  ).toEqual(
    Object.fromEntries(
      ['S0', 'S0/233', 'S1', 'S1/236', 'S2/248', 'S2/249.6', 'S3', 'S4/252', 'S4/252.36', 'S4/253.31'].map(
        row => [row, 'pool,free'],
      ),
    ),
  )
})

test('ST-81 250 looks at the length of .linux first', () => {
  const short = sectionsOf({
    '.linux': {
      name: '.linux',
      VirtualAddress: KERNEL_AT,
      content: buildKernel(kernelFacts()),
      VirtualSize: 4095,
    },
  })
  expect(refusal(early('S3', { sections: short }))).toMatchObject({
    clause: 'ST-81',
    status: 'EFI_LOAD_ERROR',
    message: 'Execution of embedded linux image failed: Load Error',
  })
  expect(refusal(early('S2', { sections: short }))).toBeNull()
})

test('ST-82 up to 233 damage of the table in memory does not matter', () => {
  const lost = header(0x80, 0)
  for (const row of ['S0', 'S0/233'])
    expect(early(row, lost).handOff, row).toMatchObject({ image: BASE + KERNEL_AT, initrdObject: 'initrd' })
  expect(refusal(early('S1', lost))).toMatchObject({ clause: 'ST-6' })
  const crowd = Array.from({ length: 95 }, (_, i) => section(`.x${String(i)}`, 0x4000000 + i * 0x1000, 'x'))
  expect(refusal(early('S0', { sections: [...sectionsOf(), ...crowd] }))).toMatchObject({
    clause: 'ST-82',
    status: 'EFI_LOAD_ERROR',
  })
  expect(early('S0').calls.filter(({ label }) => label === 'stub:path')).toMatchObject([
    { call: 'pool', size: 44, type: 2 },
  ])
  expect(early('S1').calls.filter(({ label }) => label === 'stub:path')).toEqual([])
})

test('ST-83 no more than 119 bytes of the setup header', () => {
  const behind = (row: string): number => {
    const run = later(row, { sections: laterSections({}, oldKernel) })
    return u32(run, params(run) + 0x268)
  }
  for (const row of ['S7/258.8', 'S7/258.10', 'S8/259.6', 'S8/261', 'S8']) expect(behind(row), row).toBe(0)
  for (const row of ['S7/258.4', 'S7/259.1', 'S8/259.2'])
    expect(behind(row), row).toBe(kernelFacts().hdr.kernel_info_offset)
})

test('ST-84 252 prints strings into large buffers and frees them', () => {
  expect(
    early('S4/252.36')
      .calls.filter(({ call }) => call !== 'load')
      .map(({ call, label, size }) => [call, label, size]),
  ).toEqual([
    ['pool', 'stub:SecureBoot', 8192],
    ['free', 'stub:SecureBoot', 0],
    ['pool', 'cmdline:utf-16', 2 * (CMDLINE.length + 1)],
    ['pool', 'stub:LoaderFirmwareInfo', 472],
    ['free', 'stub:LoaderFirmwareInfo', 0],
    ['pool', 'stub:extra.d', 460],
    ['free', 'stub:extra.d', 0],
    ['pool', 'stub:initrd_loader', 24],
  ])
})

test('ST-85 from 259 on a control character anywhere rules LoadOptions out', () => {
  for (const row of ['S7/259', 'S8/259.2', 'S8'])
    expect([lineOf(later(row, { options: 'a\tb' })), lineOf(later(row, { options: 'a b' }))], row).toEqual([
      CMDLINE,
      'a b',
    ])
  expect(lineOf(later('S7', { options: 'a\tb' }))).toBe('a b')
})

test('ST-86 an image for i386 is a gap, whatever release is asked for', () => {
  const built = (Machine: number) =>
    viewUki(
      parsePe(buildUki({ stub: STUB_FACTS['247.3'], sections: [], coff: { Machine } })).pe ??
        expect.fail('no PE'),
    )
  for (const choice of [undefined, '247.3', '262.1'])
    expect(stubCandidates(built(0x14c), choice), String(choice)).toMatchObject([
      { era: null, gap: { clause: 'ST-86' }, certainty: 'none' },
    ])
  expect(stubCandidates(built(0x8664))).toMatchObject([{ era: { id: 'systemd-stub/S2' }, gap: null }])
})

/** Type and size of what a row allocates in pool under a label. */
const pool = (run: StubRun, label: string) =>
  run.calls.flatMap(one => (one.call === 'pool' && one.label === label ? [[one.type, one.size]] : []))

test('ST-87 pool is EfiLoaderData', () => {
  for (const row of ['S2', 'S3', 'S4/252.11', 'S4/252.36', 'S4/253.5', 'S4/253.31'])
    expect(
      new Set(
        early(row)
          .calls.filter(({ call }) => call === 'pool')
          .map(({ type }) => type),
      ),
      row,
    ).toEqual(new Set([2]))
  for (const row of ['S5/254', 'S6/257', 'S8'])
    expect(
      new Set(
        later(row)
          .calls.filter(({ call }) => call === 'pool')
          .map(({ type }) => type),
      ),
      row,
    ).toEqual(new Set([2]))
})

test('ST-88 up to 252.10 and 253.4 pool is EfiBootServicesData, but for what is printed in 252', () => {
  for (const row of ['S4/252', 'S4/252.3', 'S4/252.6', 'S4/253']) {
    expect(pool(early(row), 'cmdline:utf-16'), row).toEqual([[4, 2 * (CMDLINE.length + 1)]])
    expect(pool(early(row), 'stub:initrd_loader'), row).toEqual([[4, 24]])
  }
  expect(pool(early('S4/252.6'), 'stub:extra.d')).toEqual([[2, 460]])
  expect(pool(early('S4/253'), 'stub:extra.d')).toEqual([[4, 60]])
  expect(refusal(early('S4/252.3', { full: ['cmdline:utf-16'] }))).toMatchObject({
    message: expect.stringContaining('AllocatePool(EfiBootServicesData') as string,
  })
})

test('ST-89 253 prints strings into buffers of their size and frees them', () => {
  expect(
    early('S4/253.31')
      .calls.filter(({ label }) => ['stub:LoaderFirmwareInfo', 'stub:extra.d'].includes(label))
      .map(({ call, label, size }) => [call, label, size]),
  ).toEqual([
    ['pool', 'stub:LoaderFirmwareInfo', 72],
    ['free', 'stub:LoaderFirmwareInfo', 0],
    ['pool', 'stub:extra.d', 60],
    ['free', 'stub:extra.d', 0],
  ])
})

test('ST-90 from 253 on a run rests on there being no random seed', () => {
  expect(['S3', 'S4/252.36', 'S4/253'].map(row => assumed(early(row)).includes('ST-90'))).toEqual([
    false,
    false,
    true,
  ])
  for (const row of ['S5/254', 'S6/257', 'S8']) expect(assumed(later(row)), row).toContain('ST-90')
})

test("ST-91 the kernel's headers must end inside .linux", () => {
  const cut = (VirtualSize: number): StubSetting => ({
    sections: laterSections({
      '.linux': { name: '.linux', VirtualAddress: KERNEL_AT, content: kernel61, VirtualSize },
    }),
  })
  for (const row of ['S8/259.8', 'S8']) {
    expect(refusal(later(row, cut(on61.e_lfanew + 263))), row).toMatchObject({
      clause: 'ST-91',
      status: 'EFI_LOAD_ERROR',
      message: 'Bad kernel image: Load error',
    })
    expect(refusal(later(row, cut(TABLE_61 + 40 * on61.sections.length - 1))), row).toMatchObject({
      clause: 'ST-91',
      status: 'EFI_LOAD_ERROR',
      message: 'Cannot read sections: Load error',
    })
    expect(refusal(later(row, cut(TABLE_61 + 40 * on61.sections.length))), row).not.toMatchObject({
      clause: 'ST-91',
    })
  }
  for (const row of ['S7/258.10', 'S8/259.7', 'S8/261.1'])
    expect(refusal(later(row, cut(on61.e_lfanew + 263))), row).not.toMatchObject({ clause: 'ST-91' })
})

test('ST-92 in 255 and 256 a blank command line is read beyond its end', () => {
  const blank: StubSetting = { sections: laterSections({ '.cmdline': section('.cmdline', 0x50000, ' \t ') }) }
  for (const row of ['S5/255', 'S5/256', 'S6/255', 'S6/255.18', 'S6/256', 'S6/256.12'])
    expect(later(row, blank).outcome, row).toMatchObject({ kind: 'unknown', gap: { clause: 'ST-92' } })
  for (const row of ['S5/254', 'S6/254.24', 'S6/257', 'S8']) expect(later(row, blank).outcome, row).toBeNull()
})

test('ST-6 a blank follows the status until 248.10 and 249.6', () => {
  const lost = header(0x80, 0)
  expect(['S1', 'S2', 'S2/248', 'S2/249.6'].map(row => refusal(early(row, lost)))).toMatchObject(
    [' ', ' ', ' ', ''].map(end => ({
      clause: 'ST-6',
      message: `Unable to locate embedded .linux section: Load Error${end}`,
    })),
  )
})

test('ST-18 what becomes of blanks, from release to release', () => {
  const odd: StubSetting = {
    sections: sectionsOf({ '.cmdline': section('.cmdline', 0x30000, ' \ta\x7f b\t ') }),
  }
  const oddLater: StubSetting = {
    sections: laterSections({ '.cmdline': section('.cmdline', 0x50000, ' \ta\x7f b\t ') }),
  }
  const line = (run: StubRun): string | undefined => lineOf(run)?.replace(/\0$/, '')
  expect(['S4/252.3', 'S4/252.6', 'S4/252.36', 'S4/253'].map(row => line(early(row, odd)))).toEqual([
    '  a\x7f b  ',
    '  a\x7f b',
    '  a\x7f b',
    '  a\x7f b',
  ])
  expect(
    ['S5/254', 'S6/254.24', 'S5/255', 'S6/256.12', 'S6/257', 'S8'].map(row => line(later(row, oddLater))),
  ).toEqual(['  a\x7f b', '  a\x7f b', 'a  b', 'a  b', 'a  b', 'a  b'])
})

test('ST-63 what is zeroed is not counted from ImageBase', () => {
  const low4K = edit(on61.optional.ImageBase === 0 ? on61.e_lfanew + OPTIONAL + 24 : -1, ...little(0x1000))
  const run = later('S7', low4K)
  const zeroed = run.recorder.events.filter(event => event.op === 'zero').at(-1)
  const base = pages(run).length > 0 ? baseOf(run) : 0
  const [, VirtualAddress, VirtualSize, , SizeOfRawData] = on61.sections.at(-1) ?? expect.fail('no sections')
  expect(zeroed).toMatchObject({
    range: rangeAt(base + VirtualAddress + SizeOfRawData, VirtualSize - SizeOfRawData),
  })
  const [, first = 0] = on61.sections[0] ?? []
  expect(run.memory.readAs(rangeAt(base + first - 0x1000, 0x1000), 'kernel', { at: first }).whole).toBe(true)
})

test('ST-64 the virtual size is not counted from ImageBase', () => {
  const grown: StubSetting = {
    before: (memory, base) => {
      for (const [at, value] of [
        [on61.e_lfanew + OPTIONAL + 24, 0x1000],
        [sectionField(3, 8), on61.optional.SizeOfImage - (on61.sections[3]?.[1] ?? 0) + 0x800],
      ] as const)
        memory.patch(phys(base + KERNEL_AT + at), Uint8Array.from(little(value)), 'kernel', at)
    },
  }
  expect(refusal(later('S7/258.10', grown))).toMatchObject({
    clause: 'ST-64',
    message: 'Section virtual size would write outside of memory',
  })
  expect(refusal(later('S7/258.10', edit(sectionField(3, 8), ...little(0xffffff00))))).toMatchObject({
    message: 'Invalid PE section, VirtualSize + VirtualAddress overflows',
  })
})

test('ST-20 .profile is packed before .osrel, and joined after it', () => {
  const run = later('S6/257.11', {
    sections: laterSections({ '.profile': section('.profile', 0x60000, 'ID=p') }),
  })
  expect(
    run.calls
      .flatMap(({ call, label }) => (call === 'pool' && label.startsWith('cpio:') ? [label] : []))
      .filter((label, i, all) => label !== all[i - 1]),
  ).toEqual(['cpio:.profile', 'cpio:.osrel'])
  expect(
    run.memory
      .partsOf('initrd:joined')
      ?.map(({ object }) => object)
      .filter(object => object.startsWith('uki:')),
  ).toEqual(['uki:.osrel', 'uki:.profile'])
})
