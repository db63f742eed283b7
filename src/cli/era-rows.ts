/** The rows of the tables of eras as plain data: what each cell does, and under which clauses. */
import { ModelBug } from '../bytes/errors.ts'
import { kernelEras } from '../kernel/kernels.ts'
import type { EraInfo } from '../machine/model.ts'
import { stubEras } from '../stub/eras.ts'
import { lanzabooteEras } from '../stub/lanzaboote/eras.ts'

/** A cell: the slot, the step's name where the function has one, its clauses, and what it says it does. */
export interface Cell {
  readonly slot: string
  readonly step: string | null
  readonly clauses: readonly string[]
  readonly what: string | null
}

/** A row as it is shown. */
export interface EraRow extends Pick<EraInfo, 'id' | 'title' | 'spans' | 'commits' | 'seen'> {
  readonly cells: readonly Cell[]
}

const CLAUSE = /\b(?:FW|PE|ST|LZ|HO|EP|ZO|HZ)-\d+\b/g
type AnyStep = (...given: readonly unknown[]) => unknown

const isStep = (cell: unknown): cell is AnyStep => typeof cell === 'function'

/** Ends a cell as soon as it has said which step it is. */
class Said extends Error {}

/**
 * A cell names its step by beginning it: it is called with a machine that only listens. Null when it does
 * something else first.
 */
function firstStep(cell: AnyStep): { readonly clause: string; readonly what: string } | null {
  let said: { clause: string; what: string } | null = null
  const machine = {
    step: (clause: string, what: string): never => {
      said = { clause, what }
      throw new Said()
    },
  }
  try {
    cell({ machine, from: {}, file: {}, self: {} }, [])
  } catch {
    return said
  }
  return said
}

/** What a cell says of itself. Throws ModelBug for what is no step. */
export function cellOf(slot: string, cell: unknown): Cell {
  if (!isStep(cell)) throw new ModelBug(`${slot} is no step`)
  const first = firstStep(cell)
  const clauses = new Set([...(first === null ? [] : [first.clause]), ...(String(cell).match(CLAUSE) ?? [])])
  return { slot, step: cell.name === '' ? null : cell.name, clauses: [...clauses], what: first?.what ?? null }
}

/** A row of a table whose cells are functions under the names of their slots. */
export function eraRow(era: EraInfo, slots: object): EraRow {
  const { id, title, spans, commits, seen } = era
  const cells = Object.entries(slots).flatMap(([slot, cell]) => (isStep(cell) ? [cellOf(slot, cell)] : []))
  return { id, title, spans, commits, seen, cells }
}

/** All tables, in their own order: stubs of systemd, then of lanzaboote; kernels. */
export function eraTables(): { readonly stub: readonly EraRow[]; readonly kernel: readonly EraRow[] } {
  return {
    stub: [...Object.values(stubEras), ...lanzabooteEras].map(era => eraRow(era, era)),
    kernel: kernelEras.map(era => eraRow(era, era.slots)),
  }
}
