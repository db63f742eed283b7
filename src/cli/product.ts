/** A product as `eras` shows it, and its data in words. */
import { hex } from '../bytes/range.ts'
import type { VersionSpan } from '../releases/era.ts'
import { erasOf, type Era, type History } from '../releases/history.ts'
import { clausesFor, spansText, type Law } from '../releases/law.ts'

/** A behaviour, whatever it is made of: records by name. */
export type Data = Readonly<Record<string, unknown>>

/** An era as it is shown. */
export type ShownEra = Era<Data>

/** A product whose releases have a history. */
export interface Product {
  readonly title: string
  readonly history: History<Data>
  readonly eras: readonly ShownEra[]
  /** Clauses that a record of an era's behaviour follows. */
  readonly clauses: (behaviour: Data, record: string) => readonly string[]
  /** Spans in words. */
  readonly releases: (spans: readonly VersionSpan[]) => string
}

/** `line`: a history that has all releases, where this one ends before they do. */
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

/** Data in words: a text as it is, a list with commas, `none` for null and for nothing, addresses in hex. */
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

/** A field of a record that is another one in other data. */
export interface Difference {
  /** `sectionTable.maxSections`. */
  readonly field: string
  readonly from: unknown
  readonly to: unknown
}

/** Fields in which two pieces of data differ, in the order of the second. */
export function differences(from: unknown, to: unknown, field = ''): Difference[] {
  if (JSON.stringify(from) === JSON.stringify(to)) return []
  if (!isData(from) || !isData(to)) return [{ field, from, to }]
  const names = [...new Set([...Object.keys(to), ...Object.keys(from)])]
  return names.flatMap(name => differences(from[name], to[name], field === '' ? name : `${field}.${name}`))
}

/** Differences in words: `maxSections: none, was 96`; a list by what it has more and less. */
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
