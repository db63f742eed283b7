/** What the tests of chapter HO share: boot loaders that start a kernel in a roomy machine. */
import { bootLoaders } from '../../src/boot-loader/boot-loaders.ts'
import { runBootLoader, type BootLoaderConfig } from '../../src/boot/run-boot-loader.ts'
import type { Run } from '../../src/boot/run.ts'
import { contentSource } from '../../src/image/content.ts'
import type { MemoryDescriptor } from '../../src/image/memory-types.ts'
import { kernelModel } from '../../src/kernel/kernels.ts'
import type { MemoryEvent } from '../../src/memory/event.ts'
import { eraNamed, free, kernelNamed } from './kernel-bench.ts'

/** Where RAM ends: at 1 GiB. */
export const RAM_END = 0x40000000
/** All of it free but for the first page and the hole below 1 MiB. */
export const ROOMY: readonly MemoryDescriptor[] = [free(0x1000, 0x9f000), free(0x100000, RAM_END - 0x100000)]
export const INITRD_SIZE = 0x4a7e00
export type Given = Partial<Omit<BootLoaderConfig, 'bootLoader' | 'model'>> & {
  readonly loader: string
  readonly era?: string
  readonly name?: string
}

export function started({ loader, era = 'linux/E5', name = 'debian-6.12.107-cloud', ...given }: Given): Run {
  const model = bootLoaders[loader]
  if (model === undefined) throw new Error(loader)
  return runBootLoader({
    kernel: kernelNamed(name).source,
    initrd: contentSource({ size: INITRD_SIZE, parts: [{ at: 0, content: { hex: '1f8b0800' } }] }),
    commandLine: 'nokaslr quiet',
    map: ROOMY,
    contents: 'ovmf',
    settings: { secureBoot: false, kaslr: 'off' },
    assumptions: [],
    bootLoader: model,
    model: () => kernelModel(eraNamed(era)),
    ...given,
  })
}

export const contracts = ({ recording }: Run): Record<string, boolean> =>
  Object.fromEntries(
    recording.events.flatMap(event => (event.op === 'contract' ? [[event.clause, event.kept]] : [])),
  )
export const under = ({ recording }: Run, clause: string, op: MemoryEvent['op']): MemoryEvent[] =>
  recording.events.filter(
    event => event.op === op && event.step !== null && recording.steps[event.step]?.clause === clause,
  )
