import { bytesOfLatin1 } from '../../../src/bytes/text.ts'
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { bytesSource } from '../../../src/bytes/source.ts'
import { formatInspection, inspectionToJson, inspectSource } from '../../../src/cli/inspect.ts'
import { check } from '../../../src/check.ts'
import { profileMap, profileNamed } from '../../../src/firmware/profiles.ts'
import { fileKind } from '../../../src/image/file-kind.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { TEXT_MAX } from '../../../src/image/sdmagic.ts'
import { buildKernel, buildPe, buildUki } from '../../../src/image/synthetic.ts'
import { formatReport } from '../../../src/report/index.ts'
import { factsOf } from '../../support/facts.ts'

const text = (name: string, VirtualAddress: number, content: string) => ({
  name,
  VirtualAddress,
  content: { text: content },
})
const OSREL = 'ID=arch\nPRETTY_NAME="An operating system"\n'
const uki = buildUki({
  stub: STUB_FACTS['257.13'],
  sections: [
    text('.osrel', 0x400000, OSREL),
    text('.cmdline', 0x410000, 'root=/dev/sda1 quiet'),
    { name: '.linux', VirtualAddress: 0x2000000, content: buildKernel(factsOf('debian-6.12.107-cloud')) },
    text('.profile', 0x6000000, 'ID=main\nTITLE=Usual\n'),
    text('.profile', 0x6010000, 'ID=reset\nTITLE=Factory \u001b[31mreset\n'),
    text('.cmdline', 0x6020000, `rescue ${'very-long-word '.repeat(20)}`),
    text('.uname', 0x6030000, 'x'.repeat(TEXT_MAX + 1)),
  ],
})
const inspection = inspectSource('uki.efi', uki)
const machine = { what: 'a machine', map: profileMap(profileNamed('ovmf'), 2 ** 29) }

test('every section with text is shown with its size and the SHA-256 of all its bytes', () => {
  const contents = inspection.contents.filter(({ name }) => name !== '.sdmagic' && name !== '.sbat')
  expect(contents.map(({ name }) => name)).toEqual([
    '.osrel',
    '.cmdline',
    '.profile',
    '.profile',
    '.cmdline',
    '.uname',
  ])
  expect(contents[0]).toMatchObject({
    size: OSREL.length,
    text: OSREL,
    sha256: createHash('sha256').update(OSREL).digest('hex'),
  })
  expect(contents.at(-1)).toMatchObject({ size: TEXT_MAX + 1, sha256: null })
  expect(inspectionToJson(inspection)['contents']).toEqual(inspection.contents)
})

test('a profile has its own sections, and those before the first profile', () => {
  expect(
    inspection.profiles.map(({ number, id, sections }) => [
      number,
      id,
      sections.filter(({ name }) => name === '.cmdline' || name === '.linux').map(({ own }) => own),
    ]),
  ).toEqual([
    [0, 'main', [false, false]],
    [1, 'reset', [true, false]],
  ])
  const shown = formatInspection(inspection)
  expect(shown).toMatch(/\nprofiles\n {2}profile +@0 +@1\n {2}ID +main +reset\n/)
  expect(shown).toMatch(/\n {2}\.cmdline +#7 +#11 its own\n/)
})

test('nothing that is shown is wider than 80 columns, or steers a terminal', () => {
  const lines = formatInspection(inspection).split('\n')
  expect(lines.filter(line => line.length > 80)).toEqual([])
  expect(lines.join('')).not.toContain('\u001b')
})

test('an image without profiles has none, and no .profile means no table', () => {
  const plain = inspectSource('u', buildUki({ stub: STUB_FACTS['257.13'], sections: [] }))
  expect(plain.profiles).toEqual([])
  expect(formatInspection(plain)).not.toContain('\nprofiles\n')
})

test.each([
  ['\u007fELF\u0002\u0001\u0001', /it is an ELF file/],
  ['070701000', /it is a cpio archive/],
  ['(\u00b5/\u00fd', /it is compressed with zstd/],
  ['#!/bin/sh\n', /it is a script/],
])('%j is named for what it is', (head, message) => {
  const source = bytesSource(Uint8Array.from({ length: 600 }, (_, i) => head.charCodeAt(i) || 0))
  expect(() => inspectSource('f', source)).toThrow(message)
  expect(() => check({ image: { name: 'f', source }, machine })).toThrow(message)
})

test('what has no telling first bytes is not guessed', () => {
  expect(fileKind(bytesSource(new Uint8Array(600)))).toBeNull()
  expect(fileKind(bytesSource(new Uint8Array(1)))).toBeNull()
  const kernel = new Uint8Array(0x400)
  kernel.set([0x55, 0xaa], 0x1fe)
  expect(fileKind(bytesSource(kernel))).toBe('a disk or a file system with a boot sector')
  kernel.set(bytesOfLatin1('HdrS'), 0x202)
  expect(fileKind(bytesSource(kernel))).toBe('a kernel without an EFI stub')
})

test('a PE file that is no UKI is named, and its stub is none rather than one of unknown version', () => {
  const source = buildPe({
    optional: {
      SizeOfHeaders: 0x400,
      SizeOfImage: 0x2000,
      SectionAlignment: 0x1000,
      FileAlignment: 0x200,
      Subsystem: 10,
    },
    sections: [
      {
        ...text('.text', 0x1000, 'code'),
        VirtualSize: 4,
        PointerToRawData: 0x400,
        SizeOfRawData: 0x200,
        Characteristics: 0x60000020,
      },
    ],
  })
  const { report } = check({ image: { name: 'shell.efi', source }, machine })
  expect(report.verdict).toBe('unknown')
  const shown = formatReport(report).replace(/\s+/g, ' ')
  expect(shown).toContain(
    'stub none: the file is an EFI program without a .linux section, not a unified kernel image',
  )
  expect(shown).toContain('kernel none: no .linux section')
  const kernel = check({
    image: { name: 'vmlinuz', source: buildKernel(factsOf('debian-6.12.107-cloud')) },
    machine,
  })
  expect(kernel.report.gaps[0]?.why).toMatch(/a kernel without a stub .*--boot-loader/)
})
