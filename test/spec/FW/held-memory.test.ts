import { expect, test } from 'vitest'
import { buildMachine } from '../../../src/boot/machine.ts'
import { HeldMemory } from '../../../src/boot/held-memory.ts'
import { PROFILES } from '../../../src/firmware/profiles.ts'
import { range } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import { ZERO } from '../../../src/memory/extent.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'
import { memoryMap, uki } from '../../../src/vitest/builders.ts'
import { reportOn } from '../../support/damaged-uki.ts'

const LAST = {
  at: { '.osrel': 0x20000, '.cmdline': 0x30000, '.initrd': 0x40000, '.linux': 0x2000000 },
  order: ['.osrel', '.cmdline', '.initrd', '.linux'],
  initrd: '3M',
} as const

test.each(['6.1.170-cloud', '6.12.107-cloud', '7.2.13-cloud'])(
  'FW-56 a .bss that is cleared over data of boot services makes the verdict unknown (%s)',
  kernel => {
    for (const { id: profile } of PROFILES) {
      const { verdict, gaps, findings } = reportOn(uki({ stub: '247.3', kernel, ...LAST }), {
        machine: buildMachine({ profile, ram: 512 * 2 ** 20 }),
      })
      expect(verdict).toBe('unknown')
      expect(gaps).toEqual([{ clause: 'FW-56', why: expect.stringContaining('(EfiBootServices') as string }])
      expect(findings.map(({ rule }) => rule)).toContain('write-outside-allocation')
    }
  },
)

test('FW-56 a kernel that does not clear .bss leaves such an image clean', () => {
  expect(reportOn(uki({ stub: '247.3', kernel: '5.10.223-cloud', ...LAST })).verdict).toBe('clean')
})

/** Memory with some of everything, and what is said of what `act` does to it. */
function gapsAfter(act: (memory: Memory, recorder: Recorder) => void): string[] {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  const map = memoryMap(
    ['EfiConventionalMemory', 0x1000, 0x10000],
    ['EfiBootServicesCode', 0x10000, 0x12000],
    ['EfiLoaderData', 0x12000, 0x14000],
    ['EfiRuntimeServicesData', 0x14000, 0x16000],
    ['EfiACPIMemoryNVS', 0x16000, 0x18000],
  )
  memory.ram(range(0x1000, 0x18000), ZERO)
  memory.occupy([range(0x10000, 0x12000)], 'firmware:boot')
  memory.occupy([range(0x12000, 0x14000)], 'firmware:loader')
  memory.occupy([range(0x14000, 0x16000)], 'firmware:runtime')
  memory.occupy([range(0x16000, 0x18000)], 'firmware:reserved')
  act(memory, recorder)
  return new HeldMemory()
    .follow(recorder)
    .gaps(map)
    .map(({ clause, why }) => {
      expect(clause).toBe('FW-56')
      return why
    })
}
const BYTES = Uint8Array.of(1, 2, 3, 4)

test('FW-56 whoever writes, and whatever is written, before boot services end', () => {
  expect(gapsAfter((memory, by) => by.as('stub', () => memory.patch(phys(0x2000), BYTES, 'x')))).toEqual([])
  for (const [at, type] of [
    [0x10000, 'EfiBootServicesCode'],
    [0x12000, 'EfiLoaderData'],
    [0x14000, 'EfiRuntimeServicesData'],
    [0x16000, 'EfiACPIMemoryNVS'],
  ] as const)
    for (const actor of ['stub', 'efi-stub', 'firmware', 'loader'] as const)
      expect(gapsAfter((memory, by) => by.as(actor, () => memory.patch(phys(at), BYTES, 'x')))).toEqual([
        `the ${actor} wrote 4 bytes of memory that the firmware holds: ` +
          `0x${at.toString(16)}-0x${(at + 4).toString(16)} (${type}); what is read there ` +
          'is not modelled',
      ])
})

test('FW-56 in its pools, what is no buffer of the boot', () => {
  const write = (at: number) =>
    gapsAfter((memory, by) => {
      memory.claim(range(0x4000, 0x6000), 'firmware:pool')
      memory.claim(range(0x4100, 0x4200), 'buffer')
      by.as('stub', () => memory.zero(range(at, at + 0x10), 'buffer'))
    })
  expect(write(0x4100)).toEqual([])
  expect(write(0x41f8)).toEqual([expect.stringContaining("0x4200-0x4208 (the firmware's pool)")])
})

test('FW-56 what outlives boot services, and nothing else, when they are over', () => {
  const after = (at: number) =>
    gapsAfter((memory, by) => {
      by.step('FW-20', 'ExitBootServices', () => {
        memory.release([range(0x10000, 0x12000)], 'firmware:boot')
      })
      by.as('decompressor', () => memory.patch(phys(at), BYTES, 'vo'))
    })
  expect([0x2000, 0x10000, 0x12000].flatMap(after)).toEqual([])
  expect([0x14000, 0x16000].flatMap(after)).toHaveLength(2)
})
