/** `eras --diff A B`: what changed between two rows of one table, slot by slot, and the rows that lie between them. */
import { UsageError } from '../bytes/errors.ts'
import { erasFor } from '../boot/version.ts'
import { kernelEras } from '../kernel/eras.ts'
import type { EraInfo } from '../machine/model.ts'
import { labelled } from '../report/layout.ts'
import { stubEras } from '../stub/eras.ts'
import { lanzabooteEras } from '../stub/lanzaboote/eras.ts'
import type { Call } from './command.ts'
import { eraRow, type Cell, type EraRow } from './era-rows.ts'
import { packageFolder, packageText } from './files.ts'
import { parseChapter } from './pages.ts'

/** A row and its cells as functions, by slot. */
interface Row {
  readonly info: EraInfo
  readonly slots: Readonly<Record<string, unknown>>
}

const rowOfStub = (era: EraInfo): Row => ({ info: era, slots: Object.fromEntries(Object.entries(era).filter(([, cell]) => typeof cell === 'function')) })

const TABLES: readonly (readonly Row[])[] = [
  Object.values(stubEras).map(rowOfStub),
  lanzabooteEras.map(rowOfStub),
  kernelEras.map(era => ({ info: era, slots: Object.fromEntries(Object.entries(era.slots)) })),
]

/** A slot that is filled otherwise. `particulars`: the same step in both, told other things by its row. */
export interface Change {
  readonly slot: string
  readonly from: Cell
  readonly to: Cell
  readonly particulars: boolean
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
  const [first] = known === undefined ? erasFor(name, table.map(({ info }) => info)) : []
  return known ?? table.find(({ info }) => info === first)
}

const shown = ({ info, slots }: Row): EraRow => eraRow(info, slots)
const textOf = ({ step, clauses, what }: Cell): string => JSON.stringify([step, clauses, what])

/** Compares the rows of two versions or ids. Throws UsageError when they are not in one table. */
export function diffEras(from: string, to: string): EraDiff {
  for (const table of TABLES) {
    const [a, b] = [rowOf(table, from), rowOf(table, to)]
    if (a !== undefined && b !== undefined) return between(table, a, b)
  }
  const missing = [from, to].filter(name => TABLES.every(table => rowOf(table, name) === undefined))
  throw new UsageError(missing.length > 0 ? `--diff: no row of stub or kernel for ${missing.join(', ')}; stubsim eras lists them` : `--diff: ${from} and ${to} are rows of different tables`)
}

function between(table: readonly Row[], a: Row, b: Row): EraDiff {
  const [from, to] = [shown(a), shown(b)]
  const changed = from.cells.flatMap((cell): Change[] => {
    const other = to.cells.find(({ slot }) => slot === cell.slot)
    return other === undefined || a.slots[cell.slot] === b.slots[cell.slot] ? [] : [{ slot: cell.slot, from: cell, to: other, particulars: textOf(cell) === textOf(other) }]
  })
  const same = from.cells.map(({ slot }) => slot).filter(slot => !changed.some(change => change.slot === slot))
  const [first, last] = [table.indexOf(a), table.indexOf(b)]
  const rows = first <= last ? table.slice(first + 1, last + 1) : table.slice(last, first).reverse()
  return { from, to, changed, same, rows: rows.map(shown) }
}

/** Titles of the clauses, by id. */
function clauseTitles(): ReadonlyMap<string, string> {
  const chapters = packageFolder('spec').flatMap(name => parseChapter(packageText(`spec/${name}`) ?? '') ?? [])
  return new Map(chapters.flatMap(({ clauses }) => clauses.map(({ id, title }) => [id, title])))
}

const line = (label: string, text: string, indent = 2): string[] => labelled(label, text, { indent, column: 10, width: 120 })

function cellLines(label: string, { step, clauses, what }: Cell, titles: ReadonlyMap<string, string>): string[] {
  const law = clauses.map(id => `${id} ${titles.get(id) ?? ''}`.trim()).join('; ')
  return line(label, `${what ?? step ?? 'nothing'}${law === '' ? '' : ` (${law})`}`, 4)
}

/** For people. */
export function diffText({ from, to, changed, same, rows }: EraDiff, titles: ReadonlyMap<string, string>): string {
  const slots = changed.flatMap(({ slot, from: old, to: now, particulars }) => {
    if (particulars) return [`  ${slot}`, ...cellLines('both', now, titles), ...line('', 'the same step, told other particulars by the row', 4)]
    return [`  ${slot}`, ...cellLines('was', old, titles), ...cellLines('is', now, titles)]
  })
  const steps = rows.flatMap(row => [...labelled(row.id, row.title, { indent: 2, column: 24, width: 120 }), ...line('commits', row.commits.join(', ') || 'none named', 4)])
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
  const diff = diffEras(from, call.operand)
  call.print(call.text('format') === 'json' ? `${JSON.stringify({ schema: 1, ...diff }, null, 2)}\n` : diffText(diff, clauseTitles()))
}
