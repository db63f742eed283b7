import { describe, expect, test } from 'vitest'
import { check } from '../../src/check.ts'
import { contentSource } from '../../src/image/content.ts'
import { namesIn } from '../../src/kernel/steps/initrd-files.ts'
import type { LoadedImage } from '../../src/machine/model.ts'
import { volumePath } from '../../src/machine/volume.ts'
import { scenario } from '../../src/vitest/scenario.ts'
import {
  bench,
  clausesOf,
  eventsOf,
  kernelNamed,
  peEntry,
  start,
  type Bench,
  type InitrdAt,
  type Kernel,
} from '../support/kernel-bench.ts'

const E0 = kernelNamed('derived-5.6')
const E2 = kernelNamed('debian-5.10.223-cloud')
const E5 = kernelNamed('debian-6.12.107-cloud')
const F = 0x18200000
const OFFERED: InitrdAt = { at: 0x1b000000, size: 0x4000 }

interface Options {
  readonly files?: Readonly<Record<string, number>>
  readonly commandLine?: string
  readonly initrd?: InitrdAt
  readonly fromMemory?: boolean
  readonly on?: Bench
}

function entered(
  era: string,
  kernel: Kernel,
  {
    files = { 'initrd.img': 0x5000, 'EFI\\two.img': 0x1800 },
    commandLine = 'nokaslr initrd=\\initrd.img initrd=/EFI/two.img',
    initrd,
    fromMemory = false,
    on: plain = bench(),
  }: Options = {},
) {
  const on: Bench = {
    ...plain,
    machine: {
      ...plain.machine,
      settings: {
        ...plain.machine.settings,
        files: new Map(
          Object.entries(files).map(([name, size]) => [volumePath(name), contentSource({ initrd: size })]),
        ),
      },
    },
  }
  const from = peEntry(on, { kernel, image: F, commandLine, ...(initrd === undefined ? {} : { initrd }) })
  const loaded = (from as { readonly loaded: LoadedImage }).loaded
  return {
    on,
    outcome: start(
      on,
      era,
      fromMemory && from.via === 'pe-entry' ? { ...from, loaded: { ...loaded, device: null } } : from,
    ),
  }
}

const limited = (limit: number): Bench => {
  const plain = bench()
  const { firmware } = plain.machine
  return {
    ...plain,
    machine: {
      ...plain.machine,
      firmware: {
        ...firmware,
        allocatePages: (where, type, pages, label) =>
          label === 'initrd:files' && where.kind === 'max' && where.limit <= limit
            ? { status: 'EFI_OUT_OF_RESOURCES', at: null }
            : firmware.allocatePages(where, type, pages, label),
      },
    },
  }
}

describe('EP-49', () => {
  test('EP-49 names stand wherever initrd= does, without slashes in front', () => {
    expect(namesIn('root=x initrd=\\a.img quiet xinitrd=//b/c.img\ninitrd=')).toEqual([
      'a.img',
      'b\\c.img',
      '',
    ])
    expect(namesIn(`initrd=${'n'.repeat(300)}`)).toEqual(['n'.repeat(255)])
    expect(volumePath('\\EFI\\Linux\\A.img')).toBe('efi/linux/a.img')
  })

  test.each([
    ['linux/E2', E2],
    ['linux/E5', E5],
  ] as const)('EP-49 %s joins the files in their order', (era, kernel) => {
    const { on, outcome } = entered(era, kernel)
    expect(outcome.kind).toBe('arrived')
    expect(on.notes.facts).toMatchObject({ ramdiskSize: 0x6800, initrdDamage: [] })
    const puts = eventsOf(on, 'EP-49', 'put')
    expect(puts.map(({ object }) => object)).toEqual(['initrd=initrd.img', 'initrd=EFI\\two.img'])
    expect(eventsOf(on, 'EP-49', 'claim').map(({ range }) => range.end - range.start)).toEqual([
      0x5000, 0x7000,
    ])
    expect(on.notes.doubts).toEqual([])
  })

  test('EP-49 a file that fits the last page makes no new allocation', () => {
    const { on } = entered('linux/E2', E2, {
      files: { a: 0x1800, b: 0x800 },
      commandLine: 'initrd=a initrd=b',
    })
    expect(eventsOf(on, 'EP-49', 'claim')).toHaveLength(1)
    expect(on.notes.facts.ramdiskSize).toBe(0x2000)
  })

  test('EP-49 without room below initrd_addr_max the files go anywhere, without any the stub gives up', () => {
    expect(entered('linux/E2', E2, { on: limited(0x7fffffff) }).outcome.kind).toBe('arrived')
    expect(entered('linux/E2', E2, { on: limited(2 ** 52) }).outcome).toMatchObject({
      kind: 'refused',
      refusal: {
        clause: 'EP-49',
        status: 'EFI_OUT_OF_RESOURCES',
        message: 'Failed to allocate memory for files',
      },
    })
  })

  test('EP-49 what LoadFile2 offers is enough', () => {
    const { on } = entered('linux/E2', E2, { initrd: OFFERED, files: {} })
    expect(on.notes.facts.ramdiskSize).toBe(0x4000)
    expect(on.notes.doubts).toEqual([])
  })

  test('EP-49 a name that was not given is a doubt with the name; noinitrd asks for none', () => {
    const { on, outcome } = entered('linux/E2', E2, { files: { 'initrd.img': 0x1000 } })
    expect(outcome.kind).toBe('arrived')
    expect(on.notes.doubts).toEqual([
      { clause: 'EP-49', why: 'initrd= names EFI\\two.img, which was not given: no initrd is loaded here' },
    ])
    expect(entered('linux/E2', E2, { files: {}, commandLine: 'noinitrd initrd=x' }).on.notes.doubts).toEqual(
      [],
    )
  })

  test('EP-49 empty files make no initrd', () => {
    const { on } = entered('linux/E2', E2, { files: { a: 0 }, commandLine: 'initrd=a' })
    expect(on.notes.facts.ramdiskSize).toBeUndefined()
  })

  test('EP-49 a kernel from memory has no volume', () => {
    expect(entered('linux/E2', E2, { fromMemory: true }).outcome).toMatchObject({
      kind: 'refused',
      refusal: { status: 'EFI_INVALID_PARAMETER', message: 'Failed to handle fs_proto' },
    })
  })

  test('EP-49 from the front door: a kernel that the firmware starts, and one that GRUB loads from memory', () => {
    const { machine } = scenario({ image: {} })
    const alone = {
      image: { name: 'vmlinuz', source: E5.source },
      machine,
      bootLoader: 'efi/start-image',
      commandLine: 'nokaslr initrd=\\I.img',
    } as const
    expect(check({ ...alone, files: { 'i.img': contentSource({ initrd: 0x10000 }) } }).report).toMatchObject({
      verdict: 'clean',
      facts: { ramdiskSize: 0x10000 },
    })
    expect(check({ ...alone, bootLoader: 'grub/efi' }).report).toMatchObject({
      verdict: 'refused',
      outcome: { refusal: { clause: 'EP-49' } },
    })
    expect(check(alone).report).toMatchObject({
      verdict: 'unknown',
      gaps: [{ clause: 'EP-49' }, { clause: 'ZO-18' }],
    })
  })
})

test('EP-50 files are loaded before the kernel moves, and LoadFile2 supersedes them', () => {
  const order = (era: string): boolean => {
    const clauses = clausesOf(entered(era, E2).on)
    return clauses.indexOf('EP-50') >= 0 && clauses.indexOf('EP-49') < clauses.indexOf('EP-15')
  }
  expect([order('linux/E2a'), order('linux/E2')]).toEqual([true, false])
  const { on } = entered('linux/E2a', E2, { initrd: OFFERED })
  expect(eventsOf(on, 'EP-49', 'put')).toHaveLength(2)
  expect(on.notes.facts).toMatchObject({ ramdiskSize: 0x4000, initrdDamage: [] })
})

test('EP-51 one run for all files, below initrd_addr_max', () => {
  const { on, outcome } = entered('linux/E0', E0)
  expect(outcome.kind).toBe('arrived')
  expect(eventsOf(on, 'EP-51', 'claim').map(({ range }) => range.end - range.start)).toEqual([0x7000])
  expect(on.notes.facts).toMatchObject({ ramdiskSize: 0x6800, initrdDamage: [] })
  const none = bench()
  const { firmware } = none.machine
  const full: Bench = {
    ...none,
    machine: {
      ...none.machine,
      firmware: {
        ...firmware,
        allocatePages: (where, type, pages, label) =>
          label === 'initrd:files'
            ? { status: 'EFI_NOT_FOUND', at: null }
            : firmware.allocatePages(where, type, pages, label),
      },
    },
  }
  expect(entered('linux/E0', E0, { on: full }).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-51', message: 'Failed to alloc highmem for files' },
  })
})
