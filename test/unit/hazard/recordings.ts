/**
 * Small recordings for the tests of hazards and reports: a kernel, an initrd after it, and what may go wrong.
 */
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { sparseSource } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import { ZERO } from '../../../src/memory/extent.ts'
import { Memory, type Slice } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'

export const BASE = 0x1000000
export const KERNEL = BASE + 0x100000
export const KERNEL_SIZE = 0x40000
export const INITRD = BASE + 0x140000
export const INITRD_SIZE = 0x20000

export interface Story {
  readonly recorder: Recorder
  readonly memory: Memory
}

export function slice(length: number): Slice {
  return { source: sparseSource(length, [], at => at % 251), at: 0, length }
}

/** 64 MiB of RAM, an image claimed in it. */
export function machine(): Story {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  memory.ram(range(0, 0x4000000), ZERO)
  memory.claim(range(BASE, BASE + 0x200000), 'uki')
  return { recorder, memory }
}

/** The image with .linux and .initrd right after it, as firmware loads it. */
export function loaded(): Story {
  const story = machine()
  story.recorder.step('PE-15', 'load the sections in table order', () => {
    story.memory.put(phys(KERNEL), slice(KERNEL_SIZE), 'kernel')
    story.memory.put(phys(INITRD), slice(INITRD_SIZE), 'initrd')
  })
  return story
}

/** The extracted kernel reads all of the initrd where it was loaded. */
export function readInitrd({ recorder, memory }: Story, at = INITRD, size = INITRD_SIZE): void {
  recorder.as('kernel', () =>
    recorder.step('ZO-16', 'read the initrd as announced', () =>
      memory.readAs(rangeAt(at, size), 'initrd', { all: true }),
    ),
  )
}

/** A late kernel clears its .bss where it was entered: over the head of the initrd. */
export function bssClearedOverInitrd(): Story {
  const story = loaded()
  const { recorder, memory } = story
  recorder.as('efi-stub', () =>
    recorder.step('EP-6', 'clear the .bss', () =>
      memory.zero(rangeAt(KERNEL + KERNEL_SIZE, 0x3200), 'kernel', KERNEL_SIZE),
    ),
  )
  readInitrd(story)
  return story
}
