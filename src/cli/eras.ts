/**
 * `eras`: the history of stubs and kernels: what changed, when, in which back-ports, by which commit; the
 * resulting eras; and the behaviour of one.
 */
import { UsageError } from '../bytes/errors.ts'
import { patched, type Change } from '../releases/change.ts'
import { inForce, type History } from '../releases/history.ts'
import { labelled } from '../report/layout.ts'
import type { Call } from './command.ts'
import { printDiff } from './eras-diff.ts'
import {
  differences,
  differenceText,
  inWords,
  type Data,
  type Difference,
  type Product,
  type ShownEra,
} from './product.ts'
import { erasNamed, PRODUCTS, type FoundEra } from './products.ts'

const WIDTH = 80

/** The effect of a change: the behaviour of the first main-line release that has it, without and with it. */
export function effectOf<B>(history: History<B>, change: Change<B>): Difference[] {
  const main = change.in.at(-1) ?? ''
  const others = inForce(history, main).filter(one => one !== change)
  const before = history.changes.filter(one => others.includes(one) && comesBefore(history, one, change))
  const was = before.reduce<B>((data, { patch }) => patched(data, patch), history.base)
  return differences(was, patched(was, change.patch))
}

const comesBefore = <B>({ changes }: History<B>, a: Change<B>, b: Change<B>): boolean =>
  changes.indexOf(a) < changes.indexOf(b)

function changeLines(history: History<Data>, change: Change<Data>): string[] {
  const line = (label: string, text: string): string[] =>
    labelled(label, text, { indent: 10, column: 10, width: WIDTH })
  const [main = '', ...backports] = [...change.in].reverse()
  return [
    ...labelled(main, change.title, { indent: 2, column: 8, width: WIDTH }),
    ...line('commit', change.commits.join(', ') || 'not known'),
    ...(backports.length === 0 ? [] : line('also in', backports.reverse().join(', '))),
    ...(change.until === undefined ? [] : line('until', change.until.join(', '))),
    ...effectOf(history, change).flatMap(one => line('data', differenceText(one))),
  ]
}

function productLines(product: Product): string[] {
  const { title, history, eras, releases } = product
  return [
    title,
    '',
    ...history.changes.flatMap(change => [...changeLines(history, change), '']),
    `eras of ${title}`,
    ...eras.flatMap(era => [
      ...labelled(era.id, releases(era.spans), { indent: 2, column: 26, width: WIDTH }),
      ...labelled('', era.title, { indent: 2, column: 26, width: WIDTH }),
    ]),
  ]
}

function eraLines({ product, era }: FoundEra): string[] {
  const line = (label: string, text: string): string[] =>
    labelled(label, text, { indent: 2, column: 18, width: WIDTH })
  return [
    ...labelled(era.id, era.title, { indent: 0, column: 26, width: WIDTH }),
    ...line('releases', product.releases(era.spans)),
    ...line(
      'seen',
      era.seen.map(seen => `${seen} (${product.history.seen[seen] ?? 'seen'})`).join(', ') || 'none',
    ),
    ...line('commits', era.commits.join(', ') || 'none'),
    ...era.began.flatMap(change => line('began with', change.title)),
    '',
    ...Object.entries(era.behaviour).flatMap(([record, data]) => {
      const clauses = product.clauses(era.behaviour, record)
      return line(record, `${inWords(data)}${clauses.length === 0 ? '' : ` (${clauses.join(', ')})`}`)
    }),
  ]
}

const shownEra = ({ clauses }: Product, era: ShownEra) => {
  const { id, title, spans, commits, seen, behaviour } = era
  const cited = Object.keys(behaviour).map(record => [record, clauses(behaviour, record)])
  return { id, title, spans, commits, seen, behaviour, clauses: Object.fromEntries(cited) as Data }
}

/** As plain data. */
export function shownProduct(product: Product) {
  const { title, history, eras } = product
  return { title, changes: history.changes, eras: eras.map(era => shownEra(product, era)) }
}

function chosen(name: string): readonly Product[] | readonly FoundEra[] {
  const products = PRODUCTS.filter(({ title }) => title === name || title.startsWith(`${name}/`))
  if (products.length > 0) return products
  const found = erasNamed(name)
  if (found.length > 0) return found
  throw new UsageError(
    `eras: ${JSON.stringify(name)} is not a product, era or release of the tables; stubsim eras lists them`,
  )
}

const isFoundEra = (one: Product | FoundEra): one is FoundEra => 'era' in one

/** The command. */
export function eras(call: Call): number {
  const from = call.text('diff')
  if (from !== undefined) {
    printDiff(call, from)
    return 0
  }
  const shown = call.operand === null ? PRODUCTS : chosen(call.operand)
  if (call.text('format') === 'json') {
    const data = shown.map(one => (isFoundEra(one) ? shownEra(one.product, one.era) : shownProduct(one)))
    const key = shown.some(isFoundEra) ? 'eras' : 'products'
    call.print(`${JSON.stringify({ schema: 2, [key]: data }, null, 2)}\n`)
  } else {
    const texts = shown.map(one => (isFoundEra(one) ? eraLines(one) : productLines(one)).join('\n'))
    call.print(`${texts.join('\n\n')}\n`)
  }
  return 0
}
