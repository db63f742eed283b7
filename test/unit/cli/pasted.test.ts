/** What people paste: listings in the place of files, one log for the machine and for what was seen on it. */
import { expect, test } from 'vitest'
import { imageOfListing, recordedKernel } from '../../../src/boot/listing.ts'
import { formatInspection, inspectionToJson, inspectListing } from '../../../src/cli/inspect.ts'
import { fileOffset } from '../../../src/bytes/units.ts'
import { isListing, readListing, type Listing } from '../../../src/image/objdump.ts'
import { parseBzImage } from '../../../src/image/x86/bzimage.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { viewUki } from '../../../src/image/uki.ts'
import { factsOf } from '../../support/facts.ts'

const hex8 = (n: number): string => n.toString(16).padStart(8, '0')
const table = (linux: number): string =>
  [
    '-rw-r--r-- 1 root root 19000000 Nov 22 10:00 boot/linux.efi',
    '',
    'boot/linux.efi:     file format pei-x86-64',
    '',
    'Sections:',
    'Idx Name          Size      VMA               LMA               File off  Algn',
    '  0 .text         00007aa0  0000000000004000  0000000000004000  00000400  2**4',
    '                  CONTENTS, ALLOC, LOAD, READONLY, CODE',
    `  1 .linux        ${hex8(linux)}  0000000002000000  0000000002000000  00008000  2**2`,
    '                  CONTENTS, ALLOC, LOAD, READONLY, DATA',
    `  2 .initrd       00200000  0000000003000000  0000000003000000  01000000  2**2`,
    '                  CONTENTS, ALLOC, LOAD, READONLY, DATA',
    '',
  ].join('\n')
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const listed = (linux: number): Listing => readListing(table(linux)).listing ?? expect.fail('no listing')
const debian = factsOf('debian-6.12.107-cloud')

function kernelIn(linux: number, named?: string) {
  const image = imageOfListing(listed(linux), [], named)
  const { pe } = parsePe(image.source)
  const content =
    viewUki(pe ?? expect.fail('no PE')).sections.find(({ section }) => section.name === '.linux')?.content ??
    expect.fail('no .linux')
  return { image, kernel: parseBzImage(content).bzimage }
}

test('inspect takes a pasted objdump -h, and says what a listing does not show', () => {
  const pasted = bytes(table(0xb90000))
  expect(isListing(pasted)).toBe(true)
  const inspection = inspectListing('pasted.txt', pasted)
  expect(inspection).toMatchObject({
    name: 'pasted.txt (section listing of boot/linux.efi)',
    size: 19000000,
    stub: null,
    kernels: [],
  })
  const text = formatInspection(inspection)
  expect(text).toMatch(/1 +\.linux +0x2000000 +0xb90000/)
  expect(text).toMatch(
    /assumed, since a listing does not show it\n[^]*no recorded kernel has the size of \.linux/,
  )
  expect(inspectionToJson(inspection)['assumptions']).toContain(
    'the command line is empty and .initrd holds an archive: a listing does not show them',
  )
  expect(inspectListing('x', bytes(table(debian.fileSize))).kernels).toMatchObject([
    { bzimage: { version: debian.version } },
  ])
  expect(() => inspectListing('x', bytes('Idx Name          Size      VMA\n'))).toThrow(
    'x: no section of an objdump listing',
  )
})

test('a kernel that is named goes into a listing: by name, version or branch, when it fits', () => {
  expect([
    recordedKernel('debian-6.12.107-cloud')?.name,
    recordedKernel('6.12.99')?.version.startsWith('6.12.'),
    recordedKernel('2.4'),
  ]).toEqual(['debian-6.12.107-cloud', true, undefined])
  const size = debian.fileSize + 0x1000
  expect(kernelIn(size)).toMatchObject({ kernel: null, image: { stub: { id: 'x-listing' } } })
  const { kernel, image } = kernelIn(size, 'debian-6.12.107-cloud')
  expect([kernel?.hdr.init_size, image.stub]).toEqual([debian.hdr.init_size, null])
  expect(image.assumptions.map(({ what }) => what)).toContain(
    '.linux is similar to the recorded kernel debian-6.12.107-cloud, as named: the ' +
      'run uses its setup header, and its bytes end before the section does',
  )
  const small = kernelIn(0x100000, 'debian-6.12.107-cloud')
  expect([small.kernel, small.image.stub?.id]).toEqual([null, 'x-listing'])
  expect(small.image.assumptions.map(({ what }) => what).join()).toMatch(
    /debian-6\.12\.107-cloud is larger \(0x[0-9a-f]+ bytes\)/,
  )
  expect(image.source.read(fileOffset(0x8000), 2)).toHaveLength(2)
})
