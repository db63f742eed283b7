import { expect, test } from 'vitest'
import { advise } from '../../../src/hazard/registry.ts'
import { idsOf, image, type SectionOf } from '../../unit/hazard/images.ts'

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
      fix: expect.stringContaining('move .initrd to RVA 0x4000') as unknown,
    },
  ])
})

test('HZ-10 of many that overlap sixteen are listed and all counted; those that touch are not', () => {
  const many = Array.from({ length: 8 }, (_, i) => ({ name: `.s${String(i)}`, at: 0x1000, raw: 0x1000 }))
  const [finding] = advise(
    image([
      { name: '.osrel', at: 0, raw: 0x1000 },
      ...many,
      { name: '.cmdline', at: 0x2000, raw: 0x1000 },
      { name: '.linux', at: 0x3000, raw: 0x800, size: 0x2000 },
    ]),
  ).filter(({ rule }) => rule === 'sections-overlap')
  expect(finding?.what).toMatch(/; and 12 more\.$/)
  const edge = advise(
    image([
      { name: '.initrd', at: 0x1800, raw: 0x1000 },
      { name: '.linux', at: 0x1000, raw: 0x800, size: 0x2000 },
    ]),
  ).find(({ rule }) => rule === 'sections-overlap')
  expect(edge?.what).toContain('the zero fill of .linux')
})

test('HZ-10 neighbours that touch do not overlap', () => {
  expect(
    idsOf([
      { name: '.osrel', at: 0x1000, raw: 0x1000 },
      { name: '.initrd', at: 0x2000, raw: 0x1000 },
    ]),
  ).toEqual([])
})

test('HZ-10 a section that overlaps one neighbour and touches the others is told of the one', () => {
  const told = (sections: readonly SectionOf[]): unknown[] =>
    advise(image(sections))
      .filter(({ rule }) => rule === 'sections-overlap')
      .map(({ object, offsets, what }) => [object, offsets, what.replace(/,.*/s, '')])
  // .linux ends inside .initrd; .osrel touches .linux from below, .cmdline touches it from above
  const sections = [
    { name: '.linux', at: 0x2000, raw: 0x2000 },
    { name: '.osrel', at: 0x1000, raw: 0x1000 },
    { name: '.cmdline', at: 0x4000, raw: 0x1000 },
    { name: '.initrd', at: 0x3000, raw: 0x1000 },
  ]
  const one = [['kernel', [{ from: 0x1000, to: 0x2000 }], '.initrd']]
  expect(told(sections)).toEqual(one)
  expect(told(sections.toReversed())).toEqual([['initrd', [{ from: 0, to: 0x1000 }], '.linux']])
})

test('HZ-12 a section that ends past SizeOfImage is advice', () => {
  expect(idsOf([{ name: '.initrd', at: 0x1000, raw: 0x1001 }], { sizeOfImage: 0x2000 })).toEqual([
    'section-beyond-image-size initrd',
  ])
  expect(idsOf([{ name: '.initrd', at: 0x1000, raw: 0x1000 }], { sizeOfImage: 0x2000 })).toEqual([])
  expect(
    advise(image([{ name: '.initrd', at: 0x1000, raw: 0x1001 }], { sizeOfImage: 0x2000 }))[0]?.offsets,
  ).toEqual([{ from: 0x1000, to: 0x1001 }])
})

test('HZ-13 a table that is not in the order of addresses is advice', () => {
  expect(
    idsOf([
      { name: '.initrd', at: 0x3000, raw: 0x1000 },
      { name: '.cmdline', at: 0x1000, raw: 0x1000 },
    ]),
  ).toEqual(['table-order-not-by-address cmdline'])
  expect(
    idsOf([
      { name: '.initrd', at: 0x1000, raw: 0x1000 },
      { name: '.cmdline', at: 0x1000, raw: 0x1000 },
    ]),
  ).toEqual(['sections-overlap initrd'])
})

test('HZ-14 a payload name that occurs twice is advice, unless in two profiles or repeatable', () => {
  const cmdline = (at: number): SectionOf => ({ name: '.cmdline', at, raw: 0x10 })
  expect(idsOf([cmdline(0x1000), cmdline(0x2000)])).toEqual(['duplicate-section cmdline#2'])
  expect(idsOf([cmdline(0x1000), { name: '.profile', at: 0x2000, raw: 0x10 }, cmdline(0x3000)])).toEqual([])
  expect(idsOf([0x1000, 0x2000].map(at => ({ name: '.dtbauto', at, raw: 0x10 })))).toEqual([])
})

test('HZ-15 a payload section off its page or SectionAlignment is advice; a stub section is not', () => {
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

test('HZ-20 addresses that wrapped below ImageBase are one advice, not beyond the image as well', () => {
  const high = { sizeOfImage: 0x29000, imageBase: 0x14df90000n }
  const osrel = { name: '.osrel', at: 0xb2090000, raw: 0x2c }
  expect(idsOf([osrel, { name: '.linux', at: 0xb4070000, raw: 0x1000 }], high)).toEqual([
    'rva-wrapped uki:.osrel',
  ])
  expect(idsOf([{ ...osrel, at: 0x10000000 }], { ...high, imageBase: 0x1f0010000n })).toEqual([
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

test('HZ-21 SizeOfImage at the end of the last section: one advice, for the highest section', () => {
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

test('HZ-21 a stub whose SizeOfImage objcopy left alone: wrapped addresses are the only advice', () => {
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
  expect(rules({ name: '.osrel', at: 0x20000, raw: 0x1000 }, { ...stub, at: 0x21000 })).toEqual([])
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
  expect(rules(0x400, 0x142, '.sbat')).toEqual([])
  expect(rules(0x200, 0x201, '.sbat')).toEqual(['payload-virtual-size-mismatch uki:.sbat'])
})
