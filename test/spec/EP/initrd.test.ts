import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { alignUp, PAGE, phys } from '../../../src/bytes/units.ts'
import { check } from '../../../src/check.ts'
import { contentSource } from '../../../src/image/content.ts'
import { namesIn } from '../../../src/kernel/x86/steps/initrd-files.ts'
import type { LoadedImage } from '../../../src/machine/model.ts'
import { volumePath } from '../../../src/machine/volume.ts'
import { scenario } from '../../../src/vitest/scenario.ts'
import { entered, gone, handed } from '../../support/efi-stub-runs.ts'
import {
  bench,
  clausesOf,
  eventsOf,
  free,
  FREE_END,
  handover,
  kernelNamed,
  peEntry,
  SMALL_MAP,
  start,
  type Bench,
  type InitrdAt,
  type Kernel,
  withServices,
} from '../../support/kernel-bench.ts'
import { E0, E1, E2, E5, F, INITRD } from '../../support/kernels.ts'

const OFFERED: InitrdAt = { at: 0x1b000000, size: 0x4000 }

interface Options {
  readonly files?: Readonly<Record<string, number>>
  readonly commandLine?: string
  readonly initrd?: InitrdAt
  readonly fromMemory?: boolean
  readonly on?: Bench
}

function enteredWithFiles(
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

const limited = (limit: number): Bench =>
  withServices(bench(), firmware => ({
    allocatePages: (where, type, pages, label) =>
      label === 'initrd:files' && where.kind === 'max' && where.limit <= limit
        ? { status: 'EFI_OUT_OF_RESOURCES', at: null }
        : firmware.allocatePages(where, type, pages, label),
  }))

test('EP-14 the offered initrd is copied as high as it fits', () => {
  const { on } = entered('linux/E5', E5)
  // FirmwareCore the zero page, in whole pages
  const at = FREE_END - PAGE - alignUp(INITRD.size, PAGE)
  expect(on.notes.facts).toMatchObject({ ramdiskImage: at, ramdiskSize: INITRD.size, initrdDamage: [] })
  expect(eventsOf(on, 'EP-14', 'copy')).toMatchObject([
    { from: rangeAt(INITRD.at, INITRD.size), actor: 'stub' },
  ])
})

test('EP-14 damage that happened before the copy travels with it', () => {
  const on = bench()
  const from = peEntry(on, { kernel: E5, image: F, initrd: INITRD })
  gone(on, INITRD.at + 0x1000, 0x10)
  start(on, 'linux/E5', from)
  expect(on.notes.facts.initrdDamage).toEqual([{ from: 0x1000, to: 0x1010 }])
})

test('EP-14 after a handover the initrd stays where boot_params has it', () => {
  const { on } = handed('linux/E5', E5)
  expect(on.notes.facts).toMatchObject({ ramdiskImage: INITRD.at, ramdiskImageFromStub: INITRD.at })
  expect(eventsOf(on, 'EP-14', 'copy')).toEqual([])
})

test('EP-14 what is offered beside a handover supersedes what boot_params has', () => {
  const on = bench()
  const from = handover(on, { kernel: E5, image: F, initrd: INITRD })
  if (from.via !== 'efi-handover') throw new Error('no handover')
  expect(
    start(on, 'linux/E5', { ...from, initrd: { at: phys(INITRD.at), size: INITRD.size, object: 'initrd' } })
      .kind,
  ).toBe('arrived')
  expect(eventsOf(on, 'EP-14', 'copy')).toMatchObject([
    { from: rangeAt(INITRD.at, INITRD.size), actor: 'stub' },
  ])
  expect(on.notes.facts.ramdiskImage).not.toBe(INITRD.at)
  expect(on.notes.facts).toMatchObject({ ramdiskImageFromStub: INITRD.at, initrdDamage: [] })
})

test('EP-14 an initrd that fits nowhere ends the boot; one of no bytes is none', () => {
  const map = [...SMALL_MAP.filter(entry => entry.type !== 7), free(0x1500000, 0x3b00000)]
  expect(entered('linux/E5', E5, {}, bench({ map })).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-14' },
  })
  const on = bench()
  const from = peEntry(on, { kernel: E5, image: F, initrd: INITRD })
  if (from.via !== 'pe-entry' || from.initrd === null) throw new Error('no offer')
  expect(start(on, 'linux/E5', { ...from, initrd: { ...from.initrd, size: 0 } }).kind).toBe('arrived')
  expect(on.notes.doubts.map(doubt => doubt.clause)).toEqual(['ZO-16'])
})

test('EP-31 a kernel that does not know LoadFile2 boots without the initrd that is offered there', () => {
  const { on } = entered('linux/E0', E0)
  expect(clausesOf(on)).toContain('EP-31')
  expect(on.notes.facts.ramdiskImage).toBeUndefined()
  expect(on.notes.doubts.map(doubt => doubt.clause)).toEqual(['ZO-16'])
  expect(clausesOf(entered('linux/E1', E1).on)).not.toContain('EP-31')
})

test('EP-37 noinitrd leaves alone what LoadFile2 offers', () => {
  for (const [era, kernel] of [
    ['linux/E2', E2],
    ['linux/E5', E5],
    ['linux/E6', kernelNamed('debian-7.2.13-cloud')],
  ] as const) {
    const { on } = entered(era, kernel, { commandLine: 'nokaslr noinitrd' })
    expect(on.notes.facts.ramdiskImage).toBeUndefined()
    expect(entered(era, kernel, { commandLine: 'nokaslr noinitrds' }).on.notes.facts.ramdiskSize).toBe(
      INITRD.size,
    )
    expect(handed(era, kernel, { commandLine: 'nokaslr noinitrd' }).on.notes.facts.ramdiskImage).toBe(
      INITRD.at,
    )
  }
})

test('EP-49 names stand wherever initrd= does, without slashes in front', () => {
  expect(namesIn('root=x initrd=\\a.img quiet xinitrd=//b/c.img\ninitrd=')).toEqual(['a.img', 'b\\c.img', ''])
  expect(namesIn(`initrd=${'n'.repeat(300)}`)).toEqual(['n'.repeat(255)])
  expect(volumePath('\\EFI\\Linux\\A.img')).toBe('efi/linux/a.img')
})

test.each([
  ['linux/E2', E2],
  ['linux/E5', E5],
] as const)('EP-49 %s joins the files in their order', (era, kernel) => {
  const { on, outcome } = enteredWithFiles(era, kernel)
  expect(outcome.kind).toBe('arrived')
  expect(on.notes.facts).toMatchObject({ ramdiskSize: 0x6800, initrdDamage: [] })
  const puts = eventsOf(on, 'EP-49', 'put')
  expect(puts.map(({ object }) => object)).toEqual(['initrd=initrd.img', 'initrd=EFI\\two.img'])
  expect(eventsOf(on, 'EP-49', 'claim').map(({ range }) => range.end - range.start)).toEqual([
    0x5000,
    // Both files have 0x6800 bytes
    0x7000,
  ])
  expect(on.notes.doubts).toEqual([])
})

test('EP-49 a file that fits the last page makes no new allocation', () => {
  const { on } = enteredWithFiles('linux/E2', E2, {
    files: { a: 0x1800, b: 0x800 },
    commandLine: 'initrd=a initrd=b',
  })
  expect(eventsOf(on, 'EP-49', 'claim')).toHaveLength(1)
  expect(on.notes.facts.ramdiskSize).toBe(0x2000)
})

test('EP-49 without room below initrd_addr_max the files go anywhere, without any the stub gives up', () => {
  expect(enteredWithFiles('linux/E2', E2, { on: limited(0x7fffffff) }).outcome.kind).toBe('arrived')
  expect(enteredWithFiles('linux/E2', E2, { on: limited(2 ** 52) }).outcome).toMatchObject({
    kind: 'refused',
    refusal: {
      clause: 'EP-49',
      status: 'EFI_OUT_OF_RESOURCES',
      message: 'Failed to allocate memory for files',
    },
  })
})

test.each([
  ['linux/E4c', true],
  ['linux/E4e', true],
  ['linux/E4d', true],
  ['linux/E4j', true],
  ['linux/E4a', false],
  ['linux/E4f', false],
  ['linux/E5', false],
] as const)('EP-69 files of initrd= lie above 4 GiB where initrd_addr_max is 0 (%s: %s)', (era, above) => {
  const roomy = (): Bench => bench({ ceiling: 2 ** 40, map: [...SMALL_MAP, free(0x100000000, 0x40000000)] })
  const { on, outcome } = enteredWithFiles(era, E5, { on: roomy() })
  expect(outcome.kind).toBe('arrived')
  const { ramdiskImage = 0, initrdDamage } = on.notes.facts
  expect([ramdiskImage > 0xffffffff, ramdiskImage > 0x7fffffff, initrdDamage]).toEqual([above, above, []])
  expect(clausesOf(on).includes('EP-69')).toBe(above)
})

test('EP-49 what LoadFile2 offers is enough', () => {
  const { on } = enteredWithFiles('linux/E2', E2, { initrd: OFFERED, files: {} })
  expect(on.notes.facts.ramdiskSize).toBe(0x4000)
  expect(on.notes.doubts).toEqual([])
})

test('EP-49 a name that was not given is a doubt with the name; noinitrd asks for none', () => {
  const { on, outcome } = enteredWithFiles('linux/E2', E2, { files: { 'initrd.img': 0x1000 } })
  expect(outcome.kind).toBe('arrived')
  expect(on.notes.doubts).toEqual([
    { clause: 'EP-49', why: 'initrd= names EFI\\two.img, which was not given: no initrd is loaded here' },
  ])
  expect(
    enteredWithFiles('linux/E2', E2, { files: {}, commandLine: 'noinitrd initrd=x' }).on.notes.doubts,
  ).toEqual([])
})

test('EP-49 empty files make no initrd', () => {
  const { on } = enteredWithFiles('linux/E2', E2, { files: { a: 0 }, commandLine: 'initrd=a' })
  expect(on.notes.facts.ramdiskSize).toBeUndefined()
})

test('EP-49 a kernel from memory has no volume', () => {
  expect(enteredWithFiles('linux/E2', E2, { fromMemory: true }).outcome).toMatchObject({
    kind: 'refused',
    refusal: { status: 'EFI_INVALID_PARAMETER', message: 'Failed to handle fs_proto' },
  })
})

test('EP-49 by check(): a kernel that the firmware starts, and one that GRUB loads from memory', () => {
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

test('EP-50 files are loaded before the kernel moves, and LoadFile2 supersedes them', () => {
  const order = (era: string): boolean => {
    const clauses = clausesOf(enteredWithFiles(era, E2).on)
    return clauses.indexOf('EP-50') >= 0 && clauses.indexOf('EP-49') < clauses.indexOf('EP-15')
  }
  expect([order('linux/E2a'), order('linux/E2')]).toEqual([true, false])
  const { on } = enteredWithFiles('linux/E2a', E2, { initrd: OFFERED })
  expect(eventsOf(on, 'EP-49', 'put')).toHaveLength(2)
  expect(on.notes.facts).toMatchObject({ ramdiskSize: 0x4000, initrdDamage: [] })
})

test('EP-51 one run for all files, below initrd_addr_max', () => {
  const { on, outcome } = enteredWithFiles('linux/E0', E0)
  expect(outcome.kind).toBe('arrived')
  expect(eventsOf(on, 'EP-51', 'claim').map(({ range }) => range.end - range.start)).toEqual([
    // Both files have 0x6800 bytes
    0x7000,
  ])
  expect(on.notes.facts).toMatchObject({ ramdiskSize: 0x6800, initrdDamage: [] })
  const full = withServices(bench(), firmware => ({
    allocatePages: (where, type, pages, label) =>
      label === 'initrd:files'
        ? { status: 'EFI_NOT_FOUND', at: null }
        : firmware.allocatePages(where, type, pages, label),
  }))
  expect(enteredWithFiles('linux/E0', E0, { on: full }).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-51', message: 'Failed to alloc highmem for files' },
  })
})
