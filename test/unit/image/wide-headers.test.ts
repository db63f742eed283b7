import { describe, expect, test } from 'vitest'
import { imageOfListing } from '../../../src/boot/listing.ts'
import { fromInteger, toInteger } from '../../../src/bytes/int.ts'
import { hex } from '../../../src/bytes/range.ts'
import type { ByteSource } from '../../../src/bytes/source.ts'
import { fileOffset } from '../../../src/bytes/units.ts'
import { check } from '../../../src/check.ts'
import { FIRMWARES } from '../../../src/firmware/firmwares.ts'
import { setupHeaderAt, type SetupHeaderField } from '../../../src/image/x86/boot-params.ts'
import { KERNEL_FACTS, type KernelFacts } from '../../../src/image/x86/kernel-facts.ts'
import { readListing } from '../../../src/image/objdump.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { STUB_FACTS, type StubFacts } from '../../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../../src/image/synthetic.ts'
import { bootLoaders } from '../../../src/boot-loader/boot-loaders.ts'
import { memoryMap } from '../../../src/vitest/builders.ts'
import { edited } from '../../support/bytes.ts'
import { goodPe, outcomeOf } from '../firmware/loader-bench.ts'

/** Addresses of 64 bits that no byte of memory has, and those at the ends of what has one. */
const WIDE = {
  'the last page of 52 bits': 2n ** 52n - 0x1000n,
  'the end of 52 bits': 2n ** 52n,
  'an odd number past 2^53': 2n ** 53n + 1n,
  "Xen's": 0xffff82d040000000n,
  "Linux's": 0xffffffff81000000n,
  'the very top': 0xffffffffffff0000n,
} as const
const map = memoryMap(['EfiConventionalMemory', '1M', '1023M'])
const kernelNamed = (name: string): KernelFacts => KERNEL_FACTS[name] ?? expect.fail(`no facts of ${name}`)
const linux = kernelNamed('debian-6.12.107-cloud')

function uki(stub: StubFacts, kernel: ByteSource, ImageBase?: bigint): ByteSource {
  return buildUki({
    stub,
    ...(ImageBase === undefined ? {} : { optional: { ImageBase } }),
    sections: [
      { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'console=ttyS0 nokaslr' } },
      { name: '.linux', VirtualAddress: 0x2000000, content: kernel },
      { name: '.initrd', VirtualAddress: 0x6000000, content: { initrd: 0x10000 } },
    ],
  })
}

/** The file as `objdump -h -p` prints it: addresses with ImageBase, in 64 bits. */
function printed(source: ByteSource): string {
  const { optional, sections } = parsePe(source).pe ?? expect.fail('no PE file')
  const digits = (n: number | bigint, width: number): string => n.toString(16).padStart(width, '0')
  const rows = sections.map(({ name, VirtualAddress, VirtualSize, PointerToRawData }, i) => {
    const vma = digits(BigInt.asUintN(64, optional.ImageBase + BigInt(VirtualAddress)), 16)
    return (
      `  ${String(i)} ${name} ${digits(VirtualSize, 8)}  ${vma}  ${vma}  ` +
      `${digits(PointerToRawData, 8)}  2**4\n`
    )
  })
  const headers = (['ImageBase', 'SizeOfImage', 'SizeOfHeaders', 'AddressOfEntryPoint'] as const).map(
    name => `${name}\t${digits(optional[name], 16)}\n`,
  )
  return (
    `a.efi:     file format pei-x86-64\n\n${headers.join('')}\nIdx Name          ` +
    `Size      VMA\n${rows.join('')}`
  )
}

describe.each(Object.entries(WIDE))('an image whose ImageBase is %s', (_, ImageBase) => {
  test('is relocated by every image loader that can, and refused with a reason by the others', () => {
    // One block for the page 0x1000: a fixup of 64 bits at 0x10, and padding
    const relocations = Uint8Array.of(0, 0x10, 0, 0, 12, 0, 0, 0, 0x10, 0xa0, 0, 0)
    const pe = (fileSize?: number) =>
      goodPe(
        [
          { VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x200 },
          { VirtualAddress: 0x2000, VirtualSize: 12, raw: 0x200, bytes: relocations },
        ],
        {
          ImageBase,
          directories: Array.from({ length: 16 }, (_, i) => (i === 5 ? [0x2000, 12] : [0, 0])),
          ...(fileSize === undefined ? {} : { fileSize }),
        },
      )
    for (const fileSize of [undefined, 0x80000]) {
      const refusals = FIRMWARES.flatMap(({ loader: { id } }) => {
        const { loaded, refused, unallocated } = outcomeOf(id, pe(fileSize))
        expect([id, loaded === null, unallocated]).toEqual([id, refused !== null, []])
        return refused === null ? [] : [[id, refused.clause, refused.why]]
      })
      expect(refusals).toEqual([
        ['rust-hypervisor-firmware', 'PE-42', `ImageBase ${hex(ImageBase)} is not a physical address`],
        ...(ImageBase % 0x1000n === 0n ? [] : ['audk', 'audk-strict']).map(id => [
          id,
          'PE-48',
          `ImageBase ${hex(ImageBase)} is not aligned to SectionAlignment 0x1000`,
        ]),
        ['lanzaboote', 'PE-54', 'the image has a directory of base relocations'],
      ])
    }
  })

  test('boots as one whose ImageBase is taken: only the place of the image is another', () => {
    for (const stub of Object.values(STUB_FACTS)) {
      const boot = (base: bigint) =>
        check({
          image: { name: 'uki', source: uki(stub, buildKernel(linux), base) },
          machine: { what: 'a test', map },
        })
      const [wide, low] = [boot(ImageBase).report, boot(0n).report]
      expect([wide.verdict, wide.facts]).toEqual([low.verdict, low.facts])
    }
  })

  test('is the same from its listing', () => {
    const source = uki(STUB_FACTS['257.13'], buildKernel(linux), ImageBase)
    const { listing, problems } = readListing(printed(source))
    expect([problems, listing?.headers.ImageBase]).toEqual([[], ImageBase])
    const listed = imageOfListing(listing ?? expect.fail('no listing'))
    const run = (image: { source: ByteSource }) =>
      check({
        image: { name: 'uki', ...image },
        machine: { what: 'a test', map },
        stub: '257.13',
        kernel: '6.12',
      }).report
    const [file, text] = [run({ source }), run(listed)]
    expect([text.verdict, text.facts.imageBase, text.facts.handOff?.kernelImage]).toEqual([
      'unknown',
      file.facts.imageBase,
      file.facts.handOff?.kernelImage,
    ])
  })
})

describe('a kernel whose 64-bit fields of the setup header are out of this world', () => {
  const fields: readonly SetupHeaderField[] = ['pref_address', 'setup_data', 'hardware_subarch_data']
  const cases = ['debian-5.10.223-cloud', 'debian-6.12.107-cloud'].flatMap(name =>
    fields.flatMap(field => Object.values(WIDE).map(value => ({ name, field, value }))),
  )
  const written = ({ name, field, value }: (typeof cases)[number]): ByteSource =>
    edited(buildKernel(kernelNamed(name)), setupHeaderAt(field), fromInteger(value, 8))

  test.each(cases)('$name: $field', one => {
    const kernel = written(one)
    expect(toInteger(kernel.read(fileOffset(setupHeaderAt(one.field)), 8))).toBe(one.value)
    for (const id of Object.keys(bootLoaders))
      expect(
        check({ image: { name: 'kernel', source: kernel }, bootLoader: id, machine: { what: 'a test', map } })
          .report.outcome.kind,
      ).toMatch(/^(arrived|refused|unknown|undefined)$/)
    for (const stub of [STUB_FACTS['247.3'], STUB_FACTS['257.13']])
      expect(
        check({ image: { name: 'uki', source: uki(stub, kernel) }, machine: { what: 'a test', map } }).report
          .outcome.kind,
      ).toMatch(/^(arrived|refused|unknown|undefined)$/)
  })
})
