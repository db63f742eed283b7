import { describe, expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { boot_params } from '../../../src/image/x86/boot-params.ts'
import { handed } from '../../support/efi-stub-runs.ts'
import {
  bench,
  BOOT_PARAMS,
  eventsOf,
  FIRST_SLOT,
  peEntry,
  SMALL_MAP,
  start,
  type Bench,
  withServices,
} from '../../support/kernel-bench.ts'
import { E2, E5, F, INITRD } from '../../support/kernels.ts'

const MIRRORED = 0x10000n
const mirroredAt = (at: number) =>
  SMALL_MAP.map(entry => (entry.range.start === at ? { ...entry, attribute: MIRRORED } : entry))

describe('EP-60', () => {
  const at = (map: typeof SMALL_MAP): unknown =>
    handed('linux/E5', E5, { commandLine: 'nokaslr', initrd: null }, bench({ map: [...map] })).on.notes.facts
      .decompressedKernel

  test('EP-60 slots in mirrored memory are preferred to lower ones', () => {
    const map = [
      ...SMALL_MAP,
      { ...SMALL_MAP[2], type: 7, attribute: MIRRORED, range: rangeAt(2 ** 32, 2 ** 28) },
    ]
    expect(at(SMALL_MAP)).toBe(FIRST_SLOT)
    expect(at(map)).toBe(2 ** 32)
  })

  test('EP-60 mirrored memory without a slot does not count', () => {
    // 636 KiB of it
    expect(at(mirroredAt(0x1000))).toBe(FIRST_SLOT)
  })
})

const assumed = ({ on }: { on: Bench }, clause: string): string[] =>
  on.notes.assumptions.filter(one => one.clause === clause).map(({ what }) => what)

test.each(['linux/E0', 'linux/E2', 'linux/E5'])(
  'EP-61, EP-62, EP-63: %s is assumed to find no seed, no event log, no Apple',
  era => {
    const run = handed(era, era === 'linux/E5' ? E5 : E2, {})
    expect(['EP-61', 'EP-62', 'EP-63'].map(clause => assumed(run, clause).length)).toEqual([1, 1, 1])
  },
)

describe('EP-66', () => {
  const BYTE = rangeAt(BOOT_PARAMS + boot_params.fields.secure_boot[0], 1)
  const left = (value?: number): number | undefined => {
    const bytes = value === undefined ? {} : { bytes: { [boot_params.fields.secure_boot[0]]: value } }
    return handed('linux/E5', E5, bytes).on.memory.readRaw(BYTE)[0]
  }
  test('EP-66 secure_boot says disabled, unless the boot loader said something', () => {
    expect([left(), left(1), left(3)]).toEqual([2, 1, 3])
  })
})

describe('EP-67', () => {
  const tables = (era: string, offered: boolean): unknown[] => {
    const on = bench()
    start(on, era, peEntry(on, { kernel: E5, image: F, initrd: offered ? INITRD : null }))
    return eventsOf(on, 'EP-67', 'claim').map(({ range }) => range.end - range.start)
  }
  test('EP-67 from 6.1 on 16 bytes of pool say where the initrd is', () => {
    expect(tables('linux/E5', true)).toEqual([16])
    expect(tables('linux/E5', false)).toEqual([])
    expect(tables('linux/E2', true)).toEqual([])
    expect(tables('linux/E2b', true)).toEqual([16])
  })
})

test('EP-68 the map for the slots is in pool until the kernel has its pages', () => {
  const calls: string[] = []
  const on = withServices(bench(), firmware => ({
    memoryMap: () => (calls.push('map'), firmware.memoryMap()),
    allocatePool: (type, size, label) => (
      calls.push(`pool ${String(size)}`),
      firmware.allocatePool(type, size, label)
    ),
    freePool: at => (calls.push('free'), firmware.freePool(at)),
    allocatePages: (where, type, pages, label) => (
      calls.push(label),
      firmware.allocatePages(where, type, pages, label)
    ),
  }))
  handed('linux/E5', E5, {}, on)
  const vo = calls.indexOf('vo')
  const size = 40 + (SMALL_MAP.length + 32) * 48
  expect(calls.slice(vo - 3, vo + 2)).toEqual(['map', `pool ${String(size)}`, 'map', 'vo', 'free'])
})
