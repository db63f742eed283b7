/**
 * Texts inside a UKI: the stub's own identification, `.osrel`, `.uname`, `.cmdline`. Reads a bounded part of
 * the file, never the kernel or the initrd. Source: systemd src/boot/stub.c.
 */
import { bytesOfLatin1, decodeText } from '../bytes/text.ts'
import { fileOffset, type FileOffset } from '../bytes/units.ts'
import { hex } from '../bytes/range.ts'
import type { Problem } from './problem.ts'
import type { UkiSection, UkiView } from './uki.ts'

/** The identification of a systemd loader: `#### LoaderInfo: systemd-stub 247.3-7+deb11u8 ####`. */
export interface StubIdentity {
  /** `systemd-stub`, or `systemd-boot` and the like if it is not a stub. */
  readonly product: string
  /** The whole text. */
  readonly text: string
  /** As printed, `247.3-7+deb11u8`. */
  readonly version: string
  readonly section: string
  /** File offset of the text. */
  readonly at: FileOffset
}

export interface StubIdentityParse {
  readonly identity: StubIdentity | null
  readonly problems: readonly Problem[]
}

const HASH = 0x23
const MARK = bytesOfLatin1('#### LoaderInfo: ')
const IDENTITY = /^#### LoaderInfo: ([!-~]{1,64}) ([!-~]{1,128}) ####/
/** Maximum length of a match of IDENTITY, in bytes. */
const IDENTITY_MAX = MARK.length + 64 + 1 + 128 + 5
/** Maximum of bytes searched in the stub's own sections, in total. */
export const IDENTITY_SCAN_MAX = 512 * 1024
/** Maximum of bytes read from a text section. */
export const TEXT_MAX = 64 * 1024

function latin1(bytes: Uint8Array): string {
  return decodeText(bytes, 'latin1')
}

function find(section: UkiSection, length: number): StubIdentity | null {
  const bytes = section.content.read(fileOffset(0), length)
  for (let at = bytes.indexOf(HASH); at >= 0; at = bytes.indexOf(HASH, at + 1)) {
    if (!MARK.every((byte, i) => bytes[at + i] === byte)) continue
    const match = IDENTITY.exec(latin1(bytes.subarray(at, at + IDENTITY_MAX)))
    if (match === null) continue
    const [text, product = '', version = ''] = match
    return {
      product,
      text,
      version,
      section: section.section.name,
      at: fileOffset(section.section.PointerToRawData + at),
    }
  }
  return null
}

/**
 * The identification from `.sdmagic` (systemd 252 and later), otherwise from the stub's other sections in
 * table order, IDENTITY_SCAN_MAX bytes in total. Sections with payload names are not searched. Never throws.
 */
export function readStubIdentity(view: UkiView): StubIdentityParse {
  const own = view.sections.filter(({ payload }) => !payload)
  const magic = own.filter(({ section }) => section.name === '.sdmagic')
  let left = IDENTITY_SCAN_MAX
  for (const section of [...magic, ...own.filter(one => !magic.includes(one))]) {
    const length = Math.min(left, section.content.size)
    left -= length
    const identity = find(section, length)
    if (identity !== null)
      return {
        identity,
        problems:
          identity.product === 'systemd-stub'
            ? []
            : [
                problem(
                  'not-a-stub',
                  identity.at,
                  `the file identifies itself as ${identity.product} ${identity.version}`,
                ),
              ],
      }
  }
  return {
    identity: null,
    problems: [
      problem(
        'no-identification',
        null,
        `no LoaderInfo text in the stub's own ` +
          `sections${left === 0 ? ` (the first ${hex(IDENTITY_SCAN_MAX)} bytes were searched)` : ''}`,
      ),
    ],
  }
}

/** The version text of a stub, and the section that holds it. */
export interface StubVersion {
  readonly text: string
  readonly version: string
  readonly where: string
}

/** The identification if it is a stub's, otherwise null. */
export function readStubVersion(view: UkiView): StubVersion | null {
  const { identity } = readStubIdentity(view)
  return identity?.product === 'systemd-stub'
    ? { text: identity.text, version: identity.version, where: identity.section }
    : null
}

function problem(id: string, at: FileOffset | null, what: string): Problem {
  return { id, at, what, fatal: false }
}

/** A section as text. */
export interface SectionText {
  readonly object: string
  /** UTF-8 up to the first NUL; a trailing newline stays. */
  readonly text: string
  /** The section is longer than TEXT_MAX: `text` is its start. */
  readonly cut: boolean
}

/** Every section of that name as text, in table order. Never throws. */
export function readSectionTexts(view: UkiView, name: '.osrel' | '.uname' | '.cmdline'): SectionText[] {
  return view.sections
    .filter(({ section }) => section.name === name)
    .map(({ object, content }) => {
      const bytes = content.read(fileOffset(0), TEXT_MAX)
      const nul = bytes.indexOf(0)
      return {
        object,
        text: decodeText(nul < 0 ? bytes : bytes.subarray(0, nul), 'utf-8 after a mark'),
        cut: nul < 0 && content.size > TEXT_MAX,
      }
    })
}

/** One assignment of an os-release text, without its quotes: `PRETTY_NAME`; null if it is absent. */
export function osReleaseField(text: string, field: string): string | null {
  for (const line of text.split('\n')) {
    const [name, value] = [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).trim()]
    if (line.includes('=') && name.trim() === field) return /^(["'])(.*)\1$/.exec(value)?.[2] ?? value
  }
  return null
}
