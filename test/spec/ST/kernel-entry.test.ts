import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import type { Memory } from '../../../src/memory/memory.ts'
import {
  assumed,
  assumptions,
  editKernel,
  FILE,
  forced,
  in254,
  kernel61,
  later,
  laterSections,
  oldKernel,
  on61,
  refusal,
  S2,
  section,
  TABLE_61,
  withLoadOptions,
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
  type StubSetting,
} from '../../support/stub-run.ts'

test('ST-26 the early eras never look at the PE header of the kernel', () => {
  expect(runStub(S2, editKernel(0, 0, 0)).handOff).toMatchObject({ via: 'efi-handover' })
})

test('ST-27 MajorImageVersion chooses the way in', () => {
  expect(in254().handOff?.via).toBe('pe-entry')
  expect(forced().handOff?.via).toBe('efi-handover')
})

test('ST-27 what is no PE of this machine is a bad kernel image', () => {
  const words = { clause: 'ST-27', status: 'EFI_LOAD_ERROR', message: 'Bad kernel image: Load error' }
  expect(
    refusal(
      in254({ sections: sectionsOf({ '.linux': section('.linux', KERNEL_AT, 'no kernel'.repeat(900)) }) }),
    ),
  ).toMatchObject({ ...words, why: '.linux is not a PE file' })
  const machine = kernelFacts().pe.e_lfanew + 4
  expect(refusal(in254(editKernel(machine, 0x4c, 1)))).toMatchObject({
    ...words,
    why: '.linux is a PE file for another machine',
  })
  expect(refusal(in254(editKernel(machine + 2, 0, 0)))).toMatchObject({
    ...words,
    why: '.linux is not a PE file',
  })
})

test('ST-28 the firmware loads VirtualSize bytes of .linux, and damage in them travels', () => {
  const run = in254({
    before: (memory, base) => void memory.make(rangeAt(base + KERNEL_AT + 0x100000, 0x10), 'intruder'),
  })
  expect(run.calls).toContainEqual(expect.objectContaining({ call: 'load', size: FILE }))
  const loaded = run.handOff?.via === 'pe-entry' ? run.handOff.loaded.base : 0
  expect(
    run.memory.readAs(rangeAt(loaded + 0x100000, 0x20), 'kernel', { at: 0x100000 }).deviations,
  ).toMatchObject([{ range: rangeAt(loaded + 0x100000, 0x10), kind: 'clobbered' }])
})

test('ST-28 a refusal of the firmware is passed on', () => {
  expect(refusal(in254({ full: ['load'] }))).toMatchObject({
    by: 'stub',
    clause: 'ST-28',
    status: 'EFI_UNSUPPORTED',
    message: 'Error loading kernel image: Unsupported',
  })
})

test('ST-29 LoadOptions of the kernel are the string, or nothing', () => {
  const run = in254()
  expect(withLoadOptions(run)).toMatchObject({
    at: run.calls[0]?.at,
    bytes: 2 * (CMDLINE.length + 1),
    text: CMDLINE,
  })
  expect(withLoadOptions(in254({ sections: sectionsOf({ '.cmdline': null }) }))).toBeNull()
})

test('ST-30 the initrd waits where it lies', () => {
  const run = in254()
  expect(run.handOff).toMatchObject({
    initrd: { at: BASE + INITRD_AT, size: INITRD_SIZE },
    initrdObject: 'initrd',
  })
  expect(run.calls.at(-1)).toMatchObject({ call: 'pool', size: 24 })
  expect(in254({ sections: sectionsOf({ '.initrd': null }) }).handOff).toMatchObject({
    initrd: null,
    initrdObject: null,
  })
})

test('ST-31 four conditions, one answer', () => {
  for (const bad of [
    editKernel(0x1fe, 0),
    editKernel(0x202, 0),
    editKernel(0x206, 0x0a),
    editKernel(0x234, 0),
  ]) {
    expect(refusal(runStub(S2, bad))).toMatchObject({
      clause: 'ST-31',
      status: 'EFI_LOAD_ERROR',
      message: 'Execution of embedded linux image failed: Load Error',
    })
  }
})

test('ST-31 a kernel without a handover entry is entered all the same: a gap', () => {
  expect(runStub(S2, editKernel(0x236, 3)).outcome).toMatchObject({
    kind: 'unknown',
    gap: { clause: 'ST-31' },
  })
  expect(runStub(S2, editKernel(0x264, 0, 0, 0, 0)).outcome).toMatchObject({
    kind: 'unknown',
    gap: { clause: 'ST-31' },
  })
  const protocol211 = {
    before: (memory: Memory, base: number) => {
      editKernel(0x206, 0x0b).before(memory, base)
      editKernel(0x236, 0).before(memory, base)
    },
  }
  expect(runStub(S2, protocol211).outcome).toBeNull()
  // From 2.12 on the flag counts
  const protocol212 = {
    before: (memory: Memory, base: number) => {
      editKernel(0x206, 0x0c).before(memory, base)
      editKernel(0x236, 0).before(memory, base)
    },
  }
  expect(runStub(S2, protocol212).outcome).toMatchObject({ kind: 'unknown', gap: { clause: 'ST-31' } })
})

test('ST-32 every condition has its message', () => {
  const withEdit = (...change: Parameters<typeof editKernel>) => refusal(forced(editKernel(...change)))
  expect(withEdit(0x202, 0)).toMatchObject({
    status: 'EFI_UNSUPPORTED',
    message: 'Unsupported kernel image.',
  })
  expect(withEdit(0x206, 0x0a)).toMatchObject({ message: 'Kernel too old.' })
  expect(withEdit(0x234, 0)).toMatchObject({ message: 'Kernel is not relocatable.' })
  expect(withEdit(0x236, 3)).toMatchObject({ message: 'Kernel does not support EFI handover protocol.' })
  expect(forced(editKernel(0x264, 0, 0, 0, 0)).outcome).toMatchObject({
    kind: 'unknown',
    gap: { clause: 'ST-32' },
  })
  const short = sectionsOf({
    '.linux': { name: '.linux', VirtualAddress: KERNEL_AT, content: oldKernel, VirtualSize: 4095 },
  })
  expect(refusal(in254({ sections: short }))).toMatchObject({
    clause: 'ST-32',
    status: 'EFI_LOAD_ERROR',
    message: null,
  })
})

test('ST-59 MajorImageVersion chooses between the own loader and the handover protocol', () => {
  expect(later('S8').handOff).toMatchObject({
    via: 'pe-entry',
    loaded: { name: 'kernel', pe: { optional: { MajorImageVersion: on61.optional.MajorImageVersion } } },
  })
  expect(later('S8', { sections: laterSections({}, oldKernel) }).handOff?.via).toBe('efi-handover')
  expect(refusal(later('S8', editKernel(0, 0)))).toMatchObject({
    clause: 'ST-59',
    status: 'EFI_LOAD_ERROR',
    message: 'Bad kernel image: Load error',
  })
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
  expect(assumptions(later('S8', secure))).toContain('shim started the image, and its loader protocol')
  expect(assumptions(later('S8', { secureBoot: true }))).toContain('shim did not start the image')
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
