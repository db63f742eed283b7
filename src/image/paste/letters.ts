/**
 * Undoes what mailers, browsers, editors and consoles do to text: encodings, and marks between the characters
 * of what was pasted. Every line of the input stays a line of the output, unless the text itself is a string,
 * or encoded as a whole: then its own lines count.
 */

/** Escape sequences of consoles between characters: titles, links, colours, character sets. */
const ESCAPES =
  /\x1b(?:[\]_P^X][^\x07\x1b\r\n]{0,1000}(?:\x07|\x1b\\)|\[[0-9;:?]{0,32}[A-Za-z@`]|[()][0-9A-Z]|[=>78c])/g
/** Cursor movement: it ends a word. */
const MOVEMENTS = /\x1b\[[0-9;]{0,16}[HfGd]/g

/** Bytes of a file that are examined to detect its encoding. */
const SAMPLE = 4096

function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  const sample = bytes.subarray(0, SAMPLE)
  const zeros = [0, 0]
  for (let i = 0; i < sample.length; i++) if (sample[i] === 0) zeros[i % 2] = (zeros[i % 2] ?? 0) + 1
  const [even = 0, odd = 0] = zeros
  const many = sample.length / 3
  if (odd > many && even < odd / 8) return 'utf-16le'
  return even > many && odd < even / 8 ? 'utf-16be' : 'utf-8'
}

function decoded(bytes: Uint8Array): string {
  const encoding = encodingOf(bytes)
  if (encoding !== 'utf-8') return new TextDecoder(encoding).decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}

/** Bytes that no text contains: control codes other than those for lines, tabs and escapes. */
const isControl = (byte: number): boolean => byte < 8 || (byte > 13 && byte < 27) || (byte > 27 && byte < 32)

/**
 * Can these first bytes of a file be those of a text, in any encoding that is read? A log may have zeros here
 * and there.
 */
export function isText(head: Uint8Array): boolean {
  if (encodingOf(head) !== 'utf-8') return true
  if (head[0] === 0x4d && head[1] === 0x5a) return false
  const zeros = head.filter(byte => byte === 0).length
  const controls = head.filter(byte => byte !== 0 && isControl(byte)).length
  return zeros <= head.length / 20 && controls <= head.length / 100
}

/** How programs, images and archives begin. */
const MAGIC = ['MZ', '\x7fELF', 'PK\x03\x04', '\x1f\x8b', '\xfd7zXZ', '\x28\xb5\x2f\xfd', 'BZh', '\x89PNG']
/** How many places of a file are looked at. */
const PLACES = 16

/** Can these bytes be those of a text, here and there at least? A capture may begin with noise. */
export function hasText(bytes: Uint8Array): boolean {
  const begins = String.fromCharCode(...bytes.subarray(0, 6))
  if (MAGIC.some(magic => begins.startsWith(magic))) return false
  const step = Math.max(Math.floor(bytes.length / PLACES), SAMPLE)
  let texts = 0
  let places = 0
  for (let at = 0; at < bytes.length; at += step, places++)
    if (isText(bytes.subarray(at, at + SAMPLE))) texts++
  return texts * 2 >= places
}

/** UTF-8, UTF-16 of either order with or without a mark, or a Windows code page; without escapes. */
export function textOf(input: string | Uint8Array): string {
  const text = typeof input === 'string' ? input : decoded(input)
  return text
    .replace(/^\ufeff/, '')
    .replaceAll('\0', '')
    .replace(MOVEMENTS, ' ')
    .replace(ESCAPES, '')
}

const ENTITIES: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ensp: ' ',
  emsp: ' ',
  thinsp: ' ',
  ndash: '-',
  mdash: '-',
  minus: '-',
  hyphen: '-',
  shy: '',
  lbrack: '[',
  lsqb: '[',
  rbrack: ']',
  rsqb: ']',
  lpar: '(',
  rpar: ')',
  vert: '|',
  verbar: '|',
  colon: ':',
  equals: '=',
  num: '#',
  lowbar: '_',
  Tab: ' ',
}

function entity(whole: string, name: string): string {
  if (!name.startsWith('#')) return ENTITIES[name] ?? whole
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10)
  return code > 0x1f && code < 0x110000 ? String.fromCodePoint(code) : ' '
}

/** Tags within words, as syntax highlighters insert them, and tags that end a word. */
const INLINE = 'a|abbr|b|em|font|i|ins|mark|s|small|span|strong|sub|sup|u|var|wbr'
const BLOCKS =
  'blockquote|body|br|code|div|h[1-6]|head|hr|html|img|kbd|li|ol|p|pre|samp|table|tbody|td|tfoot|th|thead|' +
  'title|tr|tt|ul'
const tag = (names: string, flags: string): RegExp =>
  new RegExp(`</?(?:${names})(?:\\s[^<>\\n]{0,400})?/?>`, flags)
const BB_CODES =
  'b|box|cell|center|code|codebox|color|font|i|indent|list|mono|noparse|nobbc|plain|pre|quote|row|s|size|' +
  'spoiler|table|td|th|tr|tt|u|url'

/**
 * Joins lines that end in `=` with the next one; the line breaks follow, so that lines keep their numbers.
 */
function softBreaks(text: string): string {
  const lines: string[] = []
  let begun = ''
  let joined = 0
  for (const line of text.split('\n')) {
    const end = line.trimEnd()
    if (end.endsWith('=')) {
      begun += end.slice(0, -1)
      joined++
      continue
    }
    lines.push(begun + line, ...Array.from({ length: joined }, () => ''))
    begun = ''
    joined = 0
  }
  return [...lines, ...(joined > 0 ? [begun] : [])].join('\n')
}

function quotedBytes(run: string): string {
  const bytes = Uint8Array.from(run.slice(1).split('='), pair => Number.parseInt(pair, 16))
  const text = decoded(bytes)
  return /[\r\n\0]/.test(text) ? ' ' : text
}

/** In quoted-printable text, every `=` is followed by two hexadecimal digits or the end of a line. */
function isQuotedPrintable(text: string): boolean {
  if (!/[^\n=]=\r?\n|=3D|=C[23]=[89AB][0-9A-F]|=E2=80=[89AB][0-9A-F]/.test(text)) return false
  const signs = text.match(/=/g)?.length ?? 0
  const quoting = text.match(/=(?:0[9AD]|[2-9A-F][0-9A-F]|\r?\n|$)/g)?.length ?? 0
  return quoting >= signs * 0.95
}

/** Eight or more byte values: how journals print a text with an unprintable character. */
const BYTES = /\[\s{0,40}\d{1,3}(?:,\s{0,40}\d{1,3}){7,4000}\s{0,40}\]/

function byteText(list: string): string {
  const bytes = Uint8Array.from(list.match(/\d+/g) ?? [], Number)
  const ends = list.match(/\n/g)?.length ?? 0
  return JSON.stringify(textOf(bytes)) + '\n'.repeat(ends)
}

/** Escaped line breaks of a string; at its end they mean nothing. */
const STRING_END = /(?:\\{1,4}r){0,2}\\{1,4}n(?=\\{0,4}["'])/g
const STRING_LINE = /(?:\\{1,4}r){0,2}\\{1,4}n/g
/** A Windows path may contain a few of them. */
const MANY_LINES = /(?:\\n[^\n]{8,4000}?){3}|\\n["']/

/** Characters of a text that are examined to detect an encoding of the whole. */
const HEAD = 65536
const PERCENT = /%[0-9A-Fa-f]{2}/g
const BASE64 = /^[A-Za-z0-9+/\s]{64,}={0,2}\s{0,9}$/

function percentDecoded(text: string): string {
  const plain = text.includes(' ') ? text : text.replaceAll('+', ' ')
  return plain.replace(/(?:%[0-9A-Fa-f]{2})+/g, run => {
    const bytes = Uint8Array.from(run.slice(1).split('%'), pair => Number.parseInt(pair, 16))
    return decoded(bytes)
  })
}

/** The text, if all of it is one; otherwise null. */
function base64Decoded(text: string): string | null {
  if (!BASE64.test(text.slice(0, HEAD).trimEnd()) || !BASE64.test(text)) return null
  // letters apart are no digits
  if (/^\s{0,9}(?:\S\s){8}/.test(text)) return null
  const digits = text.replace(/\s+/g, '')
  if (digits.length % 4 !== 0) return null
  const bytes = Uint8Array.from(atob(digits), letter => letter.charCodeAt(0))
  return isText(bytes.subarray(0, SAMPLE)) && /\s/.test(decoded(bytes)) ? textOf(bytes) : null
}

/** One transformation of text: its name, how to detect it, how to undo it. */
interface Habit {
  readonly name: string
  readonly seen: { test: (text: string) => boolean }
  readonly undo: (text: string) => string
}

const replacing = (name: string, seen: RegExp, by: string): Habit => ({
  name,
  seen,
  undo: text => text.replace(new RegExp(seen, `${seen.flags}g`), by),
})

const ENTITY = /&(#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|[A-Za-z]{2,8});/
const HABITS: readonly Habit[] = [
  {
    name: 'quoted-printable',
    seen: { test: isQuotedPrintable },
    undo: text => softBreaks(text).replace(/(?:=[0-9A-F]{2})+/g, quotedBytes),
  },
  {
    name: 'base64',
    seen: { test: text => base64Decoded(text) !== null },
    undo: text => base64Decoded(text) ?? text,
  },
  {
    name: 'percent signs for letters',
    seen: {
      test: text => {
        const head = text.slice(0, HEAD)
        const signs = head.match(PERCENT)?.length ?? 0
        return signs * 20 > head.length || (signs > 0 && !head.includes(' '))
      },
    },
    undo: percentDecoded,
  },
  {
    name: 'a list of bytes',
    seen: BYTES,
    undo: text => text.replace(new RegExp(BYTES, 'g'), byteText),
  },
  {
    name: 'lines in a string',
    seen: MANY_LINES,
    undo: text =>
      text
        .replace(STRING_END, '')
        .replace(STRING_LINE, '\n')
        .replace(/\\{1,4}t/g, '\t')
        .replace(/\\{1,4}(["'])/g, '$1'),
  },
  {
    name: 'files under their names',
    seen: /(?:==> |^[\s>]{0,20}:{14}\r?\n[\s>]{0,20})[\w./-]{0,80}\d\/(?:start|end|type)\b/m,
    undo: text =>
      text.replace(
        /(?:==> ([\w./-]{0,80}\d\/(?:start|end|type)) <==|:{14}\r?\n[\s>|]{0,20}?([\w./-]{0,80}\d\/(?:start|end|type))\r?\n[\s>|]{0,20}?:{14})(\r?\n)[>| \t]{0,20}([^\r\n]{0,80})/g,
        (whole: string, one: string | undefined, two: string | undefined, _: string, value: string) =>
          `${one ?? two ?? ''}:${value}${'\n'.repeat(whole.split('\n').length - 1)}`,
      ),
  },
  replacing('quotes written twice', /""(?:(?=[^"\n]{1,80}"")|(?<=""[^"\n]{1,80}""))/, '"'),
  {
    name: 'letters by their numbers',
    seen: /\\{1,2}(?:u00|x)[2-7][0-9a-fA-F]/,
    undo: text =>
      text.replace(/\\{1,2}(?:u00|x)([2-7][0-9a-fA-F])/g, (_, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 16)),
      ),
  },
  replacing('zeros written out', /\^@|\\{1,2}(?:x00|u0000|0(?![0-7]))/, ''),
  replacing(
    'escapes of terminals written out',
    /(?:\^\[|\\x1b|\\u001b|\\033|\\e|#033|\u241b)\[[0-9;?]{0,32}[A-Za-z]/,
    '',
  ),
  {
    name: 'HTML',
    seen: new RegExp(`${tag(`${INLINE}|${BLOCKS}`, '').source}|${ENTITY.source}`, 'i'),
    undo: text => {
      const once = (from: string): string =>
        from
          .replace(tag(INLINE, 'gi'), '')
          .replace(tag(BLOCKS, 'gi'), ' ')
          .replace(new RegExp(ENTITY, 'g'), entity)
      return once(once(text))
    },
  },
  replacing('BBCode', new RegExp(`\\[/?(?:${BB_CODES})(?:=[^\\]\\n]{0,80})?\\]`, 'i'), ' '),
  replacing('blanks of other widths', /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/, ' '),
  replacing('invisible letters', /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/, ''),
  replacing('dashes of other widths', /[\u2010-\u2015\u2212\ufe58\ufe63]/, '-'),
  replacing('typographic quotes', /[\u201c-\u201f\u00ab\u00bb]/, '"'),
  {
    name: 'joined letters',
    seen: /[\ufb00-\ufb06]/,
    undo: text => text.replace(/[\ufb00-\ufb06]/g, letter => letter.normalize('NFKC')),
  },
  {
    name: 'letters of full width',
    seen: /[\uff01-\uff5e]/,
    undo: text =>
      text.replace(/[\uff01-\uff5e]/g, letter => String.fromCharCode(letter.charCodeAt(0) - 0xfee0)),
  },
  {
    name: 'backslashes in front of signs',
    seen: /\\[[\]_|*`<>#.+~(){}!"/-]/,
    undo: text => text.replace(/\\([[\]_|*`<>#.+~(){}!"/-])/g, '$1'),
  },
]

/**
 * The text without such habits, and what they are called: none in a text that came straight from a program.
 */
export function plainLetters(text: string): { readonly text: string; readonly habits: readonly string[] } {
  let plain = text
  const habits: string[] = []
  for (const { name, seen, undo } of HABITS) {
    if (!seen.test(plain)) continue
    plain = undo(plain)
    habits.push(name)
  }
  return { text: plain, habits }
}
