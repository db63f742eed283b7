import { expect, test } from 'vitest'
import { phys } from '../../src/bytes/units.ts'
import { setup_data } from '../../src/image/x86/boot-params.ts'
import { evaluateContracts } from '../../src/machine/x86/contracts.ts'
import {
  bench,
  contractsOf,
  descriptor,
  free,
  handover,
  kernelNamed,
  legacy,
  start,
} from '../support/kernel-bench.ts'

const E2 = kernelNamed('debian-5.10.223-cloud')
const MAP = [free(0x1000, 0x9f000), free(0x1000000, 0x1f000000), descriptor(2, 0x20000000, 0x10000)]

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
  start(on, 'linux/E2', handover(on, { kernel: E2, image: 0x18200000 }))
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
    bootParams: phys(0x1e000000),
    window: { start: 0, length: 0 },
  })
  expect(contractsOf(on).filter(({ clause }) => clause === 'HO-17')).toEqual([])
})
