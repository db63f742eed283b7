import { expect, test } from 'vitest'
import { readListing } from '../../../src/image/objdump.ts'
import { readObserved } from '../../../src/image/observed.ts'

const HEAD =
  'a.efi:     file format pei-x86-64\n\nSections:\nIdx Name          Size      VMA ' +
  '              LMA               File off  Algn\n'
const row = (i: number, name: string, vma: string, at: string): string =>
  `  ${String(i)} ${name}         00001000  ${vma}  ${vma}  ${at}  2**4\n`
const text = row(0, '.text', '0000000000004000', '00000400')
const bss = row(0, '.bss', '0000000000004000', '00000000')

test('a table ends where the next file begins', () => {
  const { listing, problems } = readListing(
    `${HEAD}${text}${HEAD.replace('a.efi', 'b.efi')}${row(0, '.data', '0000000000008000', '00000400')}`,
  )
  expect(problems).toEqual([])
  expect([listing?.fileName, listing?.sections.map(({ name }) => name)]).toEqual(['a.efi', ['.text']])
})

test('without a section in the file headers take a page; without .text the lowest section is entered', () => {
  expect(readListing(`${HEAD}${bss}                  ALLOC\n`).listing).toMatchObject({
    fileSize: 0,
    headers: { SizeOfHeaders: 0x1000, AddressOfEntryPoint: 0x4000 },
    sections: [{ name: '.bss', hasContents: false, Characteristics: 0xc0000080 }],
  })
})

test('a table without its head has no file name, and no size from ls', () => {
  const { listing } = readListing(`-rw-r--r-- 1 root root 9999 Nov 22 10:00 a.efi\n${text}`)
  expect([listing?.fileName, listing?.fileSize]).toEqual([null, 0x1400])
  expect(
    readListing(`-rw-r--r-- 1 root root 9999 Nov 22 10:00 a.efi\n${HEAD}${text}`).listing?.fileSize,
  ).toBe(9999)
})

test.each([
  [
    'ImageBase 40000000000000',
    'sections at 0x4000-0x5000 do not fit a PE file with ImageBase 0x40000000000000',
  ],
  ['SizeOfImage 100000000', 'SizeOfImage 0x100000000 does not fit its field'],
  ['FileAlignment 00000300', 'FileAlignment 0x300 is not a power of two'],
  ['SectionAlignment 00000000', 'SectionAlignment 0x0 is not a power of two'],
])('%s is turned down', (header, what) => {
  expect(readListing(`${header}\n${HEAD}${text}`)).toEqual({
    listing: null,
    problems: [{ id: 'not-a-listing', at: null, what, fatal: true }],
  })
})

test('a fact that comes again with the same value is the same fact', () => {
  expect(readObserved('output: 0x1000000\nhello\noutput: 0x1000000\noutput_len: 0x10')).toEqual({
    facts: [
      { name: 'output', value: 0x1000000, line: 1 },
      { name: 'output_len', value: 0x10, line: 4 },
    ],
    problems: [],
  })
})
