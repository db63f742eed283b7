import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { entered, handed } from '../../support/efi-stub-runs.ts'
import { clausesOf, eventsOf, kernelNamed } from '../../support/kernel-bench.ts'
import { E0, E1, E4, E5, F } from '../../support/kernels.ts'

test('EP-4 5.7-rc1 reads .bss behind the file as it is after a handover', () => {
  const { on } = handed('linux/E1', E1)
  expect(eventsOf(on, 'EP-4', 'read')).toMatchObject([
    {
      range: rangeAt(F + 0x94c00 + 0xb00000, 0x22880),
      object: 'kernel',
      at: 0xb94c00,
      deviations: [{ kind: 'uninitialised' }],
    },
  ])
})

test('EP-4 up to 5.6 the file holds .bss as zeros, so it is whole wherever the file is copied flat', () => {
  for (const era of ['linux/E0a', 'linux/E0']) {
    const { on, outcome } = handed(era, E0)
    expect(outcome.kind).toBe('arrived')
    expect(eventsOf(on, 'EP-4', 'read')).toMatchObject([
      { range: rangeAt(F + 0xb94c00, 0x22880), deviations: [] },
    ])
    expect(on.notes.doubts).toEqual([])
  }
})

test('EP-5 5.7-rc2 and later neither read nor write .bss before the move', () => {
  for (const era of ['linux/E2a', 'linux/E2']) {
    const { on } = handed(era)
    expect(clausesOf(on)).toContain('EP-5')
    expect(eventsOf(on, 'EP-5', 'read')).toEqual([])
    expect(on.recorder.events.filter(event => event.op === 'zero' && event.actor === 'efi-stub')).toEqual([])
  }
})

test.each([
  ['debian-6.1.170', 0x7db000, 0x7fd8e0],
  ['debian-6.1.170-cloud', 0xd7e000, 0xda08e0],
  ['debian-6.12.107', 0xb95000, 0xbd8078],
  ['debian-6.12.107-cloud', 0xb2b000, 0xb6e078],
  ['debian-7.2.13', 0xde0000, 0xe2a000],
  ['debian-7.2.13-cloud', 0xd61000, 0xdab000],
  ['debian-7.3-rc7', 0xe0b000, 0xe55000],
])('EP-6 the handover entry of %s zeroes exactly its .bss', (name, from, to) => {
  const { on } = handed(name.startsWith('debian-7') ? 'linux/E6' : 'linux/E5', kernelNamed(name))
  expect(eventsOf(on, 'EP-6', 'zero')).toMatchObject([
    { range: { start: F + from, end: F + to }, object: 'kernel', at: from },
  ])
})

test('EP-6 an initrd on the next page behind the kernel loses its first bytes', () => {
  const { on, outcome } = handed('linux/E5', E5, { initrd: { at: F + 0xb2b000, size: 0x4a7e00 } })
  expect(outcome.kind).toBe('arrived')
  expect(on.notes.facts.initrdDamage).toEqual([{ from: 0, to: 0x43078 }])
})

test('EP-6 the byte behind .bss is not touched', () => {
  const { on } = handed('linux/E5', E5, { initrd: { at: F + 0xb6e078, size: 0x1000 } })
  expect(on.notes.facts.initrdDamage).toEqual([])
})

test('EP-6 6.1.y clears .bss at the PE entry, too', () => {
  const { on } = entered('linux/E4', E4)
  expect(eventsOf(on, 'EP-6', 'zero')).toMatchObject([{ range: { start: F + 0xd7e000, end: F + 0xda08e0 } }])
})

test('EP-7 a loader that does not zero the tail of a section leaves .bss unread as zero', () => {
  const whole = entered('linux/E5', E5)
  expect(eventsOf(whole.on, 'EP-7', 'read')).toMatchObject([{ deviations: [] }])
  const broken = entered('linux/E5', E5, { zeroTail: false })
  expect(eventsOf(broken.on, 'EP-7', 'read')).toMatchObject([
    { deviations: [{ kind: 'uninitialised', at: 0xb2b000 }] },
  ])
})
