/**
 * Boots of every row of the kernels' table, by every way in, on machines that reach what a plain one does
 * not.
 */
import { gzipSync } from 'node:zlib'
import { runBootLoader } from '../../../src/boot/run-boot-loader.ts'
import { bytesSource } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import { setup_data } from '../../../src/image/x86/boot-params.ts'
import { contentSource } from '../../../src/image/content.ts'
import type { MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { kernelEras } from '../../../src/kernel/kernels.ts'
import { readKernelFile } from '../../../src/kernel/x86/file.ts'
import { kernelModel } from '../../../src/kernel/kernels.ts'
import { startKernel } from '../../../src/kernel/x86/model.ts'
import { bootLoaders as rows } from '../../../src/boot-loader/boot-loaders.ts'
import { stubEras } from '../../../src/stub/eras.ts'
import { uki } from '../../../src/vitest/builders.ts'
import { scenario } from '../../../src/vitest/scenario.ts'
import { noted, type Note } from './note.ts'
import {
  bench,
  descriptor,
  eraNamed,
  free,
  handover,
  kernelNamed,
  legacy,
  SMALL_MAP,
  start,
  type Bench,
  type BenchOptions,
  type HandoverOptions,
} from '../../support/kernel-bench.ts'
import { share } from '../../support/depth.ts'
import { deep, flipped, greedy, packedKernel, smallKernel } from '../../support/packed-kernel.ts'
import { ROOMY } from '../../support/boot-loader-runs.ts'
import { E2, E5, F } from '../../support/kernels.ts'

/** Every stub with kernels and every kernel with stubs, wherever the rows stand: three each, or some. */
export function bootPairs(note: Note): void {
  const stubs = Object.keys(stubEras)
  const image = uki()
  for (let i = 0; i < Math.max(stubs.length, kernelEras.length); i++)
    for (const apart of share([0, 7, 13], 3, i))
      noted(
        note,
        scenario({
          image,
          stub: stubs[i % stubs.length] ?? '',
          kernel: kernelEras[(i + apart) % kernelEras.length]?.id ?? '',
        }),
      )
}

/** Built for five levels of page tables, too. */
const FIVE = kernelNamed('debian-6.1.170')
const SEED = 0x1e008000

function handed(
  note: Note,
  era: string,
  kernel: typeof E2,
  on: Bench,
  more: Partial<HandoverOptions> = {},
  prepare: (on: Bench) => void = () => undefined,
): void {
  const from = handover(on, { kernel, image: F, initrd: { at: 0x1c000000, size: 0x100000 }, ...more })
  prepare(on)
  note(start(on, era, from))
}

/** Descriptors that never join, above 4 GiB. */
const many = Array.from({ length: 200 }, (_, i) =>
  descriptor(i % 2 === 0 ? 0 : 9, 0x100000000 + i * 0x2000, 0x1000),
)
const attributed = (attribute: bigint): MemoryDescriptor[] =>
  SMALL_MAP.map(entry => (entry.range.start === 0x1500000 ? { ...entry, attribute } : entry))

/** Machines for every row. */
const MACHINES: readonly (BenchOptions & { readonly commandLine?: string })[] = [
  {},
  { la57: true },
  { kaslr: 'all', commandLine: 'quiet' },
  { kaslr: 'command-line', commandLine: 'quiet memmap=1M$512M' },
  { kaslr: 'seed:5', commandLine: 'quiet mem=1G' },
  { map: [free(0x1500000, 0x2000000), ...SMALL_MAP.slice(3)] },
  { map: [...SMALL_MAP, ...many] },
  { map: [...SMALL_MAP, descriptor(15, 0x100000000, 0x80000000)] },
  { map: attributed(0x4000fn), commandLine: 'nokaslr efi=nosoftreserve' },
  { map: attributed(0x10000fn) },
  { map: attributed(0x1000fn) },
  {
    map: [free(0x1000, 0x9f000), descriptor(15, 0x1000000, 0x17000000), ...SMALL_MAP.slice(3)],
    kaslr: 'command-line',
    commandLine: 'quiet',
  },
]

function seeded({ memory }: Bench): void {
  const bytes = new Uint8Array(48)
  bytes.set(setup_data.write({ next: 0n, type: 9, len: 32 }))
  memory.patch(phys(SEED), bytes, 'loader:seed')
}

/** Every row by handover on every machine, with a node of setup_data. */
export function bootKernels(note: Note): void {
  for (const { id } of kernelEras)
    for (const { commandLine = 'nokaslr quiet', ...machine } of MACHINES)
      for (const kernel of [E2, E5])
        handed(
          note,
          id,
          kernel,
          bench(machine),
          { commandLine, header: { setup_data: BigInt(SEED) } },
          seeded,
        )
  for (const type_of_loader of [0, 1])
    handed(note, 'linux/E2', E2, bench(), {
      commandLine: 'nokaslr initrdmem=16M,1M',
      initrd: null,
      header: { type_of_loader },
    })
}

/** The boot protocol's own entries. */
export function bootByProtocol(note: Note): void {
  for (const { id } of kernelEras)
    for (const via of ['legacy-32', 'legacy-64'] as const)
      for (const la57 of [false, true])
        for (const kernel of [E2, E5, FIVE]) {
          const on = bench({ map: ROOMY, la57, kaslr: 'command-line' })
          note(
            start(
              on,
              id,
              legacy(on, {
                kernel,
                at: 0x2000000,
                via,
                bootParams: 0x90000,
                commandLineAt: 0x92000,
                commandLine: 'quiet',
              }),
            ),
          )
        }
  const unaccepted = bench({
    map: [descriptor(15, 0x40000000, 0x40000000), ...SMALL_MAP],
    kaslr: 'command-line',
  })
  handed(note, 'linux/E2g', E2, unaccepted, { commandLine: 'quiet', initrd: null })
  const window = bench({ map: [...ROOMY, descriptor(2, 0x40000000, 0x10000)] })
  note(
    start(
      window,
      'linux/E2',
      legacy(window, {
        kernel: E2,
        at: 0x1000000,
        bootParams: 0x10000,
        commandLineAt: 0x20000,
        header: { setup_data: 0x30000n },
      }),
    ),
  )
  const fixed = bench({ map: ROOMY })
  const from = legacy(fixed, { kernel: E5, at: 0x6000000, bootParams: 0x90000, commandLineAt: 0x92000 })
  const file = readKernelFile(fixed.machine, from.payload)
  startKernel(eraNamed('linux/E5'), fixed.machine, from, { ...file, relocatable: false })
}

const GIB = 2 ** 30
const EMPTY = bytesSource(new Uint8Array(0))
const TOO_LARGE_BELOW_4G = contentSource({ initrd: GIB })

/** Boot loaders with and without an initrd, with an empty one, and with one that fits above 4 GiB only. */
export function bootLoaders(note: Note): void {
  for (const bootLoader of Object.values(rows))
    for (const [name, era] of [
      ['debian-5.10.223-cloud', 'linux/E2'],
      ['debian-6.12.107-cloud', 'linux/E5'],
    ] as const)
      for (const initrd of [null, EMPTY, contentSource({ initrd: 0x800000 }), TOO_LARGE_BELOW_4G])
        note(
          runBootLoader({
            kernel: kernelNamed(name).source,
            initrd,
            commandLine: 'nokaslr quiet initrd=a',
            map: initrd === TOO_LARGE_BELOW_4G ? [...ROOMY, free(2 ** 32, GIB)] : ROOMY,
            contents: 'ovmf',
            settings: {
              secureBoot: false,
              kaslr: 'off',
              files: new Map([['A', contentSource({ initrd: 4096 })]]),
            },
            assumptions: [],
            bootLoader,
            model: () => kernelModel(eraNamed(era)),
          }).outcome,
        )
}

/** Payloads that decompress, and some that do not. */
export function bootPayloads(note: Note): void {
  const e2 = 'debian-5.10.223-cloud'
  const e5 = 'debian-6.12.107-cloud'
  for (const [era, name] of [
    ['linux/E2', e2],
    ['linux/E5', e5],
  ] as const) {
    note(deep(era, smallKernel(name)).outcome)
    note(deep(era, flipped(smallKernel(name), 8)).outcome)
    note(deep(era, packedKernel(name, { stream: gzipSync(new Uint8Array(0x4000)), length: 0x4000 })).outcome)
    note(deep(era, greedy(name)).outcome)
  }
}
