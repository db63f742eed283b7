/**
 * What the tests of chapter ZO share: kernels after a handover, and kernels that a loader of the boot
 * protocol put into memory.
 */
import { readKernelFile, type KernelFile } from '../../src/kernel/x86/file.ts'
import type { Outcome } from '../../src/machine/machine.ts'
import {
  bench,
  FIRST_SLOT,
  free,
  handover,
  kernelNamed,
  legacy,
  start,
  type Bench,
  type HandoverOptions,
  type LegacyOptions,
} from './kernel-bench.ts'
import { E2, F, FACTS_2, INITRD } from './kernels.ts'

const { hdr, geometry } = FACTS_2
/** Where the window of E2 begins after a handover: the EFI stub moved the kernel there. */
export const R = FIRST_SLOT
/** Where the decompressor moves itself to: its end is the end of the window. */
export const X = R + hdr.init_size - geometry._end

export function handed(
  options: Partial<HandoverOptions> = {},
  on: Bench = bench(),
  era = 'linux/E2',
): { on: Bench; outcome: Outcome } {
  const from = handover(on, { kernel: E2, image: F, initrd: INITRD, ...options })
  return { on, outcome: start(on, era, from) }
}

export const fileOf = (name: string): KernelFile => {
  const { machine } = bench()
  return readKernelFile(machine, { object: 'kernel', source: kernelNamed(name).source })
}

/** facts measured on nine kernels: R, X, and the ranges that follow from them. */
export const VECTOR = [
  ['debian-5.10.223', 0x447b000, 0x4b36000, 0x4b58880, 0x4b59000, 0x4b7a000],
  ['debian-5.10.223-cloud', 0x3189000, 0x3d1a000, 0x3d3c880, 0x3d3d000, 0x3d5e000],
  ['debian-6.1.170', 0x477e000, 0x4f54000, 0x4f768e0, 0x4f77000, 0x4f98000],
  ['debian-6.1.170-cloud', 0x35ba000, 0x4333000, 0x43558e0, 0x4356000, 0x4377000],
  ['debian-6.12.107', 0x3bfa000, 0x478a000, 0x47cd078, 0x47ce000, 0x47ef000],
  ['debian-6.12.107-cloud', 0x3c52000, 0x4778000, 0x47bb078, 0x47bc000, 0x47dd000],
  ['debian-7.2.13', 0x3e08000, 0x4be3000, 0x4c2d000, 0x4c2d000, 0x4c4e000],
  ['debian-7.2.13-cloud', 0x3e74000, 0x4bd0000, 0x4c1a000, 0x4c1a000, 0x4c3b000],
  ['debian-7.3-rc7', 0x3de1000, 0x4be7000, 0x4c31000, 0x4c31000, 0x4c52000],
] as const

/** One GiB of RAM as a legacy loader sees it, nothing taken but its own small things. */
export const WIDE = [free(0x1000, 0x9f000), free(0x100000, 0x3fe00000)]
export const LEGACY = { bootParams: 0x90000, commandLineAt: 0x92000 }

export function enteredLegacy(
  name: string,
  era: string,
  at: number,
  options: Partial<LegacyOptions> = {},
  on: Bench = bench({ map: WIDE }),
): { on: Bench; outcome: Outcome } {
  const from = legacy(on, { kernel: kernelNamed(name), at, ...LEGACY, ...options })
  return { on, outcome: start(on, era, from) }
}
