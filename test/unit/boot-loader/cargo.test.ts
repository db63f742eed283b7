import { expect, test } from 'vitest'
import { runBootLoader, type BootLoaderConfig } from '../../../src/boot/run-boot-loader.ts'
import type { Run } from '../../../src/boot/run.ts'
import { bytesSource } from '../../../src/bytes/source.ts'
import { boot_params, setupHeaderAt } from '../../../src/image/x86/boot-params.ts'
import { contentSource } from '../../../src/image/content.ts'
import { kernelModel } from '../../../src/kernel/kernels.ts'
import { bootLoaders } from '../../../src/boot-loader/boot-loaders.ts'
import { eraNamed, free, kernelNamed } from '../../support/kernel-bench.ts'
import { ROOMY } from '../../support/boot-loader-runs.ts'
import { edited } from '../../support/bytes.ts'

const KERNEL = kernelNamed('debian-6.12.107-cloud').source

function started(loader: string, given: Partial<BootLoaderConfig> = {}): Run {
  const model = bootLoaders[loader] ?? expect.fail(loader)
  return runBootLoader({
    kernel: KERNEL,
    initrd: contentSource({ pattern: 0x2000 }),
    commandLine: 'quiet',
    map: ROOMY,
    contents: 'ovmf',
    settings: { secureBoot: false, kaslr: 'off' },
    assumptions: [],
    bootLoader: model,
    model: () => kernelModel(eraNamed('linux/E5')),
    ...given,
  })
}

test.each(Object.keys(bootLoaders))('%s starts a kernel with neither initrd nor command line', loader => {
  const run = started(loader, { initrd: null, commandLine: null })
  expect(run.outcome.kind).toBe('arrived')
  expect([run.facts.ramdiskSize ?? 0, run.facts.commandLine ?? '']).toEqual([0, ''])
})

/** They ask for 0 pages, and halt. */
const HALT = ['systemd-boot/257', 'systemd-boot/257.5', 'systemd-boot/258']

test.each(Object.keys(bootLoaders).filter(id => !HALT.includes(id)))(
  '%s takes an empty initrd for none',
  loader => {
    const run = started(loader, { initrd: bytesSource(new Uint8Array(0)) })
    expect([run.outcome.kind, run.facts.ramdiskSize ?? 0, run.facts.commandLine]).toEqual([
      'arrived',
      0,
      'quiet',
    ])
  },
)

test.each([
  ['grub/linuxefi', 'HO-10'],
  ['grub/efi', 'HO-12'],
  ['grub/relocator', 'HO-13'],
  ['vmm/direct', 'HO-14'],
  ['efi/start-image', 'HO-15'],
])('%s cannot go on with a file that is no kernel', (loader, clause) => {
  expect(started(loader, { kernel: bytesSource(new Uint8Array(0x400)) }).outcome).toEqual({
    kind: 'unknown',
    gap: { clause, why: 'the kernel file cannot be read: no HdrS at 0x202: 0x0' },
  })
})

test('a kernel of a boot protocol before 2.11 has no handover entry', () => {
  expect(
    started('grub/linuxefi', { kernel: edited(KERNEL, setupHeaderAt('version'), [0x0a, 0x02]) }).outcome,
  ).toMatchObject({ kind: 'refused', refusal: { clause: 'HO-35', status: 'EFI_UNSUPPORTED' } })
})

test('the monitor gives up when no RAM below the limit holds the initrd', () => {
  const small = [free(0x1000, 0x9f000), free(0x100000, 0x4000000)]
  expect(
    started('vmm/direct', { map: small, initrd: contentSource({ pattern: 0x5000000 }) }).outcome,
  ).toEqual({
    kind: 'refused',
    refusal: {
      by: 'loader',
      clause: 'HO-14',
      status: 'EFI_OUT_OF_RESOURCES',
      why: 'the initrd does not fit into memory',
      message: 'qemu: initrd is too large, cannot support.',
    },
  })
})

test('more than 128 entries of the e820 table are cut off', () => {
  const islands = Array.from({ length: 200 }, (_, i) => free(0x20000000 + i * 0x2000, 0x1000))
  const run = started('vmm/direct', {
    map: [free(0x1000, 0x9f000), free(0x100000, 0x1ff00000 - 0x1000), ...islands],
  })
  const tables = run.recording.events.flatMap(event =>
    event.op === 'patch' && event.actor === 'loader' && event.object === 'boot_params' ? [event.range] : [],
  )
  const table = 0x10000 + boot_params.fields.e820_table[0]
  expect(tables.filter(({ start }) => start >= table && start < table + 128 * 20)).toHaveLength(128)
  expect(tables.filter(({ start }) => start >= table + 128 * 20)).toEqual([])
})
