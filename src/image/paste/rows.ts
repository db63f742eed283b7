/**
 * Finds rows in pasted text. Each row has a grammar and is searched for anywhere in a line; the text before
 * and after it is ignored. Rows that a mailer or a narrow console wrapped are joined.
 */

/** The grammar of a row. The fields are those of a memory-map dialect. */
export interface Grammar {
  readonly looks: RegExp
  readonly row: RegExp
  readonly wide: boolean
  /** A pattern that every line found by `looks` matches, and few others do: cheap, so it is tried first. */
  readonly hint?: RegExp
  readonly more?: RegExp
  readonly span?: number
  /** Is a complete-looking row plausible? If not, it may be wrapped. Default: always. */
  readonly valid?: (row: string) => boolean
}

/** A row found in a line, or a failed attempt at one. */
export interface Piece<G extends Grammar> {
  readonly dialect: G
  /** The row as its program printed it. */
  readonly text: string
  readonly before: string
  readonly after: string
  /** false: it begins like a row but cannot be parsed. */
  readonly whole: boolean
}

/** One line of the text, or several lines that form one row. */
export interface Item<G extends Grammar> {
  /** First and last line, from 1. */
  readonly at: number
  readonly until: number
  readonly text: string
  /** All of one dialect. */
  readonly pieces: readonly Piece<G>[]
}

/** Length of the shortest row, or beginning of one: `<gap> `, `7:0+1`. */
const ROW_MIN = 4
/** Minimum width of folded text, in characters. */
const FOLD_MIN = 20
/** Maximum number of lines that a wrapped row occupies. */
const SPAN = 3
/** Characters shown of a row that cannot be parsed. */
const ATTEMPT_MAX = 600
/** Maximum length of a prefix that is searched for on the next line, too. */
const FRONT_MAX = 200
/** Two adjacent numbers, as in every row that is recognised by its numbers alone. */
const WIDE = /[0-9A-Fa-f]{8}\]?(?:\s{0,10}[-,;|]\s{0,10}|\s{1,20})(?:0x)?[0-9A-Fa-f]{8}/
/** A prefix common to all lines: quote marks, diff marks, table bars, comment signs. */
export const QUOTE = /^[\s>|+*#]{0,40}/
/** A line that ends within the beginning of a row. */
const BEGUN =
  /(?:\b(?:efi|EFI|e820|Xen|user|modified|extended|setup_data):|mem\d{2,4}:|\[(?:mem|gap)|\(XEN\)|[0-9A-Fa-f]{8}-)\s{0,9}$/

/** The beginning of such a row contains at least this. */
const HEX = /[0-9A-Fa-f]{8}/

interface Match<G extends Grammar> {
  readonly dialect: G
  readonly start: number
  readonly end: number
}

/** The dialects that may have a row in this text, by searches that are cheap. */
function possible<G extends Grammar>(text: string, dialects: readonly G[], digits: RegExp): readonly G[] {
  if (text.length < ROW_MIN) return []
  const wide = digits.test(text)
  const hints = new Map<RegExp, boolean>()
  return dialects.filter(({ wide: isWide, hint }) => {
    if (isWide && !wide) return false
    if (hint === undefined) return true
    const known = hints.get(hint) ?? hint.test(text)
    hints.set(hint, known)
    return known
  })
}

/** The rows in this text of the first dialect that matches any. */
function matchesIn<G extends Grammar>(text: string, dialects: readonly G[]): Match<G>[] {
  for (const dialect of possible(text, dialects, WIDE)) {
    const { looks, row } = dialect
    const found: Match<G>[] = []
    looks.lastIndex = 0
    for (let begins = looks.exec(text); begins !== null; begins = looks.exec(text)) {
      row.lastIndex = begins.index
      if (row.test(text)) {
        found.push({ dialect, start: begins.index, end: row.lastIndex })
        looks.lastIndex = row.lastIndex
      }
    }
    if (found.length > 0) return found
  }
  return []
}

function piecesOf<G extends Grammar>(text: string, matches: readonly Match<G>[]): Piece<G>[] {
  return matches.map(({ dialect, start, end }, i) => ({
    dialect,
    text: text.slice(start, end).trimEnd(),
    before: text.slice(matches[i - 1]?.end ?? 0, start),
    after: text.slice(end, matches[i + 1]?.start ?? text.length),
    whole: true,
  }))
}

/** Text that looks like the beginning of a row. */
function attemptIn<G extends Grammar>(text: string, dialects: readonly G[]): Piece<G> | null {
  for (const dialect of possible(text, dialects, HEX)) {
    dialect.looks.lastIndex = 0
    const begins = dialect.looks.exec(text)
    if (begins !== null)
      return {
        dialect,
        text: text.slice(begins.index, begins.index + ATTEMPT_MAX).trimEnd(),
        before: text.slice(0, begins.index),
        after: '',
        whole: false,
      }
  }
  return null
}

/** The width at which a text was folded: the largest that several lines share; 0 if there is none. */
function foldOf(lines: readonly string[]): number {
  const counts = new Map<number, number>()
  for (const { length } of lines) counts.set(length, (counts.get(length) ?? 0) + 1)
  let widest = 0
  for (const [width, count] of counts) if (width >= FOLD_MIN && count >= 3 && width > widest) widest = width
  return widest
}

/** Marks before a line's own indentation. */
const MARKS = /^[ \t]{0,8}(?:[>|+*#] ?){1,20}/

/** A continuation line without the prefix that it shares with the line before. */
function unmarked(line: string, first: string): string {
  const marks = MARKS.exec(first)?.[0]
  if (marks === undefined) return line
  if (line.startsWith(marks)) return line.slice(marks.length)
  return marks.trim() !== '' && line.startsWith(marks.trimEnd()) ? line.slice(marks.trimEnd().length) : line
}

/** The common suffix of two lines, if it is not part of a row: quotes, bars, other fields of a record. */
function tailOf(line: string, next: string): string {
  let length = 0
  while (length < line.length && line.at(-1 - length) === next.at(-1 - length)) length++
  const shared = line.slice(line.length - length)
  return /(?:^|(?<=[,\s]))[^\w\s,(){}[\]][^]*$|\s[\s|]*$/.exec(shared)?.[0] ?? ''
}

/** Matches the prefix of a row on the lines after it: the same words, any numbers. */
function frontOf(before: string): RegExp | null {
  if (before.trim() === '' || before.length > FRONT_MAX) return null
  const escaped = before.trimEnd().replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const blanks = before.length - before.trimEnd().length
  return new RegExp(`^${escaped.replace(/\d+/g, '\\d{1,20}')}\\s{0,${String(blanks)}}`)
}

/** Several lines joined into one. */
interface Whole<G extends Grammar> {
  readonly text: string
  readonly matches: readonly Match<G>[]
  /** Lines after the first. */
  readonly count: number
}

/** Are the rows that cross a join plausible? */
const makesSense = <G extends Grammar>({ text, matches }: Pick<Whole<G>, 'text' | 'matches'>): boolean =>
  matches.every(({ dialect, start, end }) => dialect.valid?.(text.slice(start, end).trimEnd()) !== false)

/**
 * Joins a line with those after it until the result contains a row that no single line contains, preferably a
 * plausible one; null if there is none.
 */
function joined<G extends Grammar>(
  lines: readonly string[],
  i: number,
  dialects: readonly G[],
  { before, span, fold }: { readonly before: string; readonly span: number; readonly fold: number },
): Whole<G> | null {
  const first = lines[i] ?? ''
  const front = frontOf(before)
  let full = true
  let fallback: Whole<G> | null = null
  // a row printed on several lines has the prefix on each of them, and gaps between them
  const long = span > SPAN
  const tail = long ? tailOf(first, lines[i + 1] ?? '') : ''
  const begins = tail === '' ? first : first.slice(0, first.length - tail.length)
  let texts = [begins.trimEnd(), begins, begins.trimEnd()]
  for (let k = 1; k <= span; k++) {
    const whole = lines[i + k]
    if (whole === undefined || (whole.trim() === '' && !long) || attemptIn(whole, dialects) !== null) break
    const line = tail !== '' && whole.endsWith(tail) ? whole.slice(0, whole.length - tail.length) : whole
    const bare = front === null ? line : line.replace(front, '')
    const rest = bare === line ? unmarked(line, first) : bare
    const ways = [` ${rest.trim()}`, rest, rest.trim()]
    // folded text continues on the next line for as long as lines are full
    full &&= fold === 0 || lines[i + k - 1]?.length === fold
    for (const [way, text] of texts.entries()) {
      const all = text + (ways[way] ?? '')
      const matches = matchesIn(all, dialects)
      const last = matches.at(-1)
      if (last === undefined || last.end <= text.length) continue
      const whole = { text: all, matches, count: k }
      const surely = last.dialect.valid !== undefined && makesSense(whole)
      if (surely || (makesSense(whole) && (way === 0 || full))) return whole
      if (way === 0 || full) fallback ??= whole
    }
    texts = texts.map((text, way) => text + (ways[way] ?? ''))
  }
  return fallback
}

/** Distance from the end of a line within which the beginning of a row is searched for, in characters. */
const EDGE = 100

/** Does a row begin in this line, as far as the beginning of the next one shows? */
function beginsAtEnd(text: string, next: string, dialects: readonly Grammar[]): boolean {
  if (attemptIn(text, dialects) !== null) return true
  const edge = text.slice(-EDGE)
  const attempt = attemptIn(edge + next.slice(0, EDGE), dialects)
  return attempt !== null && attempt.before.length < edge.length
}

/** Two numbers: one at or near the end of a line, the other at or near the beginning of the next. */
function isSeam(text: string, next: string | undefined): boolean {
  if (next === undefined || next.trim() === '') return false
  const edge = text.trimEnd().slice(-EDGE)
  const head = next.trimStart().slice(0, EDGE)
  if (!HEX.test(head) && !HEX.test(edge)) return false
  // two lines of two numbers each are not one line
  if (WIDE.test(edge) && WIDE.test(head))
    return crosses(`${edge} ${head}`, edge) || crosses(edge + head, edge)
  return WIDE.test(`${edge} ${head}`) || WIDE.test(edge + head.slice(0, 40))
}

/** Do two numbers side by side lie in both parts of a text? */
function crosses(text: string, first: string): boolean {
  const from = Math.max(0, first.length - CROSS)
  const found = WIDE.exec(text.slice(from, first.length + CROSS))
  return (
    found !== null && from + found.index < first.length && from + found.index + found[0].length > first.length
  )
}
/** Two numbers side by side are no longer. */
const CROSS = 34

/** A number that may continue on the next line, and a line that consists only of further digits. */
const HEX_END = /0x[0-9a-f]{1,16}$/i
const HEX_ONLY = /^[0-9a-f]{1,16}\s{0,9}$/i

/** Maximum number of lines joined in folded text. */
const FOLDED_MAX = 8

/** The original of a folded line, if a row in it crosses a fold. */
function unfolded<G extends Grammar>(
  lines: readonly string[],
  i: number,
  dialects: readonly G[],
  fold: number,
): Whole<G> | null {
  const first = lines[i] ?? ''
  // a row that ends with the line does not continue on the next
  const own = matchesIn(first, dialects)
  const isWhole = own.at(-1)?.end === first.trimEnd().length && makesSense({ text: first, matches: own })
  if (isWhole && !(HEX_END.test(first) && HEX_ONLY.test(unmarked(lines[i + 1] ?? '', first)))) return null
  let text = first
  let found: Whole<G> | null = null
  for (let count = 1; count < FOLDED_MAX && i + count < lines.length; count++) {
    const part = lines[i + count] ?? ''
    if (attemptIn(part, dialects) !== null) break
    text += unmarked(part, first)
    const matches = matchesIn(text, dialects)
    const [row] = matches
    const crosses = row !== undefined && row.start < fold && row.end > Math.max(fold, found?.text.length ?? 0)
    if (crosses && makesSense({ text, matches })) found = { text, matches, count }
    // a row that ends with a full line may continue
    if (part.length < fold || (row !== undefined && row.end < text.length)) break
  }
  return found
}

/** The last piece with flags that a mailer moved to the next line; null if that line is something else. */
function continued<G extends Grammar>(
  pieces: readonly Piece<G>[],
  next: string | undefined,
): Piece<G>[] | null {
  const last = pieces.at(-1)
  if (last === undefined || next === undefined || last.dialect.more === undefined) return null
  const rest = next.replace(QUOTE, '').trim()
  if (last.after.trim() !== '' || rest.length > 80 || !last.dialect.more.test(rest)) return null
  return [...pieces.slice(0, -1), { ...last, text: `${last.text} ${rest}` }]
}

/** Every line with its rows. Linear: each line is examined a fixed number of times. */
export function* itemsOf<G extends Grammar>(
  lines: readonly string[],
  dialects: readonly G[],
): Generator<Item<G>> {
  const fold = foldOf(lines)
  for (let i = 0; i < lines.length; i++) {
    const text = lines[i] ?? ''
    const at = i + 1
    const isFull = fold > 0 && text.length === fold && beginsAtEnd(text, lines[i + 1] ?? '', dialects)
    const folded = isFull ? unfolded(lines, i, dialects, fold) : null
    if (folded !== null) {
      i += folded.count
      yield { at, until: i + 1, text: folded.text, pieces: piecesOf(folded.text, folded.matches) }
      continue
    }
    const matches = matchesIn(text, dialects)
    const last = matches.at(-1)
    if (last !== undefined) {
      const pieces = piecesOf(text, matches)
      const more = continued(pieces, lines[i + 1])
      const isTorn =
        more === null && last.end >= text.trimEnd().length && !makesSense({ text, matches: [last] })
      const before = text.slice(matches.at(-2)?.end ?? 0, last.start)
      const whole = isTorn ? joined(lines, i, dialects, { before, span: SPAN, fold }) : null
      if (whole !== null && makesSense(whole)) {
        i += whole.count
        yield { at, until: i + 1, text: whole.text, pieces: piecesOf(whole.text, whole.matches) }
        continue
      }
      if (more !== null) i++
      yield { at, until: i + 1, text, pieces: more ?? pieces }
      continue
    }
    const attempt = attemptIn(text, dialects)
    const mayJoin = attempt !== null || isFull || BEGUN.test(text) || isSeam(text, lines[i + 1])
    const whole = mayJoin
      ? joined(lines, i, dialects, {
          before: attempt?.before ?? '',
          span: attempt?.dialect.span ?? SPAN,
          fold,
        })
      : null
    if (whole !== null) {
      i += whole.count
      yield { at, until: i + 1, text: whole.text, pieces: piecesOf(whole.text, whole.matches) }
    } else yield { at, until: at, text, pieces: attempt === null ? [] : [attempt] }
  }
}
