import { expect, test } from 'vitest'
import { runBootLoader } from '../../src/boot/run-boot-loader.ts'
import type { Run } from '../../src/boot/run.ts'
import { rangeAt } from '../../src/bytes/range.ts'
import { bytesSource } from '../../src/bytes/source.ts'
import { setup_data } from '../../src/image/x86/boot-params.ts'
import { contentSource } from '../../src/image/content.ts'
import type { MemoryDescriptor } from '../../src/image/memory-types.ts'
import { kernelModel } from '../../src/kernel/kernels.ts'
import { bootLoaders } from '../../src/boot-loader/boot-loaders.ts'
import { rangesOf, type MemoryEvent } from '../../src/memory/event.ts'
import { eraNamed, free, kernelNamed } from '../support/kernel-bench.ts'

const ROOMY: readonly MemoryDescriptor[] = [free(0x1000, 0x9f000), free(0x100000, 0x3ff00000)]
const KERNEL = kernelNamed('debian-6.12.107-cloud')

function started(loader: string, size: number | null, map = ROOMY): Run {
  const initrd =
    size === null ? null : size === 0 ? bytesSource(new Uint8Array(0)) : contentSource({ initrd: size })
  const settings = { secureBoot: false, kaslr: 'off' } as const
  return runBootLoader({
    kernel: KERNEL.source,
    initrd,
    commandLine: 'quiet',
    map,
    contents: 'ovmf',
    settings,
    assumptions: [],
    bootLoader: bootLoaders[loader] ?? expect.fail(loader),
    model: () => kernelModel(eraNamed('linux/E5')),
  })
}

const under = ({ recording }: Run, clause: string, op: MemoryEvent['op']): MemoryEvent[] =>
  recording.events.filter(
    event => event.op === op && event.step !== null && recording.steps[event.step]?.clause === clause,
  )

test('HO-18 QEMU 7.2.0 puts a node of 48 bytes at the next multiple of 16 after the kernel, and other monitors put none', () => {
  const run = started('qemu/7.2.0', null)
  const end = 0x100000 + KERNEL.source.size - KERNEL.image.setupSize
  const at = Math.ceil(end / 16) * 16
  expect(under(run, 'HO-18', 'make')).toMatchObject([
    { object: 'loader:seed', range: rangeAt(at, setup_data.size + 32) },
  ])
  expect(under(run, 'ZO-17', 'read')).toMatchObject([
    { object: 'loader:seed', range: rangeAt(at, 48), deviations: [] },
  ])
  expect(under(started('vmm/direct', null), 'ZO-17', 'read')).toEqual([])
})

test('HO-19 the pages of the initrd are taken before the kernel is loaded, below 4 GiB or anywhere', () => {
  const run = started('systemd-boot/257', 0x800000)
  expect(run.facts).toMatchObject({ ramdiskSize: 0x800000, initrdDamage: [] })
  const [pages] = under(run, 'HO-19', 'put')
  expect(pages).toMatchObject({ object: 'initrd', range: { end: 0x40000000 } })
  const high = started('systemd-boot/257', 0x8000000, [
    free(0x1000, 0x9f000),
    free(0x100000, 0x6f00000),
    free(0x100000000, 0x40000000),
  ])
  expect(under(high, 'HO-19', 'put').flatMap(rangesOf)[0]?.start).toBeGreaterThan(0xffffffff)
})

test('HO-19 an initrd of no bytes, or one that fits nowhere, halts it; no initrd does not', () => {
  const message = expect.stringContaining('halting') as unknown
  expect(started('systemd-boot/257', 0).outcome).toMatchObject({
    kind: 'refused',
    refusal: { by: 'loader', clause: 'HO-19', message },
  })
  expect(started('systemd-boot/257', 0x50000000).outcome).toMatchObject({
    kind: 'refused',
    refusal: { by: 'loader', clause: 'HO-19', message },
  })
  expect(started('systemd-boot/257', null).outcome.kind).toBe('arrived')
})
