import { expect, test } from 'vitest'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import { judge } from '../../../src/hazard/registry.ts'
import type { Finding } from '../../../src/hazard/hazard.ts'
import {
  BASE,
  INITRD,
  INITRD_SIZE,
  KERNEL,
  KERNEL_SIZE,
  loaded,
  machine,
  readInitrd,
  slice,
  type Story,
} from './recordings.ts'

/** The findings of a story that ends with somebody reading the initrd. */
function judged(story: Story, at?: number, size?: number): Finding[] {
  readInitrd(story, at, size)
  return judge(story.recorder)
}

const rolesOf = (finding: Finding | undefined) =>
  finding?.legs.map(({ role, event }) => `${role} ${String(event)}`)

test('sections that overlap: who loses, to whom, and where the higher one must start', () => {
  const story = machine()
  story.memory.put(phys(KERNEL + 0x30000), slice(INITRD_SIZE), 'initrd')
  story.memory.put(phys(KERNEL), slice(KERNEL_SIZE), 'kernel')
  const [finding, ...rest] = judged(story, KERNEL + 0x30000)
  expect(rest).toEqual([])
  expect(finding).toMatchObject({
    offsets: [{ from: 0, to: 0x10000 }],
    why: 'firmware loaded 0x1100000-0x1140000 as kernel',
    fix:
      'give the sections addresses that do not overlap: .initrd must start at or ' +
      'beyond .linux + 0x40000, and what follows it after that; it starts at .linux + 0x30000',
  })
})

test('a section below the one it runs into must give way upwards', () => {
  const story = machine()
  story.memory.put(phys(KERNEL), slice(INITRD_SIZE), 'initrd')
  story.memory.put(phys(KERNEL + 0x10000), slice(KERNEL_SIZE), 'kernel')
  expect(judged(story, KERNEL)[0]?.fix).toContain(
    '.linux must start at or beyond .initrd + 0x20000, and what follows it after that; it starts at ' +
      '.initrd + 0x10000',
  )
})

test('a payload inside the stub is overwritten by the stub', () => {
  const { memory, recorder } = machine()
  memory.put(phys(BASE + 0xd000), slice(0x2168), 'stub:.data')
  memory.put(phys(BASE + 0xd000), slice(0x5e), 'cmdline')
  recorder.as('stub', () => memory.patch(phys(BASE + 0xd010), new Uint8Array(8), 'stub:.data', 0x10))
  recorder.as('stub', () => memory.readAs(rangeAt(BASE + 0xd000, 0x5e), 'cmdline', { all: true }))
  expect(judge(recorder)).toMatchObject([
    {
      object: 'cmdline',
      offsets: [{ from: 0x10, to: 0x18 }],
      fix:
        'give the sections addresses that do not overlap: .cmdline must start at or ' +
        'beyond .data + 0x3000, and what follows it after that; it starts at .data + 0x0',
    },
  ])
})

test('a kernel that unpacks itself in place: the whole window must be free', () => {
  const story = loaded()
  const { memory, recorder } = story
  const window = range(KERNEL, KERNEL + 0x90000)
  recorder.as('stub', () =>
    recorder.append({
      op: 'contract',
      clause: 'HO-4',
      kept: false,
      what: 'the init window is free',
      range: window,
      found: memory.occupants(window, object => object === 'kernel'),
    }),
  )
  recorder.as('decompressor', () => {
    memory.copy(phys(KERNEL + 0x50000), rangeAt(KERNEL, KERNEL_SIZE))
    memory.make(rangeAt(KERNEL, 0x48000), 'vo')
  })
  const [damage, breach, ...rest] = judged(story)
  expect(rest).toEqual([])
  expect(breach?.rule).toBe('init-window-occupied')
  expect(breach?.fix).toContain('.initrd start at or beyond .linux + 0x90000')
  expect(damage?.ranges).toEqual(
    [rangeAt(INITRD, INITRD_SIZE)]
      .map(({ start }) => range(start, INITRD + 0x8000))
      .concat([range(KERNEL + 0x50000, INITRD + INITRD_SIZE)]),
  )
  expect(damage?.fix).toContain(
    '.initrd must start at or beyond .linux + 0x90000, and what follows it after that; it starts at ' +
      '.linux + 0x40000',
  )
  expect(damage?.why).toContain('the hand-off broke HO-4: the init window is free')
  expect(rolesOf(damage)).toEqual(['placed 3', 'overwritten 5', 'overwritten 6', 'used 7'])
})

test('without a kernel below it, the address itself is named', () => {
  const story = machine()
  story.memory.put(phys(INITRD), slice(INITRD_SIZE), 'initrd')
  story.recorder.as('x-mine', () => story.memory.make(rangeAt(INITRD, 0x1000), 'scratch'))
  story.recorder.as('x-mine', () => story.memory.readAs(rangeAt(INITRD, INITRD_SIZE), 'initrd'))
  expect(judge(story.recorder)).toMatchObject([
    {
      what:
        'x-mine read 128.0 KiB of initrd at 0x1140000; 4.0 KiB (0x1000 bytes) of it ' +
        '(offsets 0x0-0x1000) were overwritten with bytes of scratch.',
      fix:
        'move .initrd: in this memory map it would have to start at or beyond 0x1141000, ' +
        '4.0 KiB (0x1000 bytes) higher',
    },
  ])
})

test('an object that never had a first byte in memory is told by address alone', () => {
  const story = machine()
  story.memory.patch(phys(INITRD), new Uint8Array(0x20), 'table')
  story.memory.zero(rangeAt(INITRD, 0x10), null)
  story.memory.readAs(rangeAt(INITRD, 0x20), 'table')
  expect(judge(story.recorder)).toMatchObject([
    { fix: 'move table: in this memory map it would have to start at or beyond 0x1140010' },
  ])
})

test('an object that is looked for where it never lay', () => {
  const [finding] = judged(loaded(), KERNEL)
  expect(finding).toMatchObject({
    what:
      'The kernel read 128.0 KiB of initrd at 0x1100000; all of it is bytes of kernel, ' +
      'and initrd was never there.',
    why: 'nothing in this run placed initrd at 0x1100000-0x1120000 before the read',
    fix: 'hand over the actual address of initrd, before anything is written over it',
  })
  expect(rolesOf(finding)).toEqual(['found 2', 'used 4'])
})

test('memory that was given back and written by the next owner', () => {
  const story = loaded()
  story.memory.release(rangeAt(INITRD, 0x10000), 'uki')
  story.memory.claim(rangeAt(INITRD, 0x10000), 'other')
  story.memory.make(rangeAt(INITRD, 0x10000), 'other')
  const [finding] = judged(story)
  expect(finding).toMatchObject({
    rule: 'clobbered-object',
    fix: 'keep the memory of initrd allocated until its last read',
  })
  expect(rolesOf(finding)).toEqual(['placed 3', 'handed-out 4', 'used 7'])
})

test('memory given back and handed out again is uninitialised; given back alone it is unowned', () => {
  const again = loaded()
  again.memory.release(rangeAt(INITRD, INITRD_SIZE), 'uki')
  again.memory.claim(rangeAt(INITRD, INITRD_SIZE), 'other')
  expect(judged(again)).toMatchObject([
    {
      rule: 'uninitialised-read',
      why: 'the memory was freed or reallocated before initrd was read from it',
    },
  ])
  const free = loaded()
  free.memory.release(rangeAt(INITRD, INITRD_SIZE), 'uki')
  expect(judged(free)).toMatchObject([
    {
      rule: 'wild-read',
      why: 'its memory was freed before the read',
      fix: 'keep the memory of initrd allocated until its last read',
    },
  ])
})

test('memory that was handed out and never written', () => {
  const story = machine()
  expect(judged(story, INITRD)).toMatchObject([
    {
      rule: 'uninitialised-read',
      why: 'the memory was allocated, but initrd was never written to it',
      fix: 'write initrd there before passing its address, or pass its actual address',
    },
  ])
})

test('a wild read of what was never loaded, and of free memory', () => {
  expect(judged(machine(), 0x3000000)).toMatchObject([
    {
      rule: 'wild-read',
      why: 'this memory is not allocated, so anything may have been written to it',
      fix: 'load initrd before its address is passed',
    },
  ])
  expect(judged(machine(), 0x5000000)).toMatchObject([
    { rule: 'wild-read', why: 'the address that was passed is outside RAM' },
  ])
})

test('damage in a part of a composed object is traced to that part', () => {
  const story = loaded()
  const { memory, recorder } = story
  memory.claim(rangeAt(0x2000000, 0x30000), 'initrd')
  memory.copy(phys(0x2000000), rangeAt(INITRD, INITRD_SIZE))
  memory.put(phys(0x2000000 + INITRD_SIZE), slice(0x200), 'cpio')
  memory.compose('initrds', [
    { object: 'initrd', at: 0, length: INITRD_SIZE },
    { object: 'cpio', at: 0, length: 0x200 },
  ])
  const over = memory.make(rangeAt(0x2000000 + INITRD_SIZE + 0x100, 0x10), 'vo')
  recorder.as('kernel', () =>
    memory.readAs(rangeAt(0x2000000, INITRD_SIZE + 0x200), 'initrds', { all: true }),
  )
  const [finding] = judge(recorder)
  expect(finding).toMatchObject({
    object: 'initrds',
    offsets: [{ from: INITRD_SIZE + 0x100, to: INITRD_SIZE + 0x110 }],
  })
  expect(rolesOf(finding)).toEqual(['placed 6', `overwritten ${String(over)}`, 'used 8'])
})

test('many events are shortened, and many offsets', () => {
  const story = loaded()
  for (let i = 0; i < 9; i++) story.memory.patch(phys(INITRD + 0x1000 * i), new Uint8Array(1), 'stub:.data')
  const [finding] = judged(story)
  expect(finding?.what).toContain('9 bytes of it (offsets 0x0-0x1, 0x1000-0x1001, 0x2000-0x2001 and 6 more)')
  expect(finding?.legs.map(({ role }) => role)).toEqual([
    'placed',
    'overwritten',
    'overwritten',
    'overwritten',
    'overwritten',
    'overwritten',
    'overwritten',
    'used',
  ])
  expect(finding?.legs.at(-2)).toMatchObject({ event: null, what: 'and 4 more events' })
})

test('contracts without place or finder are told all the same', () => {
  const { recorder } = machine()
  for (const clause of ['HO-4', 'HO-5', 'HO-7', 'HO-1'] as const)
    recorder.append({ op: 'contract', clause, kept: false, what: clause, range: null, found: [] })
  expect(judge(recorder)).toMatchObject([
    {
      rule: 'init-window-occupied',
      object: null,
      ranges: [],
      fix: 'reserve init_size bytes from the start of the kernel for the kernel',
    },
    {
      rule: 'bss-not-cleared',
      object: 'kernel',
      ranges: [],
      fix: 'copy the kernel to an allocation of SizeOfImage bytes and zero everything past its file',
    },
    { rule: 'address-truncated', object: null, ranges: [] },
    { rule: 'setup-header-wrong', object: 'boot_params', ranges: [] },
  ])
})

test('a window without kernel or intruder is told by address', () => {
  const { recorder } = machine()
  recorder.append({
    op: 'contract',
    clause: 'HO-4',
    kept: false,
    what: 'the window is RAM',
    range: rangeAt(0x3ff0000, 0x20000),
    found: [],
  })
  expect(judge(recorder)).toMatchObject([
    {
      ranges: [rangeAt(0x3ff0000, 0x20000)],
      fix:
        'let the next section start at or beyond 0x4010000, and what follows it after that, or start the ' +
        'kernel in memory of its own',
      why: 'the kernel may write 0x3ff0000-0x4010000 (128.0 KiB)',
    },
  ])
})

test('garbage, fills and left-overs are told apart', () => {
  const { memory, recorder } = machine()
  memory.ram(rangeAt(0x4000000, 0x1000), { kind: 'garbage' })
  memory.ram(rangeAt(0x4001000, 0x1000), { kind: 'fill', byte: 0xaf })
  memory.claim(rangeAt(0x4000000, 0x4000), 'buffer')
  memory.ram(rangeAt(0x4002000, 0x2000), { kind: 'opaque' })
  memory.readAs(rangeAt(0x4000000, 0x3000), 'initrd')
  expect(judge(recorder)[0]?.what).toContain('the memory contains unknown data, bytes 0xaf, stale data')
})
