import { expect, test } from 'vitest'
import { imageOfListing } from '../../src/boot/listing.ts'
import { hex, range, rangeAt } from '../../src/bytes/range.ts'
import { phys } from '../../src/bytes/units.ts'
import { check } from '../../src/check.ts'
import { profileMap, profileNamed } from '../../src/firmware/profiles.ts'
import { KERNEL_FACTS } from '../../src/image/x86/kernel-facts.ts'
import { readListing } from '../../src/image/objdump.ts'
import { readObserved } from '../../src/image/observed.ts'
import { STUB_FACTS } from '../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../src/image/synthetic.ts'
import { GARBAGE } from '../../src/memory/extent.ts'
import { advise, judge } from '../../src/hazard/registry.ts'
import { eventsOf } from '../support/kernel-bench.ts'
import { deep, greedy, smallKernel } from '../support/packed-kernel.ts'
import { image, kernelFile, type SectionOf } from '../unit/hazard/images.ts'
import {
  bssClearedOverInitrd,
  INITRD,
  INITRD_SIZE,
  KERNEL,
  KERNEL_SIZE,
  loaded,
  machine,
  readInitrd,
  slice,
} from '../unit/hazard/recordings.ts'

const idsOf = (sections: readonly SectionOf[], options = {}) =>
  advise(image(sections, options)).map(({ rule, object }) => `${rule} ${String(object)}`)

test('HZ-1 an object that was moved before its old place was overwritten is no damage', () => {
  const story = loaded()
  const { memory, recorder } = story
  memory.claim(rangeAt(0x2000000, INITRD_SIZE), 'copy')
  recorder.as('stub', () => memory.copy(phys(0x2000000), rangeAt(INITRD, INITRD_SIZE)))
  recorder.as('efi-stub', () => memory.zero(rangeAt(INITRD, 0x1000), 'kernel', KERNEL_SIZE))
  readInitrd(story, 0x2000000)
  expect(judge(recorder)).toEqual([])
})

test('HZ-1 what was overwritten, or never written, and is read by nobody is no damage', () => {
  const { memory, recorder } = loaded()
  memory.zero(rangeAt(INITRD, 0x1000), 'kernel', KERNEL_SIZE)
  memory.claim(rangeAt(0x2000000, 0x1000), 'never used')
  expect(judge(recorder)).toEqual([])
})

test('HZ-2 an overwritten initrd is one finding with its offsets and what to do', () => {
  expect(judge(bssClearedOverInitrd().recorder)).toMatchObject([
    {
      rule: 'clobbered-object',
      class: 'damage',
      object: 'initrd',
      offsets: [{ from: 0, to: 0x3200 }],
      ranges: [rangeAt(INITRD, 0x3200)],
      fix: expect.stringContaining('.initrd must start at or beyond .linux + 0x43200') as unknown,
    },
  ])
})

test('HZ-2 pieces that one actor destroyed are joined, those of another are a finding of their own', () => {
  const story = loaded()
  const { memory, recorder } = story
  recorder.as('decompressor', () => {
    memory.make(rangeAt(INITRD, 0x1000), 'vo')
    memory.make(rangeAt(INITRD + 0x8000, 0x1000), 'page-tables')
  })
  recorder.as('stub', () => memory.patch(phys(INITRD + 0x10000), new Uint8Array(16), 'stub:.data'))
  readInitrd(story)
  expect(
    judge(recorder, undefined)
      .filter(({ rule }) => rule === 'clobbered-object')
      .map(({ offsets }) => offsets),
  ).toEqual([
    [
      { from: 0, to: 0x1000 },
      { from: 0x8000, to: 0x9000 },
    ],
    [{ from: 0x10000, to: 0x10010 }],
  ])
})

test('HZ-2 a copy of damaged bytes is damaged by whoever damaged the original', () => {
  const { memory, recorder } = loaded()
  recorder.as('stub', () => memory.patch(phys(KERNEL + 0x100), new Uint8Array(0x20), 'stub:.data'))
  memory.claim(rangeAt(0x2000000, KERNEL_SIZE), 'kernel')
  recorder.as('firmware', () => memory.copy(phys(0x2000000), rangeAt(KERNEL, KERNEL_SIZE)))
  recorder.as('efi-stub', () => memory.readAs(rangeAt(0x2000000, KERNEL_SIZE), 'kernel', { as: 'code' }))
  const [finding, ...rest] = judge(recorder)
  expect(rest).toEqual([])
  expect(finding).toMatchObject({
    object: 'kernel',
    offsets: [{ from: 0x100, to: 0x120 }],
    what: expect.stringContaining('was about to run') as unknown,
  })
  expect(finding?.legs.map(({ role, actor }) => [role, actor])).toEqual([
    ['placed', 'firmware'],
    ['overwritten', 'stub'],
    ['moved', 'firmware'],
    ['used', 'efi-stub'],
  ])
})

test('HZ-3 a .bss after the file that nobody cleared is an uninitialised read', () => {
  const { memory, recorder } = machine()
  memory.put(phys(KERNEL), slice(KERNEL_SIZE), 'kernel')
  recorder.as('efi-stub', () =>
    memory.readAs(rangeAt(KERNEL + KERNEL_SIZE, 0x1000), 'kernel', { at: KERNEL_SIZE }),
  )
  expect(judge(recorder)).toMatchObject([
    {
      rule: 'uninitialised-read',
      object: 'kernel',
      offsets: [{ from: KERNEL_SIZE, to: KERNEL_SIZE + 0x1000 }],
      fix: expect.stringContaining('.linux + 0x40000') as unknown,
    },
  ])
})

test('HZ-4 a read of memory that no allocation covers, or of no RAM, is a wild read', () => {
  const story = loaded()
  readInitrd(story, 0x3000000)
  readInitrd(story, 0x5000000)
  expect(judge(story.recorder).map(({ rule, object, ranges }) => ({ rule, object, ranges }))).toEqual([
    {
      rule: 'wild-read',
      object: 'initrd',
      ranges: [rangeAt(0x3000000, INITRD_SIZE), rangeAt(0x5000000, INITRD_SIZE)],
    },
  ])
})

test('HZ-5 a reader that takes less than all of an object is told how much it left out', () => {
  const story = loaded()
  readInitrd(story, INITRD, INITRD_SIZE - 0x10)
  readInitrd(story, INITRD, INITRD_SIZE - 0x20)
  expect(judge(story.recorder)).toMatchObject([
    { rule: 'truncated-object', object: 'initrd', offsets: [{ from: INITRD_SIZE - 0x20, to: INITRD_SIZE }] },
  ])
})

for (const [clause, id, broken] of [
  ['HZ-6', 'init-window-occupied', 'HO-4'],
  ['HZ-6', 'init-window-occupied', 'HO-17'],
  ['HZ-7', 'bss-not-cleared', 'HO-5'],
  ['HZ-7', 'bss-not-cleared', 'HO-6'],
  ['HZ-8', 'address-truncated', 'HO-7'],
  ['HZ-8', 'address-truncated', 'HO-8'],
  ['HZ-16', 'setup-header-wrong', 'HO-1'],
  ['HZ-16', 'setup-header-wrong', 'HO-2'],
  ['HZ-16', 'setup-header-wrong', 'HO-3'],
  ['HZ-16', 'setup-header-wrong', 'HO-9'],
] as const) {
  test(`${clause} a broken ${broken} is reported by ${id}: it is a breach, a kept one is nothing, and twice the same is once`, () => {
    const { memory, recorder } = loaded()
    const window = range(KERNEL, KERNEL + 0x100000)
    const found = memory.occupants(window, object => object === 'kernel')
    const contract = {
      op: 'contract',
      clause: broken,
      what: 'the window is free',
      range: window,
      found,
    } as const
    recorder.append({ ...contract, kept: true })
    expect(judge(recorder)).toEqual([])
    recorder.append({ ...contract, kept: false })
    recorder.append({ ...contract, kept: false })
    expect(judge(recorder)).toMatchObject([
      {
        rule: id,
        class: 'breach',
        clause,
        object:
          ({ 'bss-not-cleared': 'kernel', 'setup-header-wrong': 'boot_params' } as Record<string, string>)[
            id
          ] ?? 'initrd',
        ranges: [rangeAt(INITRD, INITRD_SIZE)],
      },
    ])
  })
}

test('HZ-9 a write that leaves its allocation is a breach, except for the firmware itself', () => {
  const { memory, recorder } = loaded()
  memory.zero(range(0x11ff000, 0x1201000), null)
  expect(judge(recorder)).toEqual([])
  recorder.as('efi-stub', () => memory.zero(range(0x11ff000, 0x1201000), 'kernel', 0x1ff000))
  expect(judge(recorder)).toMatchObject([
    { rule: 'write-outside-allocation', ranges: [range(0x1200000, 0x1201000)] },
  ])
})

test('HZ-9 memory of the firmware is taboo; boot-services memory only while boot services run', () => {
  const { memory, recorder } = machine()
  memory.claim(range(0x3000000, 0x3002000), 'firmware')
  memory.make(rangeAt(0x3000000, 0x1000), 'firmware:boot')
  memory.make(rangeAt(0x3001000, 0x1000), 'firmware:runtime')
  recorder.as('decompressor', () => memory.make(rangeAt(0x3000000, 0x1000), 'vo'))
  recorder.as('decompressor', () => memory.make(rangeAt(0x3800000, 0x1000), 'vo', 0x1000))
  expect(judge(recorder)).toEqual([])
  recorder.as('decompressor', () => memory.make(rangeAt(0x3001000, 0x1000), 'vo'))
  expect(judge(recorder)).toMatchObject([
    { rule: 'write-outside-allocation', object: 'firmware:runtime', ranges: [rangeAt(0x3001000, 0x1000)] },
  ])
})

test('HZ-9 what is no RAM is open to nobody', () => {
  const { memory, recorder } = machine()
  memory.ram(rangeAt(0x8000000, 0x1000), GARBAGE)
  recorder.as('kernel', () => memory.make(range(0x3fff000, 0x4001000), 'vo'))
  expect(judge(recorder)).toMatchObject([
    { rule: 'write-outside-allocation', ranges: [range(0x4000000, 0x4001000)] },
  ])
})

test('HZ-10 the section that is earlier in the table loses, also to zero fill', () => {
  const findings = advise(
    image([
      { name: '.initrd', at: 0x3000, raw: 0x1000 },
      { name: '.linux', at: 0x1000, raw: 0x800, size: 0x2400 },
    ]),
  ).filter(({ rule }) => rule === 'sections-overlap')
  expect(findings).toMatchObject([
    {
      object: 'initrd',
      offsets: [{ from: 0, to: 0x400 }],
      what: expect.stringContaining('the zero fill of .linux') as unknown,
      fix: expect.stringContaining('.initrd start at or beyond 0x3400') as unknown,
    },
  ])
})

test('HZ-10 neighbours that touch do not overlap', () => {
  expect(
    idsOf([
      { name: '.osrel', at: 0x1000, raw: 0x1000 },
      { name: '.initrd', at: 0x2000, raw: 0x1000 },
    ]),
  ).toEqual([])
})

test('HZ-11 less room than the kernel takes after .linux is advice, enough room is not', () => {
  const linux = { name: '.linux', at: 0x100000, raw: kernelFile(0x4a00, 0x800000) }
  expect(idsOf([linux, { name: '.initrd', at: 0x8ff000, raw: 0x1000 }])).toEqual([
    'no-room-for-init-size kernel',
  ])
  expect(idsOf([linux, { name: '.initrd', at: 0x900000, raw: 0x1000 }])).toEqual([])
  expect(idsOf([{ name: '.initrd', at: 0x10000, raw: 0x1000 }, linux], { sizeOfImage: 0x105000 })).toEqual([
    'no-room-for-init-size kernel',
  ])
  expect(idsOf([linux], { sizeOfImage: 0x100000 })).toEqual(['section-beyond-image-size kernel'])
  const late = { name: '.linux', at: 0x100000, raw: kernelFile(0x4a00, 0x800000, 0x90000) }
  expect(idsOf([late, { name: '.initrd', at: 0x190000, raw: 0x1000 }])).toEqual([])
  expect(idsOf([late, { name: '.initrd', at: 0x18f000, raw: 0x1000 }])).toEqual([
    'no-room-for-init-size kernel',
  ])
  expect(
    idsOf([
      { name: '.linux', at: 0x100000, raw: 0x100 },
      { name: '.initrd', at: 0x101000, raw: 0x1000 },
    ]),
  ).toEqual([])
})

test('HZ-12 a section that ends past SizeOfImage is advice', () => {
  expect(idsOf([{ name: '.initrd', at: 0x1000, raw: 0x1001 }], { sizeOfImage: 0x2000 })).toEqual([
    'section-beyond-image-size initrd',
  ])
  expect(idsOf([{ name: '.initrd', at: 0x1000, raw: 0x1000 }], { sizeOfImage: 0x2000 })).toEqual([])
})

test('HZ-13 a table that is not in the order of addresses is advice', () => {
  expect(
    idsOf([
      { name: '.initrd', at: 0x3000, raw: 0x1000 },
      { name: '.cmdline', at: 0x1000, raw: 0x1000 },
    ]),
  ).toEqual(['table-order-not-by-address cmdline'])
})

test('HZ-14 a payload name that occurs twice is advice, unless profiles separate them or it may repeat', () => {
  const cmdline = (at: number): SectionOf => ({ name: '.cmdline', at, raw: 0x10 })
  expect(idsOf([cmdline(0x1000), cmdline(0x2000)])).toEqual(['duplicate-section cmdline#2'])
  expect(idsOf([cmdline(0x1000), { name: '.profile', at: 0x2000, raw: 0x10 }, cmdline(0x3000)])).toEqual([])
  expect(idsOf([0x1000, 0x2000].map(at => ({ name: '.dtbauto', at, raw: 0x10 })))).toEqual([])
})

test('HZ-15 a payload section off its page, or off SectionAlignment, is advice; a section of the stub is not', () => {
  expect(
    idsOf([
      { name: '.data', at: 0x1010, raw: 0x10 },
      { name: '.cmdline', at: 0x2010, raw: 0x10 },
    ]),
  ).toEqual(['section-unaligned cmdline'])
  expect(idsOf([{ name: '.cmdline', at: 0x3000, raw: 0x10 }], { alignment: 0x2000 })).toEqual([
    'section-unaligned cmdline',
  ])
})

test('HZ-17 output that overtakes its input is the breach extract-margin-too-small, at the bytes that were lost', () => {
  const { on } = deep('linux/E2', greedy('debian-5.10.223-cloud'))
  const breaches = judge(on.recorder).filter(finding => finding.rule === 'extract-margin-too-small')
  const [contract] = eventsOf(on, 'ZO-28', 'contract')
  expect(breaches).toMatchObject([
    { class: 'breach', clause: 'HZ-17', object: 'kernel', ranges: [contract?.range] },
  ])
  expect(contract?.range).toEqual(
    rangeAt(contract?.range?.start ?? 0, -(on.notes.facts.payload?.margin ?? 0)),
  )
  expect(judge(deep('linux/E2', smallKernel('debian-5.10.223-cloud')).on.recorder)).toEqual([])
})

const wholeBoot = () => {
  const kernel = KERNEL_FACTS['debian-5.10.223-cloud'] ?? expect.fail('no such kernel')
  const sections = [
    { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'console=ttyS0 nokaslr' } },
    { name: '.linux', VirtualAddress: 0x2000000, content: buildKernel(kernel) },
    { name: '.initrd', VirtualAddress: 0x6000000, content: { initrd: 0x10000 } },
  ]
  return {
    kernel,
    image: { name: 'uki.efi', source: buildUki({ stub: STUB_FACTS['247.3'], sections }) },
    machine: { what: 'a profile', map: profileMap(profileNamed('ovmf-2022.11-q35'), 512 * 2 ** 20) },
  }
}

test('HZ-18 compares every observed place with the prediction; one that differs makes a clean run unknown', () => {
  const { kernel, ...boot } = wholeBoot()
  const { facts, verdict } = check(boot).report
  expect(verdict).toBe('clean')
  const { ramdiskImage = 0, ramdiskSize = 0, decompressedKernel = 0 } = facts
  const moved = decompressedKernel + kernel.hdr.init_size - kernel.geometry._end
  const log = (output: number) =>
    [
      `input_data: 0x${(moved + kernel.hdr.payload_offset).toString(16).padStart(16, '0')}`,
      `input_len: ${hex(kernel.hdr.payload_length)}`,
      `output: ${hex(output)}`,
      `output_len: ${hex(kernel.output_len)}`,
      `kernel_total_size: ${hex(kernel.hdr.init_size - 0x1000)}`,
      `needed_size: ${hex(kernel.hdr.init_size)}`,
      'trampoline_32bit: 0x000000000009d000',
      `[    0.000000] Linux version ${kernel.version}`,
      '[    0.000000] Command line: console=ttyS0 nokaslr',
      `[    0.000000] RAMDISK: [mem ${hex(ramdiskImage)}-${hex(ramdiskImage + ramdiskSize - 1)}]`,
      `  ${output.toString(16).padStart(8, '0')}-0fffffff : Kernel code`,
    ].join('\n')
  const right = check({ ...boot, observed: readObserved(log(decompressedKernel)).facts }).report
  expect(right.observed?.map(({ name, agrees }) => [name, agrees])).toEqual([
    ['input_data', true],
    ['input_len', true],
    ['output', true],
    ['output_len', true],
    ['kernel_total_size', true],
    ['needed_size', true],
    ['trampoline_32bit', true],
    ['release', true],
    ['commandLine', true],
    ['ramdiskStart', true],
    ['ramdiskEnd', true],
    ['kernelCode', true],
  ])
  expect(right).toMatchObject({ verdict: 'clean', gaps: [] })
  const wrong = check({ ...boot, observed: readObserved(log(decompressedKernel + 0x200000)).facts }).report
  expect(
    wrong.observed?.filter(({ agrees }) => agrees === false).map(({ name, line }) => [name, line]),
  ).toEqual([
    ['output', 3],
    ['kernelCode', 11],
  ])
  expect(wrong).toMatchObject({
    verdict: 'unknown',
    gaps: [{ clause: 'HZ-18', why: expect.stringContaining('output, kernelCode') as unknown }],
  })
})

test('HZ-19 puts sections where a listing says, and is never clean on one', () => {
  const { machine } = wholeBoot()
  const kernel = KERNEL_FACTS['debian-5.10.223-cloud'] ?? expect.fail('no such kernel')
  const line = (i: number, name: string, size: number, vma: number, at: number): string =>
    `${String(i).padStart(3)} ${name.padEnd(13)} ${size.toString(16).padStart(8, '0')}  ${vma.toString(16).padStart(16, '0')}  ${vma.toString(16).padStart(16, '0')}  ${at.toString(16).padStart(8, '0')}  2**4`
  const flags = '                  CONTENTS, ALLOC, LOAD, READONLY, DATA'
  const rows = [
    line(0, '.text', 0x7aa0, 0x4000, 0x400),
    '                  CONTENTS, ALLOC, LOAD, READONLY, CODE',
    line(1, '.cmdline', 0x20, 0x30000, 0xbc00),
    flags,
    line(2, '.linux', kernel.fileSize, 0x2000000, 0xbe00),
    flags,
    line(3, '.initrd', 0x10000, 0x6000000, 0x1000000),
    flags,
  ]
  const { listing } = readListing(
    `\nuki.efi:     file format pei-x86-64\n\nSections:\nIdx Name          Size      VMA               LMA               File off  Algn\n${rows.join('\n')}\n`,
  )
  const { report } = check({
    image: { name: 'listing', ...imageOfListing(listing ?? expect.fail('no listing')) },
    machine,
    stub: '247.3',
  })
  expect(report).toMatchObject({
    verdict: 'unknown',
    outcome: { kind: 'arrived' },
    gaps: expect.arrayContaining([expect.objectContaining({ clause: 'HZ-19' })]) as unknown,
  })
  const base = report.facts.imageBase ?? 0
  expect(report.facts.sections?.map(({ name, address, size }) => [name, address - base, size])).toEqual([
    ['.text', 0x4000, 0x7aa0],
    ['.cmdline', 0x30000, 0x20],
    ['.linux', 0x2000000, kernel.fileSize],
    ['.initrd', 0x6000000, 0x10000],
  ])
  expect(report.assumptions.filter(({ clause }) => clause === 'HZ-19').length).toBeGreaterThan(4)
})

test('HZ-20 addresses that wrapped below ImageBase are one advice, and no section of theirs is beyond the image besides', () => {
  const high = { sizeOfImage: 0x29000, imageBase: 0x14df90000n }
  const osrel = { name: '.osrel', at: 0xb2090000, raw: 0x2c }
  expect(idsOf([osrel, { name: '.linux', at: 0xb4070000, raw: 0x1000 }], high)).toEqual([
    'rva-wrapped uki:.osrel',
  ])
  expect(idsOf([{ ...osrel, at: 0x20000 }], high)).toEqual([])
  expect(idsOf([{ ...osrel, at: 0x29000 }], high)).toEqual(['section-beyond-image-size uki:.osrel'])
  expect(idsOf([{ ...osrel, at: 0xc2070000 }], high)).toEqual(['section-beyond-image-size uki:.osrel'])
  expect(idsOf([osrel], { ...high, imageBase: 0n })).toEqual(['section-beyond-image-size uki:.osrel'])
})

test('HZ-20 the address that was meant is the one plus ImageBase', () => {
  const [finding] = advise(
    image([{ name: '.linux', at: 0xb4070000, raw: 0x1000 }], {
      sizeOfImage: 0x29000,
      imageBase: 0x14df90000n,
    }),
  )
  expect(finding?.what).toContain('.linux at 0xb4070000 was given as 0x2000000')
  expect(finding?.fix).toContain('.linux=0x14ff90000')
})

test('HZ-21 a SizeOfImage that is the end of the last section speaks once, for the section that reaches highest', () => {
  const linux = { name: '.linux', at: 0x100000, raw: 0x300000 }
  const initrd = { name: '.initrd', at: 0x200000, raw: 0x1000 }
  const rules = (options: object, ...sections: readonly SectionOf[]) =>
    idsOf(sections, options).filter(id => !id.startsWith('sections-overlap'))
  expect(
    rules({ sizeOfImage: 0x201000 }, linux, { name: '.osrel', at: 0x180000, raw: 0x90000 }, initrd),
  ).toEqual(['size-of-image-from-last-section kernel'])
  expect(rules({ sizeOfImage: 0x400000 }, linux, initrd)).toEqual([])
  expect(rules({ sizeOfImage: 0x202000 }, linux, initrd)).toEqual(['section-beyond-image-size kernel'])
  expect(
    rules(
      { sizeOfImage: 0x201000 },
      initrd,
      { ...linux, at: 0x300000 },
      { name: '.cmdline', at: 0x1000, raw: 0x10 },
    ),
  ).toEqual(['section-beyond-image-size kernel', 'table-order-not-by-address cmdline'])
})

test('HZ-21 a stub whose SizeOfImage objcopy left alone has wrapped addresses, and nothing else is said', () => {
  const wrapped = [
    { name: '.linux', at: 0xb4070000, raw: 0x1000 },
    { name: '.text', at: 0x5000, raw: 0x24000 },
  ]
  expect(idsOf(wrapped, { sizeOfImage: 0x29000, imageBase: 0x14df90000n })).toEqual([
    'rva-wrapped kernel',
    'table-order-not-by-address stub:.text',
  ])
})

test('HZ-22 a stub that reaches a fixed address with a payload is one advice for the file', () => {
  const stub = { name: '.rodata', at: 0x1e000, raw: 0x7000 }
  const rules = (...sections: readonly SectionOf[]) =>
    idsOf(sections).filter(id => !id.startsWith('sections-overlap'))
  expect(rules(stub, { name: '.osrel', at: 0x20000, raw: 0x2c })).toEqual([
    'stub-grown-over-payload stub:.rodata',
  ])
  expect(
    rules(
      { ...stub, raw: 0x13000 },
      { name: '.osrel', at: 0x20000, raw: 0x2c },
      { name: '.cmdline', at: 0x30000, raw: 0x2c },
    ),
  ).toEqual(['stub-grown-over-payload stub:.rodata'])
  expect(rules({ ...stub, raw: 0x2000 }, { name: '.osrel', at: 0x20000, raw: 0x2c })).toEqual([])
  expect(rules(stub, { name: '.osrel', at: 0x21000, raw: 0x2c })).toEqual([])
  expect(
    rules({ name: '.osrel', at: 0x20000, raw: 0x11000 }, { name: '.cmdline', at: 0x30000, raw: 0x2c }),
  ).toEqual([])
})

test('HZ-23 an .sbat that reaches the next section of the stub is advice', () => {
  const rules = (size: number, ...after: readonly SectionOf[]) =>
    idsOf([{ name: '.sbat', at: 0x19000, raw: 0x200, size }, ...after], { alignment: 0x200 }).filter(
      id => !id.startsWith('sections-overlap'),
    )
  const sdmagic = { name: '.sdmagic', at: 0x19100, raw: 0x34 }
  expect(rules(0x134, sdmagic)).toEqual(['sbat-merged-over-sdmagic uki:.sbat'])
  expect(rules(0x100, sdmagic)).toEqual([])
  expect(rules(0x134, { ...sdmagic, at: 0x1a000 })).toEqual([])
  expect(rules(0x134)).toEqual([])
})

test('HZ-24 a payload whose VirtualSize is not its length is advice, in either direction', () => {
  const rules = (raw: number, size: number, name = '.cmdline') => idsOf([{ name, at: 0x1000, raw, size }])
  expect(rules(0x200, 0x201)).toEqual(['payload-virtual-size-mismatch cmdline'])
  expect(rules(0x400, 0x200)).toEqual(['payload-virtual-size-mismatch cmdline'])
  expect(rules(0x400, 0x201)).toEqual([])
  expect(rules(0x200, 0x200)).toEqual([])
  expect(rules(0x200, 0)).toEqual([])
  expect(rules(0, 0x200)).toEqual([])
  expect(rules(0x200, 0x400, '.bss')).toEqual([])
})
