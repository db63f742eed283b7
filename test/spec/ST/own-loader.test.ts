import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import { le32 } from '../../support/bytes.ts'
import {
  assumed,
  doubts,
  editKernel,
  HARDENED,
  later,
  laterSections,
  NOT_HARDENED,
  on61,
  OPTIONAL,
  pages,
  refusal,
  TABLE_61,
} from '../../support/stub-era-runs.ts'
import { BASE, INITRD_AT, KERNEL_AT, type StubRun, type StubSetting } from '../../support/stub-run.ts'

const baseOf = (run: StubRun): number => (run.handOff?.via === 'pe-entry' ? run.handOff.loaded.base : 0)
const sectionField = (index: number, at: number): number => TABLE_61 + 40 * index + at
const SIZE_61 = on61.optional.SizeOfImage / 0x1000
const BASE_16M = editKernel(on61.e_lfanew + OPTIONAL + 24, ...le32(0x1000000))
const UP_TO_259_1 = ['S7', 'S7/258.4', 'S7/258.8', 'S7/258.10', 'S7/259', 'S7/259.1']
const FROM_259_2 = ['S8/259.2', 'S8/259.6', 'S8/259.7', 'S8/259.8', 'S8/261', 'S8/261.1', 'S8']
const outside = { status: 'EFI_LOAD_ERROR', message: 'Section would write outside of memory' }
const beyond = editKernel(sectionField(3, 8), ...le32(0x100000))

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

test('ST-60 relocations end the boot, and a section without raw data is passed over', () => {
  expect(refusal(later('S8', editKernel(on61.e_lfanew + OPTIONAL + 112 + 40 + 4, 8)))).toMatchObject({
    clause: 'ST-60',
    status: 'EFI_LOAD_ERROR',
    message: 'Inner kernel image contains base relocations, which we do not support.',
  })
  expect(refusal(later('S8', editKernel(sectionField(0, 24), 8)))).toMatchObject({
    clause: 'ST-60',
    message: 'Inner kernel image contains sections with relocations, which we do not support.',
  })
  const run = later('S8', editKernel(sectionField(3, 16), 0, 0, 0, 0))
  const [, VirtualAddress = 0] = on61.sections[3] ?? []
  expect(
    [...run.memory.extents(rangeAt(baseOf(run) + VirtualAddress, 0x1000))].filter(
      ({ whose }) => whose !== null,
    ),
  ).toEqual([])
})

test('ST-61 the pages of the own loader are any, of code, for SizeOfImage', () => {
  for (const row of ['S7/258.10', 'S8/259.2', 'S8/261'])
    expect(pages(later(row)).at(-1), row).toEqual(['kernel', SIZE_61, 1, 'any'])
  expect(refusal(later('S8/261', { full: ['kernel'] }))).toMatchObject({
    clause: 'ST-61',
    status: 'EFI_OUT_OF_RESOURCES',
  })
})

test('ST-62 an alignment above a page takes a larger piece', () => {
  const aligned = editKernel(on61.e_lfanew + OPTIONAL + 32, ...le32(0x10000))
  for (const row of ['S8/259.7', 'S8/259.8', 'S8/261.1', 'S8']) {
    expect(pages(later(row)).at(-1), row).toEqual(['kernel', SIZE_61, 1, 'any'])
    const run = later(row, aligned)
    expect(pages(run).at(-1), row).toEqual(['kernel', SIZE_61 + 16, 1, 'any'])
    expect(baseOf(run) % 0x10000, row).toBe(0)
  }
  expect(pages(later('S8/259.6', aligned)).at(-1)).toEqual(['kernel', SIZE_61, 1, 'any'])
  expect(pages(later('S8', editKernel(on61.e_lfanew + OPTIONAL + 32, ...le32(0x10001)))).at(-1)).toEqual([
    'kernel',
    SIZE_61,
    1,
    'any',
  ])
})

test('ST-62 what is before and after the aligned piece is given back, whatever there is', () => {
  const ALIGN = 0x10000
  const aligned = editKernel(on61.e_lfanew + OPTIONAL + 32, ...le32(ALIGN))
  const SIZE = SIZE_61 * 0x1000
  /** The pages taken at `misplaced` bytes after an aligned address; what was freed, in pages from there. */
  const freed = (misplaced: number): unknown[] => {
    const all = (SIZE_61 + ALIGN / 0x1000) * 0x1000
    const top = 0x40000000 + (((misplaced + all) % ALIGN) + ALIGN)
    const run = later('S8', { ...aligned, free: [0x1000, top] })
    const at = run.calls.find(({ call, label }) => call === 'pages' && label === 'kernel')?.at ?? 0
    return [
      at % ALIGN,
      ...run.calls.filter(({ call }) => call === 'free-pages').map(({ at: from, size }) => [from - at, size]),
    ]
  }
  const before = later('S8', aligned)
  const mine = before.calls.find(({ call, label }) => call === 'pages' && label === 'kernel')?.at ?? 0
  const head = baseOf(before) - mine
  expect(
    before.calls.filter(({ call }) => call === 'free-pages').map(({ at, size }) => [at - mine, size]),
  ).toEqual([...(head > 0 ? [[0, head / 0x1000]] : []), [head + SIZE, ALIGN / 0x1000 - head / 0x1000]])
  // One that happens to be aligned, and one that does not
  const seen = Array.from({ length: 16 }, (_, i) => freed(i * 0x1000))
  expect(seen.find(([misplaced]) => misplaced === 0)).toEqual([0, [SIZE, 16]])
  expect(seen.find(([misplaced]) => misplaced === 0x3000)).toEqual([0x3000, [0, 13], [SIZE + 0xd000, 3]])
})

test('ST-63 a kernel with an ImageBase is refused up to 259.1', () => {
  for (const row of UP_TO_259_1)
    expect(refusal(later(row, BASE_16M)), row).toMatchObject({
      ...outside,
      clause: row === 'S7/258.10' ? 'ST-64' : 'ST-63',
    })
  for (const row of FROM_259_2) expect(refusal(later(row, BASE_16M)), row).toBeNull()
})

test('ST-63 raw data beyond SizeOfImage is refused, and a difference below zero clears nearly 4 GiB', () => {
  expect(refusal(later('S7', editKernel(sectionField(3, 16), ...le32(0x8000000))))).toMatchObject(outside)
  const wrapped = later('S7', editKernel(sectionField(3, 8), ...le32(0x100)))
  expect(wrapped.outcome).toMatchObject({ kind: 'undefined' })
  expect(wrapped.recorder.events.at(-1)).toMatchObject({ op: 'zero' })
})

test('ST-63 what is zeroed is not counted from ImageBase', () => {
  const low4K = editKernel(
    on61.optional.ImageBase === 0 ? on61.e_lfanew + OPTIONAL + 24 : -1,
    ...le32(0x1000),
  )
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

test('ST-64 258.10 looks at the virtual size', () => {
  expect(refusal(later('S7/258.10', beyond))).toMatchObject({
    clause: 'ST-64',
    message: 'Section virtual size would write outside of memory',
  })
  expect(
    later('S7/258.8', beyond).recorder.events.some(
      event => event.op === 'zero' && event.unallocated.length > 0,
    ),
  ).toBe(true)
})

test('ST-64 the virtual size is not counted from ImageBase', () => {
  const grown: StubSetting = {
    before: (memory, base) => {
      for (const [at, value] of [
        [on61.e_lfanew + OPTIONAL + 24, 0x1000],
        [sectionField(3, 8), on61.optional.SizeOfImage - (on61.sections[3]?.[1] ?? 0) + 0x800],
      ] as const)
        memory.patch(phys(base + KERNEL_AT + at), Uint8Array.from(le32(value)), 'kernel', at)
    },
  }
  expect(refusal(later('S7/258.10', grown))).toMatchObject({
    clause: 'ST-64',
    message: 'Section virtual size would write outside of memory',
  })
  expect(refusal(later('S7/258.10', editKernel(sectionField(3, 8), ...le32(0xffffff00))))).toMatchObject({
    message: 'Invalid PE section, VirtualSize + VirtualAddress overflows',
  })
})

test('ST-65 raw data must lie in its section, in the image and in the file', () => {
  const rawSize = (size: number): StubSetting => editKernel(sectionField(3, 16), ...le32(size))
  for (const row of FROM_259_2) {
    expect(refusal(later(row, editKernel(sectionField(3, 8), ...le32(0x100)))), row).toMatchObject({
      status: 'EFI_LOAD_ERROR',
      message: 'Invalid PE section, raw data size is greater than virtual size',
    })
    expect(refusal(later(row, rawSize(0x8000000))), row).toMatchObject(outside)
    expect(refusal(later(row, editKernel(sectionField(3, 20), ...le32(0x8000000)))), row).toMatchObject({
      message: 'Invalid PE section, raw data extends outside of file',
    })
    expect(refusal(later(row, editKernel(sectionField(3, 20), ...le32(0xffffff00)))), row).toMatchObject({
      message: 'Invalid PE section, PointerToRawData + SizeOfRawData overflows',
    })
    expect(refusal(later(row, editKernel(sectionField(3, 12), ...le32(0xffffff00)))), row).toMatchObject({
      message: 'Invalid PE section, SizeOfRawData + VirtualAddress, overflows',
    })
  }
  expect(refusal(later('S8/259.2', rawSize(0x8000000)))).toMatchObject({ clause: 'ST-65' })
})

test('ST-66 the virtual size must end in the image, too', () => {
  for (const row of ['S8/259.8', 'S8']) {
    expect(refusal(later(row, beyond)), row).toMatchObject({
      clause: 'ST-66',
      message: 'Section virtual size would write outside of memory',
    })
    expect(refusal(later(row, editKernel(sectionField(3, 8), ...le32(0xffffff00)))), row).toMatchObject({
      message: 'Invalid PE section, VirtualSize + VirtualAddress overflows',
    })
  }
  for (const row of ['S8/259.2', 'S8/259.7', 'S8/261', 'S8/261.1'])
    expect(
      later(row, beyond).recorder.events.some(event => event.op === 'zero' && event.unallocated.length > 0),
      row,
    ).toBe(true)
})

test('ST-68 code of an NX_COMPAT kernel that is not made of whole pages is a doubt', () => {
  expect(doubts(later('S8'))).toEqual([])
  expect(assumed(later('S8'))).toContain('ST-68')
  expect(
    doubts(later('S8', editKernel(sectionField(2, 8), ...le32((on61.sections[2]?.[2] ?? 0) + 0x10)))),
  ).toEqual(['ST-68'])
  // Neither data of such a kernel nor code of one that does not say so
  expect(
    doubts(later('S8', editKernel(sectionField(3, 8), ...le32((on61.sections[3]?.[2] ?? 0) - 0x10)))),
  ).toEqual([])
  const plain = later('S8', {
    before: (memory, base) => {
      editKernel(on61.e_lfanew + OPTIONAL + 70, 0, 0).before(memory, base)
      editKernel(sectionField(2, 8), ...le32((on61.sections[2]?.[2] ?? 0) + 0x10)).before(memory, base)
    },
  })
  expect([doubts(plain), assumed(plain).includes('ST-68')]).toEqual([[], false])
})

test('ST-69 an entry point past the image is a bad kernel image', () => {
  const away = editKernel(on61.e_lfanew + OPTIONAL + 16, ...le32(0x7fffffff))
  for (const row of HARDENED)
    expect(refusal(later(row, away)), row).toMatchObject({
      clause: 'ST-69',
      status: 'EFI_LOAD_ERROR',
      message: 'Bad kernel image: Load error',
    })
  for (const row of NOT_HARDENED) expect(refusal(later(row, away)), row).toBeNull()
})

test('ST-70 a section past the end of the image is passed over', () => {
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

test('ST-2 what the own loader clears of the stub itself is a doubt', () => {
  const near: StubSetting = { free: [BASE - on61.optional.SizeOfImage - 0x200000, BASE] }
  const cleared = later('S8/261.1', { ...near, ...editKernel(sectionField(3, 8), ...le32(0x400000)) })
  expect(doubts(cleared)).toContain('ST-2')
  expect(doubts(later('S8/261.1', near))).not.toContain('ST-2')
})
