import { expect, test } from 'vitest'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { judge } from '../../../src/hazard/registry.ts'
import { GARBAGE } from '../../../src/memory/extent.ts'
import { eventsOf } from '../../support/kernel-bench.ts'
import { deep, greedy, smallKernel } from '../../support/packed-kernel.ts'
import { INITRD, INITRD_SIZE, KERNEL, loaded, machine } from '../../unit/hazard/recordings.ts'

for (const [clause, id, broken] of [
  ['HZ-6', 'init-window-occupied', 'HO-4'],
  ['HZ-6', 'init-window-occupied', 'HO-17'],
  ['HZ-7', 'bss-not-cleared', 'HO-5'],
  ['HZ-7', 'bss-not-cleared', 'HO-6'],
  ['HZ-8', 'address-truncated', 'HO-7'],
  ['HZ-8', 'address-truncated', 'HO-8'],
  ['HZ-16', 'setup-header-wrong', 'HO-1'],
  ['HZ-16', 'setup-header-wrong', 'HO-2'],
  ['HZ-16', 'setup-header-wrong', 'HO-3'],
  ['HZ-16', 'setup-header-wrong', 'HO-9'],
] as const) {
  test(`${clause} a broken ${broken} is reported once by ${id}, as a breach; a kept one is not`, () => {
    const { memory, recorder } = loaded()
    const window = range(KERNEL, KERNEL + 0x100000)
    const found = memory.occupants(window, object => object === 'kernel')
    const contract = {
      op: 'contract',
      clause: broken,
      what: 'the window is free',
      range: window,
      found,
    } as const
    recorder.append({ ...contract, kept: true })
    expect(judge(recorder)).toEqual([])
    recorder.append({ ...contract, kept: false })
    recorder.append({ ...contract, kept: false })
    expect(judge(recorder)).toMatchObject([
      {
        rule: id,
        class: 'breach',
        clause,
        object:
          ({ 'bss-not-cleared': 'kernel', 'setup-header-wrong': 'boot_params' } as Record<string, string>)[
            id
          ] ?? 'initrd',
        ranges: [rangeAt(INITRD, INITRD_SIZE)],
      },
    ])
  })
}

test('HZ-9 a write that leaves its allocation is a breach, except for the firmware itself', () => {
  const { memory, recorder } = loaded()
  memory.zero(range(0x11ff000, 0x1201000), null)
  expect(judge(recorder)).toEqual([])
  recorder.as('efi-stub', () => memory.zero(range(0x11ff000, 0x1201000), 'kernel', 0x1ff000))
  expect(judge(recorder)).toMatchObject([
    { rule: 'write-outside-allocation', ranges: [range(0x1200000, 0x1201000)] },
  ])
})

test('HZ-9 memory of the firmware is taboo; boot-services memory only while boot services run', () => {
  const { memory, recorder } = machine()
  memory.claim(range(0x3000000, 0x3002000), 'firmware')
  memory.make(rangeAt(0x3000000, 0x1000), 'firmware:boot')
  memory.make(rangeAt(0x3001000, 0x1000), 'firmware:runtime')
  recorder.as('decompressor', () => memory.make(rangeAt(0x3000000, 0x1000), 'vo'))
  recorder.as('decompressor', () => memory.make(rangeAt(0x3800000, 0x1000), 'vo', 0x1000))
  expect(judge(recorder)).toEqual([])
  recorder.as('decompressor', () => memory.make(rangeAt(0x3001000, 0x1000), 'vo'))
  expect(judge(recorder)).toMatchObject([
    { rule: 'write-outside-allocation', object: 'firmware:runtime', ranges: [rangeAt(0x3001000, 0x1000)] },
  ])
})

test('HZ-9 what is no RAM is open to nobody', () => {
  const { memory, recorder } = machine()
  memory.ram(rangeAt(0x8000000, 0x1000), GARBAGE)
  recorder.as('kernel', () => memory.make(range(0x3fff000, 0x4001000), 'vo'))
  expect(judge(recorder)).toMatchObject([
    { rule: 'write-outside-allocation', ranges: [range(0x4000000, 0x4001000)] },
  ])
})

test('HZ-17 output that overtakes its input is extract-margin-too-small, at the lost bytes', () => {
  const { on } = deep('linux/E2', greedy('debian-5.10.223-cloud'))
  const breaches = judge(on.recorder).filter(finding => finding.rule === 'extract-margin-too-small')
  const [contract] = eventsOf(on, 'ZO-28', 'contract')
  expect(breaches).toMatchObject([
    { class: 'breach', clause: 'HZ-17', object: 'kernel', ranges: [contract?.range] },
  ])
  expect(contract?.range).toEqual(
    rangeAt(contract?.range?.start ?? 0, -(on.notes.facts.payload?.margin ?? 0)),
  )
  expect(judge(deep('linux/E2', smallKernel('debian-5.10.223-cloud')).on.recorder)).toEqual([])
})
