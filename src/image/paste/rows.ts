/**
 * Finds rows in whatever people put around them. A row has a grammar of its own: it is looked for inside the
 * line, and what stands in front of it and after it is clothing. What a mailer or a narrow console tore is
 * joined.
 */

/** How a row looks, whatever it is a row of; fields as a dialect of memory maps has them. */
export interface Grammar {
  readonly looks: RegExp
  readonly row: RegExp
  readonly wide: boolean
  readonly more?: RegExp
  readonly span?: number
}

/** A row in a line, or what tries to be one. */
export interface Piece<G extends Grammar> {
  readonly dialect: G
  /** As its program printed it. */
  readonly text: string
  readonly before: string
  readonly after: string
  /** false: it looks like a row and is none. */
  readonly whole: boolean
}

/** One line of the text, or several that are one row. */
export interface Item<G extends Grammar> {
  /** First and last line, from 1. */
  readonly at: number
  readonly until: number
  readonly text: string
  /** All of one dialect. */
  readonly pieces: readonly Piece<G>[]
}

/** How many lines a row may be torn to. */
const SPAN = 3
/** What a row looks like that cannot be read is shown up to here. */
const ATTEMPT_MAX = 600
/** Clothing that is looked for in front of the next line, too. */
const FRONT_MAX = 200
/** Two numbers side by side, as every row has them that is known by its numbers alone. */
const WIDE = /[0-9A-Fa-f]{8}\]?(?:\s?[-,]\s?|\s{1,20})(?:0x)?[0-9A-Fa-f]{8}/
/** What is put in front of every line alike: quotes, marks of a diff, bars of a table, comment signs. */
export const QUOTE = /^[\s>|+*#]{0,40}/
/** A line that ends in the middle of what begins a row. */
const BEGUN =
  /(?:\b(?:efi|EFI|e820|Xen|user|modified|extended|setup_data):|mem\d{2,4}:|\[(?:mem|gap)|\(XEN\)|[0-9A-Fa-f]{8}-)\s{0,9}$/

/** What the beginning of such a row has at least. */
const HEX = /[0-9A-Fa-f]{8}/

interface Match<G extends Grammar> {
  readonly dialect: G
  readonly start: number
  readonly end: number
}

/** The rows of the first dialect that has one in this text. */
function matchesIn<G extends Grammar>(text: string, dialects: readonly G[]): Match<G>[] {
  const wide = WIDE.test(text)
  for (const dialect of dialects) {
    if (dialect.wide && !wide) continue
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

/** What looks like the beginning of a row. */
function attemptIn<G extends Grammar>(text: string, dialects: readonly G[]): Piece<G> | null {
  const wide = HEX.test(text)
  for (const dialect of dialects) {
    if (dialect.wide && !wide) continue
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

/** The width at which a text was folded; 0 where nothing hints at that. */
function foldOf(lines: readonly string[]): number {
  const widest = lines.reduce((most, line) => Math.max(most, line.length), 0)
  const full = lines.filter(line => line.length === widest).length
  return widest >= 20 && full >= 3 ? widest : 0
}

/** What stands in front of a row, in front of the lines after it: other numbers, the same words. */
function frontOf(before: string): RegExp | null {
  if (before.trim() === '' || before.length > FRONT_MAX) return null
  const escaped = before.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replace(/\d+/g, '\\d{1,20}')}`)
}

/**
 * Puts a line and those after it together until they hold a row that no single one holds; null: they do not.
 */
function joined<G extends Grammar>(
  lines: readonly string[],
  i: number,
  dialects: readonly G[],
  { before, span, fold }: { readonly before: string; readonly span: number; readonly fold: number },
): { readonly text: string; readonly matches: readonly Match<G>[]; readonly count: number } | null {
  const first = lines[i] ?? ''
  const quoted = (QUOTE.exec(first)?.[0] ?? '').trim() !== ''
  const front = frontOf(before)
  let full = true
  let texts = [first.trimEnd(), first, first.trimEnd()]
  for (let k = 1; k <= span; k++) {
    const line = lines[i + k]
    if (line === undefined || line.trim() === '' || attemptIn(line, dialects) !== null) return null
    const bare = front === null ? line : line.replace(front, '')
    const rest = bare === line && quoted ? line.replace(QUOTE, '') : bare
    const ways = [` ${rest.trim()}`, rest, rest.trim()]
    // what was folded goes on in the next line for as long as lines are full
    full &&= fold === 0 || lines[i + k - 1]?.length === fold
    for (const [way, text] of texts.entries()) {
      if (way > 0 && !full) continue
      const all = text + (ways[way] ?? '')
      const matches = matchesIn(all, dialects)
      const last = matches.at(-1)
      if (last !== undefined && last.end > text.length) return { text: all, matches, count: k }
    }
    texts = texts.map((text, way) => text + (ways[way] ?? ''))
  }
  return null
}

/** How far from the end of a line the beginning of a row is looked for. */
const EDGE = 100

/** Does a row begin in this line, as far as the beginning of the next one shows? */
function beginsAtEnd(text: string, next: string, dialects: readonly Grammar[]): boolean {
  if (attemptIn(text, dialects) !== null) return true
  const edge = text.slice(-EDGE)
  const attempt = attemptIn(edge + next.slice(0, EDGE), dialects)
  return attempt !== null && attempt.before.length < edge.length
}

/** Lines that are joined at most where a text was folded. */
const FOLDED_MAX = 8

/** The whole line that was folded to this one and those after it, if a row in it crosses a fold. */
function unfolded<G extends Grammar>(
  lines: readonly string[],
  i: number,
  dialects: readonly G[],
  fold: number,
): { readonly text: string; readonly matches: readonly Match<G>[]; readonly count: number } | null {
  const first = lines[i] ?? ''
  // a row that ends with the line needs nothing of the next
  if (matchesIn(first, dialects).at(-1)?.end === first.trimEnd().length) return null
  const parts: string[] = []
  for (let k = i; k < i + FOLDED_MAX && k < lines.length; k++) {
    const part = lines[k] ?? ''
    if (k > i && attemptIn(part, dialects) !== null) return null
    parts.push(part)
    if (part.length < fold) break
  }
  const text = parts.join('')
  const matches = parts.length < 2 ? [] : matchesIn(text, dialects)
  const [row] = matches
  return row !== undefined && row.start < fold && row.end > fold
    ? { text, matches, count: parts.length - 1 }
    : null
}

/** The last piece with the flags that a mailer put on the next line; null: that line holds something else. */
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

/** Every line, with the rows that are in it. Linear: a line is looked at a fixed number of times. */
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
    if (matches.length > 0) {
      const pieces = piecesOf(text, matches)
      const more = continued(pieces, lines[i + 1])
      if (more !== null) i++
      yield { at, until: i + 1, text, pieces: more ?? pieces }
      continue
    }
    const attempt = attemptIn(text, dialects)
    const mayJoin = attempt !== null || isFull || BEGUN.test(text)
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
