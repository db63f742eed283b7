import { expect, test } from 'vitest'
import { knownLines } from '../../../src/cli/printed.ts'
import { findLines } from '../../../src/messages/find.ts'
import { printed, TEXTS, type TextId } from '../../../src/messages/texts.ts'

const texts = (pasted: string): readonly string[] =>
  findLines(pasted, knownLines()).map(({ line }) => line.text)

test('every line that the model prints is found, whatever stands for its names', () => {
  for (const id of Object.keys(TEXTS) as TextId[]) {
    const line = printed(id, {
      status: 'Load error',
      why: 'odd',
      number: '7',
      option: 'Boot0001',
      what: 'load',
    })
    expect([id, texts(line)]).toEqual([id, expect.arrayContaining([TEXTS[id]])])
  }
})

test('a line is found after the prefix of who prints it, in any case, with other blanks', () => {
  const text = 'Failed to load initrd: {status}'
  expect(texts('[    1.234567] EFI stub: ERROR: Failed to load initrd: 0x8000000000000009')).toEqual([text])
  expect(texts('  failed  to load\tinitrd:\u00a00x8000000000000009 ')).toEqual([text])
  expect(texts('error: ../../grub-core/kern/mm.c:376:out of memory.')).toEqual(['error: out of memory.'])
})

test('what stands for a name freed is as it was pasted', () => {
  const [match] = findLines('Error registering initrd: Already started', knownLines())
  expect(match?.values).toEqual([['status', 'Already started']])
})

test('a warning of the kernel that is harmless since 5.10 is known to be so', () => {
  const [found] = findLines(
    'EFI stub: WARNING: [Firmware Bug]: LoadOptions is an EFI_LOAD_OPTION descriptor',
    knownLines(),
  )
  expect(found?.line).toMatchObject({ clause: 'EP-13', releases: 'Linux 5.10 and later' })
  expect(texts('EFI stub: WARNING: [Firmware Bug]: Using OptionalData as a workaround')).toEqual([
    '[Firmware Bug]: Using OptionalData as a workaround',
  ])
})

test('a few wrong letters do not matter, other words do', () => {
  expect(texts('Unable to locate embeded .linux secton')).toEqual([
    'Unable to locate embedded .linux section',
  ])
  expect(texts('the cat sat on the mat and looked at the moon')).toEqual([])
  expect(texts('')).toEqual([])
})

test('a number is one, and a word or two are near to nothing', () => {
  expect(texts('Section 3 has negative size')).toEqual(['Section {number} {why}'])
  expect(texts('PE loader: section alignment mismatch')).toEqual([])
  expect(texts('ERROR')).toEqual([])
})

test('part of a line finds every line that has it', () => {
  expect(texts('lacks support').toSorted()).toEqual([
    'Initrd is above 4G, but kernel lacks support.',
    'Unified kernel image was loaded above 4G, but kernel lacks support.',
  ])
})

test('of several pasted lines the known one counts', () => {
  expect(texts('first line\nBad kernel image: Load error\nlast line')).toEqual(['Bad kernel image: {status}'])
})

test('a hostile paste costs no more than its first 2000 characters', () => {
  expect(texts('('.repeat(1_000_000))).toEqual([])
  expect(texts('{status}'.repeat(50_000))).toEqual([])
})
