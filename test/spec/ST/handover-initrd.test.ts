import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { GIB } from '../../support/bytes.ts'
import {
  below4G,
  early,
  editKernel,
  forced,
  oldKernel,
  pages,
  params,
  refusal,
  S2,
  stepsOf,
  u32,
} from '../../support/stub-era-runs.ts'
import { BASE, INITRD_AT, INITRD_SIZE, KERNEL_AT, runStub, sectionsOf } from '../../support/stub-run.ts'

test('ST-35 the early eras leave an initrd above 4 GiB where it is', () => {
  const run = runStub(S2, { base: 5 * GIB - KERNEL_AT - 0x2000000 })
  expect(stepsOf(run)).toContain('ST-35')
  expect(run.calls.map(({ label }) => label)).not.toContain('initrd')
})

test('ST-36 an initrd that the kernel cannot reach is copied', () => {
  const low = forced({ base: 5 * GIB })
  expect(low.notes.facts.ramdiskImageFromStub).toBe(5 * GIB + INITRD_AT)
  const cannot = forced({
    base: 5 * GIB,
    before: (memory, base) => {
      editKernel(0x236, 0x3d).before(memory, base)
    },
  })
  expect(pages(cannot)[1]).toEqual(['initrd', Math.ceil(INITRD_SIZE / 0x1000), 2, 'max ffffffff'])
  expect(
    cannot.memory.readAs(rangeAt(cannot.notes.facts.ramdiskImageFromStub ?? 0, INITRD_SIZE), 'initrd', {
      all: true,
    }).whole,
  ).toBe(true)
  expect(
    forced({ sections: sectionsOf({ '.initrd': null }, oldKernel), ...editKernel(0x236, 0x3d) }).notes.facts
      .ramdiskImageFromStub,
  ).toBe(0)
})

test('ST-57 252 and 253 refuse an initrd above 4 GiB that the kernel cannot reach', () => {
  const apart = { sections: sectionsOf({}, oldKernel), base: 4 * GIB - INITRD_AT }
  expect(refusal(early('S4/252.3', { ...apart, ...below4G }))).toMatchObject({
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
        ...below4G,
      }),
    ),
  ).toBeNull()
})

test('ST-36 and ST-57: an initrd may end at the last byte below 4 GiB but one, and not later', () => {
  const LAST = 2 ** 32 - 1
  const ending = (end: number, size: number) => ({
    sections: sectionsOf(
      { '.initrd': { name: '.initrd', VirtualAddress: INITRD_AT, content: { initrd: size } } },
      oldKernel,
    ),
    base: end - INITRD_AT - size,
  })
  const copied = (end: number, size: number): boolean =>
    pages(forced({ ...ending(end, size), ...below4G })).some(([label]) => label === 'initrd')
  expect([copied(LAST, 0x2fff), copied(LAST + 1, 0x3000)]).toEqual([false, true])
  const refused = (end: number, size: number) =>
    refusal(early('S4/252.3', { ...ending(end, size), ...below4G }))
  expect(refused(LAST, 0x2fff)).toBeNull()
  expect(refused(LAST + 1, 0x3000)).toMatchObject({ clause: 'ST-57' })
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
