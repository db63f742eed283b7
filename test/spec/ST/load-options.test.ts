import { expect, test } from 'vitest'
import type { AddedSection } from '../../../src/image/synthetic.ts'
import {
  assumptions,
  early,
  in254,
  in257,
  later,
  lineOf,
  S2,
  section,
  with254,
  withLoadOptions,
  WITHOUT_CMDLINE,
} from '../../support/stub-era-runs.ts'
import { CMDLINE, OPTIONS, runStub, sectionsOf, type StubSetting } from '../../support/stub-run.ts'

test('ST-14 before 244 Secure Boot rules LoadOptions out even without .cmdline', () => {
  const row = 'systemd-stub/S2/242'
  expect(lineOf(runStub(row, { options: 'quiet' }))).toBe('quiet')
  expect(lineOf(runStub(row, { options: 'quiet', secureBoot: true }))).toBe(CMDLINE)
  expect(
    lineOf(runStub(row, { options: 'quiet', secureBoot: true, sections: sectionsOf({ '.cmdline': null }) })),
  ).toBeUndefined()
})

test('ST-15 LoadOptions replace .cmdline, cut to bytes, unless Secure Boot is on and .cmdline exists', () => {
  const run = runStub(S2, { options: 'qui\u0165' })
  expect(lineOf(run)).toBe('quie')
  expect(run.handOff).toMatchObject({ cmdlineObject: OPTIONS })
  expect(run.calls).toContainEqual(expect.objectContaining({ call: 'pool', label: OPTIONS, size: 5 }))
  expect(lineOf(runStub(S2, { options: 'quiet', secureBoot: true }))).toBe(CMDLINE)
  expect(
    lineOf(runStub(S2, { options: 'quiet', secureBoot: true, sections: sectionsOf({ '.cmdline': null }) })),
  ).toBe('quiet')
})

test('ST-15 LoadOptions that are empty or begin with a control character are not taken', () => {
  expect(lineOf(runStub(S2, { options: '', optionBytes: 2 }))).toBe(CMDLINE)
  expect(lineOf(runStub(S2, { options: 'q', optionBytes: 0 }))).toBe(CMDLINE)
  expect(lineOf(runStub(S2, { options: '\u001fq' }))).toBe(CMDLINE)
  expect(lineOf(runStub(S2, { options: ' q' }))).toBe(' q')
})

test('ST-15 without pool for LoadOptions nothing is known any more', () => {
  expect(runStub(S2, { options: 'quiet', full: [OPTIONS] }).outcome).toMatchObject({
    kind: 'unknown',
    gap: { clause: 'ST-15' },
  })
})

test('ST-16 LoadOptions replace .cmdline as a string', () => {
  expect(withLoadOptions(in254({ options: 'quiet' }))).toMatchObject({ text: 'quiet', bytes: 12 })
  expect(withLoadOptions(in254({ options: '@1 quiet' }))).toMatchObject({ text: '@1 quiet' })
  expect(withLoadOptions(in254({ options: 'quiet', secureBoot: true }))).toMatchObject({ text: CMDLINE })
  expect(
    withLoadOptions(
      in254({ options: 'quiet', secureBoot: true, sections: sectionsOf({ '.cmdline': null }) }),
    ),
  ).toMatchObject({ text: 'quiet' })
  expect(
    withLoadOptions(
      in254({ sections: sectionsOf({ '.cmdline': section('.cmdline', 0x30000, 'caf\u00e9\0junk') }) }),
    ),
  ).toMatchObject({ text: 'caf\u00e9' })
})

test('ST-16 a command line without an end is a gap', () => {
  const long: AddedSection = { name: '.cmdline', VirtualAddress: 0x30000, content: { pattern: 0x100001 } }
  expect(in254({ sections: sectionsOf({ '.cmdline': long }) }).outcome).toMatchObject({
    kind: 'unknown',
    gap: { clause: 'ST-16' },
  })
  const longest: AddedSection = { ...long, content: { text: 'x'.repeat(0x100000) } }
  expect(lineOf(in254({ sections: sectionsOf({ '.cmdline': longest }) }))).toHaveLength(0x100000)
})

test('ST-16 from 254.2 on a confidential VM under Secure Boot takes no LoadOptions', () => {
  const secret: StubSetting = {
    sections: WITHOUT_CMDLINE,
    options: 'mine',
    secureBoot: true,
    confidentialVm: true,
  }
  expect(
    ['S4/253', 'S5/254', 'S5/254.2', 'S5/255', 'S6/257', 'S8'].map(row => lineOf(with254(row, secret))),
  ).toEqual(['mine', 'mine', undefined, undefined, undefined, undefined])
  expect(lineOf(with254('S5/254.2', { ...secret, secureBoot: false }))).toBe('mine')
})

test('ST-17 a profile specifier and one space go first', () => {
  expect(withLoadOptions(in257({ options: '@0  quiet' }))).toMatchObject({ text: 'quiet' })
  expect(withLoadOptions(in257({ options: '@0 ' }))).toMatchObject({ text: CMDLINE })
  expect(withLoadOptions(in257({ options: 'quiet', secureBoot: true }))).toMatchObject({ text: CMDLINE })
})

test('ST-72 233 to 239 take any text', () => {
  for (const row of ['S0/233', 'S1', 'S1/236', 'S1/239']) {
    expect(lineOf(early(row, { options: '\u0001q' })), row).toBe('\u0001q')
    expect(lineOf(early(row, { options: '', optionBytes: 2 })), row).toBe(CMDLINE)
    expect(lineOf(early(row, { options: 'q', secureBoot: true })), row).toBe(CMDLINE)
  }
  expect(lineOf(early('S1/240', { options: '\u0001q' }))).toBe(CMDLINE)
})

test('ST-73 229 to 232 take any LoadOptions', () => {
  expect(lineOf(early('S0', { options: '', optionBytes: 2 }))).toBe('')
  expect(lineOf(early('S0', { options: 'q', secureBoot: true }))).toBe(CMDLINE)
})

test('ST-85 from 259 on a control character anywhere rules LoadOptions out', () => {
  for (const row of ['S7/259', 'S8/259.2', 'S8'])
    expect([lineOf(later(row, { options: 'a\tb' })), lineOf(later(row, { options: 'a b' }))], row).toEqual([
      CMDLINE,
      'a b',
    ])
  expect(lineOf(later('S7', { options: 'a\tb' }))).toBe('a b')
})

test('ST-93 words of the EFI shell take the place of LoadOptions', () => {
  const shell: StubSetting = { shell: ['one', 'two '], options: 'BOOTX64.EFI one two ' }
  expect(
    ['S4/252.3', 'S4/252.6', 'S5/254', 'S5/255', 'S6/257', 'S8'].map(row => lineOf(with254(row, shell))),
  ).toEqual(['one two ', 'one two', 'one two', 'one two', 'one two ', 'one two '])
  for (const row of ['S4/252.3', 'S5/254', 'S6/257', 'S8'])
    expect(lineOf(with254(row, { shell: [], options: 'BOOTX64.EFI' })), row).toBe(CMDLINE)
  expect([
    lineOf(with254('S5/254', { shell: ['one'] })),
    lineOf(with254('S6/257', { shell: ['one'] })),
  ]).toEqual([CMDLINE, 'one'])
  expect(lineOf(with254('S6/257', { ...shell, secureBoot: true }))).toBe(CMDLINE)
  expect(assumptions(with254('S6/257', shell))).not.toContain('EFI shell')
})

test('ST-93 the first word of the shell may choose a profile', () => {
  const sections = [
    ...sectionsOf(),
    section('.profile', 0x3100000, 'ID=a'),
    section('.profile', 0x3200000, 'ID=b'),
    section('.cmdline', 0x3300000, 'second'),
  ]
  expect(lineOf(with254('S8', { sections, shell: ['@1'] }))).toBe('second')
  expect(lineOf(with254('S8', { sections, shell: ['@1', 'mine'] }))).toBe('mine')
  expect(with254('S8', { sections, shell: ['@2'] }).outcome).toMatchObject({
    kind: 'refused',
    refusal: { clause: 'ST-11' },
  })
  expect(lineOf(with254('S8', { sections, shell: ['@x'] }))).toBe('@x')
  // A number of more than 32 bits is none
  expect(lineOf(with254('S8', { sections, shell: ['@4294967296'] }))).toBe('@4294967296')
  expect(with254('S8', { sections, shell: ['@4294967295'] }).outcome).toMatchObject({ kind: 'refused' })
  expect(lineOf(with254('S8', { sections, options: '@1' }))).toBe('second')
})
