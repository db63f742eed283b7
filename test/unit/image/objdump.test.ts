import fc from 'fast-check'
import { expect, it, test } from 'vitest'
import { imageOfListing } from '../../../src/boot/listing.ts'
import { isListing, peOfListing, readListing } from '../../../src/image/objdump.ts'
import { parsePe } from '../../../src/image/pe.ts'

const TABLE = `
linux.efi:     file format pei-x86-64

Sections:
Idx Name          Size      VMA               LMA               File off  Algn
  0 .text         00007aa0  0000000000004000  0000000000004000  00000400  2**4
                  CONTENTS, ALLOC, LOAD, READONLY, CODE
  1 .data         00002168  000000000000d000  000000000000d000  00008200  2**4
                  CONTENTS, ALLOC, LOAD, DATA
  2 .bss          00001000  0000000000010000  0000000000010000  00000000  2**4
                  ALLOC
  3 .osrel        0000002c  0000000000020000  0000000000020000  0000ba00  2**2
                  CONTENTS, ALLOC, LOAD, READONLY, DATA
  4 .linux        00b93f00  0000000002000000  0000000002000000  0000be00  2**2
                  CONTENTS, ALLOC, LOAD, READONLY, DATA
  5 .initrd       004a7e00  0000000003000000  0000000003000000  00b9fe00  2**2
                  CONTENTS, ALLOC, LOAD, READONLY, DATA
`
const PRIVATE =
  'ImageBase\t\t0000000000010000\nSectionAlignment\t00001000\nFileAlignment\t\t00000200\n' +
  'SizeOfImage\t\t034b8000\nSizeOfHeaders\t\t00000400\nAddressOfEntryPoint\t0000000000004100\n'
const LS = '-rw-r--r-- 1 root root 17072640 Nov 22 10:00 boot/linux.efi\n'
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test('becomes a PE file with the same table; what is not listed is assumed and said', () => {
  const { listing, problems } = readListing(TABLE)
  expect(problems).toEqual([])
  expect(listing).toMatchObject({
    fileName: 'linux.efi',
    fileSize: 0xb9fe00 + 0x4a7e00,
    headers: {
      ImageBase: 0n,
      SectionAlignment: 0x1000,
      FileAlignment: 0x200,
      SizeOfImage: 0x34a8000,
      SizeOfHeaders: 0x400,
      AddressOfEntryPoint: 0x4000,
    },
  })
  expect(listing?.assumptions).toHaveLength(8)
  const { pe, problems: odd } = parsePe(peOfListing(listing ?? expect.fail('none'), () => undefined))
  expect(odd).toEqual([])
  expect(
    pe?.sections.map(
      ({ name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData, Characteristics }) => [
        name,
        VirtualAddress,
        VirtualSize,
        PointerToRawData,
        SizeOfRawData,
        Characteristics,
      ],
    ),
  ).toEqual([
    ['.text', 0x4000, 0x7aa0, 0x400, 0x7c00, 0x60000020],
    ['.data', 0xd000, 0x2168, 0x8200, 0x2200, 0xc0000040],
    ['.bss', 0x10000, 0x1000, 0, 0, 0xc0000080],
    ['.osrel', 0x20000, 0x2c, 0xba00, 0x200, 0x40000040],
    ['.linux', 0x2000000, 0xb93f00, 0xbe00, 0xb94000, 0x40000040],
    ['.initrd', 0x3000000, 0x4a7e00, 0xb9fe00, 0x4a7e00, 0x40000040],
  ])
})

test('private headers and ls -l are used where they are there', () => {
  const { listing } = readListing(LS + PRIVATE.replace('0000000000010000', '0000000000000000') + TABLE)
  expect(listing).toMatchObject({
    fileSize: 17072640,
    headers: { ImageBase: 0n, SizeOfImage: 0x34b8000, AddressOfEntryPoint: 0x4100 },
  })
  expect(listing?.assumptions).toHaveLength(1)
  expect(readListing(PRIVATE + TABLE).problems).toMatchObject([{ id: 'not-a-listing' }])
})

test('an image base above the low addresses is inferred', () => {
  const { listing } = readListing(TABLE.replaceAll(/ 00000000(0[0-9a-f]{7}) /g, ' 00000001$1 '))
  expect(listing?.headers.ImageBase).toBe(0x100000000n)
  expect(listing?.sections.map(section => section.VirtualAddress)).toEqual([
    0x4000, 0xd000, 0x10000, 0x20000, 0x2000000, 0x3000000,
  ])
})

/** TABLE as it is printed for another ImageBase, whose header is pasted, too. */
function basedAt(ImageBase: bigint): string {
  const digits = (n: bigint): string => BigInt.asUintN(64, n).toString(16).padStart(16, '0')
  return (
    PRIVATE.replace('0000000000010000', digits(ImageBase)) +
    TABLE.replaceAll(
      / (0{8}[0-9a-f]{8})(?= )/g,
      (_, vma: string) => ` ${digits(ImageBase + BigInt(`0x${vma}`))}`,
    )
  )
}

test.each([
  ['0x10000', 0x10000n],
  ["Xen's", 0xffff82d040000000n],
  ['the last but one bit of 64', 0x7fffffffffff0001n],
  ['past 2^53, where a double has no odd numbers', 2n ** 53n + 1n],
  ['so high that addresses go on at 0', 0xffffffffffff0000n],
])('an image base keeps all its bits: %s', (_, ImageBase) => {
  const { listing, problems } = readListing(basedAt(ImageBase))
  expect([listing?.headers.ImageBase, problems]).toEqual([ImageBase, []])
  expect(listing?.sections.map(section => section.VirtualAddress)).toEqual([
    0x4000, 0xd000, 0x10000, 0x20000, 0x2000000, 0x3000000,
  ])
  const { pe } = parsePe(peOfListing(listing ?? expect.fail('none'), () => undefined))
  expect(pe?.optional.ImageBase).toBe(ImageBase)
})

test('without its header, the base is taken to be the 64 KiB below the lowest section, in 64 bits', () => {
  const sections = basedAt(0xffff82d040000000n).slice(PRIVATE.length)
  expect(readListing(sections).listing).toMatchObject({
    headers: { ImageBase: 0xffff82d040000000n, AddressOfEntryPoint: 0x4000 },
    assumptions: expect.arrayContaining([
      'ImageBase is 0xffff82d040000000: the multiple of 64 KiB below the lowest section',
    ]) as unknown,
  })
})

test('says what is no listing, and which lines cannot be read', () => {
  expect(isListing(bytes(TABLE))).toBe(true)
  expect(isListing(bytes('MZ\0Idx Name Size VMA'))).toBe(false)
  expect(readListing('nothing').problems).toMatchObject([{ id: 'not-a-listing', fatal: true }])
  expect(readListing(new Uint8Array(2 ** 24 + 1)).listing).toBeNull()
  expect(readListing(`${TABLE}  6 .more         00000010  what\n`).problems).toMatchObject([
    { id: 'unreadable-line', what: expect.stringContaining('line 18 ') as unknown },
  ])
  expect(readListing(TABLE.replace('pei-x86-64', 'elf64-x86-64')).problems).toMatchObject([{ id: 'not-pe' }])
  expect(readListing(TABLE.replace('0000000003000000', '00ff000003000000')).problems).toMatchObject([
    { id: 'not-a-listing' },
  ])
  expect(
    readListing(
      TABLE.split('\n').slice(0, 6).join('\n') +
        '\n  0 .text         00007aa0  0000000000004000  0000000000004000  00000400  2**4'.repeat(100),
    ).problems,
  ).toMatchObject([{ what: expect.stringContaining('101 sections') as unknown }])
})

it('never throws, and what it takes is a PE file', () => {
  const text = LS + PRIVATE + TABLE
  const edits = fc.array(
    fc.tuple(
      fc.nat(text.length),
      fc.nat(4),
      fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef \n.f')), maxLength: 4 }),
    ),
    { minLength: 1, maxLength: 8 },
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 400 }),
        edits.map(list =>
          list.reduce((all, [at, cut, put]) => all.slice(0, at) + put + all.slice(at + cut), text),
        ),
      ),
      input => {
        const { listing, problems } = readListing(input)
        expect(listing === null).toBe(problems.some(problem => problem.fatal))
        if (listing !== null) expect(parsePe(imageOfListing(listing).source).pe).not.toBeNull()
      },
    ),
    { numRuns: 300 },
  )
})
