import { expect, test } from 'vitest'
import { PAGE } from '../../../src/bytes/units.ts'
import { entered, handed } from '../../support/efi-stub-runs.ts'
import { clausesOf, eventsOf, kernelNamed } from '../../support/kernel-bench.ts'
import { bssOf, E0, E1, E4, E5, F, INITRD } from '../../support/kernels.ts'

test('EP-4 5.7-rc1 reads .bss after the file as it is after a handover', () => {
  const bss = bssOf('derived-5.7-rc1')
  const { on } = handed('linux/E1', E1)
  expect(eventsOf(on, 'EP-4', 'read')).toMatchObject([
    {
      range: { start: F + bss.start, end: F + bss.end },
      object: 'kernel',
      at: bss.start,
      deviations: [{ kind: 'uninitialised' }],
    },
  ])
})

test('EP-4 up to 5.6 the file holds .bss as zeros, so it is whole wherever the file is copied flat', () => {
  const bss = bssOf('derived-5.6')
  for (const era of ['linux/E0a', 'linux/E0']) {
    const { on, outcome } = handed(era, E0)
    expect(outcome.kind).toBe('arrived')
    expect(eventsOf(on, 'EP-4', 'read')).toMatchObject([
      { range: { start: F + bss.start, end: F + bss.end }, deviations: [] },
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

// The setup block and _bss, the setup block and _ebss: written out by hand from the symbols of each file
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

/** It begins on the page after the end of the file. */
const BSS_5 = bssOf('debian-6.12.107-cloud')

test('EP-6 an initrd on the next page after the kernel loses its first bytes', () => {
  const { on, outcome } = handed('linux/E5', E5, { initrd: { ...INITRD, at: F + BSS_5.start } })
  expect(outcome.kind).toBe('arrived')
  expect(on.notes.facts.initrdDamage).toEqual([{ from: 0, to: BSS_5.end - BSS_5.start }])
})

test('EP-6 the byte after .bss is not touched', () => {
  const { on } = handed('linux/E5', E5, { initrd: { at: F + BSS_5.end, size: PAGE } })
  expect(on.notes.facts.initrdDamage).toEqual([])
})

test('EP-6 6.1.y clears .bss at the PE entry, too', () => {
  const bss = bssOf('debian-6.1.170-cloud')
  const { on } = entered('linux/E4', E4)
  expect(eventsOf(on, 'EP-6', 'zero')).toMatchObject([{ range: { start: F + bss.start, end: F + bss.end } }])
})

test('EP-7 a loader that does not zero the tail of a section leaves .bss unread as zero', () => {
  const whole = entered('linux/E5', E5)
  expect(eventsOf(whole.on, 'EP-7', 'read')).toMatchObject([{ deviations: [] }])
  const broken = entered('linux/E5', E5, { zeroTail: false })
  expect(eventsOf(broken.on, 'EP-7', 'read')).toMatchObject([
    { deviations: [{ kind: 'uninitialised', at: BSS_5.start }] },
  ])
})
