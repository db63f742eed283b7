import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { PAGE } from '../../../src/bytes/units.ts'
import { check } from '../../../src/check.ts'
import { profileMap, profileNamed } from '../../../src/firmware/profiles.ts'
import { EfiLoaderData } from '../../../src/image/memory-types.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../../src/image/synthetic.ts'
import type { Outcome } from '../../../src/machine/machine.ts'
import { factsOf } from '../../support/facts.ts'
import {
  bench,
  clausesOf,
  eventsOf,
  free,
  FREE_END,
  handover,
  peEntry,
  SMALL_MAP,
  start,
  type Bench,
} from '../../support/kernel-bench.ts'
import { E2, E5, F } from '../../support/kernels.ts'

function handedWithLevels(
  era: string,
  { la57 = true, commandLine = 'nokaslr quiet', on = bench({ la57 }), kernel = E5 } = {},
): { on: Bench; outcome: Outcome } {
  return { on, outcome: start(on, era, handover(on, { kernel, image: F, commandLine })) }
}

const taken = (on: Bench): unknown =>
  on.machine.firmware
    .memoryMap()
    .filter(({ type, range }) => type === EfiLoaderData && range.end - range.start === 2 * PAGE)
const tables = (on: Bench): unknown[] => eventsOf(on, 'EP-54', 'make')

test.each(['linux/E3a', 'linux/E4', 'linux/E5', 'linux/E6'])(
  'EP-53 %s takes two pages of loader data before the kernel gets its memory',
  era => {
    const { on, outcome } = handedWithLevels(era)
    expect(outcome.kind).toBe('arrived')
    expect(taken(on)).toMatchObject([{ range: rangeAt(FREE_END - 2 * PAGE, 2 * PAGE) }])
    const [claim] = eventsOf(on, 'EP-53', 'claim')
    expect(claim?.id).toBeLessThan(eventsOf(on, 'EP-20', 'claim')[0]?.id ?? 0)
  },
)

test('EP-53 the zero page comes first after a PE entry', () => {
  const on = bench({ la57: true })
  expect(start(on, 'linux/E5', peEntry(on, { kernel: E5, image: F })).kind).toBe('arrived')
  expect(eventsOf(on, 'EP-8', 'claim')[0]?.id).toBeLessThan(eventsOf(on, 'EP-53', 'claim')[0]?.id ?? 0)
})

test('EP-53 memory from 4 GiB on is too high', () => {
  const { on } = handedWithLevels('linux/E5', {
    on: bench({ la57: true, ceiling: 2 ** 40, map: [...SMALL_MAP, free(2 ** 32, 2 ** 30)] }),
  })
  expect(taken(on)).toMatchObject([{ range: rangeAt(FREE_END - 2 * PAGE, 2 * PAGE) }])
})

test.each([
  ['no5lvl', E5],
  ['quiet', E2],
] as const)(
  'EP-53 neither the command line nor the build of the kernel matters: %s',
  (commandLine, kernel) => {
    expect(clausesOf(handedWithLevels('linux/E4', { commandLine, kernel }).on)).toContain('EP-53')
  },
)

test.each([
  ['linux/E5', false],
  ['linux/E2g', true],
] as const)('EP-53 %s takes nothing, with LA57: %s', (era, la57) => {
  const { on } = handedWithLevels(era, { la57, kernel: era === 'linux/E5' ? E5 : E2 })
  expect(clausesOf(on)).not.toContain('EP-53')
  expect(taken(on)).toEqual([])
})

test('EP-53 without such pages the stub gives up', () => {
  const map = SMALL_MAP.map(entry => (entry.type === 7 ? { ...entry, type: EfiLoaderData } : entry))
  const { outcome } = handedWithLevels('linux/E5', {
    on: bench({ la57: true, map: [...map, free(2 ** 32, 2 ** 30)] }),
  })
  expect(outcome).toMatchObject({
    kind: 'refused',
    refusal: {
      clause: 'EP-53',
      status: 'EFI_OUT_OF_RESOURCES',
      message: 'efi_setup_5level_paging() failed!\nefi_stub_entry() failed!',
    },
  })
})

test('EP-53 two pages below 4 GiB push what comes after them down by two pages', () => {
  const sections = [
    { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'console=ttyS0 nokaslr' } },
    {
      name: '.linux',
      VirtualAddress: 0x2000000,
      content: buildKernel(factsOf('debian-6.12.107-cloud')),
    },
    { name: '.initrd', VirtualAddress: 0x6000000, content: { initrd: 0x10000 } },
  ]
  const image = { name: 'uki.efi', source: buildUki({ stub: STUB_FACTS['257.13'], sections }) }
  const machine = { what: 'a profile', map: profileMap(profileNamed('ovmf-2022.11-q35'), 512 * 2 ** 20) }
  const [without, withIt] = [false, true].map(la57 => check({ image, machine, la57 }).report)
  expect([without?.verdict, withIt?.verdict]).toEqual(['clean', 'clean'])
  expect(Number(without?.facts.ramdiskImage) - Number(withIt?.facts.ramdiskImage)).toBe(2 * PAGE)
})

test('EP-54 the second page becomes the top-level table after boot services; low memory stays', () => {
  const { on } = handedWithLevels('linux/E5')
  expect(tables(on)).toMatchObject([{ range: rangeAt(FREE_END - PAGE, PAGE) }])
  expect(clausesOf(on).indexOf('EP-54')).toBeGreaterThan(clausesOf(on).indexOf('EP-18'))
  expect(on.recorder.events.some(event => event.op === 'make' && event.range.start < 0x100000)).toBe(false)
  expect(on.notes.assumptions.map(({ clause }) => clause)).toContain('EP-54')
  expect(on.notes.assumptions.map(({ what }) => what).join()).not.toContain('five-level paging is off')
})

test.each([
  ['no5lvl', E5, 0],
  ['no5lvl=1', E5, 0],
  ['xno5lvl', E5, 1],
  ['nothing else, in a kernel built for four levels', E2, 0],
] as const)('EP-54 the parameter no5lvl, with %s', (commandLine, kernel, count) => {
  expect(tables(handedWithLevels('linux/E5', { commandLine, kernel }).on)).toHaveLength(count)
})
