import { expect, test } from 'vitest'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { alignUp, PAGE, phys } from '../../../src/bytes/units.ts'
import { setup_data } from '../../../src/image/x86/boot-params.ts'
import { evaluateContracts, type ContractName, type HandedOver } from '../../../src/machine/x86/contracts.ts'
import {
  bench,
  BOOT_PARAMS,
  COMMAND_LINE,
  contractsOf,
  descriptor,
  free,
  handover,
  legacy,
  peEntry,
  SMALL_MAP,
  start,
  type Bench,
  type HandoverOptions,
} from '../../support/kernel-bench.ts'
import { bssOf, E0, E1, E2, E5, F, FACTS_2, INITRD } from '../../support/kernels.ts'

/** Was the contract of this clause kept? Undefined when the era is not held to it. */
function kept(
  clause: string,
  era: string,
  options: Partial<HandoverOptions> = {},
  on: Bench = bench(),
): boolean | undefined {
  const others = era === 'linux/E5' ? E5 : E2
  start(
    on,
    era,
    handover(on, {
      kernel: era === 'linux/E1' ? E1 : others,
      image: F,
      initrd: INITRD,
      ...options,
    }),
  )
  return contractsOf(on).find(contract => contract.clause === clause)?.kept
}

const HIGH = 2 ** 32
const high = (): Bench => bench({ map: [...SMALL_MAP, descriptor(2, HIGH + 0x10000000, 0x1000000)] })
const MAP = [free(0x1000, 0x9f000), free(0x1000000, 0x1f000000), descriptor(2, 0x20000000, 0x10000)]

test('HO-1 a header without its magic, its flag or a handover entry breaks the contract', () => {
  expect(kept('HO-1', 'linux/E2')).toBe(true)
  expect(kept('HO-1', 'linux/E2', { header: { boot_flag: 0 } })).toBe(false)
  expect(kept('HO-1', 'linux/E2', { header: { header: 0 } })).toBe(false)
  expect(kept('HO-1', 'linux/E2', { header: { version: 0x20a } })).toBe(false)
})

test('HO-1 to HO-9 without a zero page or with nothing to judge there is no result', () => {
  const on = bench()
  on.memory.put(phys(COMMAND_LINE), { source: E2.source, at: 0, length: 16 }, 'cmdline')
  const handed: HandedOver = {
    kernel: 'kernel',
    bootParams: null,
    window: { start: BOOT_PARAMS, length: 0 },
    bss: { start: BOOT_PARAMS, length: 0 },
    startup32: 0,
    initrd: null,
    commandLine: null,
  }
  const all: ContractName[] = [
    'setup-header',
    'alignment',
    'sentinel',
    'init-window',
    'bss-zero',
    'bss-owned',
    'whole-addresses',
    'code32-start',
  ]
  evaluateContracts(on.machine, all, handed)
  expect(contractsOf(on)).toEqual([])
})

test('HO-2 an alignment below 2 MiB or of no power of two breaks the contract', () => {
  expect(kept('HO-2', 'linux/E2')).toBe(true)
  expect(kept('HO-2', 'linux/E2', { header: { kernel_alignment: 0x100000 } })).toBe(false)
  expect(kept('HO-2', 'linux/E2g', { header: { kernel_alignment: 0x300000 } })).toBe(false)
})

test('HO-2 an EFI stub that decompresses does not read the alignment', () => {
  expect(kept('HO-2', 'linux/E5', { header: { kernel_alignment: 0x300000 } })).toBeUndefined()
})

test('HO-3 a sentinel that was copied from the file breaks the contract', () => {
  expect(kept('HO-3', 'linux/E2')).toBe(true)
  expect(kept('HO-3', 'linux/E2', { bytes: { 0x1ef: 0xff } })).toBe(false)
})

test('HO-4 an initrd in the window breaks it for a kernel that may stay where it is', () => {
  expect(kept('HO-4', 'linux/E1')).toBe(false)
  expect(kept('HO-4', 'linux/E1', { initrd: { at: F - 0x150000, size: 0x1000 } })).toBe(true)
})

test('HO-4 the window ends with init_size from the runtime start', () => {
  // Of a window that begins at the next multiple of 2 MiB after F
  const end = F + 0x200000 + FACTS_2.hdr.init_size
  expect(kept('HO-4', 'linux/E1', { initrd: { at: end, size: 0x1000 } })).toBe(true)
  expect(kept('HO-4', 'linux/E1', { initrd: { at: end - 1, size: 0x1000 } })).toBe(false)
})

test('HO-4 a kernel that always moves first is not held to it after a handover', () => {
  expect(kept('HO-4', 'linux/E2')).toBeUndefined()
  expect(kept('HO-4', 'linux/E5')).toBeUndefined()
})

test('HO-4 an image that the firmware loaded owns its window', () => {
  const on = bench()
  start(on, 'linux/E2', peEntry(on, { kernel: E2, image: F, initrd: INITRD }))
  expect(contractsOf(on)).toEqual([{ clause: 'HO-4', kept: true }])
})

test('HO-4 what the firmware keeps must not lie in the window, what it frees may', () => {
  for (const [object, result] of [
    ['firmware:runtime', false],
    ['firmware:boot', true],
  ] as const) {
    const on = bench()
    on.memory.make(rangeAt(0x1b800000 - 0x1000000, 0x1000), object)
    expect(kept('HO-4', 'linux/E1', { initrd: null }, on)).toBe(result)
  }
})

test('HO-4 a part of a joined initrd counts', () => {
  const on = bench()
  const from = handover(on, { kernel: E1, image: F, initrd: INITRD })
  on.memory.compose('initrds', [{ object: 'initrd', at: 0, length: INITRD.size }])
  start(on, 'linux/E1', { ...from, initrdObject: 'initrds' })
  expect(contractsOf(on).find(contract => contract.clause === 'HO-4')?.kept).toBe(false)
})

test('HO-5 .bss that nobody zeroed breaks the contract of 5.7-rc1', () => {
  expect(kept('HO-5', 'linux/E1')).toBe(false)
  expect(kept('HO-5', 'linux/E2')).toBeUndefined()
})

test("HO-5 .bss that the loader zeroed as the kernel's own keeps it", () => {
  const on = bench()
  const from = handover(on, { kernel: E1, image: F })
  const bss = bssOf('derived-5.7-rc1')
  on.memory.zero(range(F + bss.start, F + bss.end), 'kernel', bss.start)
  start(on, 'linux/E1', from)
  expect(contractsOf(on).find(contract => contract.clause === 'HO-5')).toEqual({
    clause: 'HO-5',
    kept: true,
  })
})

test('HO-5 .bss that is no RAM breaks it', () => {
  const fileEnd = F + E1.source.size
  const on = bench({
    map: [
      ...SMALL_MAP.slice(0, 3),
      descriptor(1, 0x18000000, alignUp(fileEnd, PAGE) - 0x18000000),
      ...SMALL_MAP.slice(4),
    ],
  })
  expect(kept('HO-5', 'linux/E1', {}, on)).toBe(false)
})

test('HO-6 .bss over the initrd, or in unowned memory, breaks a contract of a kernel that clears it', () => {
  expect(kept('HO-6', 'linux/E5')).toBe(true)
  expect(
    kept('HO-6', 'linux/E5', { initrd: { at: F + bssOf('debian-6.12.107-cloud').start, size: 0x1000 } }),
  ).toBe(false)
  expect(kept('HO-6', 'linux/E5', { image: 0x10000000 })).toBe(false)
})

test('HO-7 the low half alone of an initrd above 4 GiB breaks the contract', () => {
  const initrd = { at: HIGH + 0x10000000, size: 0x1000 }
  expect(kept('HO-7', 'linux/E5', { initrd }, high())).toBe(false)
  expect(kept('HO-7', 'linux/E5', { initrd, bytes: { 0xc0: 1 } }, high())).toBe(true)
  expect(kept('HO-7', 'linux/E5')).toBe(true)
})

test('HO-7 what is joined is looked for by its first part', () => {
  const on = high()
  const from = handover(on, { kernel: E5, image: F, initrd: { at: HIGH + 0x10000000, size: 0x1000 } })
  on.memory.compose('initrds', [{ object: 'initrd', at: 0, length: 0x1000 }])
  start(on, 'linux/E5', { ...from, initrdObject: 'initrds' })
  expect(contractsOf(on).find(contract => contract.clause === 'HO-7')).toEqual({
    clause: 'HO-7',
    kept: false,
  })
})

test('HO-8 the low half alone of a command line above 4 GiB breaks the contract', () => {
  const commandLineAt = HIGH + 0x10000000
  const header = { cmd_line_ptr: 0x10000000 }
  expect(kept('HO-8', 'linux/E5', { commandLineAt, header }, high())).toBe(false)
  expect(kept('HO-8', 'linux/E5', { commandLineAt, header, bytes: { 0xc8: 1 } }, high())).toBe(true)
  expect(kept('HO-8', 'linux/E5', { commandLine: null })).toBeUndefined()
})

test('HO-9 a code32_start of 32 bits must name startup_32, on kernels that take their place from it', () => {
  const named = (code32_start: number, era = 'linux/E0', image = F): boolean | undefined => {
    const on = bench({ map: [...SMALL_MAP, descriptor(2, 2 ** 32, 0x2000000)] })
    start(on, era, handover(on, { kernel: E0, image, initrd: null, header: { code32_start } }))
    return contractsOf(on).find(contract => contract.clause === 'HO-9')?.kept
  }
  expect(named(F + E2.image.setupSize)).toBe(true)
  expect(named(0x100000)).toBe(false)
  expect(named(0x3c00, 'linux/E0', 2 ** 32)).toBe(false)
  expect(named(0x100000, 'linux/E1')).toBeUndefined()
})

test('HO-17 a node in the init window breaks the contract where no EFI stub runs', () => {
  const kept = (at: number): boolean | undefined => {
    const on = bench({ map: MAP })
    const from = legacy(on, {
      kernel: E2,
      at: 0x1000000,
      bootParams: 0x10000,
      commandLineAt: 0x20000,
      header: { setup_data: BigInt(at) },
    })
    on.memory.patch(phys(at), setup_data.write({ next: 0n, type: 9, len: 0 }), 'loader:seed')
    start(on, 'linux/E2', from)
    return contractsOf(on).find(({ clause }) => clause === 'HO-17')?.kept
  }
  expect(kept(0x30000)).toBe(true)
  expect(kept(0x2000000)).toBe(false)
})

test('HO-17 is not asked of a kernel that moves away, nor without boot_params or a window', () => {
  const on = bench()
  start(on, 'linux/E2', handover(on, { kernel: E2, image: F }))
  const nothing = {
    kernel: 'kernel',
    bss: { start: 0, length: 0 },
    startup32: 0,
    initrd: null,
    commandLine: null,
  }
  evaluateContracts(on.machine, ['setup-data'], {
    ...nothing,
    bootParams: null,
    window: { start: 0, length: 16 },
  })
  evaluateContracts(on.machine, ['setup-data'], {
    ...nothing,
    bootParams: phys(BOOT_PARAMS),
    window: { start: 0, length: 0 },
  })
  expect(contractsOf(on).filter(({ clause }) => clause === 'HO-17')).toEqual([])
})
