/**
 * The known hazards of systemd-stub, end to end: each on the releases that have it, and silent on the release
 * before and after.
 */
import { describe, expect, test } from 'vitest'
import { phys } from '../../src/bytes/units.ts'
import type { ByteSource } from '../../src/bytes/source.ts'
import { check, type CheckInput } from '../../src/check.ts'
import type { KernelFacts } from '../../src/image/x86/kernel-facts.ts'
import { STUB_FACTS, type StubName } from '../../src/image/stub-facts.ts'
import { buildKernel, buildUki, type AddedSection } from '../../src/image/synthetic.ts'
import type { Report } from '../../src/report/model.ts'
import { kernel, memoryMap } from '../../src/vitest/builders.ts'
import { GIB } from '../support/bytes.ts'

const CMDLINE = 'console=ttyS0 nokaslr'
const LINUX_AT = 0x2000000
const INITRD_AT = 0x3000000

const k510 = kernel('5.10.223-cloud')
const k61 = kernel('6.1.170-cloud')
const k612 = kernel('6.12.107-cloud')
const k57 = kernel('5.7-rc1')
/**
 * The same kernel without initrd support in its PE header: it goes through the handover protocol from 252 on.
 */
const old = (facts: KernelFacts): KernelFacts => ({
  ...facts,
  pe: { ...facts.pe, optional: { ...facts.pe.optional, MajorImageVersion: 0 } },
})

interface Layout {
  readonly kernel?: KernelFacts | ByteSource
  readonly linux?: Partial<AddedSection>
  readonly initrd?: Partial<AddedSection> | null
  readonly osrel?: number | null
  readonly more?: readonly AddedSection[]
  readonly optional?: Parameters<typeof buildUki>[0]['optional']
  /** The measured stub whose file is used. Default: the nearest to the version. */
  readonly file?: StubName
}

const nearest = (version: string): StubName => {
  const major = Number(version.split('.')[0])
  if (major < 250) return '247.3'
  if (major < 254) return '252.39'
  if (major < 257) return '254.26'
  return major < 258 ? '257.13' : '262.1'
}

const ROOM = memoryMap(['EfiConventionalMemory', 0, '640K'], ['EfiConventionalMemory', '1M', '1023M'])
const HIGH = memoryMap(
  ['EfiConventionalMemory', 0, '640K'],
  ['EfiConventionalMemory', '1M', '1023M'],
  ['EfiConventionalMemory', 4 * GIB, 8 * GIB],
)

/** Boots an image as the stub of this release does. */
function boot(version: string, layout: Layout = {}, more: Partial<CheckInput> = {}): Report {
  const { kernel: which = k612, linux = {}, initrd = {}, osrel = 0x40000, optional } = layout
  const content = 'read' in which ? which : buildKernel(which)
  const sections: AddedSection[] = [
    ...(osrel === null ? [] : [{ name: '.osrel', VirtualAddress: osrel, content: { text: 'ID=x\n' } }]),
    { name: '.cmdline', VirtualAddress: 0x50000, content: { text: CMDLINE } },
    { name: '.linux', VirtualAddress: LINUX_AT, content, ...linux },
    ...(initrd === null
      ? []
      : [{ name: '.initrd', VirtualAddress: INITRD_AT, content: { initrd: 0x800000 }, ...initrd }]),
    ...(layout.more ?? []),
  ]
  const source = buildUki({
    stub: STUB_FACTS[layout.file ?? nearest(version)],
    sections,
    ...(optional === undefined ? {} : { optional }),
  })
  return check({
    image: { name: 'uki.efi', source },
    machine: { what: 'a test', map: ROOM },
    stub: version,
    ...more,
  }).report
}

const at = (imageBase: number, map = HIGH): Partial<CheckInput> => ({
  machine: { what: 'a test', map, imageBase: phys(imageBase) },
})
const rules = (report: Report): string[] => [...new Set(report.findings.map(({ rule }) => rule))]
const advice = (report: Report): string[] => report.advice.map(({ rule }) => rule)
const gaps = (report: Report): string[] => report.gaps.map(({ clause }) => clause)
const assumed = (report: Report): string[] => report.assumptions.map(({ clause }) => clause)
const message = (report: Report): string | null =>
  report.outcome.kind === 'refused' ? report.outcome.refusal.message : null
/** What `ask` says for each release. */
const over = <T>(versions: readonly string[], ask: (version: string) => T): Record<string, T> =>
  Object.fromEntries(versions.map(version => [version, ask(version)]))
const all = <T>(versions: readonly string[], value: T): Record<string, T> => over(versions, () => value)
/** True on these releases, false on those. */
const onlyOn = (on: readonly string[], off: readonly string[]): Record<string, boolean> => ({
  ...all(on, true),
  ...all(off, false),
})

const file512 = (facts: KernelFacts): number => Math.ceil(facts.fileSize / 0x1000) * 0x1000
/** The initrd in the page after the kernel file. */
const packed = (facts: KernelFacts): Layout => ({
  kernel: facts,
  initrd: { VirtualAddress: LINUX_AT + file512(facts) },
})

describe('layouts', () => {
  test('H1 sections that overlap: the later one wins on every release; 252 and 253 warn', () => {
    const layout: Layout = { more: [{ name: '.uname', VirtualAddress: 0x50004, content: { text: '6.12' } }] }
    const versions = ['249', '251', '252', '253', '254', '257.13', '262.1']
    expect(over(versions, version => advice(boot(version, layout)).includes('sections-overlap'))).toEqual(
      all(versions, true),
    )
    expect(over(versions, version => advice(boot(version)).includes('sections-overlap'))).toEqual(
      all(versions, false),
    )
    expect(over(versions, version => rules(boot(version, layout)).includes('clobbered-object'))).toEqual(
      all(versions, true),
    )
    expect(over(versions, version => assumed(boot(version, layout)).includes('ST-71'))).toEqual(
      onlyOn(['252', '253'], ['249', '251', '254', '257.13', '262.1']),
    )
  })

  test('H2 a stub that grew into .osrel at 0x20000', () => {
    const hard: Layout = { osrel: 0x20000 }
    expect(
      over(['247.3', '252.39', '254.26', '257.13', '262.1'], version =>
        gaps(boot(version, hard)).includes('ST-2'),
      ),
    ).toEqual(onlyOn(['262.1'], ['247.3', '252.39', '254.26', '257.13']))
  })

  test('H3 a kernel of more than 16 MiB runs into .initrd', () => {
    const large = kernel('6.12.107-cloud', { size: '17M' })
    for (const version of ['247.3', '252.39', '257.13', '262.1']) {
      expect(boot(version, { kernel: large }).verdict, version).toBe('damage')
      expect(advice(boot(version, { kernel: large })), version).toContain('sections-overlap')
      expect(
        advice(boot(version, { kernel: kernel('6.12.107-cloud', { size: '15M' }) })),
        version,
      ).not.toContain('sections-overlap')
    }
  })

  test('H4 SizeOfImage of the last section only: the firmware refuses', () => {
    const layout: Layout = {
      initrd: { VirtualAddress: 0x60000, content: { initrd: 0x1000 } },
      optional: { SizeOfImage: 0x61000 },
    }
    for (const version of ['247.3', '262.1']) {
      expect(boot(version, layout).outcome, version).toMatchObject({
        kind: 'refused',
        refusal: { by: 'firmware', status: 'EFI_LOAD_ERROR' },
      })
      expect(boot(version).outcome.kind, version).toBe('arrived')
    }
  })

  test('H5 absolute addresses on a stub with an ImageBase wrap, and the firmware refuses', () => {
    const layout: Layout = {
      linux: { VirtualAddress: 0xb4070000 },
      initrd: { VirtualAddress: 0xb5070000 },
      optional: { SizeOfImage: 0x29000 },
    }
    expect(boot('262.1', layout).outcome).toMatchObject({ kind: 'refused', refusal: { by: 'firmware' } })
    expect(boot('257.13', { ...layout, optional: { SizeOfImage: 0x1b000 } }).outcome).toMatchObject({
      kind: 'refused',
      refusal: { by: 'firmware' },
    })
  })

  test('H15 an unaligned .linux is advised against, and started where it lies', () => {
    const layout: Layout = { kernel: k510, linux: { VirtualAddress: LINUX_AT + 0x200 } }
    expect(
      over(['249', '251', '252.39'], version => advice(boot(version, layout)).includes('section-unaligned')),
    ).toEqual(all(['249', '251', '252.39'], true))
    expect(
      over(
        ['249', '251', '252.39'],
        version => Number(boot(version, layout).facts.handOff?.kernelImage) % 0x1000,
      ),
    ).toEqual({ 249: 0x200, 251: 0x200, 252.39: 0 })
    expect(advice(boot('252.39', { kernel: k510 }))).not.toContain('section-unaligned')
  })

  test('H25 a longer .sbat on a stub with sections at 512 bytes overlaps .sdmagic', () => {
    const facts = STUB_FACTS['252.39']
    const grown = {
      ...facts,
      sections: facts.sections.map(section =>
        section[0] === '.sbat'
          ? ([section[0], section[1], 0x134, section[3], section[4], section[5]] as const)
          : section,
      ),
    }
    const image = (stub: typeof facts | typeof grown) => ({
      name: 'uki.efi',
      source: buildUki({
        stub,
        sections: [{ name: '.linux', VirtualAddress: LINUX_AT, content: buildKernel(k61) }],
      }),
    })
    const report = (stub: typeof facts | typeof grown) =>
      check({ image: image(stub), machine: { what: 'a test', map: ROOM } }).report
    expect([
      advice(report(grown)).includes('sections-overlap'),
      assumed(report(grown)).includes('ST-71'),
    ]).toEqual([true, true])
    expect([
      advice(report(facts)).includes('sections-overlap'),
      assumed(report(facts)).includes('ST-71'),
    ]).toEqual([false, false])
  })
})

describe('a kernel in place', () => {
  test('H6 a kernel that decompresses in place needs init_size after it', () => {
    const layout = packed(k57)
    expect(
      over(['229', '241', '249', '251', '252'], version => boot(version, layout).verdict === 'damage'),
    ).toEqual(onlyOn(['229', '241', '249', '251'], ['252']))
    const aged = { ...packed(old(k57)), osrel: null }
    expect(
      over(['254.16', '254.17', '257.13', '258', '262.1'], version =>
        rules(boot(version, aged)).includes('clobbered-object'),
      ),
    ).toEqual(onlyOn(['254.16', '258', '262.1'], ['254.17', '257.13']))
  })

  test('H7 a kernel that does not clear its .bss finds what lies after .linux', () => {
    const layout: Layout = { kernel: k57 }
    const dirty: Partial<CheckInput> = { machine: { what: 'a test', map: ROOM, contents: 'poison' } }
    const seen = (report: Report): boolean =>
      rules(report).some(rule => rule === 'uninitialised-read' || rule === 'bss-not-cleared')
    expect(over(['229', '249', '251', '252', '253'], version => seen(boot(version, layout, dirty)))).toEqual(
      onlyOn(['229', '249', '251'], ['252', '253']),
    )
    const aged: Layout = { kernel: old(k57) }
    expect(
      over(
        ['253', '254.16', '254.17', '255.10', '255.11', '256.4', '256.5', '257.13', '258', '262.1'],
        version => seen(boot(version, aged, dirty)),
      ),
    ).toEqual(
      onlyOn(['253', '254.16', '255.10', '256.4', '258', '262.1'], ['254.17', '255.11', '256.5', '257.13']),
    )
  })

  test('H8 a kernel that clears its .bss clears the neighbour', () => {
    for (const facts of [k61, k612])
      expect(
        over(
          ['242', '249', '251', '252', '257.13', '262.1'],
          version => boot(version, packed(facts)).verdict === 'damage',
        ),
      ).toEqual(onlyOn(['242', '249', '251'], ['252', '257.13', '262.1']))
    const aged = { ...packed(old(k612)), osrel: null }
    expect(
      over(
        ['253', '254.16', '254.17', '257.13', '258', '259.2', '262.1'],
        version => boot(version, aged).verdict === 'damage',
      ),
    ).toEqual(onlyOn(['253', '254.16', '258', '259.2', '262.1'], ['254.17', '257.13']))
    // with .osrel the stub hands over a joined copy, which lies elsewhere
    expect(boot('262.1', packed(old(k612))).verdict).not.toBe('damage')
  })

  test('H9 the copy below 4 GiB has no room for .bss', () => {
    const layout: Layout = { kernel: old(k612) }
    const short = (version: string): boolean =>
      rules(boot(version, layout, at(5 * GIB))).some(
        rule => rule === 'write-outside-allocation' || rule === 'bss-not-cleared',
      )
    expect(
      over(
        ['253', '254.16', '254.17', '255.10', '255.11', '256.4', '256.5', '257.13', '258', '262.1'],
        short,
      ),
    ).toMatchObject(
      onlyOn(['254.16', '255.10', '256.4', '258', '262.1'], ['254.17', '255.11', '256.5', '257.13']),
    )
  })

  test('H10 the jump is cut to 32 bits up to 251', () => {
    expect(
      over(
        ['229', '241', '249', '251', '252', '257.13'],
        version => boot(version, { kernel: k510 }, at(5 * GIB)).outcome.kind === 'undefined',
      ),
    ).toEqual(onlyOn(['229', '241', '249', '251'], ['252', '257.13']))
  })

  test('H14 a kernel without a handover entry is entered all the same up to 251: not modelled', () => {
    const without: KernelFacts = {
      ...k612,
      hdr: { ...k612.hdr, xloadflags: k612.hdr.xloadflags & ~8, handover_offset: 0 },
    }
    expect(
      over(['229', '249', '251', '252', '262.1'], version =>
        gaps(boot(version, { kernel: without })).includes('ST-31'),
      ),
    ).toEqual(onlyOn(['229', '249', '251'], ['252', '262.1']))
    expect(message(boot('257.13', { kernel: old(without) }))).toBe(
      'Kernel does not support EFI handover protocol.',
    )
  })

  test('H21 an NX_COMPAT image whose .linux is not executable: the firmware is not modelled', () => {
    const layout: Layout = { kernel: old(k510), file: '262.1' }
    const on = ['254', '254.16', '255', '255.10', '256', '256.4', '258', '262.1']
    const off = ['253', '253.31', '254.17', '255.11', '256.5', '257', '257.13']
    expect(over([...on, ...off], version => gaps(boot(version, layout)).includes('ST-58'))).toEqual(
      onlyOn(on, off),
    )
    expect(boot('262.1', layout).verdict).toBe('unknown')
    expect(gaps(boot('262.1', { ...layout, linux: { Characteristics: 0x60000020 } }))).not.toContain('ST-58')
  })

  test('H24 a .linux as long as SizeOfImage is zeroed by the firmware and runs in place', () => {
    const layout: Layout = { kernel: old(k612), linux: { VirtualSize: k612.pe.optional.SizeOfImage } }
    const inPlace = (which: Layout): boolean => {
      const { facts } = boot('257.13', which)
      return facts.handOff?.kernelImage === Number(facts.imageBase) + LINUX_AT
    }
    expect([inPlace(layout), inPlace({ kernel: old(k612) })]).toEqual([true, false])
    expect(boot('257.13', layout).verdict).toBe('clean')
  })

  test('H27 a stub with a high ImageBase lies above 4 GiB where there is RAM', () => {
    const high = (version: string, map = HIGH): boolean =>
      Number(boot(version, {}, { machine: { what: 'a test', map } }).facts.imageBase) >= 4 * GIB
    const apart = memoryMap(
      ['EfiConventionalMemory', 0, '640K'],
      ['EfiConventionalMemory', '1M', '1023M'],
      ['EfiReservedMemoryType', 7 * GIB, 8 * GIB],
      ['EfiConventionalMemory', 0x14df90000, 6 * GIB],
    )
    expect(
      over(['254.26', '257.13', '262.1'], version =>
        Number(boot(version, {}, { machine: { what: 'a test', map: apart } }).facts.imageBase),
      ),
    ).toEqual(all(['254.26', '257.13', '262.1'], 0x14df90000))
    expect(over(['254.26', '257.13', '262.1'], version => high(version, ROOM))).toEqual(
      all(['254.26', '257.13', '262.1'], false),
    )
  })
})

describe('initrd and command line', () => {
  test('H11 an initrd above 4 GiB is passed in 32 bits up to 251', () => {
    const layout: Layout = {
      kernel: k510,
      linux: { VirtualAddress: 0x60000 },
      initrd: { VirtualAddress: 0x4000000 },
    }
    const cut = (version: string): boolean =>
      rules(
        boot(
          version,
          layout,
          at(
            4 * GIB - 0x4000000,
            memoryMap(
              ['EfiConventionalMemory', 0, '640K'],
              ['EfiConventionalMemory', '1M', '1023M'],
              ['EfiConventionalMemory', 3 * GIB, 8 * GIB],
            ),
          ),
        ),
      ).includes('address-truncated')
    expect(over(['229', '241', '242', '249', '250', '251', '252', '257.13'], cut)).toEqual(
      onlyOn(['229', '241', '242', '249', '250', '251'], ['252', '257.13']),
    )
  })

  test('H12 without low memory there is no command line up to 251', () => {
    const none: Partial<CheckInput> = {
      machine: { what: 'a test', map: memoryMap(['EfiConventionalMemory', '1M', '1023M']) },
    }
    expect(
      over(
        ['229', '249', '251', '252', '262.1'],
        version => boot(version, { kernel: k510 }, none).verdict === 'refused',
      ),
    ).toEqual(onlyOn(['229', '249', '251'], ['252', '262.1']))
    const low: KernelFacts = { ...old(k510), hdr: { ...k510.hdr, xloadflags: k510.hdr.xloadflags & ~2 } }
    expect(message(boot('257.13', { kernel: low }, none))).toMatch(/Assertion/)
  })

  test('H13 a joined initrd that does not fit below 4 GiB', () => {
    const map = memoryMap(['EfiConventionalMemory', '1M', '8M'], ['EfiConventionalMemory', 4 * GIB, 8 * GIB])
    const more: AddedSection[] = [{ name: '.pcrsig', VirtualAddress: 0x60000, content: { text: '{}' } }]
    const high = at(5 * GIB, map)
    const on = ['252', '252.39', '253.31', '254', '255.22', '256.17', '257', '257.4']
    const off = ['249', '250', '251', '257.5', '257.13', '258', '259', '260', '261', '262.1']
    expect(
      over(
        [...on, ...off],
        version => message(boot(version, { more }, high))?.includes('AllocatePages') ?? false,
      ),
    ).toEqual(onlyOn(on, off))
    expect(boot('254.26', {}, high).verdict).not.toBe('refused')
  })

  test('H23 a name that only begins so wins up to 256', () => {
    const layout: Layout = {
      more: [{ name: '.initrdx', VirtualAddress: 0x4000000, content: { initrd: 0x1000 } }],
      osrel: null,
    }
    expect(
      over(
        ['229', '249', '251', '256.12', '257', '262.1'],
        version => boot(version, layout).facts.ramdiskSize === 0x1000,
      ),
    ).toEqual(onlyOn(['229', '249', '251', '256.12'], ['257', '262.1']))
  })

  test('H26 no piece of an initrd: a null pointer is read', () => {
    const layout: Layout = { initrd: null, osrel: null }
    const on = ['257', '257.10', '258', '258.3', '259']
    const off = ['249', '256.12', '257.11', '258.4', '258.10', '259.1', '260', '262.1']
    expect(over([...on, ...off], version => gaps(boot(version, layout)).includes('ST-25'))).toEqual(
      onlyOn(on, off),
    )
  })
})

describe("the stub's own loader", () => {
  const based: KernelFacts = {
    ...k61,
    pe: { ...k61.pe, optional: { ...k61.pe.optional, ImageBase: 0x1000000 } },
  }
  const OUTSIDE = 'Section would write outside of memory'

  test('H16 a kernel with an ImageBase is refused', () => {
    const on = ['258', '258.10', '259', '259.1']
    const off = ['257.13', '259.2', '260', '261', '262.1']
    expect(over([...on, ...off], version => message(boot(version, { kernel: based })) === OUTSIDE)).toEqual(
      onlyOn(on, off),
    )
    expect(over(off, version => boot(version, { kernel: based }).outcome.kind)).toEqual(all(off, 'arrived'))
  })

  test('H16 a kernel whose ImageBase lies below its sections is placed there, and cleared elsewhere', () => {
    const low: KernelFacts = {
      ...k61,
      pe: { ...k61.pe, optional: { ...k61.pe.optional, ImageBase: 0x1000 } },
    }
    const on = ['258', '258.10', '259', '259.1']
    const off = ['257.13', '259.2', '260', '261', '262.1']
    expect(
      over([...on, ...off], version => boot(version, { kernel: low }).outcome.kind === 'arrived'),
    ).toEqual({ ...all(on, false), ...all(off, true) })
  })

  const lastSection = (
    change: (section: KernelFacts['pe']['sections'][number]) => KernelFacts['pe']['sections'][number],
  ): KernelFacts => ({
    ...k61,
    pe: {
      ...k61.pe,
      sections: k61.pe.sections.map((section, i, { length }) =>
        i === length - 1 ? change(section) : section,
      ),
    },
  })

  test('H17 more raw data than virtual size clears nearly 4 GiB', () => {
    const facts = lastSection(([name, VirtualAddress, , at, size, flags]) => [
      name,
      VirtualAddress,
      size - 0x100,
      at,
      size,
      flags,
    ])
    const on = ['258', '258.10', '259', '259.1']
    const clearsMuch = ({ outcome }: Report): boolean =>
      outcome.kind === 'undefined' && outcome.why.includes('nearly 4 GiB')
    expect(
      over([...on, '258.9', '257.13', '259.2', '260', '262.1'], version =>
        clearsMuch(boot(version, { kernel: facts })),
      ),
    ).toEqual(onlyOn([...on, '258.9'], ['257.13', '259.2', '260', '262.1']))
    expect(message(boot('259.2', { kernel: facts }))).toBe(
      'Invalid PE section, raw data size is greater than virtual size',
    )
  })

  test('H18 a virtual size past SizeOfImage is cleared past the allocation, over stub or initrd', () => {
    const facts = lastSection(([name, VirtualAddress, VirtualSize, at, size, flags]) => [
      name,
      VirtualAddress,
      VirtualSize + 0x10000,
      at,
      size,
      flags,
    ])
    const on = ['258', '258.9', '259', '259.7', '260', '260.3', '261', '261.1']
    const off = ['258.10', '259.8', '260.4', '261.2', '262.1']
    expect(over([...on, ...off], version => gaps(boot(version, { kernel: facts })).includes('ST-2'))).toEqual(
      onlyOn(on, off),
    )
    // far from the stub it is the joined initrd that lies after the pages
    expect(
      over([...on, ...off], version =>
        rules(boot(version, { kernel: facts }, at(0x4000000, ROOM))).includes('clobbered-object'),
      ),
    ).toEqual(onlyOn(on, off))
    expect(over([...on, '257.13'], version => gaps(boot(version)).includes('ST-2'))).toEqual(
      all([...on, '257.13'], false),
    )
    expect(over(off, version => message(boot(version, { kernel: facts })))).toEqual(
      all(off, 'Section virtual size would write outside of memory'),
    )
  })

  test('H19 a section without raw data is left as it is', () => {
    const split: KernelFacts = {
      ...k612,
      pe: {
        ...k612.pe,
        sections: k612.pe.sections.flatMap(
          ([name, VirtualAddress, VirtualSize, at, size, flags], i, { length }) =>
            i < length - 1
              ? [[name, VirtualAddress, VirtualSize, at, size, flags] as const]
              : [
                  [name, VirtualAddress, size, at, size, flags] as const,
                  ['.bss', VirtualAddress + size, VirtualSize - size, 0, 0, 0xc0000080] as const,
                ],
        ),
      },
    }
    const dirty: Partial<CheckInput> = { machine: { what: 'a test', map: ROOM, contents: 'poison' } }
    const seen = (version: string): boolean =>
      rules(boot(version, { kernel: split }, dirty)).some(
        rule => rule === 'uninitialised-read' || rule === 'bss-not-cleared',
      )
    expect(over(['252.39', '257.13', '258', '260', '262.1'], seen)).toEqual(
      onlyOn(['258', '260', '262.1'], ['252.39', '257.13']),
    )
  })

  test('H20 headers that nobody wrote do no harm on x86', () => {
    const dirty: Partial<CheckInput> = { machine: { what: 'a test', map: ROOM, contents: 'poison' } }
    for (const facts of [k61, k612])
      expect(
        over(['257.13', '259.2', '262.1'], version => boot(version, { kernel: facts }, dirty).outcome.kind),
      ).toEqual(all(['257.13', '259.2', '262.1'], 'arrived'))
  })

  test('H22 NX_COMPAT kernel code not made of whole pages: the firmware is not modelled', () => {
    const facts: KernelFacts = {
      ...k61,
      pe: {
        ...k61.pe,
        sections: k61.pe.sections.map(([name, VirtualAddress, VirtualSize, at, size, flags]) => [
          name,
          VirtualAddress,
          name === '.text' ? VirtualSize - 0x10 : VirtualSize,
          at,
          name === '.text' ? size - 0x10 : size,
          flags,
        ]),
      },
    }
    expect(
      over(['257.13', '258', '259.2', '262.1'], version =>
        gaps(boot(version, { kernel: facts })).includes('ST-68'),
      ),
    ).toEqual(onlyOn(['258', '259.2', '262.1'], ['257.13']))
    expect(gaps(boot('262.1', { kernel: k61 }))).not.toContain('ST-68')
  })
})

test('H28 an ia32 stub is outside the model on every release; 242 to 249 name what goes wrong', () => {
  const facts = STUB_FACTS['247.3']
  for (const version of ['229', '247.3', '250', '262.1']) {
    const source = buildUki({
      stub: facts,
      sections: [{ name: '.linux', VirtualAddress: LINUX_AT, content: buildKernel(k510) }],
      coff: { Machine: 0x14c },
    })
    const { report } = check({
      image: { name: 'uki.efi', source },
      machine: { what: 'a test', map: ROOM },
      stub: version,
    })
    expect(report.verdict, version).toBe('unknown')
    expect(gaps(report), version).toContain('ST-86')
  }
  const cut = (version: string): boolean => {
    const source = buildUki({
      stub: facts,
      sections: [{ name: '.linux', VirtualAddress: LINUX_AT, content: buildKernel(k510) }],
      coff: { Machine: 0x14c },
    })
    return check({
      image: { name: 'uki.efi', source },
      machine: { what: 'a test', map: ROOM },
      stub: version,
    }).report.gaps.some(({ why }) => why.includes('a variable of 4 bytes'))
  }
  const on = ['242', '243.9', '244', '247.3', '248.10', '249', '249.17']
  const off = ['229', '241', '250', '262.1']
  expect(over([...on, ...off], cut)).toEqual(onlyOn(on, off))
})
