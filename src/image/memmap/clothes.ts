/** Names what was taken off a map: what stood around its rows, and rows that were torn. */
import { bare } from './lines.ts'

/** A row and what stood around it. */
export interface Dressed {
  readonly before: string
  readonly after: string
  readonly at: number
  readonly until: number
}

/** Different forms of clothing that are told apart; a text has a few. */
const FORMS_MAX = 64
const SHOWN_MAX = 40

/** What loggers write of themselves needs no word. */
const isOrdinary = (before: string): boolean =>
  bare(`${before.trim() === '' ? '' : before}x`) === 'x' || /^\(XEN\)\s*$/.test(before)

function shown(text: string): string {
  return JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text)
}

/** Counts texts of the same form: digits do not tell them apart. */
class Forms {
  readonly #forms = new Map<string, { readonly example: string; count: number }>()

  add(text: string): void {
    const form = text.replace(/\d+/g, '0').replace(/\s+/g, ' ').slice(0, 200)
    const known = this.#forms.get(form)
    if (known !== undefined) known.count++
    else if (this.#forms.size < FORMS_MAX) this.#forms.set(form, { example: text, count: 1 })
  }

  said(where: string): string[] {
    return [...this.#forms.values()]
      .sort((a, b) => b.count - a.count)
      .slice(0, 3)
      .map(
        ({ example, count }) => `${shown(example)} ${where} ${String(count)} ${count === 1 ? 'row' : 'rows'}`,
      )
  }
}

/** Sentence fragments, none for a text that came straight from its program. */
export function clothesOf(rows: readonly Dressed[], habits: readonly string[]): string[] {
  const front = new Forms()
  const past = new Forms()
  let torn = 0
  for (const { before, after, at, until } of rows) {
    if (!isOrdinary(before)) front.add(before)
    if (after.trim() !== '') past.add(after)
    if (until > at) torn++
  }
  return [
    ...habits,
    ...front.said('in front of'),
    ...past.said('after'),
    ...(torn === 0 ? [] : [`${String(torn)} ${torn === 1 ? 'row' : 'rows'} torn over several lines`]),
  ]
}
