import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { utf8Text } from '../../../src/stub/steps/line-text.ts'
import {
  assumed,
  assumptions,
  below4G,
  early,
  editKernel,
  in254,
  later,
  laterSections,
  lineOf,
  oldKernel,
  pages,
  params,
  refusal,
  section,
  textAt,
  u32,
  with254,
  withLoadOptions,
  WITHOUT_CMDLINE,
} from '../../support/stub-era-runs.ts'
import { CMDLINE, sectionsOf, type StubRun, type StubSetting } from '../../support/stub-run.ts'

test('ST-18 the string in pool is UTF-16, has no control characters and no blanks at the end', () => {
  const run = in254({ sections: sectionsOf({ '.cmdline': section('.cmdline', 0x30000, 'a\tb \n') }) })
  const options = withLoadOptions(run)
  expect(options).toMatchObject({ text: 'a b', bytes: 8, object: 'cmdline:utf-16' })
  expect(textAt(run, options?.at ?? 0, 8)).toBe('a\0 \0b\0\0\0')
  expect(run.calls[0]).toMatchObject({ call: 'pool', size: 2 * (5 + 1), type: 2 })
})

test('ST-18 without pool the stub halts', () => {
  expect(refusal(in254({ full: ['cmdline:utf-16'] }))).toMatchObject({
    clause: 'ST-18',
    status: 'EFI_OUT_OF_RESOURCES',
    message: expect.stringContaining('Assertion') as unknown,
  })
})

test('ST-18 what becomes of blanks, from release to release', () => {
  const odd: StubSetting = {
    sections: sectionsOf({ '.cmdline': section('.cmdline', 0x30000, ' \ta\x7f b\t ') }),
  }
  const oddLater: StubSetting = {
    sections: laterSections({ '.cmdline': section('.cmdline', 0x50000, ' \ta\x7f b\t ') }),
  }
  const line = (run: StubRun): string | undefined => lineOf(run)?.replace(/\0$/, '')
  expect(['S4/252.3', 'S4/252.6', 'S4/252.36', 'S4/253'].map(row => line(early(row, odd)))).toEqual([
    '  a\x7f b  ',
    '  a\x7f b',
    '  a\x7f b',
    '  a\x7f b',
  ])
  expect(
    ['S5/254', 'S6/254.24', 'S5/255', 'S6/256.12', 'S6/257', 'S8'].map(row => line(later(row, oddLater))),
  ).toEqual(['  a\x7f b', '  a\x7f b', 'a  b', 'a  b', 'a  b', 'a  b'])
})

test('ST-74 252.0 keeps bytes, makes odd ones spaces, and widens the line for LoadImage', () => {
  const run = early('S4/252', { options: 'a\tb\u00e9' })
  expect(run.handOff).toMatchObject({
    via: 'pe-entry',
    loaded: { loadOptions: { text: 'a b \0', bytes: 12, object: 'cmdline:utf-16' } },
  })
  expect(
    run.memory.readRaw(
      rangeAt((run.handOff?.via === 'pe-entry' ? run.handOff.loaded.loadOptions?.at : 0) ?? 0, 4),
    ),
  ).toEqual(Uint8Array.of(0x61, 0, 0x20, 0))
  expect(early('S4/252', { sections: sectionsOf({ '.cmdline': null }) }).handOff).toMatchObject({
    loaded: { loadOptions: null },
  })
})

test('ST-75 from 261 on a line without console= rests on an assumption', () => {
  const silent = laterSections({ '.cmdline': section('.cmdline', 0x50000, 'quiet') })
  for (const row of ['S8/261', 'S8/261.1', 'S8'])
    expect(
      [assumed(later(row)).includes('ST-75'), assumed(later(row, { sections: silent })).includes('ST-75')],
      row,
    ).toEqual([false, true])
  expect(assumed(later('S8/259.8', { sections: silent }))).not.toContain('ST-75')
})

test('ST-76 252.0 copies the line as it is, however long', () => {
  const old = sectionsOf({}, oldKernel)
  const run = early('S4/252', { sections: old, ...editKernel(0x238, 3, 0) })
  expect(run.notes.facts.commandLine).toBe(CMDLINE)
  expect(textAt(run, run.notes.facts.cmdLinePtr ?? 0, CMDLINE.length + 1)).toBe(`${CMDLINE}\0`)
  expect(pages(run).at(-1)).toEqual(['cmdline', 1, 2, 'any'])
  expect(u32(run, params(run) + 0x228)).toBe(run.notes.facts.cmdLinePtr)
  expect(pages(early('S4/252', { sections: old, ...below4G })).at(-1)).toEqual(['cmdline', 1, 2, 'max a0000'])
  expect(early('S4/252.3', { sections: old, ...editKernel(0x238, 3, 0) }).notes.facts.commandLine).toBe('con')
  // With its NUL the string is longer than a page
  const full = sectionsOf({ '.cmdline': section('.cmdline', 0x30000, 'x'.repeat(0x1000)) }, oldKernel)
  expect(pages(early('S4/252', { sections: full })).at(-1)).toEqual(['cmdline', 2, 2, 'any'])
})

test('ST-92 in 255 and 256 a blank command line is read beyond its end', () => {
  const blank: StubSetting = { sections: laterSections({ '.cmdline': section('.cmdline', 0x50000, ' \t ') }) }
  for (const row of ['S5/255', 'S5/256', 'S6/255', 'S6/255.18', 'S6/256', 'S6/256.12'])
    expect(later(row, blank).outcome, row).toMatchObject({ kind: 'unknown', gap: { clause: 'ST-92' } })
  for (const row of ['S5/254', 'S6/254.24', 'S6/257', 'S8']) expect(later(row, blank).outcome, row).toBeNull()
})

test('ST-94 the string of SMBIOS stands after the command line', () => {
  const smbios: StubSetting = { smbiosCmdline: ' extra ' }
  expect(['S4/253', 'S5/254', 'S6/256', 'S6/257', 'S8'].map(row => lineOf(with254(row, smbios)))).toEqual([
    CMDLINE,
    `${CMDLINE}  extra `,
    `${CMDLINE}  extra `,
    `${CMDLINE} extra`,
    `${CMDLINE} extra`,
  ])
  expect(
    ['S5/254', 'S6/257'].map(row => lineOf(with254(row, { ...smbios, sections: WITHOUT_CMDLINE }))),
  ).toEqual(['(null)  extra ', 'extra'])
  expect(lineOf(with254('S6/257', { smbiosCmdline: ' ' }))).toBe(CMDLINE)
  for (const row of ['S5/254', 'S8'])
    expect(lineOf(with254(row, { ...smbios, confidentialVm: true })), row).toBe(CMDLINE)
  expect(assumptions(with254('S8', smbios))).not.toContain('SMBIOS')
})

test('ST-18 the last control character is a blank, too', () => {
  const line = (row: string, run: (row: string, setting: StubSetting) => StubRun, at: number) =>
    lineOf(run(row, { sections: laterSections({ '.cmdline': section('.cmdline', at, 'a\x1fb') }) }))
  expect(line('S4/252.6', early, 0x50000)).toBe('a b')
  expect([line('S5/254', later, 0x50000), line('S8', later, 0x50000)]).toEqual(['a b', 'a b'])
})

test('ST-18 what is made of bytes that are not known is the string all the same', () => {
  const run = in254({
    before: (memory, base) => void memory.make(rangeAt(base + 0x30000, 4), 'intruder'),
  })
  const { at = 0, bytes = 0 } = withLoadOptions(run) ?? {}
  expect(run.memory.readAs(rangeAt(at ?? 0, bytes), 'cmdline:utf-16').whole).toBe(true)
})

test('ST-18 characters beyond 16 bits, halves of pairs and what is no UTF-8 are left out', () => {
  const text = (...bytes: number[]): string => utf8Text(Uint8Array.from(bytes))
  expect([text(0xed, 0x9f, 0xbf), text(0xee, 0x80, 0x80)]).toEqual(['\ud7ff', '\ue000'])
  expect([text(0xed, 0xa0, 0x80, 0x61), text(0xed, 0xbf, 0xbf, 0x61)]).toEqual(['a', 'a'])
  // Six bytes are the longest sequence, however small the character; 0xfe begins none
  expect(text(0xfc, 0x80, 0x80, 0x80, 0x81, 0xa1)).toBe('a')
  expect(text(0xfe, 0x80, 0x80, 0x80, 0x80, 0x81, 0xa1, 0x62)).toBe('b')
})
