import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../src/bytes/errors.ts'
import { bytesSource, readExactly } from '../../../src/bytes/source.ts'
import { contentSource, patternByte, patternSource } from '../../../src/image/content.ts'
import { KERNEL_FACTS } from '../../../src/image/x86/kernel-facts.ts'
import { parsePe, type PeFile } from '../../../src/image/pe.ts'
import { STUB_FACTS, type StubFacts } from '../../../src/image/stub-facts.ts'
import { buildFromLayout, buildKernel, buildPe, buildStub, buildUki } from '../../../src/image/synthetic.ts'
import { viewUki } from '../../../src/image/uki.ts'
import { TINY_KERNELS, TINY_STUB_VARIABLES } from '../../oracle/tiny-kernels.ts'
import type { ByteSource } from '../../../src/bytes/source.ts'
import { GIB } from '../../support/bytes.ts'
import { factsOf } from '../../support/facts.ts'

function parsed(source: ByteSource): PeFile {
  const { pe } = parsePe(source)
  if (pe === null) throw new Error('no PE')
  return pe
}
const text = (source: ByteSource, at: number, length: number): string =>
  String.fromCharCode(...(readExactly(source, at, length) ?? []))
const rows = (pe: PeFile) =>
  pe.sections.map(s => [s.name, s.VirtualAddress, s.VirtualSize, s.PointerToRawData, s.SizeOfRawData])

describe('content', () => {
  it('is never zero where it is a pattern', () => {
    expect(new Set(patternSource(5000).read(0 as never, 5000)).has(0)).toBe(false)
    expect(patternByte(2 ** 40)).toBeGreaterThan(0)
  })

  it('is the same byte wherever a read begins, and nothing past its end', () => {
    const around = fc
      .constantFrom(0, 251, 65536, 251 * 65536, 2 ** 31, 2 ** 40)
      .chain(at => fc.integer({ min: Math.max(0, at - 300), max: at + 300 }))
    fc.assert(
      fc.property(around, fc.nat(600), fc.nat(255), (at, length, seed) => {
        const read = patternSource(2 ** 40 + 500, seed).read(at as never, length)
        expect([...read]).toEqual(
          Array.from({ length: Math.max(0, Math.min(length, 2 ** 40 + 500 - at)) }, (_, i) =>
            patternByte(at + i, seed),
          ),
        )
      }),
    )
  })

  it('writes text, hexadecimal, zeros, archives and parts', () => {
    expect([...(readExactly(contentSource({ text: 'é' }), 0, 2) ?? [])]).toEqual([0xc3, 0xa9])
    expect([...(readExactly(contentSource({ hex: '00fF' }), 0, 2) ?? [])]).toEqual([0, 255])
    expect(contentSource({ hex: '' }).size).toBe(0)
    expect([...(readExactly(contentSource({ zero: 2 }), 0, 2) ?? [])]).toEqual([0, 0])
    expect(text(contentSource({ initrd: 4 * GIB }), 0, 6)).toBe('070701')
    expect(contentSource({ pattern: 3, seed: 2 }).size).toBe(3)
    expect([
      ...(readExactly(contentSource({ size: 3, parts: [{ at: 1, content: { hex: '07' } }] }), 0, 3) ?? []),
    ]).toEqual([0, 7, 0])
    expect([...(readExactly(contentSource({ size: 2, seed: 1, parts: [] }), 0, 2) ?? [])]).toEqual([
      patternByte(0, 1),
      patternByte(1, 1),
    ])
    const source = bytesSource(Uint8Array.of(1))
    expect(contentSource(source)).toBe(source)
  })

  it.each([{ hex: '0' }, { hex: 'xy' }, { zero: -1 }, { pattern: 0.5 }, { initrd: Number.NaN }])(
    'refuses %j',
    content => {
      expect(() => contentSource(content)).toThrow(UsageError)
    },
  )
})

describe('buildStub', () => {
  it.each<StubFacts>(Object.values(STUB_FACTS))('writes the headers of $version', facts => {
    const source = buildStub(facts)
    const pe = parsed(source)
    expect(pe.problems).toEqual([])
    expect(source.size).toBe(facts.fileSize)
    expect(pe.optional).toMatchObject({ ...facts.optional, ImageBase: BigInt(facts.optional.ImageBase) })
    expect(
      pe.sections.map(s => [
        s.name,
        s.VirtualAddress,
        s.VirtualSize,
        s.PointerToRawData,
        s.SizeOfRawData,
        s.Characteristics,
      ]),
    ).toEqual(facts.sections)
    const reloc = pe.sections.find(s => s.name === '.reloc')
    expect(pe.dataDirectories[5]).toEqual({ VirtualAddress: reloc?.VirtualAddress, Size: reloc?.VirtualSize })
    const block = readExactly(source, reloc?.PointerToRawData ?? 0, 8) ?? new Uint8Array(8)
    expect(new DataView(block.buffer, block.byteOffset).getUint32(4, true)).toBe(reloc?.VirtualSize)
    const [holder, at] = facts.identificationAt
    const section = pe.sections.find(s => s.name === holder)
    expect(text(source, (section?.PointerToRawData ?? 0) + at, facts.identification.length)).toBe(
      facts.identification,
    )
    if (holder === '.sdmagic')
      expect(section?.VirtualSize).toBe(
        facts.identification.length + (facts.optional.MajorImageVersion < 257 ? 1 : 0),
      )
  })
})

describe('buildUki', () => {
  const stub = STUB_FACTS['247.3']
  const linux = buildKernel(factsOf('debian-5.10.223-cloud'))
  const sections = [
    { name: '.osrel', VirtualAddress: 0x20000, content: { pattern: 0x2c } },
    { name: '.cmdline', VirtualAddress: 0x30000, content: { pattern: 0x5e } },
    { name: '.linux', VirtualAddress: 0x2000000, content: linux },
    { name: '.initrd', VirtualAddress: 0x3000000, content: { initrd: 0x4a7e00 } },
  ]

  it('lays sections out as the recorded boots have them', () => {
    const pe = parsed(buildUki({ stub, sections }))
    expect(pe.problems).toEqual([])
    expect(rows(pe).slice(6)).toEqual([
      ['.osrel', 0x20000, 0x2c, 0xba00, 0x200],
      ['.cmdline', 0x30000, 0x5e, 0xbc00, 0x200],
      ['.linux', 0x2000000, 0xb93f00, 0xbe00, 0xb94000],
      ['.initrd', 0x3000000, 0x4a7e00, 0xb9fe00, 0x4a7e00],
    ])
    expect(pe.optional.SizeOfImage).toBe(0x34a8000)
    expect(pe.coff.PointerToSymbolTable).toBe(0x1047c00)
    expect(pe.source.size).toBe(0x104a15f)
    expect(
      viewUki(pe)
        .sections.slice(6)
        .map(s => [s.object, s.content.size]),
    ).toEqual([
      ['uki:.osrel', 0x2c],
      ['cmdline', 0x5e],
      ['kernel', 0xb93f00],
      ['initrd', 0x4a7e00],
    ])
  })

  it('writes two gigabytes of payload at no cost', () => {
    const pe = parsed(
      buildUki({
        stub: STUB_FACTS['257.13'],
        sections: [{ name: '.initrd', VirtualAddress: 0x3000000, content: { initrd: 2 * GIB } }],
      }),
    )
    expect(pe.source.size).toBeGreaterThan(2 * GIB)
    expect(text(pe.source, pe.sections.at(-1)?.PointerToRawData ?? 0, 6)).toBe('070701')
  })

  it('writes what the recipe says, however wrong', () => {
    const first = {
      name: '.linux',
      VirtualAddress: 0x5000,
      VirtualSize: 0,
      PointerToRawData: 0x600,
      SizeOfRawData: 0x10,
      Characteristics: 0,
      content: { pattern: 64 },
    }
    const pe = parsed(
      buildUki({
        stub,
        sections: [first, { ...first, VirtualAddress: 0x1234 }],
        optional: { SizeOfImage: 1, ImageBase: '0xfffffffffffff000', SectionAlignment: 3, FileAlignment: 7 },
        coff: { Characteristics: 0 },
        size: 0x500,
      }),
    )
    expect(pe.optional).toMatchObject({
      SizeOfImage: 1,
      ImageBase: 0xfffffffffffff000n,
      SectionAlignment: 3,
      FileAlignment: 7,
    })
    expect(rows(pe).slice(6)).toEqual([
      ['.linux', 0x5000, 0, 0x600, 0x10],
      ['.linux', 0x1234, 0, 0x600, 0x10],
    ])
    expect(pe.coff.Characteristics).toBe(0)
    expect(pe.source.size).toBe(0x500)
    expect(
      viewUki(pe)
        .sections.slice(6)
        .map(s => s.object),
    ).toEqual(['kernel', 'kernel#2'])
  })

  it('is plain data: a recipe survives JSON', () => {
    const recipe = { stub, sections: sections.filter(s => s.name !== '.linux') }
    const again = JSON.parse(JSON.stringify(recipe)) as typeof recipe
    expect(readExactly(buildUki(again), 0, 0x400)).toEqual(readExactly(buildUki(recipe), 0, 0x400))
  })
})

describe('buildFromLayout', () => {
  it('rebuilds a recorded section table with duplicates, the stub keeping its contents', () => {
    const layout = [
      ['.text', '0x1000', '0x1080e', '0x400', '0x10a00'],
      ['.sdmagic', '0x19000', '0x33', '0x16200', '0x200'],
      ['.cmdline', '0x30000', '0x6d', '0x16400', '0x200'],
      ['.cmdline', '0x38000', '0x76', '0x16600', '0x200'],
      ['.foo', '0x39000', '0x64', '0x16800', '0x200'],
    ] as const
    const stub = STUB_FACTS['257.13']
    const source = buildFromLayout({
      stub,
      layout,
      contents: { '.cmdline': [{ text: 'one' }, { text: 'two' }] },
      optional: { SizeOfImage: '0x34a8000', ImageBase: '0x14df90000' },
    })
    const pe = parsed(source)
    expect(rows(pe)).toEqual(layout.map(([name, ...numbers]) => [name, ...numbers.map(Number)]))
    expect(pe.optional).toMatchObject({
      SizeOfImage: 0x34a8000,
      SizeOfHeaders: 0x400,
      ImageBase: 0x14df90000n,
    })
    expect(text(source, 0x16200, stub.identification.length)).toBe(stub.identification)
    expect([text(source, 0x16400, 3), text(source, 0x16600, 3)]).toEqual(['one', 'two'])
    expect(readExactly(source, 0x16800, 1)?.[0]).toBe(patternByte(0, 60))
    expect(source.size).toBe(0x16a00)
  })

  it('gives the last content of a name to the sections that are left', () => {
    const rowsOf = (n: number) =>
      Array.from({ length: n }, (_, i) => ['.x', 0x1000 * i, 3, 0x400 + 0x200 * i, 0x200] as const)
    const source = buildFromLayout({
      stub: STUB_FACTS['254.26'],
      layout: rowsOf(2),
      contents: { '.x': [{ text: 'abc' }] },
    })
    expect(text(source, 0x600, 3)).toBe('abc')
  })
})

describe('buildPe', () => {
  it('writes PE32 and headers that lie', () => {
    const pe = parsed(
      buildPe({
        format: 'PE32',
        e_lfanew: 0x40,
        optional: { ImageBase: 0x400000, NumberOfRvaAndSizes: 2 },
        directories: [{ index: 1, VirtualAddress: 5, Size: 6 }],
        sections: [],
      }),
    )
    expect(pe.optional.ImageBase).toBe(0x400000n)
    expect(pe.dataDirectories).toEqual([
      { VirtualAddress: 0, Size: 0 },
      { VirtualAddress: 5, Size: 6 },
    ])
    const huge = parsePe(
      buildPe({ optional: { NumberOfRvaAndSizes: 0xffffffff, SizeOfHeaders: 0x400 }, sections: [] }),
    )
    expect(huge.pe?.dataDirectories).toHaveLength(16)
    expect(huge.problems.map(p => p.id)).toEqual(['directories-outside-header'])
  })
})

describe('KERNEL_FACTS', () => {
  it.each([...Object.values(KERNEL_FACTS), ...TINY_KERNELS])(
    '$name: init_size, SizeOfImage and the declared length agree among themselves',
    ({ hdr, geometry, pe, output_len, vmlinux, fileSize }) => {
      const setup = (hdr.setup_sects + 1) * 512
      expect(setup + hdr.syssize * 16 + (pe.certificates?.[1] ?? 0)).toBe(fileSize)
      const extra = Math.floor(output_len / 256) + 131072
      const zo = geometry._end + Math.ceil((output_len + extra - hdr.payload_length) / 4096) * 4096
      expect(hdr.init_size).toBe(Math.max(zo, vmlinux.kernel_total_size))
      expect(pe.optional.SizeOfImage).toBe(
        pe.optional.SectionAlignment === 0x1000
          ? setup + geometry._end
          : hdr.init_size + (pe.optional.ImageBase === 0 ? 0 : 0x200000),
      )
    },
  )

  it('has the small kernels with the recorded sizes, the variables of the stub in .bss', () => {
    expect(TINY_KERNELS.map(facts => facts.fileSize)).toEqual([0x1655c0, 0x1655c0, 0x165580, 0x165580])
    const { at, length } = TINY_STUB_VARIABLES
    for (const { geometry } of TINY_KERNELS) {
      expect(at).toBeGreaterThan(geometry._bss)
      expect(at + length).toBeLessThan(geometry._ebss)
      expect(geometry._ebss).toBeLessThan(geometry.pgtable)
    }
  })
})
