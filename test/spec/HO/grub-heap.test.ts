import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { HEAP_2_06, HEAP_2_12, takeHeap, type HeapRule } from '../../../src/boot-loader/x86/heap.ts'
import { createFirmware } from '../../../src/firmware/boot-services.ts'
import { readMemmap } from '../../../src/image/memmap.ts'
import type { MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { createMachine } from '../../../src/machine/machine.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'
import { started } from '../../support/boot-loader-runs.ts'
import { descriptor, free } from '../../support/kernel-bench.ts'

const RECORDED = new URL('../../fixtures/memmaps/recorded/', import.meta.url)
const recorded = (name: string) => readMemmap(readFileSync(new URL(name, RECORDED), 'utf8')).map
const heapOf = (map: readonly MemoryDescriptor[]) =>
  map.filter(({ type }) => type === 1).map(({ range }) => range)

/** The map after a loader's heap, on a machine with this map. */
function heapOn(map: readonly MemoryDescriptor[], rule: HeapRule) {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  const firmware = createFirmware({ memory, recorder, map, contents: 'ovmf', assume: () => undefined })
  const machine = createMachine(
    recorder,
    memory,
    firmware,
    { secureBoot: false, kaslr: 'off' },
    { assumptions: [], doubts: [], facts: {} },
  )
  takeHeap(machine, rule)
  return heapOf(firmware.memoryMap())
}

test.each([
  ['2.06 is a quarter of what is free', 'ovmf-2022.11-q35-512M-grub2.06-lsefimmap.txt', HEAP_2_06, 0x7394000],
  ['2.12 is 32 MiB', 'ovmf-2025.02-q35-512M-grub2.12-lsefimmap.txt', HEAP_2_12, 0x2000000],
] as const)('HO-16 the recorded heap of GRUB %s, at the end of the largest region', (_, file, rule, size) => {
  const within = recorded(file)
  const heap = heapOf(within).find(range => range.end - range.start === size) ?? expect.fail('no heap')
  expect(
    heapOn(
      within.map(entry => (entry.range === heap ? { ...entry, type: 7 } : entry)),
      rule,
    ),
  ).toEqual(heapOf(within))
})

test('HO-16 a quarter has bounds; what the largest region lacks comes from the next', () => {
  const sizes = (map: readonly MemoryDescriptor[], rule: HeapRule) =>
    heapOn(map, rule).map(({ start, end }) => [start, end - start])
  expect(sizes([free(0x100000, 0x200000)], HEAP_2_06)).toEqual([[0x300000 - 0x6000 - 0x100000, 0x100000]])
  expect(sizes([free(0x100000, 0xe0000000)], HEAP_2_06).map(([, size]) => size)).toEqual([
    0x38000000 - 0x2000,
  ])
  expect(sizes([free(0x100000, 0x1900000), free(0x2000000, 0x1000000)], HEAP_2_12)).toEqual([
    [0x100000, 0x1900000],
    [0x2000000 + 0x1000000 - 0x6000 - 0x700000, 0x700000],
  ])
  expect(
    started({ loader: 'grub/efi', map: [free(0x1000, 0x9f000), free(0x100000, 0x1000000)] }).outcome,
  ).toMatchObject({ kind: 'refused', refusal: { clause: 'HO-16', message: 'error: too little memory.' } })
})

test('HO-16 linuxefi reads the kernel into its heap first', () => {
  expect(
    started({ loader: 'grub/linuxefi', map: [free(0x1000, 0x9f000), free(0x100000, 0x2000000)] }).outcome,
  ).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'HO-16', message: 'error: cannot allocate kernel buffer.' },
  })
})

test('HO-16 a map that was taken inside GRUB has its heap', () => {
  const run = started({
    loader: 'grub/efi',
    map: [
      free(0x1000, 0x9f000),
      free(0x100000, 0x2ff00000),
      descriptor(1, 0x30000000, 0x2000000),
      free(0x32000000, 0xe000000),
    ],
  })
  expect(run.outcome.kind).toBe('arrived')
  expect(run.assumptions.map(({ what }) => what)).toContain(
    'the map was taken inside GRUB: its heap is the loader code in it',
  )
})
