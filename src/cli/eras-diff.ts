/**
 * `eras --diff A B`: what changed between two rows of one table, slot by slot, and the rows that lie between
 * them.
 */
import { UsageError } from '../bytes/errors.ts'
import { erasBetween, erasFor, isVersion } from '../releases/version.ts'
import { kernelEras } from '../kernel/kernels.ts'
import type { EraInfo } from '../machine/model.ts'
import { particularsOf, toldAlike } from '../machine/told.ts'
import { labelled } from '../report/layout.ts'
import { stubEras } from '../stub/eras.ts'
import { lanzabooteEras } from '../stub/lanzaboote/eras.ts'
import type { Call } from './command.ts'
import { cellOf, eraRow, type Cell, type EraRow } from './era-rows.ts'
import { packageFolder, packageText } from './files.ts'
import { parseChapter } from './pages.ts'
import { inWords, spoken } from './particulars.ts'

/** A row and its cells as functions, by slot. */
interface Row {
  readonly info: EraInfo
  readonly slots: Readonly<Record<string, unknown>>
}

const rowOfStub = (era: EraInfo): Row => ({
  info: era,
  slots: Object.fromEntries(Object.entries(era).filter(([, cell]) => typeof cell === 'function')),
})

const TABLES: readonly (readonly Row[])[] = [
  Object.values(stubEras).map(rowOfStub),
  lanzabooteEras.map(rowOfStub),
  kernelEras.map(era => ({ info: era, slots: Object.fromEntries(Object.entries(era.slots)) })),
]

/** A slot that is filled otherwise. */
export interface Change {
  readonly slot: string
  readonly from: Cell
  readonly to: Cell
  /** The same step in both, told other things by its row. */
  readonly particulars: boolean
  /** Those other things in words; empty when the steps are different ones. */
  readonly told: readonly string[]
  /** Rows on the way in which the slot changed, with their commits. */
  readonly by: readonly Pick<EraRow, 'id' | 'commits'>[]
}

/** What lies between two rows. */
export interface EraDiff {
  readonly from: EraRow
  readonly to: EraRow
  readonly changed: readonly Change[]
  readonly same: readonly string[]
  /** Rows of the table behind the earlier one, up to the later one, the way from `from` to `to`. */
  readonly rows: readonly EraRow[]
}

function rowOf(table: readonly Row[], name: string): Row | undefined {
  const known = table.find(({ info }) => info.id === name)
  const [first] =
    known === undefined
      ? erasFor(
          name,
          table.map(({ info }) => info),
        )
      : []
  return known ?? table.find(({ info }) => info === first)
}

const shown = ({ info, slots }: Row): EraRow => eraRow(info, slots)
const textOf = ({ step, clauses, what }: Cell): string => JSON.stringify([step, clauses, what])

/**
 * Compares the rows of two versions or ids. `titles`: of clauses. Throws UsageError when they are not in one
 * table.
 */
export function diffEras(from: string, to: string, titles: ReadonlyMap<string, string> = new Map()): EraDiff {
  for (const table of TABLES) {
    const [a, b] = [rowOf(table, from), rowOf(table, to)]
    if (a !== undefined && b !== undefined)
      return between(wayBetween(table, { name: from, row: a }, { name: to, row: b }), a, b, titles)
  }
  const missing = [from, to].filter(name => TABLES.every(table => rowOf(table, name) === undefined))
  throw new UsageError(
    missing.length > 0
      ? `--diff: no row of stub or kernel for ${missing.join(', ')}; stubsim eras lists them`
      : `--diff: ${from} and ${to} are rows of different tables`,
  )
}

interface End {
  /** A version or an id. */
  readonly name: string
  readonly row: Row
}

/** A release of the row: the one that was asked for, else its first. */
const releaseOf = ({ name, row }: End): string => (isVersion(name) ? name : (row.info.spans[0]?.from ?? name))

/** The rows from one to the other that hold a release between the two, in table order. */
function wayBetween(table: readonly Row[], a: End, b: End): readonly Row[] {
  const held = new Set<EraInfo>(
    erasBetween(
      releaseOf(a),
      releaseOf(b),
      table.map(({ info }) => info),
    ),
  )
  const [first, last] = [table.indexOf(a.row), table.indexOf(b.row)].sort((one, other) => one - other)
  return table
    .slice(first, (last ?? 0) + 1)
    .filter(row => row === a.row || row === b.row || held.has(row.info))
}

/** Is a slot filled by one step that is told the same things? */
function alike(a: Row, b: Row, slot: string): boolean {
  const [one, other] = [a.slots[slot], b.slots[slot]]
  return one === other || (textOf(cellOf(slot, one)) === textOf(cellOf(slot, other)) && toldAlike(one, other))
}

function between(way: readonly Row[], a: Row, b: Row, titles: ReadonlyMap<string, string>): EraDiff {
  const [from, to] = [shown(a), shown(b)]
  const changed = from.cells.flatMap((cell): Change[] => {
    const { slot } = cell
    const other = to.cells.find(one => one.slot === slot)
    if (other === undefined || alike(a, b, slot)) return []
    const particulars = textOf(cell) === textOf(other)
    const [was, is] = [particularsOf(a.slots[slot]), particularsOf(b.slots[slot])]
    const by = way
      .filter((row, i) => i > 0 && !alike(row, way[i - 1] ?? row, slot))
      .map(({ info: { id, commits } }) => ({ id, commits }))
    return [
      {
        slot,
        from: cell,
        to: other,
        particulars,
        told: was === null || is === null ? [] : inWords(was, is, titles),
        by,
      },
    ]
  })
  const same = from.cells
    .map(({ slot }) => slot)
    .filter(slot => !changed.some(change => change.slot === slot))
  const rows = way[0] === a ? way.slice(1) : way.slice(0, -1).reverse()
  return { from, to, changed, same, rows: rows.map(shown) }
}

/** Titles of the clauses, by id. */
function clauseTitles(): ReadonlyMap<string, string> {
  const chapters = packageFolder('spec').flatMap(
    name => parseChapter(packageText(`spec/${name}`) ?? '') ?? [],
  )
  return new Map(chapters.flatMap(({ clauses }) => clauses.map(({ id, title }) => [id, title])))
}

const line = (label: string, text: string, indent = 2): string[] =>
  labelled(label, text, { indent, column: 10, width: 120 })

function cellText({ step, clauses, what }: Cell, titles: ReadonlyMap<string, string>): string {
  const law = clauses.map(id => `${id} ${titles.get(id) ?? ''}`.trim()).join('; ')
  return `${what ?? (step === null ? 'nothing' : spoken(step))}${law === '' ? '' : ` (${law})`}`
}

/** A step's own name, where what it says of itself does not tell it from another one. */
const named = (cell: Cell, text: string, other: string): string =>
  text === other && cell.step !== null ? `${text}: ${spoken(cell.step)}` : text

/** What a slot did and does, or what is told otherwise; then the commits. */
function changeLines(
  { slot, from, to, particulars, told, by }: Change,
  titles: ReadonlyMap<string, string>,
): string[] {
  const [was, is] = [cellText(from, titles), cellText(to, titles)]
  const differs = particulars
    ? line('both', is, 4)
    : [...line('was', named(from, was, is), 4), ...line('is', named(to, is, was), 4)]
  const words = told.flatMap(sentence => line('told', sentence, 4))
  const since = by.flatMap(({ id, commits }) =>
    line('since', `${id} (${commits.length === 0 ? 'no commit named' : `commits ${commits.join(', ')}`})`, 4),
  )
  return [`  ${slot}`, ...differs, ...words, ...since]
}

/** For people. */
export function diffText(
  { from, to, changed, same, rows }: EraDiff,
  titles: ReadonlyMap<string, string>,
): string {
  const slots = changed.flatMap(change => changeLines(change, titles))
  const steps = rows.flatMap(row => [
    ...labelled(row.id, row.title, { indent: 2, column: 24, width: 120 }),
    ...line('commits', row.commits.join(', ') || 'none named', 4),
  ])
  return [
    ...labelled('from', `${from.id}: ${from.title}`, { indent: 0, column: 10, width: 120 }),
    ...labelled('to', `${to.id}: ${to.title}`, { indent: 0, column: 10, width: 120 }),
    '',
    ...(changed.length === 0 ? ['no slot differs'] : ['changed', ...slots]),
    ...line('same', same.join(', ') || 'nothing', 0),
    ...(rows.length === 0 ? [] : ['rows on the way', ...steps]),
    '',
  ].join('\n')
}

/** The command with --diff: one version or id is its value, the other one the operand. */
export function printDiff(call: Call, from: string): void {
  if (call.operand === null) throw new UsageError('--diff needs two versions or ids: stubsim eras --diff A B')
  const titles = clauseTitles()
  const diff = diffEras(from, call.operand, titles)
  call.print(
    call.text('format') === 'json'
      ? `${JSON.stringify({ schema: 1, ...diff }, null, 2)}\n`
      : diffText(diff, titles),
  )
}
