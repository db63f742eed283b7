import { describe, expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import { standsFirst } from '../../../src/kernel/x86/steps/cmdline-parser.ts'
import { convert } from '../../../src/kernel/x86/steps/command-line.ts'
import { entered, handed } from '../../support/efi-stub-runs.ts'
import {
  bench,
  descriptor,
  eventsOf,
  free,
  LOAD_OPTIONS,
  peEntry,
  SMALL_MAP,
  start,
} from '../../support/kernel-bench.ts'
import { E0, E1, E2, E5, F } from '../../support/kernels.ts'

test('EP-13 LoadOptions arrive as UTF-8', () => {
  const { on } = entered('linux/E5', E5, { commandLine: 'nokaslr root=ü\nnever' })
  expect(on.notes.facts.commandLine).toBe('nokaslr root=ü')
})

test('EP-13 what was written over LoadOptions is what the kernel gets', () => {
  const on = bench()
  const from = peEntry(on, { kernel: E5, image: F, commandLine: 'nokaslr quiet' })
  on.memory.patch(phys(LOAD_OPTIONS), Uint8Array.of(0x6d, 0), 'uki:.osrel')
  start(on, 'linux/E5', from)
  expect(on.notes.facts.commandLine).toBe('mokaslr quiet')
  expect(eventsOf(on, 'EP-13', 'read')[0]?.deviations).toHaveLength(1)
})

test('EP-13 text that lies nowhere is taken as given; none is an empty line', () => {
  expect(entered('linux/E5', E5, { textOnly: true }).on.notes.facts.commandLine).toBe('nokaslr quiet')
  expect(entered('linux/E5', E5, { commandLine: null }).on.notes.facts.commandLine).toBe('')
})

test('EP-13 where the bytes are not known neither is the command line, nor what it says about KASLR', () => {
  const on = bench({ kaslr: 'command-line' })
  const from = peEntry(on, { kernel: E5, image: F })
  on.memory.make(rangeAt(LOAD_OPTIONS, 8), 'load-options')
  expect(start(on, 'linux/E5', from).kind).toBe('arrived')
  expect(on.notes.facts.commandLine).toBeUndefined()
  expect(on.notes.facts.decompressedKernel).toBeUndefined()
})

test('EP-13 2047 bytes fit; more is cut at the last space outside quotes', () => {
  expect(convert('x'.repeat(2047))).toHaveLength(2047)
  expect(convert(`a ${'b'.repeat(3000)}`)).toHaveLength(1)
  expect(convert(`a\t"${'b '.repeat(2000)}"`)).toHaveLength(1)
})

test('EP-13 a line of which the kernel gets a part makes the verdict unknown', () => {
  const gaps = (era: string, kernel: typeof E5, length: number) =>
    entered(era, kernel, { commandLine: 'nokaslr '.repeat(256).slice(0, length) }).on.notes.doubts
  expect(gaps('linux/E5', E5, 2047)).toEqual([])
  expect(gaps('linux/E5', E5, 2048)).toEqual([
    {
      clause: 'EP-13',
      why: 'the command line of 2048 bytes is cut to 2047: what the boot lacks then is not known',
    },
  ])
  expect(gaps('linux/E1', E1, 2047)).toEqual([])
  expect(gaps('linux/E1', E1, 2048)).toMatchObject([{ clause: 'EP-13' }])
})

test('EP-13 half a character at the end is left out, a mark in front is part of the text', () => {
  const on = bench()
  const from = peEntry(on, { kernel: E5, image: F, commandLine: '\ufeffnokaslr' })
  if (from.via !== 'pe-entry' || from.loaded.loadOptions === null) throw new Error('no options')
  on.memory.patch(phys(LOAD_OPTIONS + 16), Uint8Array.of(0x21), 'load-options')
  start(on, 'linux/E5', {
    ...from,
    loaded: { ...from.loaded, loadOptions: { ...from.loaded.loadOptions, bytes: 17 as never } },
  })
  expect(on.notes.facts.commandLine).toBe('\ufeffnokaslr')
})

test('EP-13 without pool memory the stub says no', () => {
  expect(entered('linux/E5', E5, {}, bench({ arena: null })).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'EP-13' },
  })
})

describe('EP-34', () => {
  const line = (era: string, kernel: typeof E0, map = SMALL_MAP): unknown => {
    const { on } = entered(era, kernel, { initrd: null }, bench({ map }))
    return [on.notes.facts.cmdLinePtr, on.notes.facts.commandLine]
  }
  test('EP-34 the command line gets the highest page below 4 GiB to 5.6, pages in 5.7, then pool', () => {
    expect(line('linux/E0', E0)).toEqual([0x1e000000 - 0x1000, 'nokaslr quiet'])
    const high = [free(2 ** 32, 0x1000000), ...SMALL_MAP]
    expect([line('linux/E0a', E0, high), line('linux/E0', E0, high)]).toEqual([
      [0x1e000000 - 0x1000, 'nokaslr quiet'],
      [0x1e000000 - 0x1000, 'nokaslr quiet'],
    ])
    expect([line('linux/E1', E1), line('linux/E2a', E2)]).toEqual([
      [0x1e000000 - 0x5000, 'nokaslr quiet'],
      [0x1e000000 - 0x5000, 'nokaslr quiet'],
    ])
    for (const era of ['linux/E2f', 'linux/E2h', 'linux/E2c', 'linux/E2'])
      expect([era, line(era, E2)]).toEqual([era, [0x1e004000, 'nokaslr quiet']])
  })

  test('EP-34 a page that ends at 4 GiB is not taken, one below it is', () => {
    const map = [...SMALL_MAP, descriptor(7, 2 ** 32 - 0x10000, 0x10000)]
    expect(line('linux/E0', E0, map)).toEqual([2 ** 32 - 0x2000, 'nokaslr quiet'])
  })

  test('EP-34 where it has pages it is not cut, whatever the kernel reads of it', () => {
    const commandLine = `nokaslr ${'x'.repeat(3000)}`
    const cut = (era: string, kernel: typeof E0): number =>
      String(entered(era, kernel, { initrd: null, commandLine }).on.notes.facts.commandLine).length
    expect([cut('linux/E0', E0), cut('linux/E2a', E2), cut('linux/E2f', E2)]).toEqual([2047, 2047, 7])
  })
})

describe('EP-38', () => {
  const at = (commandLine: string, map = SMALL_MAP): unknown =>
    handed('linux/E5', E5, { commandLine }, bench({ kaslr: 'command-line', map })).on.notes.facts
      .decompressedKernel
  test('EP-38 nokaslr counts with any value, not inside quotes and not after --', () => {
    for (const line of ['nokaslr', 'quiet nokaslr=0', '"nokaslr"', 'a="b c" nokaslr'])
      expect([line, at(line)]).toEqual([line, 0x1600000])
    for (const line of ['dyndbg="a nokaslr b"', '-- nokaslr', 'xnokaslr', 'nokaslrx', 'quiet'])
      expect([line, at(line)]).toEqual([line, undefined])
  })

  test('EP-38 only the first mem= on the line is looked at', () => {
    expect(
      ['mem=1G', ' mem=1G', 'x mem=1G', 'xmem=1G', 'quiet'].map(line => standsFirst(line, 'mem=')),
    ).toEqual([true, true, true, false, false])
    for (const line of ['mem=1G', 'quiet\tmem=1G', '-- mem=1G', '"mem=1G"'].slice(0, 3))
      expect([line, at(line)]).toEqual([line, 0x1600000])
    for (const line of ['swapmem=1 mem=1G', '"mem=1G"']) expect([line, at(line)]).toEqual([line, undefined])
  })

  test('EP-38 efi=nosoftreserve makes specific-purpose memory free and RAM; the last efi= counts', () => {
    const map = SMALL_MAP.map(entry =>
      entry.range.start === 0x1500000 ? { ...entry, attribute: 0x4000fn } : entry,
    )
    const outcome = (commandLine: string): unknown =>
      handed('linux/E5', E5, { commandLine, initrd: null }, bench({ map })).on.notes.facts.decompressedKernel
    expect(outcome('nokaslr efi=debug,nosoftreserve')).toBe(0x1600000)
    for (const line of ['nokaslr', 'nokaslr efi=nosoftreserve efi=debug', 'nokaslr efi=nosoftreserved'])
      expect([line, outcome(line)]).toEqual([line, undefined])
  })
})
