/** A product as shown by `eras`, and its data as text. */
import { hex } from '../bytes/range.ts'
import type { VersionSpan } from '../releases/era.ts'
import { erasOf, type Era, type History } from '../releases/history.ts'
import { clausesFor, spansText, type Law } from '../releases/law.ts'

/** A behaviour of any product: records by name. */
export type Data = Readonly<Record<string, unknown>>

/** An era as shown. */
export type ShownEra = Era<Data>

/** A product with a history of releases. */
export interface Product {
  readonly title: string
  readonly history: History<Data>
  readonly eras: readonly ShownEra[]
  /** The clauses of a record of an era's behaviour. */
  readonly clauses: (behaviour: Data, record: string) => readonly string[]
  /** Spans as text. */
  readonly releases: (spans: readonly VersionSpan[]) => string
}

/** `line`: a history with all releases, if this one ends earlier. */
export function productOf<B extends object>(
  title: string,
  history: History<B>,
  law: Law<B>,
  line: History<B> = history,
): Product {
  return {
    title,
    history: history as unknown as History<Data>,
    eras: erasOf(history) as unknown as readonly ShownEra[],
    clauses: (behaviour, record) => clausesFor(law, behaviour as unknown as B, record as keyof B),
    releases: spans => spansText(line, spans),
  }
}

const isData = (value: unknown): value is Data =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Data as text: strings unchanged, lists with commas, `none` for null and empty lists, addresses in hex. */
export function inWords(value: unknown): string {
  if (value === null || value === undefined) return 'none'
  if (typeof value === 'string') return value.trim() === value && value !== '' ? value : JSON.stringify(value)
  if (typeof value === 'number') return value > 0xffff ? hex(value) : String(value)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(inWords).join(', ')
  if (isData(value))
    return Object.entries(value)
      .map(([name, one]) => `${name} ${inWords(one)}`)
      .join('; ')
  return JSON.stringify(value)
}

/** A field of a record that differs. */
export interface Difference {
  /** `sectionTable.maxSections`. */
  readonly field: string
  readonly from: unknown
  readonly to: unknown
}

/** The differing fields of two values, in the order of the second. */
export function differences(from: unknown, to: unknown, field = ''): Difference[] {
  if (JSON.stringify(from) === JSON.stringify(to)) return []
  if (!isData(from) || !isData(to)) return [{ field, from, to }]
  const names = [...new Set([...Object.keys(to), ...Object.keys(from)])]
  return names.flatMap(name => differences(from[name], to[name], field === '' ? name : `${field}.${name}`))
}

/** Differences as text: `maxSections: none, was 96`; lists by what was added and removed. */
export function differenceText({ field, from, to }: Difference): string {
  if (Array.isArray(from) && Array.isArray(to)) {
    const more = to.filter(one => !from.includes(one))
    const gone = from.filter(one => !to.includes(one))
    const words = [
      ...(more.length === 0 ? [] : [`now also ${inWords(more)}`]),
      ...(gone.length === 0 ? [] : [`no longer ${inWords(gone)}`]),
      ...(more.length + gone.length === 0 ? [`in another order, ${inWords(to)}`] : []),
    ]
    return `${field}: ${words.join('; ')}`
  }
  if (from === undefined) return `${field}: ${inWords(to)}`
  if (to === undefined) return `${field}: none, was ${inWords(from)}`
  return `${field}: ${inWords(to)}, was ${inWords(from)}`
}
