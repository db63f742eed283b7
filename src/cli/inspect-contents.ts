/** What `ukify inspect` shows of an image: texts of its sections with their SHA-256, and its profiles. */
import { formatSize } from '../bytes/range.ts'
import { sha256 } from '../bytes/sha256.ts'
import { fileOffset } from '../bytes/units.ts'
import { decodeText } from '../bytes/text.ts'
import { TEXT_MAX } from '../image/sdmagic.ts'
import type { UkiSection, UkiView } from '../image/uki.ts'
import { columns, printable, wrap } from '../report/layout.ts'

/** Sections whose content is text. Source: systemd@257.13 src/ukify/ukify.py Uki inspect. */
const TEXTS: readonly string[] = [
  '.osrel',
  '.cmdline',
  '.uname',
  '.sbat',
  '.sdmagic',
  '.profile',
  '.pcrpkey',
  '.pcrsig',
]
/** Maximum number of sections shown; a table can have 65535. */
const SECTIONS_MAX = 64
/** Maximum number of lines shown of a text. */
const LINES_MAX = 40

/** The content of a section with text. */
export interface SectionContent {
  /** Index in the section table. */
  readonly index: number
  readonly name: string
  readonly size: number
  /** Of all its bytes, in hexadecimal digits; null if there are more than TEXT_MAX. */
  readonly sha256: string | null
  /** UTF-8 up to the first NUL, of the first TEXT_MAX bytes. */
  readonly text: string
}

/** A profile: its name, and the section that it uses of every kind. */
export interface Profile {
  /** `@N` selects it. */
  readonly number: number
  /** ID and TITLE of its `.profile`. */
  readonly id: string | null
  readonly title: string | null
  /** Payload sections by name: their place in the table, and whether they are its own or the base's. */
  readonly sections: readonly { readonly name: string; readonly index: number; readonly own: boolean }[]
}

function contentOf({ section, content }: UkiSection): SectionContent {
  const bytes = content.read(fileOffset(0), Math.min(content.size, TEXT_MAX))
  const nul = bytes.indexOf(0)
  return {
    index: section.index,
    name: section.name,
    size: content.size,
    sha256:
      content.size > TEXT_MAX
        ? null
        : Array.from(sha256(content), byte => byte.toString(16).padStart(2, '0')).join(''),
    text: decodeText(nul < 0 ? bytes : bytes.subarray(0, nul), 'utf-8 after a mark'),
  }
}

/** Every section with text, in table order, SECTIONS_MAX at the most. */
export function sectionContents(uki: UkiView): SectionContent[] {
  return uki.sections
    .filter(({ section }) => TEXTS.includes(section.name))
    .slice(0, SECTIONS_MAX)
    .map(contentOf)
}

function field(text: string, name: string): string | null {
  const line = text.split('\n').find(one => one.startsWith(`${name}=`))
  return line === undefined ? null : line.slice(name.length + 1).trim()
}

/**
 * The profiles of an image; none where it has no `.profile`. A profile begins at its `.profile`; what comes
 * before the first of them belongs to all. Source: systemd@257.13 src/boot/pe.c pe_locate_profile_sections.
 */
export function profilesOf(uki: UkiView): Profile[] {
  const payload = uki.sections.filter(section => section.payload)
  const starts = payload.flatMap(({ section }, i) => (section.name === '.profile' ? [i] : []))
  const base = payload.slice(0, starts[0] ?? payload.length)
  return starts.slice(0, SECTIONS_MAX).map((start, number) => {
    const own = payload.slice(start, starts[number + 1] ?? payload.length)
    const text = own
      .slice(0, 1)
      .map(section => contentOf(section).text)
      .join('')
    const names = [...new Set([...base, ...own].map(({ section }) => section.name))]
    return {
      number,
      id: field(text, 'ID'),
      title: field(text, 'TITLE'),
      sections: names.flatMap(name => {
        const mine = own.find(({ section }) => section.name === name)
        const used = mine ?? base.find(({ section }) => section.name === name)
        return used === undefined ? [] : [{ name, index: used.section.index, own: mine !== undefined }]
      }),
    }
  })
}

const TEXT_WIDTH = 76

/** A line in pieces of at most TEXT_WIDTH; a longer word is cut. */
function pieces(line: string): string[] {
  return wrap(line, TEXT_WIDTH).flatMap(part =>
    Array.from({ length: Math.max(1, Math.ceil(part.length / TEXT_WIDTH)) }, (_, i) =>
      part.slice(i * TEXT_WIDTH, (i + 1) * TEXT_WIDTH),
    ),
  )
}

/** Texts with their sizes and hashes, at most 80 columns wide. */
export function contentLines(contents: readonly SectionContent[]): string[] {
  return contents.flatMap(({ index, name, size, sha256: hash, text }, i) => {
    const lines = text.replace(/\n$/, '').split('\n')
    const shown = lines.slice(0, LINES_MAX)
    return [
      ...(i === 0 ? ['texts'] : []),
      `  ${printable(name)}  #${String(index)}, ${formatSize(size)}`,
      `    ${hash === null ? `more than ${formatSize(TEXT_MAX)}, so without SHA-256` : `sha256 ${hash}`}`,
      ...shown.flatMap(line => pieces(printable(line)).map(part => `    ${part}`.trimEnd())),
      ...(lines.length > LINES_MAX ? [`    and ${String(lines.length - LINES_MAX)} more lines`] : []),
    ]
  })
}

/** Profiles side by side in one table. */
const ABREAST = 3
const CELL_MAX = 20

/** A table of the profiles, side by side: the section that each uses, with a star where it is its own. */
export function profileLines(profiles: readonly Profile[]): string[] {
  const lines: string[] = []
  for (let i = 0; i < profiles.length; i += ABREAST) {
    const some = profiles.slice(i, i + ABREAST)
    const names = [...new Set(some.flatMap(({ sections }) => sections.map(({ name }) => name)))]
    const cell = (text: string | null): string => (text ?? '').slice(0, CELL_MAX)
    const rows = [
      ['  profile', ...some.map(({ number }) => `@${String(number)}`)],
      ['  ID', ...some.map(({ id }) => cell(id))],
      ['  TITLE', ...some.map(({ title }) => cell(title))],
      ...names.map(name => [
        `  ${name}`,
        ...some.map(({ sections }) => {
          const used = sections.find(section => section.name === name)
          return used === undefined ? '-' : `#${String(used.index)}${used.own ? ' its own' : ''}`
        }),
      ]),
    ]
    lines.push(...(i === 0 ? ['profiles'] : ['']), ...columns(rows))
  }
  return lines
}
