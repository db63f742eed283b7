/** Section tables in every clothing that leaves a line a line: the same sections as in the plain text. */
import { expect, test } from 'vitest'
import { readListing } from '../../../src/image/objdump.ts'
import { CLOTHING } from '../../support/clothing.ts'

const TABLES: Readonly<Record<string, string>> = {
  'objdump -h': [
    'uki.efi:     file format pei-x86-64',
    '',
    'Idx Name          Size      VMA               LMA               File off  Algn',
    '  0 .text         00007aa0  0000000000004000  0000000000004000  00000400  2**4',
    '  1 .linux        00b90000  0000000002000000  0000000002000000  00008000  2**2',
    '  2 .initrd       00200000  0000000003000000  0000000003000000  01000000  2**2',
  ].join('\n'),
  dumpbin: [
    'SECTION HEADER #1',
    '   .text name',
    '    7AA0 virtual size',
    '    4000 virtual address (0000000000004000 to 000000000000BA9F)',
    '    7C00 size of raw data',
    '     400 file pointer to raw data (00000400 to 00007FFF)',
    '',
    'SECTION HEADER #2',
    '  .linux name',
    '  B90000 virtual size',
    ' 2000000 virtual address (0000000002000000 to 0000000002B8FFFF)',
    '  B90000 size of raw data',
    '    8000 file pointer to raw data (00008000 to 00B97FFF)',
  ].join('\n'),
  'ukify inspect': [
    '.linux:',
    '  size: 12124160 bytes',
    '  sha256: 00ff',
    '.initrd:',
    '  size: 2097152 bytes',
  ].join('\n'),
}
/** Lines are lost or torn, or their words cannot be told from those of the record around them. */
const OTHERS =
  /^(?:fold|wrapped|flowed|of grep -C|journalctl, json)|instead of lines|in one line|without lines|Android|CRI/

const shown = (text: string | Uint8Array): unknown => {
  const { listing } = readListing(text)
  return [
    listing?.sections.map(({ name, size, VirtualAddress }) => [name, size, VirtualAddress]),
    listing?.missing,
  ]
}

test.each(
  Object.entries(TABLES).flatMap(([name, table]) =>
    CLOTHING.filter(clothing => !OTHERS.test(clothing.name)).map(
      ({ name: clothing, wear }) => [name, clothing, table, wear] as const,
    ),
  ),
)('%s, %s', (_, __, table, wear) => {
  expect(readListing(table).listing?.sections.length).toBeGreaterThanOrEqual(2)
  expect(shown(wear(table.split('\n')))).toEqual(shown(table))
})
