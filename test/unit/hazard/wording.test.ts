import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import { describeEvent } from '../../../src/hazard/describe.ts'
import { judge } from '../../../src/hazard/registry.ts'
import { rangesOf } from '../../../src/memory/event.ts'
import { INITRD, INITRD_SIZE, loaded, machine, readInitrd } from './recordings.ts'

test('one byte is lost in the singular', () => {
  const story = loaded()
  story.recorder.as('efi-stub', () => {
    story.memory.zero(rangeAt(INITRD + 5, 1), 'boot_params')
  })
  readInitrd(story)
  const [finding] = judge(story.recorder)
  expect([finding?.rule, finding?.what]).toEqual([
    'clobbered-object',
    'The kernel read 128.0 KiB of initrd at 0x1140000; 1 byte of it (offsets ' +
      '0x5-0x6) was overwritten with bytes of boot_params.',
  ])
})

test('an overwriting outside every step has no clause', () => {
  const story = loaded()
  story.recorder.as('efi-stub', () => {
    story.memory.zero(rangeAt(INITRD, INITRD_SIZE), 'boot_params')
  })
  readInitrd(story)
  const [finding] = judge(story.recorder)
  expect([finding?.what, finding?.why, finding?.fix]).toEqual([
    'The kernel read 128.0 KiB of initrd at 0x1140000; all of it was overwritten with bytes of boot_params.',
    'efi-stub zeroed 0x1140000-0x1160000 as boot_params',
    '.initrd must start at or beyond .linux + 0x60000, and what follows it after that; it starts at ' +
      '.linux + 0x40000. Or start the kernel in memory of its own: with a stub that copies it ' +
      'first, or through its PE entry',
  ])
})

test('bytes of an object that were never there', () => {
  const story = machine()
  story.memory.zero(rangeAt(phys(INITRD), 0x1000), 'boot_params')
  readInitrd(story, INITRD, 0x1000)
  expect(judge(story.recorder).map(({ rule, why, fix }) => [rule, why, fix])).toEqual([
    [
      'clobbered-object',
      'nothing in this run placed initrd at 0x1140000-0x1141000 before the read',
      'hand over the actual address of initrd, before anything is written over it',
    ],
  ])
})

test('a margin that is too small, at no place that is known', () => {
  const { recorder } = machine()
  recorder.as('decompressor', () =>
    recorder.append({
      op: 'contract',
      clause: 'ZO-28',
      kept: false,
      what: 'the output never reaches input that is still to be read',
      range: null,
      found: [],
    }),
  )
  expect(judge(recorder).map(({ rule, ranges, why }) => [rule, ranges, why])).toEqual([
    [
      'extract-margin-too-small',
      [],
      'the decompressor is at the end of the init_size bytes and writes from their start',
    ],
  ])
})

test('of an event in two places its number of ranges is said, or the one that is meant', () => {
  const { memory, recorder } = loaded()
  const [low, high] = [rangeAt(INITRD, 0x10), rangeAt(INITRD + 0x1000, 0x10)]
  const id = memory.occupy([low, high], 'boot_params')
  const event = recorder.events[id] ?? expect.fail('no event')
  expect(describeEvent(event)).toContain('2 ranges of 0x1140000-0x1141010')
  const [, second] = rangesOf(event)
  expect(describeEvent(event, second)).toContain('0x1141000-0x1141010')
})
