import { expect, test } from 'vitest'
import { in254, in257, refusal, S2, section, withLoadOptions } from '../../support/stub-era-runs.ts'
import { BASE, CMDLINE, INITRD_AT, KERNEL_AT, runStub, sectionsOf } from '../../support/stub-run.ts'

const profiles = () => [
  ...sectionsOf({ '.osrel': null }),
  section('.profile', 0x4000000, 'ID=main'),
  section('.profile', 0x4001000, 'ID=other'),
  section('.cmdline', 0x4002000, 'other profile'),
]

test('ST-8 the last header whose name begins with the wanted one counts', () => {
  const run = runStub(S2, {
    sections: [
      ...sectionsOf(),
      section('.cmdline', 0x38000, 'second'),
      section('.initrdx', 0x4000000, 'third'),
    ],
  })
  expect(run.notes.facts).toMatchObject({ commandLine: 'second', ramdiskImageFromStub: BASE + 0x4000000 })
  expect(run.handOff).toMatchObject({ cmdlineObject: 'cmdline#2', initrdObject: 'stub:.initrdx' })
})

test('ST-9 the first header of exactly that name counts', () => {
  const run = in257({
    sections: [
      section('.initrdx', 0x1c000, 'zeroth'),
      ...sectionsOf({ '.osrel': null }),
      section('.cmdline', 0x38000, 'second'),
    ],
  })
  expect(withLoadOptions(run)).toMatchObject({ text: CMDLINE })
  expect(run.handOff).toMatchObject({ initrd: { at: BASE + INITRD_AT } })
})

test('ST-10 257 without .linux, or with an empty one, says so', () => {
  const words = { clause: 'ST-10', status: 'EFI_NOT_FOUND', message: 'Image lacks .linux section.' }
  expect(refusal(in257({ sections: sectionsOf({ '.linux': null }) }))).toMatchObject(words)
  expect(
    refusal(
      in257({ sections: sectionsOf({ '.linux': section('.linux', KERNEL_AT, 'x', { VirtualSize: 0 }) }) }),
    ),
  ).toMatchObject(words)
})

test('ST-11 a profile overrides the base', () => {
  expect(withLoadOptions(in257({ sections: profiles() }))).toMatchObject({ text: CMDLINE })
  expect(withLoadOptions(in257({ sections: profiles(), options: '@1' }))).toMatchObject({
    text: 'other profile',
  })
  expect(withLoadOptions(in257({ sections: profiles(), options: '@99999999999' }))).toMatchObject({
    text: '@99999999999',
  })
})

test('ST-11 only profile 0 may be missing', () => {
  expect(refusal(in257({ sections: profiles(), options: '@2' }))).toMatchObject({
    clause: 'ST-11',
    status: 'EFI_NOT_FOUND',
    message: 'Unable to locate embedded per-profile PE sections: Not found',
  })
  expect(withLoadOptions(in257({ options: '@0' }))).toMatchObject({ text: CMDLINE })
})

test('ST-12 without .linux the image itself is checked for a kernel', () => {
  const run = runStub(S2, { sections: sectionsOf({ '.linux': null }) })
  expect(refusal(run)).toMatchObject({
    clause: 'ST-31',
    status: 'EFI_LOAD_ERROR',
    message: 'Execution of embedded linux image failed: Load Error',
  })
})

test('ST-13 254 without .linux says so', () => {
  expect(refusal(in254({ sections: sectionsOf({ '.linux': null }) }))).toMatchObject({
    clause: 'ST-13',
    status: 'EFI_NOT_FOUND',
    message: 'Unable to locate embedded .linux section: Not found',
  })
})
