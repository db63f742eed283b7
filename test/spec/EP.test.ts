import { describe, expect, test } from 'vitest'
import { rangeAt } from '../../src/bytes/range.ts'
import { bytesSource } from '../../src/bytes/source.ts'
import { phys } from '../../src/bytes/units.ts'
import { boot_params, setupHeaderAt, type SetupHeaderField } from '../../src/image/x86/boot-params.ts'
import { convert } from '../../src/kernel/x86/steps/command-line.ts'
import { randomAllocSlots } from '../../src/kernel/x86/steps/decompress.ts'
import { readPayload } from '../../src/kernel/payload.ts'
import { e820Of } from '../../src/kernel/x86/steps/e820.ts'
import type { Outcome } from '../../src/machine/machine.ts'
import {
  bench,
  BOOT_PARAMS,
  clausesOf,
  descriptor,
  eventsOf,
  everyEra,
  free,
  handover,
  kernelNamed,
  LOAD_OPTIONS,
  manyDescriptors,
  peEntry,
  SMALL_MAP,
  start,
  type Bench,
} from '../support/kernel-bench.ts'
import { deep, flipped, refusalOf, smallKernel } from '../support/packed-kernel.ts'

const E0 = kernelNamed('derived-5.6')
const E1 = kernelNamed('derived-5.7-rc1')
const E2 = kernelNamed('debian-5.10.223-cloud')
const E4 = kernelNamed('debian-6.1.170-cloud')
const E5 = kernelNamed('debian-6.12.107-cloud')
/** F of a handover, and of a loaded image; both inside the claimed part of the map. */
const F = 0x18200000
const INITRD = { at: 0x1b000000, size: 0x4a7e00 }
const ERAS = everyEra()

function handed(
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

function entered(
  era: string,
  kernel = E2,
  options: Partial<Parameters<typeof peEntry>[1]> = {},
  on: Bench = bench(),
): { on: Bench; outcome: Outcome } {
  const from = peEntry(on, { kernel, image: F, initrd: INITRD, ...options })
  return { on, outcome: start(on, era, from) }
}

function field({ memory, notes }: Bench, name: SetupHeaderField, width: number): number {
  const at = Number(notes.facts.bootParams) + setupHeaderAt(name)
  return memory.readRaw(rangeAt(at, width)).reduceRight((sum, byte) => sum * 256 + byte, 0)
}

const gone = (on: Bench, at: number, length = 16): void => {
  on.memory.patch(phys(at), new Uint8Array(length).fill(0xcc), 'uki:.osrel')
}

describe('EP-1', () => {
  test.each(ERAS)('EP-1 a whole kernel arrives at both doors: %s', (era, kernel) => {
    expect(handed(era, kernel).outcome.kind).toBe('arrived')
    expect(entered(era, kernel).outcome.kind).toBe('arrived')
  })

  test('EP-1 overwritten bytes at the entry, or in the code after the payload, leave the run undefined', () => {
    for (const offset of [0x3c00 + 0x200 + 0x190, 0x3c00 + 0xb90000]) {
      const on = bench()
      const from = handover(on, { kernel: E2, image: F })
      gone(on, F + offset)
      expect(start(on, 'linux/E2', from).kind).toBe('undefined')
    }
  })

  test('EP-1 bytes after the declared end of the file do not matter', () => {
    const on = bench()
    const from = handover(on, { kernel: E2, image: F })
    gone(on, F + E2.image.fileSize)
    expect(start(on, 'linux/E2', from).kind).toBe('arrived')
  })

  test('EP-1 what is no kernel file, has no payload, or begins after its entry is outside the model', () => {
    const on = bench()
    const from = handover(on, { kernel: E2, image: F })
    const junk = bytesSource(new Uint8Array(0x1000))
    expect(start(on, 'linux/E2', { ...from, payload: { object: 'kernel', source: junk } })).toMatchObject({
      kind: 'unknown',
      gap: { clause: 'EP-1' },
    })
    expect(start(on, 'linux/E2', { ...from, entry: phys(F - 1) })).toMatchObject({ kind: 'unknown' })
    const bare = E2.source.read(0 as never, 0x400).slice()
    bare.fill(0, 0x24c, 0x250)
    expect(
      start(on, 'linux/E2', { ...from, payload: { object: 'kernel', source: bytesSource(bare) } }),
    ).toMatchObject({ kind: 'unknown', gap: { why: 'the setup header has no payload' } })
  })
})

test('EP-2 code in front of the payload must be whole where head_64.S runs', () => {
  const on = bench()
  const from = handover(on, { kernel: E2, image: F })
  gone(on, F + 0x3c00 + 0x210)
  expect(start(on, 'linux/E2', from)).toMatchObject({
    kind: 'undefined',
    why: 'the code in front of the payload was overwritten',
  })
})

test('EP-3 code in front of the payload does not matter where the EFI stub decompresses', () => {
  const on = bench()
  const from = handover(on, { kernel: E5, image: F })
  gone(on, F + 0x5000 + 0x210)
  expect(start(on, 'linux/E5', from).kind).toBe('arrived')
  expect(clausesOf(on)).not.toContain('ZO-3')
})

test('EP-4 5.7-rc1 reads .bss after the file as it is after a handover', () => {
  const { on } = handed('linux/E1', E1)
  expect(eventsOf(on, 'EP-4', 'read')).toMatchObject([
    {
      range: rangeAt(F + 0x94c00 + 0xb00000, 0x22880),
      object: 'kernel',
      at: 0xb94c00,
      deviations: [{ kind: 'uninitialised' }],
    },
  ])
})

test('EP-5 5.7-rc2 and later neither read nor write .bss before the move', () => {
  for (const era of ['linux/E2a', 'linux/E2']) {
    const { on } = handed(era)
    expect(clausesOf(on)).toContain('EP-5')
    expect(eventsOf(on, 'EP-5', 'read')).toEqual([])
    expect(on.recorder.events.filter(event => event.op === 'zero' && event.actor === 'efi-stub')).toEqual([])
  }
})

describe('EP-6', () => {
  test.each([
    ['debian-6.1.170', 0x7db000, 0x7fd8e0],
    ['debian-6.1.170-cloud', 0xd7e000, 0xda08e0],
    ['debian-6.12.107', 0xb95000, 0xbd8078],
    ['debian-6.12.107-cloud', 0xb2b000, 0xb6e078],
    ['debian-7.2.13', 0xde0000, 0xe2a000],
    ['debian-7.2.13-cloud', 0xd61000, 0xdab000],
    ['debian-7.3-rc7', 0xe0b000, 0xe55000],
  ])('EP-6 the handover entry of %s zeroes exactly its .bss', (name, from, to) => {
    const { on } = handed(name.startsWith('debian-7') ? 'linux/E6' : 'linux/E5', kernelNamed(name))
    expect(eventsOf(on, 'EP-6', 'zero')).toMatchObject([
      { range: { start: F + from, end: F + to }, object: 'kernel', at: from },
    ])
  })

  test('EP-6 an initrd on the next page after the kernel loses its first bytes', () => {
    const { on, outcome } = handed('linux/E5', E5, { initrd: { at: F + 0xb2b000, size: 0x4a7e00 } })
    expect(outcome.kind).toBe('arrived')
    expect(on.notes.facts.initrdDamage).toEqual([{ from: 0, to: 0x43078 }])
  })

  test('EP-6 the byte after .bss is not touched', () => {
    const { on } = handed('linux/E5', E5, { initrd: { at: F + 0xb6e078, size: 0x1000 } })
    expect(on.notes.facts.initrdDamage).toEqual([])
  })

  test('EP-6 6.1.y clears .bss at the PE entry, too', () => {
    const { on } = entered('linux/E4', E4)
    expect(eventsOf(on, 'EP-6', 'zero')).toMatchObject([
      { range: { start: F + 0xd7e000, end: F + 0xda08e0 } },
    ])
  })
})

test('EP-7 a loader that does not zero the tail of a section leaves .bss unread as zero', () => {
  const whole = entered('linux/E5', E5)
  expect(eventsOf(whole.on, 'EP-7', 'read')).toMatchObject([{ deviations: [] }])
  const broken = entered('linux/E5', E5, { zeroTail: false })
  expect(eventsOf(broken.on, 'EP-7', 'read')).toMatchObject([
    { deviations: [{ kind: 'uninitialised', at: 0xb2b000 }] },
  ])
})

describe('EP-8', () => {
  test.each([
    ['linux/E1', 0x4000],
    ['linux/E2a', 0x4000],
    ['linux/E2f', 0x1000],
    ['linux/E2', 0x1000],
    ['linux/E5', 0x1000],
  ])('EP-8 the zero page of %s takes %i bytes, as high as they fit', (era, size) => {
    const { on } = entered(era, era === 'linux/E5' ? E5 : E2)
    expect(eventsOf(on, 'EP-8', 'zero')).toMatchObject([
      { range: rangeAt(0x1e000000 - size, size), object: 'boot_params' },
    ])
    expect(on.notes.facts.bootParams).toBe(0x1e000000 - size)
  })

  test('EP-8 without a free page the stub says no', () => {
    const map = SMALL_MAP.filter(entry => entry.type !== 7)
    expect(entered('linux/E2', E2, {}, bench({ map })).outcome).toMatchObject({
      kind: 'refused',
      refusal: {
        clause: 'EP-8',
        status: 'EFI_OUT_OF_RESOURCES',
        message: 'Failed to allocate lowmem for boot params',
      },
    })
    expect(entered('linux/E5', E5, {}, bench({ map })).outcome).toMatchObject({
      kind: 'refused',
      refusal: { clause: 'EP-8', message: null },
    })
  })
})

test.each(['linux/E4a', 'linux/E4b', 'linux/E4c', 'linux/E4d', 'linux/E4e', 'linux/E4f', 'linux/E4g'])(
  'EP-9 the zero page of %s lies inside .bss of the image',
  era => {
    const { on } = entered(era, E4)
    const at = Number(on.notes.facts.bootParams)
    expect(at).toBeGreaterThanOrEqual(F + 0xd7e000)
    expect(at + 0x1000).toBeLessThanOrEqual(F + 0xda08e0)
    expect(on.notes.assumptions.map(assumption => assumption.clause)).toContain('EP-9')
  },
)

describe('EP-10', () => {
  test.each([
    ['linux/E2a', 0x200],
    ['linux/E2f', 0x200],
    ['linux/E2', 0x6c],
    ['linux/E3a', 0x6c],
    ['linux/E3', 0x6c],
  ])('EP-10 %s copies %i bytes of the loaded image', (era, length) => {
    const { on } = entered(era)
    expect(eventsOf(on, 'EP-10', 'read')).toMatchObject([{ range: rangeAt(F + 0x200, length) }])
    expect(eventsOf(on, 'EP-10', 'patch')[0]).toMatchObject({
      range: { end: Number(on.notes.facts.bootParams) + 0x200 + length },
    })
  })

  test('EP-10 the header is the one in memory, with boot_flag set', () => {
    const on = bench()
    const from = peEntry(on, { kernel: E2, image: F })
    on.memory.patch(
      phys(F + setupHeaderAt('heap_end_ptr')),
      Uint8Array.of(0x34, 0x12),
      'kernel',
      setupHeaderAt('heap_end_ptr'),
    )
    start(on, 'linux/E2', from)
    expect(field(on, 'heap_end_ptr', 2)).toBe(0x1234)
    expect(field(on, 'boot_flag', 2)).toBe(0xaa55)
    expect(field(on, 'init_size', 4)).toBe(0x2d5e000)
  })
})

test('EP-11 no field of the image comes along where the header is made', () => {
  const { on } = entered('linux/E5', E5)
  expect([field(on, 'init_size', 4), field(on, 'version', 2), field(on, 'initrd_addr_max', 4)]).toEqual([
    0, 0, 0x7fffffff,
  ])
})

test("EP-12 type_of_loader, vid_mode and root_flags are the stub's own", () => {
  for (const [era, kernel] of ERAS) {
    const { on } = entered(era, kernel)
    expect([field(on, 'type_of_loader', 1), field(on, 'vid_mode', 2), field(on, 'root_flags', 2)]).toEqual([
      0x21, 0xffff, 1,
    ])
  }
})

describe('EP-13', () => {
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
})

describe('EP-14', () => {
  test('EP-14 the offered initrd is copied as high as it fits', () => {
    const { on } = entered('linux/E5', E5)
    const at = 0x1e000000 - 0x1000 - 0x4a8000
    expect(on.notes.facts).toMatchObject({ ramdiskImage: at, ramdiskSize: 0x4a7e00, initrdDamage: [] })
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
})

describe('EP-15', () => {
  const L = (on: Bench): unknown => on.notes.facts.compressedImage
  test('EP-15 after a handover 5.7-rc1 moves when L is not aligned and stays when it is', () => {
    expect(L(handed('linux/E1', E1).on)).toBe(0x1600000)
    expect(L(handed('linux/E1', E1, { image: 0x18200000 - 0x3c00, initrd: null }).on)).toBe(0x18200000)
  })

  test('EP-15 after a handover later kernels always move', () => {
    expect(L(handed('linux/E2', E2, { image: 0x18200000 - 0x3c00, initrd: null }).on)).toBe(0x1600000)
    expect(L(handed('linux/E2a').on)).toBe(0x1600000)
  })

  test('EP-15 after a PE entry the kernel stays', () => {
    const { on } = entered('linux/E2', E2, { initrd: null })
    expect(L(on)).toBe(F + 0x3c00)
    expect(on.notes.facts.decompressedKernel).toBe(F)
  })

  test('EP-15 below LOAD_PHYSICAL_ADDR it moves at either door', () => {
    const low = [
      descriptor(1, 0x200000, 0x3000000),
      free(0x4000000, 0x10000000),
      descriptor(2, 0x1e000000, 0x10000),
    ]
    const on = bench({ map: low })
    start(on, 'linux/E2', peEntry(on, { kernel: E2, image: 0x200000 }))
    expect(L(on)).toBe(0x4000000)
    expect(on.notes.facts.decompressedKernel).toBe(0x4000000)
  })

  test('EP-15 a kernel_alignment of 0 makes the start 0, so it moves', () => {
    const { on } = handed('linux/E1', E1, {
      image: 0x18200000 - 0x3c00,
      initrd: null,
      header: { kernel_alignment: 0 },
    })
    expect(clausesOf(on)).toContain('EP-16')
  })
})

describe('EP-16', () => {
  test('EP-16 init_size bytes are copied to pref_address when it is free', () => {
    const map = [free(0x1000000, 0x17000000), ...SMALL_MAP.slice(3)]
    const { on } = handed('linux/E2', E2, {}, bench({ map }))
    expect(on.notes.facts.compressedImage).toBe(0x1000000)
    const copy = eventsOf(on, 'EP-16', 'copy')[0]
    const rest = eventsOf(on, 'EP-16', 'make')[0]
    expect(copy?.range.start).toBe(0x1000000)
    expect(rest?.range.end).toBe(0x1000000 + 0x2d5e000)
    expect(copy?.range.end).toBe(rest?.range.start)
  })

  test('EP-16 damage in the kernel travels with the copy', () => {
    const on = bench()
    const from = handover(on, { kernel: E2, image: F })
    gone(on, F + 0x100000)
    expect(start(on, 'linux/E2', from)).toMatchObject({
      kind: 'undefined',
      why: 'the compressed kernel was overwritten',
    })
  })

  test('EP-16 an init_size of 0 is refused', () => {
    expect(handed('linux/E2', E2, { header: { init_size: 0 } }).outcome).toMatchObject({
      kind: 'refused',
      refusal: { clause: 'EP-16', status: 'EFI_INVALID_PARAMETER' },
    })
  })

  test('EP-16 an init_size shorter than the kernel copies a part of it', () => {
    const { on, outcome } = handed('linux/E2', E2, { header: { init_size: 0x100000 } })
    expect(on.notes.doubts.map(doubt => doubt.clause)).toContain('EP-16')
    expect(outcome.kind).not.toBe('arrived')
  })
})

describe('EP-17', () => {
  test("EP-17 the first descriptor in the map's order wins, aligned, not below LOAD_PHYSICAL_ADDR", () => {
    const map = [
      descriptor(4, 0x100000, 0x4000000),
      free(0x1bfff000, 0x3ffe000),
      free(0x10000000, 0x8000000),
      descriptor(1, 0x18000000, 0x3fff000),
      descriptor(2, 0xa0000000, 0x10000),
    ]
    const { on } = handed(
      'linux/E2',
      E2,
      { initrd: null, bootParams: 0xa0000000, commandLineAt: 0xa0001000 },
      bench({ map, arena: 0xa0004000 }),
    )
    expect(on.notes.facts.compressedImage).toBe(0x1c000000)
  })

  test('EP-17 memory set aside for a purpose is passed over', () => {
    const map = SMALL_MAP.map(entry =>
      entry.range.start === 0x1500000 ? { ...entry, attribute: 0x4000fn } : entry,
    )
    expect(handed('linux/E2', E2, {}, bench({ map })).outcome).toMatchObject({ kind: 'refused' })
  })

  test('EP-17 without room the stub prints what the real one prints', () => {
    const map = [free(0x1500000, 0x2000000), ...SMALL_MAP.slice(3, 4), ...SMALL_MAP.slice(5)]
    expect(handed('linux/E2', E2, {}, bench({ map })).outcome).toMatchObject({
      kind: 'refused',
      refusal: {
        by: 'efi-stub',
        status: 'EFI_NOT_FOUND',
        clause: 'EP-17',
        message:
          'Failed to allocate usable memory for kernel.\nefi_relocate_kernel() failed!\nefi_main() failed!',
      },
    })
  })
})

describe('EP-18', () => {
  test.each([
    ['linux/E2', E2],
    ['linux/E4', E4],
    ['linux/E5', E5],
  ] as const)('EP-18 %s keeps the map in pool memory and ends boot services', (era, kernel) => {
    const { on } = handed(era, kernel)
    const info = on.memory.readRaw(rangeAt(BOOT_PARAMS + boot_params.fields.efi_info[0], 4))
    expect(new TextDecoder().decode(info)).toBe('EL64')
    expect(eventsOf(on, 'EP-18', 'make')).toMatchObject([{ object: 'efi-stub:memory-map' }])
  })

  test('EP-18 the buffer has room for 8 more descriptors, 32 in 6.12', () => {
    const claimed = (era: string, kernel: typeof E2): number => {
      const { on } = handed(era, kernel)
      const claim = eventsOf(on, 'EP-18', 'claim')[0]
      const made = eventsOf(on, 'EP-18', 'make')[0]
      return ((claim?.range.end ?? 0) - (made?.range.end ?? 0)) / 48
    }
    expect([
      claimed('linux/E4', E4),
      claimed('linux/E4h', E4),
      claimed('linux/E4i', E4),
      claimed('linux/E5a', E5),
      claimed('linux/E5', E5),
    ]).toEqual([8, 8, 32, 8, 32])
  })

  test('EP-18 a map that has outgrown its buffer when it is taken again ends the boot', () => {
    const grown = (era: string, kernel: typeof E2, addedOnExit: number): Outcome => {
      const on = bench()
      return start(
        {
          ...on,
          machine: { ...on.machine, firmware: { ...manyDescriptors(on.machine.firmware), addedOnExit } },
        },
        era,
        handover(on, { kernel, image: F }),
      )
    }
    expect(grown('linux/E2', E2, 9)).toMatchObject({
      kind: 'refused',
      refusal: { clause: 'EP-18', status: 'EFI_BUFFER_TOO_SMALL', message: 'exit_boot() failed!' },
    })
    expect([
      grown('linux/E2', E2, 8).kind,
      grown('linux/E5', E5, 32).kind,
      grown('linux/E5', E5, 33).kind,
    ]).toEqual(['arrived', 'arrived', 'refused'])
  })

  test('EP-18 without pool memory for it the stub says no', () => {
    expect(handed('linux/E2', E2, {}, bench({ arena: null })).outcome).toMatchObject({
      kind: 'refused',
      refusal: { clause: 'EP-18', message: 'exit_boot() failed!' },
    })
  })
})

describe('EP-19', () => {
  test('EP-19 types become what setup_e820 makes of them, neighbours are joined', () => {
    const map = [1, 2, 3, 4, 7, 0, 5, 6, 11, 8, 9, 10, 14, 15].map((type, i) =>
      descriptor(type, 0x100000 * (i + 1), 0x100000),
    )
    expect(e820Of(map)).toEqual([
      { addr: 0x100000, size: 0x500000, type: 1 },
      { addr: 0x600000, size: 0x400000, type: 2 },
      { addr: 0xa00000, size: 0x100000, type: 5 },
      { addr: 0xb00000, size: 0x100000, type: 3 },
      { addr: 0xc00000, size: 0x100000, type: 4 },
      { addr: 0xd00000, size: 0x100000, type: 7 },
    ])
    expect(e820Of([descriptor(7, 0, 0x1000, 0x40000n)])).toEqual([
      { addr: 0, size: 0x1000, type: 0xefffffff },
    ])
    expect(e820Of([descriptor(4, 0, 0x1000, 0x40000n), descriptor(9, 0x1000, 0x1000, 0x40000n)])).toEqual([
      { addr: 0, size: 0x1000, type: 0xefffffff },
      { addr: 0x1000, size: 0x1000, type: 3 },
    ])
    expect(e820Of([descriptor(7, 0, 0x1000, 0x40000n)], false)).toEqual([{ addr: 0, size: 0x1000, type: 1 }])
  })

  test('EP-19 boot_params holds 128 of them', () => {
    const many = Array.from({ length: 200 }, (_, i) =>
      descriptor(i % 2 === 0 ? 0 : 9, 0x100000000 + i * 0x1000, 0x1000),
    )
    const { on } = handed('linux/E5', E5, {}, bench({ map: [...SMALL_MAP, ...many] }))
    expect(on.memory.readRaw(rangeAt(BOOT_PARAMS + 0x1e8, 1))[0]).toBe(128)
    expect(eventsOf(on, 'EP-42', 'make')).toMatchObject([{ object: 'efi-stub:e820-ext' }])
  })
})

describe('EP-20', () => {
  test.each([
    ['debian-6.1.170', 0x4000000],
    ['debian-6.1.170-cloud', 0x3400000],
    ['debian-6.12.107', 0x3800000],
    ['debian-6.12.107-cloud', 0x3800000],
    ['debian-7.2.13', 0x3c00000],
    ['debian-7.2.13-cloud', 0x3c00000],
    ['debian-7.3-rc7', 0x3c00000],
  ])('EP-20 %s takes up(olen, 2 MiB) at the first slot', (name, size) => {
    const { on } = handed(name.startsWith('debian-7') ? 'linux/E6' : 'linux/E5', kernelNamed(name))
    expect(eventsOf(on, 'EP-20', 'claim')).toMatchObject([{ range: rangeAt(0x1600000, size), label: 'vo' }])
    expect(on.notes.facts.decompressedKernel).toBe(0x1600000)
  })

  test("EP-20 slots are counted in the map's order, aligned, not below the minimum, in free memory only", () => {
    const M = 0x100000
    const map = [
      free(40 * M, 8 * M),
      free(15 * M, 7 * M),
      descriptor(2, 24 * M, 8 * M),
      free(32 * M, M),
      descriptor(7, 64 * M, 8 * M, 0x40000n),
      descriptor(7, 80 * M, 8 * M, 0x100000n),
    ]
    expect(randomAllocSlots(map, 2 * M, 2 * M, 16 * M)).toEqual([
      { first: 40 * M, count: 4, lowest: 40 * M },
      { first: 16 * M, count: 3, lowest: 16 * M },
    ])
    expect(randomAllocSlots([...map, descriptor(7, 96 * M, 2 * M, 0x10000n)], 2 * M, 2 * M, 16 * M)).toEqual([
      { first: 96 * M, count: 1, lowest: 96 * M },
    ])
  })
})

test('EP-21 without a slot 6.12 says no, with the words of the real one', () => {
  const map = [free(0x1500000, 0x2000000), ...SMALL_MAP.slice(3)]
  expect(handed('linux/E5', E5, {}, bench({ map })).outcome).toMatchObject({
    kind: 'refused',
    refusal: {
      status: 'EFI_OUT_OF_RESOURCES',
      clause: 'EP-21',
      message: 'Failed to decompress kernel\nefi_stub_entry() failed!',
    },
  })
})

describe('EP-22', () => {
  const at = (era: string, commandLine: string, map = SMALL_MAP): unknown =>
    handed(era, E5, { commandLine }, bench({ kaslr: 'command-line', map })).on.notes.facts.decompressedKernel
  test('EP-22 with KASLR the place is not known, with nokaslr it is the first slot', () => {
    expect(at('linux/E5', 'quiet')).toBeUndefined()
    expect(at('linux/E5', 'quiet nokaslr')).toBe(0x1600000)
  })

  test.each(['mem=1G', 'memmap=1M$2M', 'hugepages=4'])(
    'EP-22 %s makes it the first slot from 6.1.93 on',
    option => {
      expect(at('linux/E5', option)).toBe(0x1600000)
      expect(at('linux/E4b', option)).toBe(0x1600000)
      for (const era of ['linux/E4', 'linux/E4g', 'linux/E4h', 'linux/E4i', 'linux/E5a', 'linux/E6'])
        expect([era, at(era, option)]).toEqual([era, 0x1600000])
      for (const era of ['linux/E4a', 'linux/E4f', 'linux/E3c'])
        expect([era, at(era, option)]).toEqual([era, undefined])
    },
  )

  test('EP-22 so does efi_fake_mem= up to 6.10', () => {
    const option = 'efi_fake_mem=1G@4G:0x40000'
    for (const era of ['linux/E4b', 'linux/E4', 'linux/E4g', 'linux/E4h', 'linux/E4i'])
      expect([era, at(era, option)]).toEqual([era, 0x1600000])
    for (const era of ['linux/E4a', 'linux/E4f', 'linux/E5a', 'linux/E5', 'linux/E6'])
      expect([era, at(era, option)]).toEqual([era, undefined])
  })

  test('EP-22 a single slot leaves nothing to chance', () => {
    const map = [free(0x1600000, 0x3800000), ...SMALL_MAP.slice(3, 4), ...SMALL_MAP.slice(5)]
    expect(at('linux/E5', 'quiet', map)).toBe(0x1600000)
  })
})

test('EP-23 the payload is read where it lies; when it was overwritten the run is undefined', () => {
  const { on } = handed('linux/E5', E5)
  expect(eventsOf(on, 'EP-23', 'read')).toMatchObject([
    { range: rangeAt(F + 0x52cc, 0xaed515), at: 0x52cc, deviations: [] },
  ])
  const broken = bench()
  const from = handover(broken, { kernel: E5, image: F })
  gone(broken, F + 0x100000)
  expect(start(broken, 'linux/E5', from)).toMatchObject({
    kind: 'undefined',
    why: 'the compressed kernel was overwritten',
  })
})

test('EP-24 nothing moves and no window is written where the EFI stub decompresses', () => {
  const { on } = handed('linux/E5', E5)
  expect(clausesOf(on)).toContain('EP-24')
  expect(on.notes.facts.compressedImage).toBeUndefined()
  expect(on.recorder.events.filter(event => event.actor === 'decompressor' && event.op !== 'read')).toEqual(
    [],
  )
})

test('EP-25 6.1.y without a slot is lost instead of refused', () => {
  const map = [free(0x1500000, 0x2000000), ...SMALL_MAP.slice(3)]
  const { on, outcome } = handed('linux/E4', E4, {}, bench({ map }))
  expect(outcome).toMatchObject({
    kind: 'undefined',
    why: 'the kernel is decompressed to an address that was never set',
  })
  expect(clausesOf(on)).toContain('EP-25')
})

describe('EP-4', () => {
  test('EP-4 up to 5.6 the file holds .bss as zeros, so it is whole wherever the file is copied flat', () => {
    for (const era of ['linux/E0a', 'linux/E0']) {
      const { on, outcome } = handed(era, E0)
      expect(outcome.kind).toBe('arrived')
      expect(eventsOf(on, 'EP-4', 'read')).toMatchObject([
        { range: rangeAt(F + 0xb94c00, 0x22880), deviations: [] },
      ])
      expect(on.notes.doubts).toEqual([])
    }
  })
})

describe('EP-26', () => {
  test('EP-26 the zero page is the lowest 16 KiB that are free', () => {
    const { on } = entered('linux/E0', E0, { initrd: null })
    expect(eventsOf(on, 'EP-26', 'zero')).toMatchObject([
      { range: rangeAt(0x1000, 0x4000), object: 'boot_params' },
    ])
    const fromNull = entered(
      'linux/E0',
      E0,
      { initrd: null },
      bench({ map: [free(0, 0xa0000), ...SMALL_MAP.slice(1)] }),
    )
    expect(eventsOf(fromNull.on, 'EP-26', 'zero')).toMatchObject([{ range: rangeAt(0x1000, 0x4000) }])
    expect(on.notes.facts.bootParams).toBe(0x1000)
  })

  test('EP-26 without free pages the stub says no', () => {
    const map = SMALL_MAP.filter(entry => entry.type !== 7)
    expect(entered('linux/E0', E0, {}, bench({ map })).outcome).toMatchObject({
      kind: 'refused',
      refusal: { clause: 'EP-26' },
    })
  })
})

describe('EP-27', () => {
  test('EP-27 a kernel that code32_start says to be at pref_address stays, any other moves', () => {
    const map = [...SMALL_MAP.slice(0, 1), descriptor(2, 0x900000, 0x4000000), ...SMALL_MAP.slice(3)]
    const stays = handed('linux/E0', E0, { image: 0x1000000 - 0x3c00, initrd: null }, bench({ map }))
    expect(stays.on.notes.facts.compressedImage).toBe(0x1000000)
    expect(eventsOf(stays.on, 'EP-16', 'copy')).toEqual([])
    const moves = handed('linux/E0', E0)
    expect(moves.on.notes.facts.compressedImage).toBe(0x1600000)
    expect(field(moves.on, 'code32_start', 4)).toBe(0x1600000)
    expect(field(moves.on, 'pref_address', 4)).toBe(F + 0x3c00)
  })

  test('EP-27 the PE entry sets it, so the loaded image moves and its window begins at the copy', () => {
    const { on } = entered('linux/E0', E0, { initrd: null })
    expect(eventsOf(on, 'EP-16', 'copy')).toMatchObject([
      { from: { start: F + 0x3c00 }, range: { start: 0x1600000 } },
    ])
    expect(on.notes.facts.decompressedKernel).toBe(0x1600000)
  })

  test('EP-27 the descriptor table takes the lowest free page; without one the stub says no', () => {
    const { on } = handed('linux/E0', E0)
    expect(eventsOf(on, 'EP-27', 'make')).toMatchObject([
      { range: rangeAt(0x1000, 0x800), object: 'efi-stub:gdt' },
    ])
    expect(eventsOf(on, 'EP-27', 'claim')[0]?.range).toEqual(rangeAt(0x1e004000, 10))
    const map = SMALL_MAP.filter(entry => entry.type !== 7)
    expect(handed('linux/E0', E0, {}, bench({ map })).outcome).toMatchObject({
      kind: 'refused',
      refusal: { clause: 'EP-27', message: "Failed to allocate memory for 'gdt'\nefi_main() failed!" },
    })
    expect(handed('linux/E0', E0, {}, bench({ arena: null })).outcome).toMatchObject({
      kind: 'refused',
      refusal: {
        clause: 'EP-27',
        message: "Failed to allocate memory for 'gdt' structure\nefi_main() failed!",
      },
    })
  })
})

describe('EP-28', () => {
  const map = [free(0x200000, 0x4000000), ...SMALL_MAP.slice(3)]
  test('EP-28 before 5.3.11 the kernel moves below LOAD_PHYSICAL_ADDR and extracts itself to memory that it does not have', () => {
    const taken = [free(0x200000, 0x3000000), descriptor(4, 0x3200000, 0x4000000), ...SMALL_MAP.slice(3)]
    const { on } = handed('linux/E0a', E0, {}, bench({ map: taken }))
    expect(on.notes.facts.compressedImage).toBe(0x400000)
    expect(eventsOf(on, 'ZO-6', 'copy')).toMatchObject([{ range: { start: 0x3189000 } }])
  })

  test('EP-28 from then on it stays above, or says no', () => {
    expect(
      handed(
        'linux/E0',
        E0,
        {},
        bench({ map: [...map.slice(0, 1), descriptor(4, 0x1000000, 0x1000), ...map.slice(1)] }),
      ).on.notes.facts.compressedImage,
    ).toBe(0x1000000)
    const taken = [free(0x200000, 0x3000000), descriptor(4, 0x3200000, 0x4000000), ...SMALL_MAP.slice(3)]
    expect(handed('linux/E0', E0, {}, bench({ map: taken })).outcome).toMatchObject({
      kind: 'refused',
      refusal: { clause: 'EP-17' },
    })
  })
})

describe('EP-29', () => {
  test('EP-29 from 5.11 on _bss bytes are read, before it init_size bytes are', () => {
    for (const era of ['linux/E2d', 'linux/E2e', 'linux/E2b']) {
      const { on } = handed(era)
      const [copy] = eventsOf(on, 'EP-16', 'copy')
      const [rest] = eventsOf(on, 'EP-16', 'make')
      expect([copy?.range.start, rest?.range.end]).toEqual([0x1600000, 0x1600000 + 0xb91000])
      expect(eventsOf(on, 'EP-16', 'claim')).toEqual([])
      expect(eventsOf(on, 'EP-17', 'claim')).toMatchObject([{ range: rangeAt(0x1600000, 0x2d5e000) }])
      expect(clausesOf(on)).toContain('EP-29')
    }
    expect(eventsOf(handed('linux/E2').on, 'EP-16', 'make')).toMatchObject([
      { range: { end: 0x1600000 + 0x2d5e000 } },
    ])
  })

  test('EP-29 an init_size shorter than _bss is refused', () => {
    expect(handed('linux/E2b', E2, { header: { init_size: 0x100000 } }).outcome).toMatchObject({
      kind: 'refused',
      refusal: { clause: 'EP-16', status: 'EFI_INVALID_PARAMETER' },
    })
  })
})

test('EP-30 a setup_data that stands in the image is followed up to 5.10.145 and wiped from then on', () => {
  const arrived = (era: string): string[] => {
    const on = bench()
    const from = peEntry(on, { kernel: E2, image: F })
    on.memory.patch(
      phys(F + setupHeaderAt('setup_data')),
      Uint8Array.of(1),
      'kernel',
      setupHeaderAt('setup_data'),
    )
    start(on, era, from)
    return on.notes.doubts.map(doubt => doubt.clause)
  }
  for (const era of ['linux/E2a', 'linux/E2f', 'linux/E2c', 'linux/E2d'])
    expect([era, arrived(era)]).toEqual([era, ['ZO-17']])
  for (const era of ['linux/E2', 'linux/E2e', 'linux/E2b', 'linux/E3a', 'linux/E3'])
    expect([era, arrived(era)]).toEqual([era, []])
})

test('EP-31 a kernel that does not know LoadFile2 boots without the initrd that is offered there', () => {
  const { on } = entered('linux/E0', E0)
  expect(clausesOf(on)).toContain('EP-31')
  expect(on.notes.facts.ramdiskImage).toBeUndefined()
  expect(on.notes.doubts.map(doubt => doubt.clause)).toEqual(['ZO-16'])
  expect(clausesOf(entered('linux/E1', E1).on)).not.toContain('EP-31')
})

describe('EP-32, EP-33', () => {
  const at = (era: string, map: Parameters<typeof bench>[0]): unknown =>
    handed(era, E5, {}, bench(map)).on.notes.facts.decompressedKernel
  const straddles = { map: [free(0x600000, 0x9000000), ...SMALL_MAP.slice(3)] }
  const low = {
    map: [
      free(0x100000, 0x3b00000),
      descriptor(4, 0x3c00000, 0x400000),
      free(0x4000000, 0x8000000),
      ...SMALL_MAP.slice(3),
    ],
  }

  test('EP-32 6.6.16 and 6.7.4 go to the first free descriptor with room, however low', () => {
    for (const era of ['linux/E3a', 'linux/E4c'])
      expect([era, at(era, straddles), at(era, low)]).toEqual([era, 0x600000, 0x200000])
  })

  test('EP-33 6.8 counts from LOAD_PHYSICAL_ADDR and goes below it all the same', () => {
    for (const era of ['linux/E3', 'linux/E3b', 'linux/E3d', 'linux/E4e', 'linux/E4d'])
      expect([era, at(era, straddles), at(era, low)]).toEqual([era, 0x600000, 0x4000000])
  })

  test('EP-33 from 6.9 on the limit is kept', () => {
    for (const era of [
      'linux/E3c',
      'linux/E4a',
      'linux/E4f',
      'linux/E4g',
      'linux/E4h',
      'linux/E4i',
      'linux/E5a',
      'linux/E5',
      'linux/E6',
    ])
      expect([era, at(era, straddles), at(era, low)]).toEqual([era, 0x1000000, 0x4000000])
  })
})

describe('EP-34', () => {
  const line = (era: string, kernel: typeof E0, map = SMALL_MAP): unknown => {
    const { on } = entered(era, kernel, { initrd: null }, bench({ map }))
    return [on.notes.facts.cmdLinePtr, on.notes.facts.commandLine]
  }
  test('EP-34 the command line gets the highest free page below 4 GiB up to 5.6, pages in 5.7, pool memory from then on', () => {
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
    for (const era of ['linux/E2f', 'linux/E2c', 'linux/E2'])
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

describe('EP-35', () => {
  const map = [
    free(0x1600000, 0x3c00000),
    free(0x8000000, 0x3a00000),
    ...SMALL_MAP.slice(3, 4),
    ...SMALL_MAP.slice(5),
  ]
  test('EP-35 a seed chooses its share of the slots', () => {
    const at = (kaslr: `seed:${number}`): unknown =>
      handed('linux/E5', E5, { commandLine: 'quiet', initrd: null }, bench({ kaslr, map })).on.notes.facts
        .decompressedKernel
    expect((['seed:0', 'seed:1073741824', 'seed:2147483648', 'seed:4294967295'] as const).map(at)).toEqual([
      0x1600000, 0x1800000, 0x1a00000, 0x8200000,
    ])
  })

  test('EP-35 all slots are proven free', () => {
    const { on } = handed(
      'linux/E5',
      E5,
      { commandLine: 'quiet', initrd: null },
      bench({ kaslr: 'all', map }),
    )
    expect(on.notes.assumptions).toContainEqual({
      clause: 'EP-35',
      what: 'none of 5 slots in 2 runs contains anything that is needed later',
    })
    expect(on.notes.facts.decompressedKernel).toBeUndefined()
  })

  test('EP-35 something allocated inside a slot, against the map, would be named', () => {
    const on = bench({ kaslr: 'all', map })
    on.memory.claim(rangeAt(0x8100000, 0x1000), 'x-driver')
    on.memory.make(rangeAt(0x8100000, 0x1000), 'x-driver')
    handed('linux/E5', E5, { commandLine: 'quiet', initrd: null }, on)
    expect(on.notes.doubts).toEqual([
      { clause: 'EP-35', why: 'the slot at 0x8000000 would put the kernel over x-driver at 0x8100000' },
    ])
  })
})

test('EP-36 the EFI stub passes on what its decompressor says and gives up with EFI_LOAD_ERROR', () => {
  const broken = flipped(smallKernel('debian-6.12.107-cloud'), 8)
  const message =
    'Decompression failed: Decoding failed\nFailed to decompress kernel\nefi_stub_entry() failed!'
  for (const era of ['linux/E4', 'linux/E5']) {
    expect(refusalOf(deep(era, broken))).toMatchObject({
      by: 'efi-stub',
      status: 'EFI_LOAD_ERROR',
      clause: 'EP-36',
      message,
    })
    const on = bench()
    expect(
      refusalOf({ outcome: start(on, era, peEntry(on, { kernel: broken, image: F }), readPayload) }),
    ).toMatchObject({ clause: 'EP-36', message })
  }
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

test('EP-39 memory that may be unplugged has no slots, and where there is some that is said', () => {
  const map = SMALL_MAP.map(entry =>
    entry.range.start === 0x1500000 ? { ...entry, attribute: 0x10000fn } : entry,
  )
  const { on, outcome } = handed('linux/E5', E5, { initrd: null }, bench({ map }))
  expect(outcome).toMatchObject({ kind: 'refused', refusal: { clause: 'EP-21' } })
  expect(on.notes.assumptions.map(assumption => assumption.clause)).toContain('EP-39')
  expect(clausesOf(handed('linux/E5', E5).on)).not.toContain('EP-39')
})

test('EP-40 a firmware that refuses the attributes ends the boot', () => {
  const run = (era: string, kernel: typeof E2, memoryAttributes: 'set' | 'refused'): Outcome => {
    const on = bench()
    return start(
      { ...on, machine: { ...on.machine, firmware: { ...on.machine.firmware, memoryAttributes } } },
      era,
      handover(on, { kernel, image: F }),
    )
  }
  expect(run('linux/E5', E5, 'refused')).toMatchObject({
    kind: 'refused',
    refusal: {
      clause: 'EP-40',
      message: 'Failed to set EFI_MEMORY_RO attribute\nFailed to decompress kernel\nefi_stub_entry() failed!',
    },
  })
  expect([run('linux/E5', E5, 'set').kind, run('linux/E2', E2, 'refused').kind]).toEqual([
    'arrived',
    'arrived',
  ])
})
