/** Gathers the rows of each dialect in a text to its first map, and tells where another one begins. */
import type { Dressed } from './clothes.ts'
import type { KnownDialect, MemmapDialect } from './dialects.ts'
import type { Line } from './model.ts'
import { itemsOf, type Item } from '../paste/rows.ts'

/** Another map in the same text, which is not used. */
export interface OtherMap {
  readonly dialect: MemmapDialect
  /** The line where it begins, from 1. */
  readonly line: number
  /** The map that was taken once more, row by row. */
  readonly same?: boolean
}

/** One map in the text. */
export interface FoundMap {
  readonly dialect: KnownDialect
  readonly rows: readonly (Line & Dressed)[]
  readonly first: number
  /** Where the same dialect begins another one. */
  readonly again: OtherMap | null
}

/** Rows of one dialect while they are gathered. */
interface Open {
  readonly rows: (Line & Dressed)[]
  readonly seen: Set<string>
  /** Rows of the second map. */
  readonly later: string[]
  again: number | null
  closed: boolean
  /** What comes is no map. */
  over: boolean
}

/**
 * The first map of each dialect. A row belongs to the first dialect that knows it; `#section` at the start
 * of a line ends every map, and so does the first row when it comes again.
 */
export function blocksIn(lines: readonly string[], dialects: readonly KnownDialect[]): FoundMap[] {
  const open = new Map<KnownDialect, Open>()
  for (const { at, until, text, pieces } of newSide([...itemsOf(lines, dialects)])) {
    for (const [dialect, state] of open)
      if (text.startsWith('#section') || dialect.stop?.test(text) === true) {
        state.closed = true
        // a kernel's own list of what stays mapped is no other map
        if (/runtime/i.test(text)) state.over = true
      }
    const joins = pieces.length > 0 ? undefined : [...open].find(([{ joins }]) => joins?.(text) === true)
    if (joins !== undefined && !joins[1].closed)
      joins[1].rows.push({ text: text.trim().replace(/^[>|+\s]+/, ''), at, until, before: '', after: '' })
    for (const { dialect, text: row, before, after } of pieces) {
      const state: Open = open.get(dialect) ?? {
        rows: [],
        seen: new Set(),
        later: [],
        again: null,
        closed: false,
        over: false,
      }
      open.set(dialect, state)
      const again = state.seen.has(row)
      const repeats = again && dialect.repeats !== true
      if (again && row === state.rows[0]?.text && state.seen.size > 1) state.closed = true
      if (state.over) continue
      if (state.closed) {
        state.again ??= at
        state.later.push(row)
      } else if (!repeats) {
        state.seen.add(row)
        state.rows.push({ text: row, at, until, before, after })
      }
    }
  }
  return [...open].map(([dialect, { rows, later, again }]) => {
    const same = later.length === rows.length && later.every((row, i) => row === rows[i]?.text)
    return {
      dialect,
      rows,
      first: rows[0]?.at ?? 0,
      again: again === null ? null : { dialect: dialect.name, line: again, ...(same ? { same } : {}) },
    }
  })
}

/** Of a diff the new side counts. */
function newSide(items: readonly Item<KnownDialect>[]): readonly Item<KnownDialect>[] {
  const marked = (sign: string): boolean =>
    items.some(({ pieces }) => pieces.some(({ before }) => before.startsWith(sign)))
  return marked('+') && marked('-')
    ? items.filter(({ pieces }) => !pieces.some(({ before }) => before.startsWith('-')))
    : items
}
