import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import { buildKernel } from '../../../src/image/synthetic.ts'
import { GIB } from '../../support/bytes.ts'
import {
  assumed,
  below4G,
  doubts,
  early,
  editKernel,
  FILE,
  forced,
  handover_offset,
  in254,
  later,
  laterSections,
  oldKernel,
  pages,
  refusal,
  S2,
  section,
  setup_sects,
} from '../../support/stub-era-runs.ts'
import {
  BASE,
  INITRD_SIZE,
  KERNEL_AT,
  kernelFacts,
  runStub,
  sectionsOf,
  type StubSetting,
} from '../../support/stub-run.ts'

const KERNEL_SIZE_IN_MEMORY = kernelFacts().pe.optional.SizeOfImage
const ENTRY = (setup_sects + 1) * 512 + 512 + handover_offset
const HIGH = 5 * GIB

test('ST-33 the kernel runs where it lies', () => {
  const run = runStub(S2)
  expect(run.handOff).toMatchObject({ via: 'efi-handover', image: BASE + KERNEL_AT })
  expect(run.recorder.events.filter(event => event.op === 'copy').map(({ from }) => from.start)).toEqual([
    BASE + 0x30000,
  ])
})

test('ST-34 a kernel whose image is larger than .linux is copied, and its tail is zeroed', () => {
  const run = forced()
  const image = run.handOff?.via === 'efi-handover' ? run.handOff.image : 0
  expect(pages(run)[0]).toEqual(['kernel', KERNEL_SIZE_IN_MEMORY / 0x1000, 1, 'max ffffffff'])
  expect(run.memory.readAs(rangeAt(image, KERNEL_SIZE_IN_MEMORY), 'kernel').whole).toBe(true)
  expect([...run.memory.readRaw(rangeAt(image + FILE, 4))]).toEqual([0, 0, 0, 0])
})

test('ST-34 a kernel whose image fits .linux runs in place, unless it lies too high', () => {
  const roomy = sectionsOf({
    '.linux': {
      name: '.linux',
      VirtualAddress: KERNEL_AT,
      content: oldKernel,
      VirtualSize: KERNEL_SIZE_IN_MEMORY,
    },
    '.initrd': { name: '.initrd', VirtualAddress: 0x7000000, content: { initrd: INITRD_SIZE } },
  })
  expect(in254({ sections: roomy }).handOff).toMatchObject({ image: BASE + KERNEL_AT })
  const high = in254({ sections: roomy, base: 5 * GIB })
  expect(pages(high)[0]).toEqual(['kernel', KERNEL_SIZE_IN_MEMORY / 0x1000, 1, 'max ffffffff'])
  expect(high.recorder.steps.find(({ clause }) => clause === 'ST-34')).toMatchObject({ actor: 'stub' })
})

/** `.linux` of so many bytes with the old kernel in it, and the base at which it ends at `end`. */
const ending = (end: number, length: number): Pick<StubSetting, 'sections' | 'base'> => ({
  sections: laterSections(
    {
      '.linux': { name: '.linux', VirtualAddress: KERNEL_AT, content: oldKernel, VirtualSize: length },
      '.initrd': null,
    },
    oldKernel,
  ),
  base: end - KERNEL_AT - length,
})
/** A size whose last byte is the last one but one of a page. */
const ODD = Math.ceil(KERNEL_SIZE_IN_MEMORY / 0x1000) * 0x1000 + 0xfff
const LAST = 2 ** 32 - 1

test('ST-34 a kernel may end at the last byte below 4 GiB but one, and not later', () => {
  const at = (setting: Pick<StubSetting, 'sections' | 'base'>) => in254(setting).handOff
  expect(at(ending(LAST, ODD))).toMatchObject({ image: LAST - ODD })
  expect(pages(in254(ending(LAST + 1, ODD + 1)))[0]).toEqual([
    'kernel',
    (ODD + 1) / 0x1000,
    1,
    'max ffffffff',
  ])
})

test('ST-56 a kernel may end at the last byte below 4 GiB but one, and not later', () => {
  const of = (end: number, length: number) => early('S4/252.3', { ...ending(end, length), ...below4G })
  expect(of(LAST, ODD).handOff).toMatchObject({ image: LAST - ODD })
  expect(refusal(of(LAST + 1, ODD + 1))).toMatchObject({ clause: 'ST-56' })
})

test('ST-58 a kernel may end at the last byte below 4 GiB but one, and not later', () => {
  const kernelPages = (end: number, length: number): unknown[] =>
    pages(later('S8', ending(end, length))).filter(([label]) => label === 'kernel')
  expect(kernelPages(LAST, ODD)).toEqual([])
  expect(kernelPages(LAST + 1, ODD + 1)).toEqual([['kernel', (ODD + 1) / 0x1000, 1, 'max ffffffff']])
})

test('ST-34 without room below 4 GiB the stub halts', () => {
  expect(refusal(forced({ full: ['kernel'] }))).toMatchObject({
    clause: 'ST-34',
    status: 'EFI_OUT_OF_RESOURCES',
  })
})

test('ST-43 the jump starts from 32 bits: above 4 GiB it misses the kernel', () => {
  expect(runStub(S2).handOff).toMatchObject({ entry: BASE + KERNEL_AT + ENTRY })
  expect(runStub(S2, { base: 5 * GIB }).outcome).toMatchObject({ kind: 'undefined' })
  const there = runStub(S2, {
    base: 5 * GIB,
    before: (memory, base) => {
      memory.copy(phys(GIB + KERNEL_AT), rangeAt(base + KERNEL_AT, FILE))
    },
  })
  expect(there.handOff).toMatchObject({ entry: GIB + KERNEL_AT + ENTRY })
})

test('ST-44 the jump starts from the whole address', () => {
  const run = forced()
  const image = run.handOff?.via === 'efi-handover' ? run.handOff.image : 0
  expect(run.handOff).toMatchObject({ entry: image + ENTRY })
})

test('ST-45 the kernel is as long as its header says, however short .linux is', () => {
  const cut = sectionsOf({
    '.linux': {
      name: '.linux',
      VirtualAddress: KERNEL_AT,
      content: buildKernel(kernelFacts()),
      VirtualSize: 0x300000,
      SizeOfRawData: 0x300000,
    },
  })
  const run = runStub(S2, { sections: cut })
  expect(run.memory.lengthOf('kernel')).toBe((setup_sects + 1) * 512 + kernelFacts().hdr.syssize * 16)
  expect(run.memory.readAs(rangeAt(BASE + KERNEL_AT, 0x300000), 'kernel', { all: true }).whole).toBe(false)
  expect(runStub(S2, editKernel(0x1f4, 0, 0, 0, 0)).memory.lengthOf('kernel')).toBe(FILE)
})

test('ST-56 252 and 253 refuse a handover kernel above 4 GiB that cannot lie there', () => {
  const old = { sections: sectionsOf({}, oldKernel), base: HIGH }
  for (const row of ['S4/252', 'S4/252.3', 'S4/252.36', 'S4/253', 'S4/253.31']) {
    expect(refusal(early(row, { ...old, ...below4G })), row).toMatchObject({
      clause: 'ST-56',
      status: 'EFI_UNSUPPORTED',
      message: 'Unified kernel image was loaded above 4G, but kernel lacks support.',
    })
    expect(early(row, old).handOff, row).toMatchObject({ via: 'efi-handover', image: HIGH + KERNEL_AT })
  }
  expect(
    refusal(later('S5/254', { sections: laterSections({}, oldKernel), base: HIGH, ...below4G })),
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

test('ST-71 252 and 253 warn of neighbours in the table that overlap or are not in order', () => {
  const swapped = [...sectionsOf({ '.osrel': null }), section('.osrel', 0x20000, 'ID=x')]
  const plain = sectionsOf()
  for (const row of ['S4/252', 'S4/252.3', 'S4/252.36', 'S4/253', 'S4/253.31'])
    expect(assumed(early(row, { sections: swapped })), row).toContain('ST-71')
  // Two that are in order with all others but one neighbour
  const linux = plain.filter(({ name }) => name === '.linux')
  const others = plain.filter(({ name }) => name === '.osrel' || name === '.cmdline')
  const [osrel, cmdline] = [others.slice(0, 1), others.slice(1)]
  expect(assumed(early('S4/253', { sections: [...osrel, ...linux, ...cmdline] }))).toContain('ST-71')
  expect(assumed(early('S3', { sections: swapped }))).not.toContain('ST-71')
  expect(assumed(later('S5/254', { sections: swapped }))).not.toContain('ST-71')
  expect(assumed(runStub('systemd-stub/S4/253', { stub: '254.26', sections: plain }))).not.toContain('ST-71')
  expect(assumed(early('S4/252.36', { sections: plain }))).not.toContain('ST-71')
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
  const whole = short.map(one => (one.name === '.linux' ? { ...one, VirtualSize: 4096 } : one))
  expect(refusal(early('S3', { sections: whole }))).not.toMatchObject({ clause: 'ST-81' })
})
