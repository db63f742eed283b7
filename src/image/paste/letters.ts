/**
 * What mailers, browsers, editors and consoles do to letters: encodings, and marks between the letters of
 * what was pasted. Every line of the input stays a line of the output.
 */

/** Colours, cursor movements, character sets: what consoles put between the letters. */
const ESCAPES = /\x1b(?:\[[0-9;?]{0,32}[A-Za-z]|[()][0-9A-Z]|[=>78c])/g

/** How much of a file is looked at to tell its encoding, in bytes. */
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

/** Bytes that no text has: control codes but those of lines, tabs and escapes. */
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

/** UTF-8, UTF-16 of either order with or without a mark, or a Windows code page; without escapes. */
export function textOf(input: string | Uint8Array): string {
  const text = typeof input === 'string' ? input : decoded(input)
  return text
    .replace(/^\ufeff/, '')
    .replaceAll('\0', '')
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

const TAGS =
  'a|abbr|b|blockquote|body|br|code|div|em|font|h[1-6]|head|hr|html|i|img|kbd|li|mark|ol|p|pre|s|samp|' +
  'small|span|strong|sub|sup|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul|var|wbr'
const BB_CODES =
  'b|box|cell|center|code|codebox|color|font|i|indent|list|mono|noparse|nobbc|plain|pre|quote|row|s|size|' +
  'spoiler|table|td|th|tr|tt|u|url'

/** `=` at the end of a line goes on in the next one: joined, with as many ends of lines after. */
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

/** In quoted-printable text every equals sign stands before two digits or the end of a line. */
function isQuotedPrintable(text: string): boolean {
  if (!/[^\n=]=[ \t]{0,40}\r?\n|=3D/.test(text)) return false
  const signs = text.match(/=/g)?.length ?? 0
  const quoting = text.match(/=(?:[0-9A-F]{2}|[ \t]{0,40}(?:\r?\n|$))/g)?.length ?? 0
  return quoting >= signs * 0.95
}

/** One thing that is done to letters: what it is called, where it is seen, what becomes of it. */
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
  replacing(
    'escapes of terminals written out',
    /(?:\^\[|\\x1b|\\u001b|\\033|\\e|#033|\u241b)\[[0-9;?]{0,32}[A-Za-z]/,
    '',
  ),
  {
    name: 'HTML',
    seen: new RegExp(`</?(?:${TAGS})(?:\\s[^<>\\n]{0,400})?/?>|${ENTITY.source}`, 'i'),
    undo: text => {
      const once = (from: string): string =>
        from
          .replace(new RegExp(`</?(?:${TAGS})(?:\\s[^<>\\n]{0,400})?/?>`, 'gi'), ' ')
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
