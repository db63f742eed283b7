import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bytesSource,
  countingSource,
  readExactly,
  sliceSource,
  sparseSource,
  type ByteSource,
} from '../../../src/bytes/source.ts'
import { parseBzImage } from '../../../src/image/x86/bzimage.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { readSectionTexts, readStubIdentity } from '../../../src/image/sdmagic.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { buildKernel, buildPe, buildUki } from '../../../src/image/synthetic.ts'
import { viewUki } from '../../../src/image/uki.ts'
import { edited, GIB, le, MIB } from '../../support/bytes.ts'
import { tries } from '../../support/depth.ts'
import { factsOf } from '../../support/facts.ts'

const kernel = factsOf('debian-6.12.107-cloud')
const ids = (source: ByteSource): string[] => parsePe(source).problems.map(problem => problem.id)
const bytes = (...values: number[]): ByteSource => bytesSource(Uint8Array.from(values))
const text = (value: string): ByteSource => bytesSource(new TextEncoder().encode(value))

/** Two gigabytes, nothing stored. */
function bigUki(): ByteSource {
  return buildUki({
    stub: STUB_FACTS['257.13'],
    sections: [
      { name: '.osrel', VirtualAddress: 0x20000, content: { text: 'ID=test\n' } },
      { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'quiet' } },
      { name: '.linux', VirtualAddress: 0x40000, content: buildKernel(kernel) },
      { name: '.initrd', VirtualAddress: 0x2000000, content: { initrd: 2 * GIB } },
    ],
  })
}

/** Everything that reads a UKI, one after the other. */
function readAll(source: ByteSource): void {
  const { pe } = parsePe(source)
  if (pe === null) return
  const view = viewUki(pe)
  readStubIdentity(view)
  for (const name of ['.osrel', '.uname', '.cmdline'] as const) readSectionTexts(view, name)
  for (const { object, content } of view.sections) if (object === 'kernel') parseBzImage(content)
}

/** Offsets in a UKI made by `buildUki` of a stub whose PE header is at 0x40. */
const AT = {
  e_lfanew: 0x3c,
  NumberOfSections: 0x46,
  SizeOfOptionalHeader: 0x54,
  Magic: 0x58,
  SizeOfHeaders: 0x94,
  NumberOfRvaAndSizes: 0xc4,
  table: 0x148,
}

describe('parsePe', () => {
  it('names what is no PE', () => {
    expect(ids(bytes())).toEqual(['empty'])
    expect(ids(bytes(0x4d))).toEqual(['not-pe'])
    expect(ids(bytes(0x4d, 0x5a))).toEqual(['truncated'])
    expect(ids(text('this is no kernel\n'.repeat(50)))).toEqual(['not-pe'])
    expect(ids(sparseSource(4096, []))).toEqual(['not-pe'])
    expect(ids(edited(bigUki(), 0x40, [0x4e]))).toEqual(['not-pe'])
    expect(ids(edited(bigUki(), AT.Magic, le(0x107, 2)))).toEqual(['not-pe'])
  })

  it('has a fatal problem, and no file, for every cut of the headers', () => {
    const source = bigUki()
    const end = AT.table + 40 * 10
    for (let size = 0; size < end; size++) {
      const { pe, problems } = parsePe(sliceSource(source, 0, size))
      expect(pe, String(size)).toBeNull()
      expect(
        problems.filter(problem => problem.fatal),
        String(size),
      ).toHaveLength(1)
    }
    expect(parsePe(sliceSource(source, 0, end)).pe?.sections).toHaveLength(10)
  })

  it('reports raw data past the end of a cut file, section by section', () => {
    expect(ids(sliceSource(bigUki(), 0, 8 * MIB))).toEqual(['section-outside-file', 'section-outside-file'])
  })

  it.each([0x0fffffff, 0x7fffffff, 0xfffffff0, 0xffffffff])('survives e_lfanew %i', at => {
    expect(ids(edited(sliceSource(bigUki(), 0, MIB), AT.e_lfanew, le(at, 4)))).toEqual(['truncated'])
  })

  it('reports headers that overlap: PE inside the DOS header, sections inside the headers', () => {
    const inside = buildPe({
      e_lfanew: 0x10,
      optional: { SizeOfHeaders: 0x1000, ImageBase: 0x10 },
      sections: [],
    })
    const moved = parsePe(edited(inside, AT.e_lfanew, le(0x10, 4)))
    expect(moved.problems.map(problem => problem.id)).toEqual(['headers-overlap'])
    const section = {
      name: '.a',
      VirtualAddress: 0x1000,
      VirtualSize: 1,
      PointerToRawData: 0x80,
      SizeOfRawData: 0x200,
      Characteristics: 0,
    }
    expect(
      ids(
        buildPe({
          optional: { SizeOfHeaders: 0x400 },
          sections: [{ ...section, SizeOfRawData: 0 }, section],
        }),
      ),
    ).toEqual(['section-over-headers'])
    expect(
      ids(
        buildPe({ optional: { SizeOfHeaders: 0x100 }, sections: [{ ...section, PointerToRawData: 0x400 }] }),
      ),
    ).toEqual(['section-table-outside-headers'])
  })

  it('takes a file that begins with the PE signature, without DOS header', () => {
    const whole = buildPe({ optional: { SizeOfHeaders: 0x400 }, sections: [] })
    const bare = parsePe(sliceSource(whole, 0x80, whole.size))
    expect(bare.pe).toMatchObject({ e_lfanew: 0, sectionTable: 0x108 })
    expect(bare.problems).toEqual([])
  })

  it('does not believe SizeOfOptionalHeader or NumberOfRvaAndSizes', () => {
    expect(ids(edited(bigUki(), AT.SizeOfOptionalHeader, le(0, 2)))).toEqual(['truncated'])
    expect(ids(edited(bigUki(), AT.SizeOfOptionalHeader, le(111, 2)))).toEqual(['truncated'])
    const shortest = parsePe(edited(bigUki(), AT.SizeOfOptionalHeader, le(112, 2)))
    expect(shortest.pe?.dataDirectories).toEqual([])
    expect(shortest.problems.map(problem => problem.id)).toContain('directories-outside-header')
    const longest = parsePe(edited(bigUki(), AT.SizeOfOptionalHeader, le(0xffff, 2)))
    expect(longest.pe?.sectionTable).toBe(0x58 + 0xffff)
    expect(longest.pe?.dataDirectories).toHaveLength(16)
    expect(ids(edited(sliceSource(bigUki(), 0, 0x8000), AT.SizeOfOptionalHeader, le(0xffff, 2)))).toEqual([
      'truncated',
    ])
    const huge = parsePe(edited(bigUki(), AT.NumberOfRvaAndSizes, le(0xffffffff, 4)))
    expect(huge.pe?.dataDirectories).toHaveLength(16)
    expect(huge.problems.map(problem => problem.id)).toEqual(['directories-outside-header'])
    expect(parsePe(edited(bigUki(), AT.NumberOfRvaAndSizes, le(0, 4))).pe?.dataDirectories).toEqual([])
  })

  it('reads data directories only as far as the file goes', () => {
    const whole = buildPe({ optional: { SizeOfHeaders: 0x400 }, sections: [] })
    expect(ids(sliceSource(whole, 0, 0x80 + 24 + 112 + 12))).toEqual(['truncated'])
  })

  it('reads 65535 section headers when the file has them', () => {
    const { pe } = parsePe(edited(bigUki(), AT.NumberOfSections, le(0xffff, 2)))
    expect(pe?.sections).toHaveLength(0xffff)
    expect(viewUki(pe ?? (undefined as never)).sections).toHaveLength(0xffff)
    expect(ids(edited(sliceSource(bigUki(), 0, 0x4000), AT.NumberOfSections, le(0xffff, 2)))).toEqual([
      'truncated',
    ])
  })

  it('reads names of eight letters, without NUL, and other than ASCII', () => {
    const section = {
      VirtualAddress: 0,
      VirtualSize: 0,
      PointerToRawData: 0,
      SizeOfRawData: 0,
      Characteristics: 0,
    }
    const { pe } = parsePe(
      buildPe({
        optional: {},
        sections: [
          { ...section, name: '.sdmagic!' },
          { ...section, name: '\u00e9' },
          { ...section, name: '' },
        ],
      }),
    )
    expect(pe?.sections.map(one => one.name)).toEqual(['.sdmagic', '\u00e9', ''])
  })

  it('reads PE32, with the narrow ImageBase made wide', () => {
    const { pe, problems } = parsePe(
      buildPe({
        format: 'PE32',
        coff: { Machine: 0x14c },
        optional: { ImageBase: 0xffff0000, SizeOfHeaders: 0x400, AddressOfEntryPoint: 0x1234 },
        sections: [],
      }),
    )
    expect(problems).toEqual([])
    expect(pe?.optional).toMatchObject({ ImageBase: 0xffff0000n, AddressOfEntryPoint: 0x1234 })
    expect(pe?.sectionTable).toBe(0x80 + 24 + 96 + 128)
    expect(
      ids(sliceSource(buildPe({ format: 'PE32', optional: {}, sections: [] }), 0, 0x80 + 24 + 90)),
    ).toEqual(['truncated'])
  })
})

it('reads less than a megabyte of two gigabytes', () => {
  const source = countingSource(bigUki())
  expect(source.size).toBeGreaterThan(2 * GIB)
  readAll(source)
  expect(source.bytesRead()).toBeLessThan(256 * 1024)
})

describe('any bytes', () => {
  it('never throw, alone or after a good beginning', () => {
    const start = readExactly(bigUki(), 0, 0x300) ?? new Uint8Array(0)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2048 }), fc.boolean(), (random, behind) => {
        readAll(
          bytesSource(
            behind ? Uint8Array.from([...start.subarray(0, 64 + (random[0] ?? 0)), ...random]) : random,
          ),
        )
        parseBzImage(bytesSource(random))
      }),
      tries(100, 300),
    )
  })

  it('in the headers of a good file never throw and never make anybody read much', () => {
    const source = bigUki()
    const mutation = fc.tuple(
      fc.oneof(fc.nat(0x300), fc.constantFrom(...Object.values(AT))),
      fc.array(fc.oneof(fc.constantFrom(0, 0xff, 0x80, 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
    )
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), mutations => {
        const counted = countingSource(
          mutations.reduce((file, [at, values]) => edited(file, at, values), source),
        )
        readAll(counted)
        expect(counted.bytesRead()).toBeLessThan(4 * MIB)
      }),
      tries(10, 30),
    )
  })

  it('in the setup header of a good kernel never throw and never make anybody read much', () => {
    const source = buildKernel(kernel)
    const mutation = fc.tuple(
      fc.oneof(fc.integer({ min: 0x1f1, max: 0x26b }), fc.integer({ min: 0x5000, max: 0x52cc })),
      fc.array(fc.nat(255), { minLength: 1, maxLength: 8 }),
    )
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), mutations => {
        const counted = countingSource(
          mutations.reduce((file, [at, values]) => edited(file, at, values), source),
        )
        parseBzImage(counted)
        expect(counted.bytesRead()).toBeLessThan(64 * 1024)
      }),
      tries(100, 300),
    )
  })
})
