/** The table of kernels as data: what each cell is, what its row told it, and its clauses. */
import { kernelEras } from '../kernel/eras.ts'
import { particularsOf } from '../machine/told.ts'
import type { Data, Product, ShownEra } from './product.ts'

const CLAUSE = /\b(?:FW|PE|ST|LZ|HO|EP|ZO|HZ)-\d+\b/g
type AnyStep = (...given: readonly unknown[]) => unknown

const isStep = (cell: unknown): cell is AnyStep => typeof cell === 'function'

/** Ends a cell as soon as it has said which step it is. */
class Said extends Error {}

/** A cell names its step by beginning it: it is called with a machine that only listens. */
function firstClause(cell: AnyStep): string | null {
  let said: string | null = null
  const machine = {
    step: (clause: string): never => {
      said = clause
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

function clausesOf(cell: unknown): readonly string[] {
  if (!isStep(cell)) return []
  const first = firstClause(cell)
  return [...new Set([...(first === null ? [] : [first]), ...(String(cell).match(CLAUSE) ?? [])])]
}

function plain(value: unknown): unknown {
  if (isStep(value)) return value.name
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]))
}

function dataOf(cell: unknown): Data {
  const told = plain(particularsOf(cell) ?? {}) as Data
  return { step: isStep(cell) ? cell.name : null, ...told }
}

const SLOTS: ReadonlyMap<Data, Data> = new Map(
  kernelEras.map(({ slots }) => {
    const cells = Object.entries(slots)
    return [Object.fromEntries(cells.map(([slot, cell]) => [slot, dataOf(cell)])), slots as unknown as Data]
  }),
)
const BEHAVIOURS = [...SLOTS.keys()]

/** Kernels. */
export const linux: Product = {
  title: 'linux',
  history: { product: 'linux', branches: [], end: '0', base: {}, changes: [], labels: {}, seen: {} },
  eras: kernelEras.map(({ id, title, spans, commits, seen }, i): ShownEra => ({
    id,
    title,
    spans,
    commits,
    seen,
    behaviour: BEHAVIOURS[i] ?? {},
    began: [],
  })),
  clauses: (behaviour, record) => clausesOf(SLOTS.get(behaviour)?.[record]),
  releases: spans => spans.map(({ from, to }) => `${from} to before ${to}`).join(', '),
}
