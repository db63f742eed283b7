import { describe, expect, test } from 'vitest'
import { UsageError } from '../../../src/bytes/errors.ts'
import { advise } from '../../../src/hazard/registry.ts'
import { recogniseLayout } from '../../../src/image/layouts/recognise.ts'
import { LAYOUTS, type LayoutId } from '../../../src/image/layouts/table.ts'
import { parsePe, type PeFile } from '../../../src/image/pe.ts'
import { STUB_FACTS, type StubName } from '../../../src/image/stub-facts.ts'
import { buildStub } from '../../../src/image/synthetic.ts'
import { viewUki } from '../../../src/image/uki.ts'
import { uki, type UkiOptions } from '../../../src/vitest/builders.ts'

const STUBS = Object.keys(STUB_FACTS) as StubName[]
/** The sizes of the measured layouts. */
const MEASURED = { kernel: '6.12.107', initrd: 3_000_000 } as const

function built(options: UkiOptions): PeFile {
  const { pe, problems } = parsePe(uki(options))
  expect(problems).toEqual([])
  return pe ?? expect.fail('no PE file')
}

const found = (options: UkiOptions) => recogniseLayout(built(options)) ?? expect.fail('no .linux')
const idsOf = (options: UkiOptions): LayoutId[] => found(options).candidates.map(({ id }) => id)
const places = (pe: PeFile, names: readonly string[]): Record<string, number[]> =>
  Object.fromEntries(
    names.map(name => {
      const section = pe.sections.find(one => one.name === name)
      return [
        name,
        section === undefined ? [] : [section.VirtualAddress, section.VirtualAddress + section.VirtualSize],
      ]
    }),
  )

describe('layouts that were measured', () => {
  test('objcopy with the addresses of 2020 over 247.3', () => {
    const pe = built({ ...MEASURED, as: 'test-220', stub: '247.3' })
    expect(places(pe, ['.linux', '.initrd'])).toEqual({
      '.linux': [0x2000000, 0x2b94200],
      '.initrd': [0x3000000, 0x32dc6c0],
    })
    expect(pe.optional.SizeOfImage).toBe(0x32dd000)
  })

  test('ukify 254.26 over its own stub', () => {
    const pe = built({ ...MEASURED, as: 'ukify-254', stub: '254.26' })
    expect(places(pe, ['.linux', '.initrd'])).toEqual({
      '.initrd': [0x17000, 0x2f36c0],
      '.linux': [0x2f4000, 0xe88200],
    })
    expect(pe.sections.slice(6).map(({ name, VirtualAddress }) => [name, VirtualAddress])).toEqual([
      ['.osrel', 0x14000],
      ['.cmdline', 0x15000],
      ['.uname', 0x16000],
      ['.initrd', 0x17000],
      ['.linux', 0x2f4000],
    ])
    expect(pe.optional.SizeOfImage).toBe(0xe89000)
  })

  test('ukify 257.13 over its own stub', () => {
    const pe = built({ ...MEASURED, as: 'ukify-257.3', stub: '257.13' })
    expect(places(pe, ['.linux', '.initrd'])).toEqual({
      '.linux': [0x1e000, 0xbb2200],
      '.initrd': [0xbb3000, 0xe8f6c0],
    })
    expect(pe.sections.slice(6).map(({ name, VirtualAddress }) => [name, VirtualAddress])).toEqual([
      ['.osrel', 0x1b000],
      ['.cmdline', 0x1c000],
      ['.uname', 0x1d000],
      ['.linux', 0x1e000],
      ['.initrd', 0xbb3000],
    ])
    expect(pe.optional.SizeOfImage).toBe(0xe90000)
  })

  test('a newer ukify over 262.1, with a kernel that is made for NX and one that is not', () => {
    const pe = built({ ...MEASURED, as: 'ukify-257.3', stub: '262.1' })
    expect(places(pe, ['.linux'])).toEqual({ '.linux': [0x2c000, 0xbc0200] })
    expect(pe.sections.find(({ name }) => name === '.initrd')?.VirtualAddress).toBe(0xbc1000)
    expect([pe.optional.SizeOfImage, pe.optional.DllCharacteristics]).toEqual([0xe9e000, 0x160])
    expect(
      built({ ...MEASURED, kernel: '5.10.223', as: 'ukify-257.3', stub: '262.1' }).optional
        .DllCharacteristics,
    ).toBe(0x60)
  })

  test('ukify 257.0 gives .linux the size that the kernel has in memory', () => {
    const pe = built({ ...MEASURED, kernel: '5.10.223', as: 'ukify-257.0', stub: '257.13' })
    const linux = pe.sections.find(({ name }) => name === '.linux')
    expect(pe.sections.find(({ name }) => name === '.initrd')?.VirtualAddress).toBe(0x1e000)
    expect([linux?.VirtualAddress, linux?.VirtualSize, linux?.SizeOfRawData]).toEqual([
      0x2fb000, 0x3d7a000, 0x6bea00,
    ])
    expect(pe.optional.SizeOfImage).toBe(0x4075000)
  })

  test('ukify 254.26 over 252.39: steps of 512 bytes, and .sbat grows over .sdmagic', () => {
    const pe = built({ ...MEASURED, as: 'ukify-254', stub: '252.39' })
    expect(places(pe, ['.sbat', '.sdmagic'])).toEqual({
      '.sbat': [0x19000, 0x19134],
      '.sdmagic': [0x19100, 0x19134],
    })
    expect(pe.sections.slice(8).map(({ name, VirtualAddress }) => [name, VirtualAddress])).toEqual([
      ['.osrel', 0x19200],
      ['.cmdline', 0x19400],
      ['.uname', 0x19600],
      ['.initrd', 0x19800],
      ['.linux', 0x2f6000],
    ])
  })

  test('objcopy with the addresses of 2020 as they stand, over a stub with an ImageBase', () => {
    const pe = built({ ...MEASURED, as: 'dracut-050', stub: '262.1', absolute: true })
    expect(pe.sections.slice(0, 5).map(({ name, VirtualAddress }) => [name, VirtualAddress])).toEqual([
      ['.osrel', 0xb2090000],
      ['.cmdline', 0xb20a0000],
      ['.linux', 0xb4070000],
      ['.initrd', 0xb5070000],
      ['.text', 0x5000],
    ])
    expect([
      pe.sections[0]?.PointerToRawData,
      pe.sections[2]?.PointerToRawData,
      pe.optional.SizeOfHeaders,
      pe.e_lfanew,
    ]).toEqual([0x400, 0x800, 0x400, 0x80])
    expect(pe.optional.SizeOfImage).toBe(0x29000)
  })

  test('ukify over a stub without .sbat appends it last, and cuts the symbols off', () => {
    const pe = built({
      kernel: '6.12.107-cloud',
      initrd: 0x4a7e00,
      cmdline: 'x'.repeat(0x6d),
      as: 'ukify-257.3',
      stub: '247.3',
      more: { '.uname': { text: '6.12' } },
    })
    expect(
      pe.sections
        .slice(6)
        .map(({ name, VirtualAddress, VirtualSize }) => [name, VirtualAddress, VirtualSize]),
    ).toEqual([
      ['.osrel', 0x13000, 21],
      ['.cmdline', 0x14000, 0x6d],
      ['.uname', 0x15000, 4],
      ['.linux', 0x16000, 0xb2a200],
      ['.initrd', 0xb41000, 0x4a7e00],
      ['.sbat', 0xfe9000, 0x9f],
    ])
    expect([pe.optional.SizeOfImage, pe.coff.PointerToSymbolTable, pe.coff.NumberOfSymbols]).toEqual([
      0xfea000, 0, 0,
    ])
  })
})

describe('who built it', () => {
  /** Tools that no header tells apart. */
  const TWINS: Readonly<Partial<Record<LayoutId, readonly LayoutId[]>>> = {
    'dracut-050': ['mkinitcpio-31', 'test-220', 'man-250'],
    'mkinitcpio-31': ['dracut-050', 'test-220', 'man-250'],
    'test-220': ['dracut-050', 'mkinitcpio-31', 'man-250'],
    'man-250': ['dracut-050', 'mkinitcpio-31', 'test-220'],
    'efi-mkuki': ['dracut-050', 'mkinitcpio-31', 'test-220'],
  }

  // Thin images of lanzaboote have a builder of their own
  test.each(
    LAYOUTS.filter(({ id }) => !id.startsWith('lzbt-')).flatMap(({ id }) =>
      STUBS.map(stub => [id, stub] as const),
    ),
  )('%s over %s is recognised, with all tools that lay out alike', (id, stub) => {
    const layout = found({
      as: id,
      stub,
      ...(id === 'efi-mkuki' ? { more: { '.splash': { text: '' } } } : {}),
    })
    const ids = layout.candidates.map(candidate => candidate.id)
    expect(new Set(ids)).toEqual(new Set([id, ...(TWINS[id] ?? [])]))
    expect(layout.certainty).toBe(ids.length === 1 ? 'certain' : 'several')
    for (const { evidence } of layout.candidates)
      for (const sentence of evidence) expect(sentence).toMatch(/^\S.*\.$/)
  })

  test('what a tool adds besides tells it from its twins', () => {
    const splash = { '.splash': { pattern: 0x2000 } }
    expect(idsOf({ as: 'man-250', stub: '247.3', more: { '.dtb': { pattern: 100 } } })).toEqual(['man-250'])
    expect(idsOf({ as: 'man-250', stub: '247.3', more: splash })).toEqual(['man-250'])
    expect(idsOf({ as: 'dracut-050', stub: '247.3', more: splash })).toEqual([
      'dracut-050',
      'mkinitcpio-31',
      'efi-mkuki',
      'test-220',
    ])
    expect(idsOf({ as: 'mkinitcpio-36', stub: '247.3' })).toEqual(['mkinitcpio-36'])
    expect(
      built({ as: 'mkinitcpio-39', stub: '247.3' })
        .sections.slice(6)
        .map(({ name }) => name),
    ).toEqual(['.uname', '.osrel', '.cmdline', '.linux', '.initrd'])
    expect(
      built({ as: 'mkinitcpio-36', stub: '247.3' })
        .sections.slice(6)
        .map(({ name }) => name),
    ).toEqual(['.osrel', '.uname', '.cmdline', '.linux', '.initrd'])
    expect(idsOf({ as: 'dracut-057-aarch64', stub: '247.3' })).toEqual(['dracut-057-aarch64'])
    expect(idsOf({ as: 'dracut-057-aarch64', stub: '247.3', initrd: null })).not.toContain(
      'dracut-057-aarch64',
    )
    expect(idsOf({ as: 'dracut-060', stub: '247.3', more: { '.sbat': { pattern: 100 } } })).toEqual([
      'dracut-060',
    ])
    expect(
      idsOf({ as: 'ukify-254', more: { '.mine': { pattern: 100 }, '.pcrsig': { text: '{}' } } }),
    ).toEqual(['ukify-254'])
    expect(
      idsOf({
        as: 'ukify-257.3',
        more: { '.ucode': { pattern: 100 }, '.mine': { pattern: 9 }, '.profile': { text: 'ID=main' } },
      }),
    ).toEqual(['ukify-257.3'])
  })

  test('without an initrd two releases of ukify cannot be told apart', () => {
    expect(idsOf({ as: 'ukify-254', initrd: null })).toEqual(['ukify-254', 'ukify-257.3'])
    expect(idsOf({ as: 'ukify-257.3', initrd: null })).toEqual(['ukify-254', 'ukify-257.3'])
  })

  test('addresses that wrapped are recognised all the same', () => {
    const layout = found({ as: 'dracut-042', stub: '257.13', absolute: true })
    expect(layout.candidates.map(({ id }) => id)).toEqual(['dracut-042'])
    expect(layout.candidates[0]?.evidence[1]).toBe(
      'They were given without ImageBase 0x14df90000 and wrapped.',
    )
  })

  test('where one address is another, or the order, nothing is named', () => {
    expect(
      found({
        at: { '.osrel': 0x20000, '.cmdline': 0x30000, '.linux': 0x2000000, '.initrd': 0x3001000 },
        stub: '247.3',
      }),
    ).toEqual({ certainty: 'unknown', candidates: [] })
    expect(idsOf({ order: ['.linux', '.initrd', '.cmdline', '.osrel'] })).toEqual([])
    expect(
      idsOf({ stub: '257.13', initrd: null, cmdline: null, at: { '.linux': 0x40000, '.osrel': 0x1b000 } }),
    ).toEqual([])
  })

  test('a stub alone was built by nobody', () => {
    const { pe } = parsePe(buildStub(STUB_FACTS['257.13']))
    expect(pe === null ? 'no PE' : recogniseLayout(pe)).toBeNull()
  })
})

test('a tool gives up where the real one does, and takes nothing that it has no place for', () => {
  expect(() => uki({ as: 'dracut-050', more: { '.uname': { text: 'x' } } })).toThrow(
    /^dracut-050 does not add sections \.uname/,
  )
  expect(() =>
    uki({
      as: 'ukify-257.3',
      stub: '247.3',
      more: Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`.x${String(i)}`, { pattern: 1 }])),
    }),
  ).toThrow(/not enough header space: 21 sections/)
  expect(() => uki({ as: 'dracut-050', gap: '16M' })).toThrow(UsageError)
  expect(() => uki({ more: { '.uname': { text: 'x' } } })).toThrow(UsageError)
})

describe('what is said about an image that a tool made', () => {
  const rulesOf = (options: UkiOptions): string[] => {
    const pe = built(options)
    return [...new Set(advise({ pe, uki: viewUki(pe) }).map(({ rule }) => rule))]
  }

  test.each<[string, UkiOptions, string[]]>([
    ['dracut 050 over 247.3', { as: 'dracut-050', stub: '247.3' }, []],
    [
      'dracut 050 over 247.3, with a kernel of 17 MiB and an initrd that ends before it',
      { as: 'dracut-050', stub: '247.3', linux: '17M', initrd: '512K' },
      ['sections-overlap', 'no-room-for-init-size', 'size-of-image-from-last-section'],
    ],
    [
      'dracut 050 over 262.1',
      { as: 'dracut-050', stub: '262.1' },
      ['sections-overlap', 'stub-grown-over-payload'],
    ],
    [
      'dracut 050 over 262.1, without its ImageBase',
      { as: 'dracut-050', stub: '262.1', absolute: true },
      ['rva-wrapped', 'table-order-not-by-address'],
    ],
    [
      'mkinitcpio v35',
      { as: 'mkinitcpio-35', stub: '247.3' },
      ['no-room-for-init-size', 'section-unaligned'],
    ],
    [
      'ukify 254 over 252.39',
      { as: 'ukify-254', stub: '252.39' },
      ['sections-overlap', 'sbat-merged-over-sdmagic', 'no-room-for-init-size', 'section-unaligned'],
    ],
    ['ukify 254 over 254.26', { as: 'ukify-254', stub: '254.26' }, ['no-room-for-init-size']],
    ['ukify 257.0 over 257.13', { as: 'ukify-257.0', stub: '257.13' }, ['payload-virtual-size-mismatch']],
    ['ukify 257.3 over 257.13', { as: 'ukify-257.3', stub: '257.13' }, ['no-room-for-init-size']],
  ])('%s', (_, options, rules) => {
    expect(rulesOf(options)).toEqual(rules)
  })
})
