import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { fileOffset, PAGE, phys } from '../../../src/bytes/units.ts'
import { buildKernel } from '../../../src/image/synthetic.ts'
import { GIB } from '../../support/bytes.ts'
import {
  early,
  editKernel,
  FILE,
  forced,
  handover_offset,
  later,
  laterSections,
  lineOf,
  oldKernel,
  pages,
  params,
  refusal,
  S2,
  section,
  setup_sects,
  textAt,
  u32,
} from '../../support/stub-era-runs.ts'
import {
  BASE,
  CMDLINE,
  INITRD_AT,
  INITRD_SIZE,
  KERNEL_AT,
  kernelFacts,
  runStub,
  sectionsOf,
  type StubRun,
} from '../../support/stub-run.ts'

const byte = ({ memory }: StubRun, at: number): number | undefined => memory.readRaw(rangeAt(at, 1))[0]

test('ST-37 boot_params: four pages, zeroed, with 119 bytes of the header', () => {
  const run = runStub(S2)
  const at = params(run)
  expect(pages(run)[0]).toEqual(['boot_params', 4, 2, 'max ffffffff'])
  expect(u32(run, at + 0x214)).toBe(BASE + KERNEL_AT + (setup_sects + 1) * 512)
  expect(run.memory.readRaw(rangeAt(at + 0x210, 1))[0]).toBe(0xff)
  expect(u32(run, at + 0x264)).toBe(handover_offset)
  expect(u32(run, at + 0x268)).toBe(0)
  expect(run.memory.readAs(rangeAt(at, 0x4000), 'boot_params').whole).toBe(true)
  const zero = runStub(S2, editKernel(0x1f1, 0))
  expect(u32(zero, params(zero) + 0x214)).toBe(BASE + KERNEL_AT + 5 * 512)
})

test('ST-37 without pages the stub passes the error on', () => {
  expect(refusal(runStub(S2, { full: ['boot_params'] }))).toMatchObject({
    clause: 'ST-37',
    status: 'EFI_OUT_OF_RESOURCES',
    message: 'Execution of embedded linux image failed: Out of Resources',
  })
})

test('ST-38 boot_params: one page, with as much of the header as it says', () => {
  const run = forced()
  const at = params(run)
  expect(pages(run)[1]).toEqual(['boot_params', 1, 2, 'any'])
  expect(u32(run, at + 0x268)).toBe(kernelFacts().hdr.kernel_info_offset)
  expect(u32(run, at + 0x26c)).toBe(0)
  const low = forced({
    before: (memory, base) => {
      editKernel(0x236, 0x3d).before(memory, base)
      editKernel(0x1f1, 0).before(memory, base)
    },
  })
  expect(pages(low).slice(1)).toEqual([
    ['boot_params', 1, 2, 'max ffffffff'],
    ['cmdline', 1, 2, 'max a0000'],
  ])
  expect(low.memory.readRaw(rangeAt(params(low) + 0x1f1, 1))[0]).toBe(4)
})

test('ST-39 the command line and its NUL lie below 640 KiB', () => {
  // The highest page that ends there
  const AT = 0xa0000 - PAGE
  const run = runStub(S2)
  expect(run.notes.facts.cmdLinePtr).toBe(AT)
  expect(u32(run, params(run) + 0x228)).toBe(AT)
  expect(textAt(run, AT, CMDLINE.length + 1)).toBe(`${CMDLINE}\0`)
  expect(run.memory.readAs(rangeAt(AT, CMDLINE.length + 1), 'cmdline').whole).toBe(true)
  const none = runStub(S2, { sections: sectionsOf({ '.cmdline': null }) })
  expect(u32(none, params(none) + 0x228)).toBe(0)
  expect(none.handOff).toMatchObject({ cmdlineObject: null })
  expect(refusal(runStub(S2, { full: ['cmdline'] }))).toMatchObject({
    clause: 'ST-39',
    message: 'Execution of embedded linux image failed: Out of Resources',
  })
  expect(lineOf(runStub(S2, { options: 'q', optionBytes: 3 }))).toBe('q')
})

test('ST-39 a line that fills a page takes another one for its NUL', () => {
  const line = 'x'.repeat(PAGE)
  const of = (text: string): StubRun =>
    runStub(S2, { sections: sectionsOf({ '.cmdline': section('.cmdline', 0x30000, text) }) })
  const own = (run: StubRun): unknown[] => pages(run).filter(([label]) => label === 'cmdline')
  expect(own(of(line))).toEqual([['cmdline', 2, 2, 'max a0000']])
  expect(own(of(line.slice(1)))).toEqual([['cmdline', 1, 2, 'max a0000']])
})

test('ST-40 the command line of a handover is ASCII of at most cmdline_size characters', () => {
  const run = forced({
    sections: sectionsOf({ '.cmdline': section('.cmdline', 0x30000, 'caf\u00e9 x') }, oldKernel),
  })
  expect(lineOf(run)).toBe('caf\u00e9 x')
  expect(textAt(run, run.notes.facts.cmdLinePtr ?? 0, 7)).toBe('caf  x\0')
  const short = forced({
    before: (memory, base) => {
      editKernel(0x238, 3, 0).before(memory, base)
    },
  })
  expect(textAt(short, short.notes.facts.cmdLinePtr ?? 0, 4)).toBe('con\0')
  expect([run.notes.doubts, short.notes.doubts]).toMatchObject([[], [{ clause: 'ST-40' }]])
  const high = forced({ free: [0x1000, 6 * GIB], base: 7 * GIB })
  expect(u32(high, params(high) + 0xc8)).toBe(1)
})

test('ST-41 the early eras pass 32 bits of the initrd', () => {
  const run = runStub(S2, {
    base: 5 * GIB,
    before: (memory, base) => {
      memory.copy(phys(GIB + KERNEL_AT), rangeAt(base + KERNEL_AT, FILE))
    },
  })
  const at = run.calls.find(({ label }) => label === 'boot_params')?.at ?? 0
  expect(u32(run, at + 0x218)).toBe(GIB + INITRD_AT)
  expect(u32(run, at + 0x21c)).toBe(INITRD_SIZE)
  expect(u32(run, at + 0xc0)).toBe(0)
})

test('ST-42 the later eras pass 64 bits of the initrd', () => {
  const run = forced({ base: 5 * GIB })
  expect(u32(run, params(run) + 0x218)).toBe(GIB + INITRD_AT)
  expect(u32(run, params(run) + 0xc0)).toBe(1)
  expect(u32(run, params(run) + 0x21c)).toBe(INITRD_SIZE)
  expect(u32(run, params(run) + 0xc4)).toBe(0)
})

test('ST-77 up to 241 boot_params begins with the kernel file, below 1 GiB', () => {
  for (const row of ['S0', 'S0/233', 'S1', 'S1/236', 'S1/239', 'S1/240']) {
    const run = early(row)
    expect(pages(run)[0], row).toEqual(['boot_params', 4, 2, 'max 3fffffff'])
    expect(u32(run, params(run)) & 0xffff, row).toBe(0x5a4d)
    expect(byte(run, params(run) + 0x1ef), row).toBe(byte(run, BASE + KERNEL_AT + 0x1ef))
    expect(u32(run, params(run) + 0x268), row).toBe(0)
    const none = early(row, editKernel(0x1f1, 0))
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

test('ST-83 no more than 119 bytes of the setup header', () => {
  const behind = (row: string): number => {
    const run = later(row, { sections: laterSections({}, oldKernel) })
    return u32(run, params(run) + 0x268)
  }
  for (const row of ['S7/258.8', 'S7/258.10', 'S8/259.6', 'S8/261', 'S8']) expect(behind(row), row).toBe(0)
  for (const row of ['S7/258.4', 'S7/259.1', 'S8/259.2'])
    expect(behind(row), row).toBe(kernelFacts().hdr.kernel_info_offset)
})
