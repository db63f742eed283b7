import { expect, test } from 'vitest'
import { compareImageLoaders } from '../../../src/boot/compare-image-loaders.ts'
import { UsageError } from '../../../src/bytes/errors.ts'
import type { ByteSource } from '../../../src/bytes/source.ts'
import type { Call } from '../../../src/cli/command.ts'
import { formatImageLoaders, imageLoaders, imageLoadersToJson } from '../../../src/cli/image-loaders.ts'
import { FIRMWARES, firmwareNamed } from '../../../src/firmware/firmwares.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { viewUki } from '../../../src/image/uki.ts'
import { goodPe } from '../firmware/loader-bench.ts'
import { SMALL_MAP } from '../firmware/small-machine.ts'
import { smallPe, type SmallSection } from '../firmware/small-pe.ts'

const first = { VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x1000, PointerToRawData: 0x600 }
const file = (...sections: SmallSection[]): ByteSource => smallPe(goodPe(sections, { SizeOfHeaders: 0x400 }))
const overlap = file(
  { VirtualAddress: 0x1000, VirtualSize: 0x2000, raw: 0x1800 },
  { VirtualAddress: 0x2000, VirtualSize: 0x800, raw: 0x200 },
)

function compare(source: ByteSource, names?: readonly string[]) {
  return compareImageLoaders(
    source,
    viewUki(parsePe(source).pe ?? expect.fail('no PE')),
    SMALL_MAP,
    names?.map(firmwareNamed) ?? FIRMWARES,
  )
}

function callOf(
  source: ByteSource,
  options: Readonly<Record<string, string>> = {},
): { call: Call; text: () => string } {
  const parts: string[] = []
  const call = {
    operand: 'a.efi',
    files: { source: () => source },
    has: (name: string) => name in options,
    text: (name: string) => options[name],
    texts: (name: string) => [options[name]].filter(value => value !== undefined),
    quantity: () => undefined,
    print: (part: string) => {
      parts.push(part)
    },
  }
  return { call: call as unknown as Call, text: () => parts.join('') }
}

test('loaders that do the same agree, whatever they do between sections', async () => {
  const comparison = compare(file(first))
  expect(comparison).toMatchObject({ agree: true, differences: [] })
  expect(comparison.gaps.length).toBeGreaterThan(0)
  expect(formatImageLoaders('a.efi', comparison)).toMatch(/all loaders agree\n$/)
  const { call, text } = callOf(file(first))
  expect(await imageLoaders(call)).toBe(0)
  expect(text()).toContain('edk2-2022.11')
})

test('an overlap is told by section: whose bytes each loader leaves where', () => {
  const { differences, agree } = compare(overlap, ['edk2-2022.11', 'u-boot-2022.01', 'patina'])
  expect(agree).toBe(false)
  expect(
    differences.map(({ section, from, to, groups }) => [
      section,
      from,
      to,
      groups.map(({ holds, loaders: who }) => [
        holds.kind === 'data' ? `${holds.object.replace(/^.*:/, '')}+${holds.at.toString(16)}` : holds.kind,
        ...who,
      ]),
    ]),
  ).toEqual(
    ['.s0', '.s1'].flatMap(section => [
      [
        section,
        0x2000,
        0x2200,
        [
          ['.s1+0', 'edk2-2022.11', 'patina'],
          ['.s0+1000', 'u-boot-2022.01'],
        ],
      ],
      [
        section,
        0x2200,
        0x2800,
        [
          ['zero', 'edk2-2022.11'],
          ['.s0+1200', 'u-boot-2022.01', 'patina'],
        ],
      ],
    ]),
  )
  const text = formatImageLoaders('a.efi', compare(overlap))
  expect(text).toMatch(
    /refused\n {2}audk +EFI_VOLUME_CORRUPTED, PE-48: section \.s1 begins at\s+0x2000, before 0x3000/,
  )
  expect(text).toMatch(/section 1 \.s1\n {2}0x2000-0x2200 \(512 bytes\)\n/)
  expect(text).toMatch(/the loaders disagree\n$/)
})

test('a refusal comes with what the loader prints', () => {
  expect(
    formatImageLoaders(
      'a.efi',
      compare(file(first, { VirtualAddress: 0x7000, VirtualSize: 0x2000, raw: 0x200 }), [
        'edk2-2022.11',
        'shim-16',
      ]),
    ),
  ).toMatch(
    /edk2-2022\.11 +EFI_LOAD_ERROR, PE-16: .*\n(?: {28}.*\n)*? +prints: BdsDxe: failed to load … : Load Error\n {2}shim-16 +EFI_UNSUPPORTED, PE-55: [^]*prints: Section 1 has zero size/,
  )
})

test('what is written outside the memory that was taken is shown', () => {
  expect(
    formatImageLoaders(
      'a.efi',
      compare(file(first, { VirtualAddress: 0x6000, VirtualSize: 0x1000, raw: 0 }), [
        'rust-hypervisor-firmware',
      ]),
    ),
  ).toMatch(/writes outside its allocation: 0x3000-0x7000|writes outside its allocation: 0x6000-0x7000/)
  expect(
    formatImageLoaders(
      'a.efi',
      compare(smallPe(goodPe([first], { ImageBase: 0x800000n })), ['rust-hypervisor-firmware']),
    ),
  ).toMatch(/\nassumed\n {2}rust-hypervisor-firmware +uki is placed at 0x800000/)
})

test('as JSON, for the loaders that are asked for, with the exit code', async () => {
  const { call, text } = callOf(overlap, { format: 'json', 'image-loader': 'edk2-2022.11,u-boot-2022.01' })
  expect(await imageLoaders(call)).toBe(1)
  expect(JSON.parse(text())).toMatchObject({
    schema: 1,
    agree: false,
    loaders: [
      { loader: 'edk2-2022.11', refused: null, loaded: { taken: '0x8000', imageSize: '0x8000' } },
      { loader: 'u-boot-2022.01' },
    ],
    differences: [{ section: '.s0', from: '0x2000' }, {}, {}, {}],
  })
  expect(imageLoadersToJson('a', compare(overlap, ['audk']))).toMatchObject({
    loaders: [{ refused: { clause: 'PE-48' }, loaded: null, runs: [] }],
  })
})

test('what is no PE file, too many sections and unknown names are unusable', async () => {
  const refusedBy = (source: ByteSource, options?: Readonly<Record<string, string>>) =>
    imageLoaders(callOf(source, options).call)
  await expect(refusedBy(smallPe({ e_magic: 0 }))).rejects.toThrow(UsageError)
  await expect(refusedBy(overlap, { 'image-loader': 'lilo' })).rejects.toThrow(/unknown firmware 'lilo'/)
  const many = { ...(parsePe(overlap).pe ?? expect.fail('no PE')) }
  const [section] = many.sections
  expect(() =>
    compareImageLoaders(
      overlap,
      viewUki({
        ...many,
        sections: Array.from({ length: 1025 }, (_, index) => ({
          ...(section ?? expect.fail('none')),
          index,
        })),
      }),
      SMALL_MAP,
      FIRMWARES,
    ),
  ).toThrow('1025 sections')
})

test('what only a discardable section or an unusual loader has differently does not count', async () => {
  const emptyBlock = Uint8Array.of(0, 0x10, 0, 0, 8, 0, 0, 0)
  const directories = Array.from({ length: 16 }, (_, i) =>
    i === 5 ? ([0x2000, 8] as const) : ([0, 0] as const),
  )
  const reloc = {
    name: '.reloc',
    VirtualAddress: 0x2000,
    VirtualSize: 0x1000,
    raw: 0x1000,
    PointerToRawData: 0x1600,
    bytes: emptyBlock,
    Characteristics: 0x42000040,
  }
  const withReloc = smallPe(goodPe([first, reloc], { SizeOfHeaders: 0x400, directories }))
  const comparison = compare(withReloc)
  expect(comparison).toMatchObject({
    agree: false,
    verdict: 'harmless',
    differences: [{ section: '.reloc', harmless: 'discardable' }],
  })
  expect(formatImageLoaders('a.efi', comparison)).toMatch(
    /section 1 \.reloc\n {2}0x2000-0x3000 \([^)]*\): discardable, needed during the load only\n[^]*all usual loaders agree on what a running image needs\n$/,
  )
  expect(await imageLoaders(callOf(withReloc).call)).toBe(0)
  expect(compare(file(first, reloc))).toMatchObject({ verdict: 'disagree' })
  const inSector = file(first, {
    VirtualAddress: 0x2000,
    VirtualSize: 0x1000,
    raw: 0x1000,
    PointerToRawData: 0x1610,
  })
  expect(compare(inSector)).toMatchObject({
    verdict: 'harmless',
    differences: [
      {
        harmless: 'unusual',
        groups: [
          { loaders: expect.arrayContaining(['edk2-2022.11', 'shim-16']) as unknown },
          { loaders: ['rust-hypervisor-firmware'] },
        ],
      },
    ],
  })
  expect(
    compareImageLoaders(
      inSector,
      viewUki(parsePe(inSector).pe ?? expect.fail('no PE')),
      SMALL_MAP,
      FIRMWARES,
      () => true,
    ).verdict,
  ).toBe('disagree')
  expect(
    await imageLoaders(callOf(inSector, { 'image-loader': 'edk2-2022.11,rust-hypervisor-firmware' }).call),
  ).toBe(1)
})

test('an image put where the machine has no memory is lost, and its bytes are not compared', async () => {
  const far = smallPe(goodPe([first], { ImageBase: 0x140000000n }))
  const comparison = compare(far)
  expect(comparison).toMatchObject({ agree: false, verdict: 'harmless', differences: [] })
  expect(formatImageLoaders('a.efi', comparison)).toMatch(
    /\nrust-hypervisor-firmware +lost +no memory at 0x140000000\n/,
  )
  expect(await imageLoaders(callOf(far, { 'image-loader': 'rust-hypervisor-firmware' }).call)).toBe(1)
})
