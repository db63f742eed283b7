import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import { judge } from '../../../src/hazard/registry.ts'
import {
  bssClearedOverInitrd,
  INITRD,
  INITRD_SIZE,
  KERNEL,
  KERNEL_SIZE,
  loaded,
  machine,
  readInitrd,
  slice,
} from '../../unit/hazard/recordings.ts'

test('HZ-1 an object that was moved before its old place was overwritten is no damage', () => {
  const story = loaded()
  const { memory, recorder } = story
  memory.claim(rangeAt(0x2000000, INITRD_SIZE), 'copy')
  recorder.as('stub', () => memory.copy(phys(0x2000000), rangeAt(INITRD, INITRD_SIZE)))
  recorder.as('efi-stub', () => memory.zero(rangeAt(INITRD, 0x1000), 'kernel', KERNEL_SIZE))
  readInitrd(story, 0x2000000)
  expect(judge(recorder)).toEqual([])
})

test('HZ-1 what was overwritten, or never written, and is read by nobody is no damage', () => {
  const { memory, recorder } = loaded()
  memory.zero(rangeAt(INITRD, 0x1000), 'kernel', KERNEL_SIZE)
  memory.claim(rangeAt(0x2000000, 0x1000), 'never used')
  expect(judge(recorder)).toEqual([])
})

test('HZ-2 an overwritten initrd is one finding with its offsets and what to do', () => {
  expect(judge(bssClearedOverInitrd().recorder)).toMatchObject([
    {
      rule: 'clobbered-object',
      class: 'damage',
      object: 'initrd',
      offsets: [{ from: 0, to: 0x3200 }],
      ranges: [rangeAt(INITRD, 0x3200)],
      fix: expect.stringContaining('.initrd must start at or beyond .linux + 0x44000') as unknown,
    },
  ])
})

test('HZ-2 pieces that one actor destroyed are joined, those of another are a finding of their own', () => {
  const story = loaded()
  const { memory, recorder } = story
  recorder.as('decompressor', () => {
    memory.make(rangeAt(INITRD, 0x1000), 'vo')
    memory.make(rangeAt(INITRD + 0x8000, 0x1000), 'page-tables')
  })
  recorder.as('stub', () => memory.patch(phys(INITRD + 0x10000), new Uint8Array(16), 'stub:.data'))
  readInitrd(story)
  expect(
    judge(recorder, undefined)
      .filter(({ rule }) => rule === 'clobbered-object')
      .map(({ offsets }) => offsets),
  ).toEqual([
    [
      { from: 0, to: 0x1000 },
      { from: 0x8000, to: 0x9000 },
    ],
    [{ from: 0x10000, to: 0x10010 }],
  ])
})

test('HZ-2 a copy of damaged bytes is damaged by whoever damaged the original', () => {
  const { memory, recorder } = loaded()
  recorder.as('stub', () => memory.patch(phys(KERNEL + 0x100), new Uint8Array(0x20), 'stub:.data'))
  memory.claim(rangeAt(0x2000000, KERNEL_SIZE), 'kernel')
  recorder.as('firmware', () => memory.copy(phys(0x2000000), rangeAt(KERNEL, KERNEL_SIZE)))
  recorder.as('efi-stub', () => memory.readAs(rangeAt(0x2000000, KERNEL_SIZE), 'kernel', { as: 'code' }))
  const [finding, ...rest] = judge(recorder)
  expect(rest).toEqual([])
  expect(finding).toMatchObject({
    object: 'kernel',
    offsets: [{ from: 0x100, to: 0x120 }],
    what: expect.stringContaining('was about to run') as unknown,
  })
  expect(finding?.legs.map(({ role, actor }) => [role, actor])).toEqual([
    ['placed', 'firmware'],
    ['overwritten', 'stub'],
    ['moved', 'firmware'],
    ['used', 'efi-stub'],
  ])
})

test('HZ-3 a .bss past the file that nobody cleared is an uninitialised read', () => {
  const { memory, recorder } = machine()
  memory.put(phys(KERNEL), slice(KERNEL_SIZE), 'kernel')
  recorder.as('efi-stub', () =>
    memory.readAs(rangeAt(KERNEL + KERNEL_SIZE, 0x1000), 'kernel', { at: KERNEL_SIZE }),
  )
  expect(judge(recorder)).toMatchObject([
    {
      rule: 'uninitialised-read',
      object: 'kernel',
      offsets: [{ from: KERNEL_SIZE, to: KERNEL_SIZE + 0x1000 }],
      fix: expect.stringContaining('.linux + 0x40000') as unknown,
    },
  ])
})

test('HZ-4 a read of memory that no allocation covers, or of no RAM, is a wild read', () => {
  const story = loaded()
  readInitrd(story, 0x3000000)
  readInitrd(story, 0x5000000)
  expect(judge(story.recorder).map(({ rule, object, ranges }) => ({ rule, object, ranges }))).toEqual([
    {
      rule: 'wild-read',
      object: 'initrd',
      ranges: [rangeAt(0x3000000, INITRD_SIZE), rangeAt(0x5000000, INITRD_SIZE)],
    },
  ])
})

test('HZ-5 one byte that is left out is enough', () => {
  const story = loaded()
  readInitrd(story, INITRD, INITRD_SIZE - 1)
  expect(judge(story.recorder)).toMatchObject([
    { rule: 'truncated-object', object: 'initrd', offsets: [{ from: INITRD_SIZE - 1, to: INITRD_SIZE }] },
  ])
})

test('HZ-5 a reader that takes less than all of an object is told how much it left out', () => {
  const story = loaded()
  readInitrd(story, INITRD, INITRD_SIZE - 0x10)
  readInitrd(story, INITRD, INITRD_SIZE - 0x20)
  expect(judge(story.recorder)).toMatchObject([
    { rule: 'truncated-object', object: 'initrd', offsets: [{ from: INITRD_SIZE - 0x20, to: INITRD_SIZE }] },
  ])
})

test('HZ-4 memory that was given back before the read is what its legs name', () => {
  const story = loaded()
  const released = story.memory.release(rangeAt(INITRD, INITRD_SIZE), 'uki')
  readInitrd(story)
  const [finding] = judge(story.recorder)
  expect(finding).toMatchObject({ rule: 'wild-read', why: 'its memory was freed before the read' })
  expect(finding?.legs.map(({ role, event }) => [role, event])).toContainEqual(['handed-out', released])
})
