import { expect, test } from 'vitest'
import { canonical } from '../../../src/releases/change.ts'
import { erasFor } from '../../../src/releases/version.ts'
import { stubEras } from '../../../src/stub/eras.ts'
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
} from '../../support/stub-run.ts'
import { buildKernel } from '../../../src/image/synthetic.ts'

test('the id of a row is the key under which it is found', () => {
  expect(Object.entries(stubEras).filter(([id, era]) => id !== era.id)).toEqual([])
  expect(Object.keys(stubEras)).toHaveLength(46)
})

test('every release from 229 to 262, with every point release, behaves as exactly one row', () => {
  const releases = Array.from({ length: 34 }, (_, i) => 229 + i).flatMap(major => [
    String(major),
    ...Array.from({ length: 40 }, (_, point) => `${String(major)}.${String(point + 1)}`),
  ])
  expect(releases.flatMap(release => (erasFor(release, stubEras).length === 1 ? [] : [release]))).toEqual([])
  expect(erasFor('228.9', stubEras)).toEqual([])
  expect(erasFor('263', stubEras)).toEqual([])
})

test('no two eras behave alike', () => {
  const eras = Object.values(stubEras)
  expect(new Set(eras.map(({ behaviour }) => canonical(behaviour))).size).toBe(eras.length)
})

test('S2 enters the kernel in place and passes the initrd as it lies', () => {
  const { handOff, notes, calls } = runStub('systemd-stub/S2')
  const facts = kernelFacts()
  expect(handOff).toMatchObject({
    via: 'efi-handover',
    image: BASE + KERNEL_AT,
    entry: BASE + KERNEL_AT + (facts.hdr.setup_sects + 1) * 512 + 512 + facts.hdr.handover_offset,
    initrdObject: 'initrd',
    cmdlineObject: 'cmdline',
  })
  expect(calls.map(({ call, label, size, where }) => [call, label, size, where])).toEqual([
    ['pool', 'stub:SecureBoot', 8192, undefined],
    ['pages', 'boot_params', 4, 'max ffffffff'],
    ['pages', 'cmdline', 1, 'max a0000'],
  ])
  expect(notes.facts).toMatchObject({
    cmdLinePtr: 0x9f000,
    commandLine: CMDLINE,
    ramdiskImageFromStub: BASE + INITRD_AT,
  })
})

test('S6/257.11 joins the initrd with what it makes of .osrel: 0x1a0 bytes for 44', () => {
  const { handOff, calls } = runStub('systemd-stub/S6/257.11', { stub: '257.13' })
  expect(handOff).toMatchObject({
    via: 'pe-entry',
    initrd: { size: INITRD_SIZE + 3 + 0x1a0 },
    cmdlineObject: 'cmdline',
  })
  expect(calls.filter(({ call }) => call === 'pages')).toMatchObject([
    { label: 'initrd:joined', size: 19, type: 2, where: 'max ffffffff' },
  ])
})

test('S6/254 passes the initrd as it lies, and copies a kernel that knows no LoadFile2', () => {
  expect(runStub('systemd-stub/S6/254', { stub: '254.26' }).handOff).toMatchObject({
    via: 'pe-entry',
    initrd: { at: BASE + INITRD_AT, size: INITRD_SIZE, object: 'initrd' },
  })
  const forced = runStub('systemd-stub/S6/254', {
    stub: '254.26',
    sections: sectionsOf({}, buildKernel(withoutInitrdSupport())),
  })
  expect(forced.handOff).toMatchObject({ via: 'efi-handover', initrdObject: 'initrd' })
  expect(
    forced.calls
      .filter(({ label }) => !label.startsWith('stub:'))
      .map(({ label, size, type, where }) => [label, size, type, where]),
  ).toEqual([
    ['cmdline:utf-16', 2 * (CMDLINE.length + 1), 2, undefined],
    ['kernel', kernelFacts().pe.optional.SizeOfImage / 0x1000, 1, 'max ffffffff'],
    ['boot_params', 1, 2, 'any'],
    ['cmdline', 1, 2, 'any'],
  ])
})
