/** Finds a pasted line among known messages: exactly, in part, or with a few wrong letters. */

/** An entry of the list that is searched; `{name}` in its text marks a variable part. */
export interface HasText {
  readonly text: string
}

export interface Match<T> {
  readonly line: T
  /** The value of each variable part in the pasted text, in order. */
  readonly values: readonly (readonly [name: string, value: string])[]
  readonly how: 'exact' | 'part' | 'near'
}

/** Longer pastes are cut: no message is that long. */
const PASTE_MAX = 2000
/** A shorter paste or message is contained in too many texts. */
const PART_MIN = 6
/** A paste much shorter than the message is similar only by chance. */
const NEAR_MIN = 24
/** A shorter paste is not compared for similarity. */
const WORD_MIN = 8
/** One letter in this many may be wrong. */
const LETTERS_PER_ERROR = 5

/** Less than this beside names is near to too much, and fewer letters of it may be wrong. */
const PARTS_MIN = 12
const LETTERS_PER_ERROR_IN_PARTS = 8

const NAME = /\{([a-z]+)\}/g

/** Normalises blanks, quotes and dashes. */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/[\u2018\u2019\u201B`]/g, "'")
    .replaceAll(/[\u2010-\u2015\u2212]/g, '-')
    .replaceAll('\u2026', '...')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** A text of two bytes to a letter that was shown as one of single bytes: a blank after each letter. */
function together(text: string): string {
  const words = text.trim().split(/\s+/)
  const letters = words.filter(word => word.length === 1).length
  return words.length >= WORD_MIN && letters >= words.length * 0.9
    ? text.replaceAll(/(\S)[ \ufffd](?=\S(?:\s|$))/g, '$1').replaceAll(/(\S)[ \ufffd](?=\S(?:\s|$))/g, '$1')
    : text
}

/** The meaningful lines of a text. GRUB may print a source line after `error: `. */
const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map(line => line.replace(/^error: /, ''))
    .filter(line => line.replaceAll(NAME, '').trim().length >= PART_MIN)

/** A number is decimal or hexadecimal digits; any other variable part is text. */
const valueOf = (name: string): string => (name === 'number' ? '((?:0x)?[0-9a-f]{1,16})' : '(.{1,200}?)')

function exactly<T extends HasText>(line: T, pasted: string): Match<T> | null {
  for (const one of linesOf(line.text)) {
    const names = [...one.matchAll(NAME)].map(([, name = '']) => name)
    const pattern = one
      .split(NAME)
      .map((part, i) =>
        i % 2 === 0 ? escaped(plain(`|${part}|`).slice(1, -1)).replaceAll(' :', ' ?:') : valueOf(part),
      )
      .join('')
    const found = new RegExp(`${pattern}${one.endsWith('}') ? '$' : ''}`, 'iu').exec(pasted)
    if (found !== null)
      return { line, how: 'exact', values: names.map((name, i) => [name, found[i + 1] ?? ''] as const) }
  }
  return null
}

/** The minimum edit distance between a text and any substring of another (Sellers). */
export function distanceWithin(text: string, whole: string): number {
  let row = Array.from({ length: whole.length + 1 }, () => 0)
  for (let i = 1; i <= text.length; i++) {
    const next = [i]
    for (let j = 1; j <= whole.length; j++)
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (text[i - 1] === whole[j - 1] ? 0 : 1),
        ),
      )
    row = next
  }
  return Math.min(...row)
}

/** A line with names in it, part by part: what stands for the names is no wrong letter. */
function strangeParts(line: string, pasted: string): number {
  const parts = plain(line.replaceAll(/\{[a-z]+\}/g, '\n').replaceAll('\n', '\u0000'))
    .toLowerCase()
    .split('\u0000')
    .map(part => part.trim())
    .filter(part => part !== '')
  const letters = parts.reduce((sum, part) => sum + part.length, 0)
  if (letters < PARTS_MIN || pasted.length < letters) return 1
  const wrong = parts.reduce((sum, part) => sum + distanceWithin(part, pasted), 0)
  return wrong * LETTERS_PER_ERROR_IN_PARTS > letters ? 1 : wrong / letters
}

/** Edit distance per letter of the text; 1 if it is too large. */
function strangeness(text: string, pasted: string): number {
  const best = linesOf(text).map(line => {
    if (line.search(NAME) >= 0) {
      const far = strangeParts(line, pasted)
      if (far < 1) return far
    }
    const own = plain(line.replaceAll(NAME, ' ')).toLowerCase()
    const [short, long] = own.length <= pasted.length ? [own, pasted] : [pasted, own]
    if (short.length < WORD_MIN || (short.length * 2 < long.length && short.length < NEAR_MIN)) return 1
    const wrong = distanceWithin(short, long)
    return wrong * LETTERS_PER_ERROR > short.length ? 1 : wrong / short.length
  })
  return Math.min(1, ...best)
}

/** All messages that the pasted text contains; if none, those that contain it; if none, the nearest. */
export function findLines<T extends HasText>(pasted: string, lines: readonly T[]): readonly Match<T>[] {
  const cut = together(pasted.slice(0, PASTE_MAX))
  const text = plain(cut)
  if (text === '') return []
  const pieces = [...cut.split('\n').map(plain), text]
  const exact = lines.flatMap(line => firstOf(pieces, piece => exactly(line, piece)))
  if (exact.length > 0) return mostTelling(exact)
  // an ellipsis marks an omitted end
  const small = text.toLowerCase().replace(/ ?\.{3,}$/, '')
  const without = (line: T): string => plain(line.text.replaceAll(NAME, ' ')).toLowerCase()
  const parts = text.length < PART_MIN ? [] : lines.filter(line => without(line).includes(small))
  if (parts.length > 0) return parts.map(line => ({ line, how: 'part', values: [] }))
  const near = lines
    .map(line => ({
      line,
      far: Math.min(
        ...pieces.map(piece => strangeness(line.text, piece.toLowerCase().replace(/ ?\.{3,}$/, ''))),
      ),
    }))
    .filter(({ far }) => far < 1)
    .sort((a, b) => a.far - b.far)
  const limit = (near[0]?.far ?? 0) + 1 / 20
  return near.filter(({ far }) => far <= limit).map(({ line }) => ({ line, how: 'near', values: [] }))
}

function firstOf<T>(pieces: readonly string[], find: (piece: string) => T | null): T[] {
  for (const piece of pieces) {
    const found = find(piece)
    if (found !== null) return [found]
  }
  return []
}

/** The longest first, without matches that are part of a longer one. */
function mostTelling<T extends HasText>(found: readonly Match<T>[]): readonly Match<T>[] {
  const longest = [...found].sort((a, b) => b.line.text.length - a.line.text.length)
  return longest.filter(
    ({ line }, i) =>
      !longest.slice(0, i).some(({ line: other }) => plain(other.text).includes(plain(line.text))),
  )
}
