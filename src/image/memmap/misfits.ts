/** Finds damaged rows between the rows of a map: with an extra letter, or a missing digit. */
import type { Dressed } from './clothes.ts'
import type { Dialect, LostRow } from './model.ts'

/** Consecutive letters that may be wrong. */
const WRONG_MAX = 3
/** Maximum number of distinct shapes: a map has one for each type. */
const SHAPES_MAX = 64
/** Bounds of the length of a row. */
const LENGTH_MAX = 300
const LENGTH_MIN = 20
const SHOWN_MAX = 80

/** A line without its numbers. */
function shapeOf(line: string): string {
  return line
    .replace(/[0-9a-f]{3,}/gi, '#')
    .replace(/\d/g, '0')
    .replace(/\s+/g, ' ')
    .trim()
}

/** A line with placeholders for its words and numbers: a row may be the only one of its type. */
function skeletonOf(line: string): string {
  return line
    .replace(/(?:0x)?(?:[0-9a-f]{0,16}\d[0-9a-f]{0,16}|\b[A-F]{1,16}\b)/gi, '#')
    .replace(/[A-Za-z#]*[A-Za-z][A-Za-z#]*(?:[ _-]{1,20}[A-Za-z]+)*/g, 'w')
    .replace(/(?:\s*[|,]?\s*w)+/g, 'w')
    .replace(/(?:\s*\|)+/g, '|')
    .replace(/\s+/g, '')
}

/** Do two shapes differ only in a few consecutive letters? */
function areAlike(one: string, other: string): boolean {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one]
  if (long.length - short.length > WRONG_MAX) return false
  let front = 0
  while (front < short.length && short[front] === long[front]) front++
  let back = 0
  while (back < short.length - front && short.at(-1 - back) === long.at(-1 - back)) back++
  return long.length - front - back <= WRONG_MAX
}

/** Two numbers as bounds have them. */
const RANGE = /[0-9a-f]{1,16}"?\s{0,3}(?:-|,|->|\s)\s{0,3}"?(?:0x)?[0-9a-f]{1,16}/i
/** The same in a truncated row. */
const CUT_RANGE = /[0-9a-f]{8,16}\s{0,3}(?:-|,|->|\s)\s{0,3}(?:0x)?[0-9a-f]{4,16}/i

/** Programs that print nothing between two rows: a line with such a number there was a row. */
const TABLES: ReadonlySet<string> = new Set([
  'uefi-shell',
  'uefi-shell-sfo',
  'grub',
  'uboot',
  'uboot-efi-mem',
  'xen-efi',
  'freebsd-efi',
])
const NUMBER = /(?<![\w:])(?:0x)?[0-9a-f]{8}|[0-9a-f]{12}/i

/** What people write where they left rows out, on a line of its own. */
const LEFT_OUT =
  /^[\s>|+*#/.:;-]{0,20}(?:\.{2,}|\u2026|[[(<{]{1,3}\s?(?:\.{2,}|\u2026|snip\w*|cut|trimmed|truncated|omitted|gek\u00fcrzt|coup\u00e9|[a-z \d\u2026.]{0,24}(?:omitted|skipped|snipped|truncated|trimmed|removed))\s?[\])>}]{1,3}|-{0,20}\s?(?:snip\w*|8<)\s?-{0,20}|(?:\.{2,}|\u2026)?\s?\d{0,6}\s?(?:more )?(?:lines?|rows?|entries|bytes)? ?(?:omitted|skipped|snipped|truncated|trimmed)\s?(?:\.{2,}|\u2026)?)[\s|:.-]{0,20}$/i

/** Ellipsis at the end of a line. */
const CUT = /\s*(?:\.{2,}|\u2026|<snip>|\[\.\.\.\]|\[\u2026\])?\s*$/i
function hasRow({ looks, row }: Pick<Dialect, 'looks' | 'row'>, line: string): boolean {
  looks.lastIndex = 0
  for (let begins = looks.exec(line); begins !== null; begins = looks.exec(line)) {
    row.lastIndex = begins.index
    if (row.test(line)) return true
  }
  return false
}

/** A line without the rows' prefix and suffix (same words, any numbers); null if it has others. */
function undressed(line: string, before: string, after: string): string | null {
  const front = before.trimEnd()
  const tail = after.trim() === '' ? '' : after.trimEnd()
  const text = line.trimEnd()
  const end = text.length - tail.length
  const isAlike =
    skeletonOf(text.slice(0, front.length)) === skeletonOf(front) &&
    (tail === '' || skeletonOf(text.slice(end)) === skeletonOf(tail))
  return isAlike || front + tail === '' ? text.slice(front.length, Math.max(end, front.length)).trim() : null
}

/**
 * Lines from the one before the first row to the one after the last. Their numbers may be what is wrong: the
 * memory that is lost with them is not known.
 */
export function misfitsOf(
  dialect: Pick<Dialect, 'name' | 'looks' | 'row'>,
  lines: readonly string[],
  rows: readonly Dressed[],
): LostRow[] {
  const { before: front = '', after: behind = '' } = rows[0] ?? {}
  const taken = new Set<number>()
  const shapes = new Set<string>()
  const skeletons = new Set<string>()
  for (const { at, until, before, after } of rows) {
    for (let line = at; line <= until; line++) taken.add(line)
    const text = lines[at - 1] ?? ''
    if (at === until && text.length <= LENGTH_MAX && shapes.size < SHAPES_MAX) {
      shapes.add(shapeOf(text))
      skeletons.add(skeletonOf(undressed(text, before, after) ?? ''))
    }
  }
  const first = (rows[0]?.at ?? 1) - 1
  const last = (rows.at(-1)?.until ?? 0) + 1
  const lost: LostRow[] = []
  for (let at = Math.max(first, 1); at <= Math.min(last, lines.length); at++) {
    const text = lines[at - 1] ?? ''
    if (!taken.has(at) && text.length <= LENGTH_MAX && LEFT_OUT.test(text))
      lost.push({
        row: `line ${String(at)}: ${text.trim().slice(0, SHOWN_MAX)}`,
        why: 'somebody left rows out here',
        at: null,
        bytes: null,
      })
    if (taken.has(at) || text.length < LENGTH_MIN || text.length > LENGTH_MAX) continue
    const shape = shapeOf(text)
    const own = undressed(text, front, behind) ?? ''
    const isBetween = at > first + 1 && at < last - 1
    const isMisfit =
      (isBetween && TABLES.has(dialect.name) && NUMBER.test(own)) ||
      [...shapes].some(known => areAlike(shape, known)) ||
      (RANGE.test(own) && skeletons.has(skeletonOf(own))) ||
      (CUT_RANGE.test(own) &&
        [...skeletons].some(known => known.startsWith(skeletonOf(own.replace(CUT, '')))))
    if (!isMisfit || hasRow(dialect, text)) continue
    lost.push({
      row: `line ${String(at)}: ${text.trim().slice(0, SHOWN_MAX)}`,
      why: 'it looks like the rows around it',
      at: null,
      bytes: null,
    })
  }
  return lost
}
