import { describe, expect, it } from 'vitest'
import { countingSource } from '../../../src/bytes/source.ts'
import type { Content } from '../../../src/image/content.ts'
import { parsePe } from '../../../src/image/pe.ts'
import {
  IDENTITY_SCAN_MAX,
  osReleaseField,
  readSectionTexts,
  readStubIdentity,
  readStubVersion,
  TEXT_MAX,
} from '../../../src/image/sdmagic.ts'
import { STUB_FACTS, type StubFacts } from '../../../src/image/stub-facts.ts'
import { buildPe, buildStub, buildUki } from '../../../src/image/synthetic.ts'
import { viewUki, type UkiView } from '../../../src/image/uki.ts'
import type { ByteSource } from '../../../src/bytes/source.ts'

function view(source: ByteSource): UkiView {
  const { pe } = parsePe(source)
  if (pe === null) throw new Error('no PE')
  return viewUki(pe)
}

/** A PE with these sections, 1 MiB of raw data each, in this order. */
function withSections(...sections: readonly (readonly [name: string, content: Content])[]): UkiView {
  return view(
    buildPe({
      optional: {},
      sections: sections.map(([name, content], i) => ({
        name,
        content,
        VirtualAddress: 0x1000 + 0x100000 * i,
        VirtualSize: 0x100000,
        PointerToRawData: 0x1000 + 0x100000 * i,
        SizeOfRawData: 0x100000,
        Characteristics: 0,
      })),
    }),
  )
}

const TEXT = '#### LoaderInfo: systemd-stub 255.4-1ubuntu8 ####'
const put = (at: number, text = TEXT): Content => ({
  size: 0x100000,
  seed: 3,
  parts: [{ at, content: { text } }],
})

describe('readStubIdentity', () => {
  it.each<StubFacts>(Object.values(STUB_FACTS))('reads $identification', facts => {
    const { identity, problems } = readStubIdentity(view(buildStub(facts)))
    expect(problems).toEqual([])
    expect(`#### LoaderInfo: ${String(identity?.product)} ${String(identity?.version)} ####`).toBe(
      facts.identification,
    )
    expect(identity?.version.startsWith(facts.version)).toBe(true)
    const holder = facts.sections.find(([name]) => name === facts.identificationAt[0])
    expect(identity).toMatchObject({
      section: facts.identificationAt[0],
      at: (holder?.[3] ?? 0) + facts.identificationAt[1],
    })
  })

  it('prefers .sdmagic over a text elsewhere, and looks elsewhere when .sdmagic has none', () => {
    expect(
      readStubIdentity(
        withSections(['.data', put(0)], ['.sdmagic', put(0, '#### LoaderInfo: systemd-stub 256 ####')]),
      ).identity,
    ).toMatchObject({ version: '256', section: '.sdmagic' })
    expect(
      readStubIdentity(
        view(
          buildUki({
            stub: STUB_FACTS['247.3'],
            sections: [{ name: '.sdmagic', VirtualAddress: 0x13000, content: { text: 'garbage' } }],
          }),
        ),
      ).identity,
    ).toMatchObject({ version: '247.3-7+deb11u8', section: '.data' })
  })

  it('does not search payload', () => {
    expect(readStubIdentity(withSections(['.linux', put(0)], ['.initrd', put(0)]))).toMatchObject({
      identity: null,
      problems: [{ id: 'no-identification' }],
    })
  })

  it('searches 512 KiB of the other sections in total, not more', () => {
    expect(
      readStubIdentity(withSections(['.text', put(IDENTITY_SCAN_MAX - TEXT.length)])).identity?.version,
    ).toBe('255.4-1ubuntu8')
    expect(
      readStubIdentity(withSections(['.text', put(IDENTITY_SCAN_MAX - TEXT.length + 1)])).identity,
    ).toBeNull()
    const late = readStubIdentity(withSections(['.text', { pattern: 0x100000 }], ['.data', put(0)]))
    expect(late.problems[0]?.what).toContain('0x80000')
    const source = countingSource(
      buildPe({
        optional: {},
        sections: [
          {
            name: '.text',
            VirtualAddress: 0,
            VirtualSize: 2 ** 31,
            PointerToRawData: 0x1000,
            SizeOfRawData: 2 ** 31,
            Characteristics: 0,
            content: { pattern: 2 ** 31 },
          },
        ],
      }),
    )
    readStubIdentity(view(source))
    expect(source.bytesRead()).toBeLessThan(IDENTITY_SCAN_MAX + 4096)
  })

  it('tells a boot loader from a stub', () => {
    expect(
      readStubVersion(withSections(['.sdmagic', put(0, '#### LoaderInfo: systemd-boot 257 ####')])),
    ).toBeNull()
    expect(readStubVersion(withSections(['.linux', put(0)]))).toBeNull()
    expect(readStubVersion(withSections(['.text', put(7)]))).toEqual({
      text: TEXT,
      version: '255.4-1ubuntu8',
      where: '.text',
    })
    expect(
      readStubIdentity(withSections(['.sdmagic', put(0, '#### LoaderInfo: systemd-boot 257 ####')])),
    ).toMatchObject({ identity: { product: 'systemd-boot' }, problems: [{ id: 'not-a-stub', fatal: false }] })
  })
})

describe('readSectionTexts', () => {
  const one = (name: string, content: Content) => ({ name, content, VirtualAddress: 0x20000 })

  it('reads every section of the name up to the first NUL', () => {
    const uki = view(
      buildUki({
        stub: STUB_FACTS['254.26'],
        sections: [
          one('.cmdline', { text: 'quiet\n\0rest' }),
          one('.cmdline', { text: 'root=/dev/\u00e9' }),
          one('.uname', { text: '6.1.0' }),
          one('.osrel', { zero: 4 }),
        ],
      }),
    )
    expect(readSectionTexts(uki, '.cmdline')).toEqual([
      { object: 'cmdline', text: 'quiet\n', cut: false },
      { object: 'cmdline#2', text: 'root=/dev/\u00e9', cut: false },
    ])
    expect(readSectionTexts(uki, '.uname')).toEqual([{ object: 'uki:.uname', text: '6.1.0', cut: false }])
    expect(readSectionTexts(uki, '.osrel')).toEqual([{ object: 'uki:.osrel', text: '', cut: false }])
  })

  it('reads 64 KiB of a longer one and says so', () => {
    const uki = view(
      buildUki({
        stub: STUB_FACTS['254.26'],
        sections: [
          one('.cmdline', { text: 'x'.repeat(TEXT_MAX + 1) }),
          one('.uname', { text: 'x'.repeat(TEXT_MAX) }),
        ],
      }),
    )
    expect(readSectionTexts(uki, '.cmdline')[0]).toMatchObject({ cut: true, text: 'x'.repeat(TEXT_MAX) })
    expect(readSectionTexts(uki, '.uname')[0]?.cut).toBe(false)
  })
})

describe('osReleaseField', () => {
  const text =
    'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION=\'12\'\nno ' +
    'assignment\nEMPTY=\nHALF="x\n'

  it.each([
    ['ID', 'debian'],
    ['PRETTY_NAME', 'Debian GNU/Linux 12 (bookworm)'],
    ['VERSION', '12'],
    ['EMPTY', ''],
    ['HALF', '"x'],
    ['VERSION_ID', null],
    ['no assignmen', null],
  ])('reads %s', (field, value) => {
    expect(osReleaseField(text, field)).toBe(value)
  })
})
