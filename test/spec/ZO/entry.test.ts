import { expect, test } from 'vitest'
import { lookAhead } from '../../../src/boot/look-ahead.ts'
import { bytesSource, sparseSource, type ByteSource } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import { check } from '../../../src/check.ts'
import { verdictSentence } from '../../../src/report/verdict.ts'
import { uki } from '../../../src/vitest/builders.ts'
import { scenario } from '../../../src/vitest/scenario.ts'
import { patched, reportOn } from '../../support/damaged-uki.ts'
import { handed, R } from '../../support/decompressor-runs.ts'
import { bench, BOOT_PARAMS, COMMAND_LINE, eventsOf, handover, start } from '../../support/kernel-bench.ts'
import { E2, E5, F, INITRD } from '../../support/kernels.ts'

test('ZO-13 VO is entered at the output address with boot_params', () => {
  const { on, outcome } = handed()
  expect(outcome).toEqual({ kind: 'arrived', at: { entry: R, kernel: R, bootParams: BOOT_PARAMS } })
  expect(on.notes.facts.decompressedKernel).toBe(R)
  expect(eventsOf(on, 'ZO-13', 'read')).toMatchObject([{ as: 'code', object: 'vo', actor: 'kernel' }])
})

test('ZO-13 whatever the headers say, a run ends in an outcome', () => {
  let seed = 1
  const next = (limit: number): number => {
    seed = (seed * 48271) % 0x7fffffff
    return seed % limit
  }
  for (let round = 0; round < 150; round++) {
    const kernel = round % 2 === 0 ? E2 : E5
    const header = kernel.source.read(0 as never, 0x1000).slice()
    for (let i = 0; i < 6; i++) header[0x1f1 + next(0x7b)] = next(256)
    header.set([0x55, 0xaa], 0x1fe)
    header.set([0x48, 0x64, 0x72, 0x53], 0x202)
    const source = sparseSource(kernel.source.size, [
      { at: 0, source: kernel.source },
      { at: 0, source: bytesSource(header) },
    ])
    const on = bench({ kaslr: 'command-line' })
    const bytes = Object.fromEntries(Array.from({ length: 6 }, () => [0xc0 + next(0x1b0), next(256)]))
    const from = handover(on, { kernel, image: F, initrd: INITRD, bytes })
    expect(['arrived', 'refused', 'undefined', 'unknown']).toContain(
      start(on, round % 2 === 0 ? 'linux/E1' : 'linux/E4', { ...from, payload: { object: 'kernel', source } })
        .kind,
    )
  }
})

test('ZO-14 a sentinel that is not 0 wipes the high halves', () => {
  const bytes = { 0x1ef: 0xff, 0xc0: 1 }
  const wiped = handed({ bytes })
  expect(wiped.on.notes.facts.ramdiskImage).toBe(INITRD.at)
  const kept = handed({ bytes: { 0xc0: 1 } })
  expect(kept.on.notes.facts.ramdiskImage).toBe(INITRD.at + 2 ** 32)
})

test('ZO-14 damage to boot_params is seen', () => {
  const on = bench()
  const from = handover(on, { kernel: E5, image: F })
  on.memory.patch(phys(BOOT_PARAMS + 0x800), Uint8Array.of(1), 'uki:.osrel')
  start(on, 'linux/E5', from)
  expect(eventsOf(on, 'ZO-14', 'read')[0]).toMatchObject({ deviations: [{ at: 0x800 }] })
})

test('ZO-15 the command line is read at its address as its object', () => {
  const { on } = handed({ commandLine: 'nokaslr root=LABEL=x' })
  expect(on.notes.facts).toMatchObject({ cmdLinePtr: COMMAND_LINE, commandLine: 'nokaslr root=LABEL=x' })
  expect(eventsOf(on, 'ZO-15', 'read')).toMatchObject([{ object: 'cmdline', deviations: [] }])
})

test('ZO-15 bytes written over it are what the kernel gets, also when they end it early', () => {
  const on = bench()
  const from = handover(on, {
    kernel: E5,
    image: F,
    initrd: { at: F + 0xb2b000, size: 0x1000 },
    commandLineAt: F + 0xb2e000,
    commandLine: 'nokaslr quiet',
  })
  start(on, 'linux/E5', from)
  expect(on.notes.facts.commandLine).toBe('')
  expect(eventsOf(on, 'ZO-15', 'read')).toMatchObject([{ deviations: [{ kind: 'clobbered' }] }])
})

test("ZO-15 a line without an end is 2047 bytes long, and one of nobody is the loader's own", () => {
  const on = bench()
  const from = handover(on, { kernel: E2, image: F, commandLine: 'x'.repeat(3000) })
  start(on, 'linux/E2', { ...from, cmdlineObject: null })
  expect(on.notes.facts.commandLine).toHaveLength(2047)
  expect(on.notes.doubts).toMatchObject([{ clause: 'ZO-15' }])
})

test('ZO-15 2047 bytes and a NUL are whole', () => {
  const { on } = handed({ commandLine: 'x'.repeat(2047) })
  expect(on.notes.facts.commandLine).toHaveLength(2047)
  expect(on.notes.doubts).toEqual([])
})

test('ZO-15 no pointer, no command line', () => {
  expect(handed({ commandLine: null }).on.notes.facts.cmdLinePtr).toBeUndefined()
})

test('ZO-16 damage is said in offsets of the initrd, joined', () => {
  const on = bench()
  const from = handover(on, { kernel: E2, image: F, initrd: INITRD })
  for (const at of [0x100, 0x110, 0x1000])
    on.memory.patch(phys(INITRD.at + at), new Uint8Array(0x10), 'uki:.osrel')
  start(on, 'linux/E2', from)
  expect(on.notes.facts.initrdDamage).toEqual([
    { from: 0x100, to: 0x120 },
    { from: 0x1000, to: 0x1010 },
  ])
})

test('ZO-16 what ramdisk_size leaves out is missing', () => {
  const { on } = handed({ header: { ramdisk_size: 0x1000 } })
  expect(on.notes.facts.initrdDamage).toEqual([{ from: 0x1000, to: INITRD.size }])
  // The kernel wants all of it: what it does not get is missing from its read
  expect(eventsOf(on, 'ZO-16', 'read')).toMatchObject([{ missing: INITRD.size - 0x1000 }])
})

test('ZO-16 an address beyond physical memory is a doubt, not a crash', () => {
  const { on, outcome } = handed(
    { bytes: { 0xc3: 0xff, 0xcb: 0xff, 0x25f: 0xff } },
    bench({ kaslr: 'command-line' }),
  )
  expect(outcome.kind).toBe('arrived')
  expect(on.notes.doubts.map(doubt => doubt.clause)).toEqual(['ZO-16'])
  expect(on.notes.facts).not.toHaveProperty('ramdiskImageFromStub')
})

test('ZO-16 an initrd not handed over is a doubt; one outside the image is only an address', () => {
  const { on } = handed({ header: { ramdisk_size: 0, ramdisk_image: 0 } })
  expect(on.notes.doubts.map(doubt => doubt.clause)).toContain('ZO-16')
  const other = bench()
  const from = handover(other, { kernel: E2, image: F, initrd: INITRD })
  start(other, 'linux/E2', { ...from, initrdObject: null })
  expect(other.notes.facts.ramdiskSize).toBe(INITRD.size)
  expect(other.notes.facts.initrdDamage).toBeUndefined()
})

test('ZO-18 without an initrd of the image and without root= there is nothing to boot into', () => {
  const gaps = (initrd: string | null, cmdline: string): string[] =>
    check(scenario({ image: { initrd, cmdline } })).report.gaps.map(gap => gap.clause)
  expect(gaps(null, 'console=ttyS0 nokaslr')).toEqual(['ZO-18'])
  expect(gaps(null, 'nokaslr xroot=1')).toEqual(['ZO-18'])
  expect(gaps(null, 'root=/dev/vda1 nokaslr')).toEqual([])
  expect(gaps('1M', 'console=ttyS0 nokaslr')).toEqual([])
})

test.each(['247.3', '252.39', '257.13', '262.1'] as const)(
  'ZO-18 an .initrd that does not reach the kernel is not clean, whatever root= says (%s)',
  stub => {
    const kernel = stub === '247.3' ? '5.10.223-cloud' : '6.12.107-cloud'
    const image = (initrd: string | null): ByteSource =>
      uki({ stub, kernel, initrd, cmdline: 'root=/dev/vda1 nokaslr' })
    const lost = reportOn(patched(image('4M'), { '.initrd VS': 0 }))
    expect([lost.verdict, lost.gaps.map(({ why }) => why)]).toEqual([
      'unknown',
      ['the image has a section .initrd, and nothing of it reaches the kernel'],
    ])
    const without = reportOn(image(null))
    expect(verdictSentence(without)).toBe('clean: the kernel starts with its command line intact')
    expect(verdictSentence(reportOn(image('4M')))).toBe(
      'clean: the kernel starts with its initrd and its command line intact',
    )
  },
)

test('ZO-19 an initrd that begins as nothing known is a doubt, with zeros in front or without', () => {
  const doubted = (hex: string, ramdiskSize = 0x1000): string[] => {
    const on = bench()
    const bytes = Uint8Array.from({ length: ramdiskSize }, (_, i) =>
      Number.parseInt(hex.slice(2 * i, 2 * i + 2) || '00', 16),
    )
    on.memory.patch(phys(0x1e008000), bytes, 'initrd')
    lookAhead(on.machine, 'initrd', {
      ramdiskImage: phys(0x1e008000),
      ramdiskSize,
      commandLine: 'root=/dev/vda',
    })
    return on.notes.doubts.map(doubt => doubt.clause)
  }
  for (const hex of [
    '303730373031',
    '303730373032',
    '1f8b',
    '1f9e',
    '425a',
    '5d00',
    'fd37',
    '894c',
    '0221',
    '28b5',
    '0000000028b52ffd',
  ])
    expect([hex, doubted(hex)]).toEqual([hex, []])
  for (const hex of ['303730373037', '6a756e6b6a75', '00000000303730373037'])
    expect([hex, doubted(hex)]).toEqual([hex, ['ZO-19']])
  expect(doubted('6a756e6b6a75', 5)).toEqual(['ZO-19'])
  expect(doubted('')).toEqual(['ZO-38'])
})

test('ZO-15 a pointer of which only the high half was set is none once the sentinel has wiped it', () => {
  const on = bench()
  const from = handover(on, {
    kernel: E2,
    image: F,
    header: { cmd_line_ptr: 0 },
    bytes: { 0x1ef: 0xff, 0xc8: 1 },
  })
  expect(start(on, 'linux/E2', from).kind).toBe('arrived')
  expect(eventsOf(on, 'ZO-15', 'read')).toEqual([])
  expect(on.notes.facts.cmdLinePtr).toBeUndefined()
})
