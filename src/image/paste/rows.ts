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
const WIDE = /[0-9A-Fa-f]{8}/
/** What is put in front of every line alike: quotes, marks of a diff, bars of a table, comment signs. */
const QUOTE = /^[\s>|+*#]{0,40}/
/** A line that ends in the middle of what begins a row. */
const BEGUN =
  /(?:\b(?:efi|EFI|e820|Xen|user|modified|extended|setup_data):|mem\d{2,4}:|\[(?:mem|gap)|\(XEN\)|[0-9A-Fa-f]{8}-)\s{0,9}$/

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
  for (const dialect of dialects) {
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

/**
 * Puts a line and those behind it together until they hold a row that no single one holds; null: they do not.
 */
function joined<G extends Grammar>(
  lines: readonly string[],
  i: number,
  dialects: readonly G[],
  span: number,
): { readonly text: string; readonly matches: readonly Match<G>[]; readonly count: number } | null {
  const first = lines[i] ?? ''
  const quoted = (QUOTE.exec(first)?.[0] ?? '').trim() !== ''
  let texts = [first.trimEnd(), first, first.trimEnd()]
  for (let k = 1; k <= span; k++) {
    const line = lines[i + k]
    if (line === undefined || line.trim() === '' || matchesIn(line, dialects).length > 0) return null
    const rest = quoted ? line.replace(QUOTE, '') : line
    const ways = [` ${rest.trim()}`, rest, rest.trim()]
    for (const [way, text] of texts.entries()) {
      const all = text + (ways[way] ?? '')
      const matches = matchesIn(all, dialects)
      const last = matches.at(-1)
      if (last !== undefined && last.end > text.length) return { text: all, matches, count: k }
    }
    texts = texts.map((text, way) => text + (ways[way] ?? ''))
  }
  return null
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
    const matches = matchesIn(text, dialects)
    if (matches.length > 0) {
      const pieces = piecesOf(text, matches)
      const more = continued(pieces, lines[i + 1])
      if (more !== null) i++
      yield { at, until: i + 1, text, pieces: more ?? pieces }
      continue
    }
    const attempt = attemptIn(text, dialects)
    const mayJoin = attempt !== null || text.length === fold || BEGUN.test(text)
    const whole = mayJoin ? joined(lines, i, dialects, attempt?.dialect.span ?? SPAN) : null
    if (whole !== null) {
      i += whole.count
      yield { at, until: i + 1, text: whole.text, pieces: piecesOf(whole.text, whole.matches) }
    } else yield { at, until: at, text, pieces: attempt === null ? [] : [attempt] }
  }
}
