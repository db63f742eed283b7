/** What the tests of chapter EP share: kernels entered at either door of the kernel's EFI stub. */
import { phys } from '../../src/bytes/units.ts'
import type { Outcome } from '../../src/machine/machine.ts'
import { bench, everyEra, handover, peEntry, start, type Bench, type BenchOptions } from './kernel-bench.ts'
import { E2, E5, F, INITRD } from './kernels.ts'

export const ERAS = everyEra()

export function handed(
  era: string,
  kernel = E2,
  options: Partial<Parameters<typeof handover>[1]> = {},
  on: Bench = bench(),
): { on: Bench; outcome: Outcome } {
  const image = options.image ?? F
  const from = handover(on, {
    kernel,
    image,
    initrd: INITRD,
    ...options,
    header: { code32_start: image + kernel.image.setupSize, ...options.header },
  })
  return { on, outcome: start(on, era, from) }
}

export function entered(
  era: string,
  kernel = E2,
  options: Partial<Parameters<typeof peEntry>[1]> = {},
  on: Bench = bench(),
): { on: Bench; outcome: Outcome } {
  const from = peEntry(on, { kernel, image: F, initrd: INITRD, ...options })
  return { on, outcome: start(on, era, from) }
}

export const gone = (on: Bench, at: number, length = 16): void => {
  on.memory.patch(phys(at), new Uint8Array(length).fill(0xcc), 'uki:.osrel')
}
export const OLD = ['linux/E2', E2] as const
export const NEW = ['linux/E5', E5] as const

export function handedOver(
  [era, kernel]: typeof OLD | typeof NEW,
  options: BenchOptions & { readonly pciRoms?: readonly number[]; readonly setupData?: number } = {},
  prepare: (on: Bench) => void = () => undefined,
) {
  const plain = bench(options)
  const { pciRoms, setupData } = options
  const on: Bench =
    pciRoms === undefined
      ? plain
      : { ...plain, machine: { ...plain.machine, settings: { ...plain.machine.settings, pciRoms } } }
  const from = handover(on, {
    kernel,
    image: F,
    ...(setupData === undefined ? {} : { header: { setup_data: BigInt(setupData) } }),
  })
  prepare(on)
  return { on, outcome: start(on, era, from) }
}
