/** The clauses that apply to a release, by its behaviour; and the releases of a clause as text. */
import type { VersionSpan } from './era.ts'
import { boundaries, behaviour, type History } from './history.ts'
import { compareVersions, required, type Version } from './version.ts'

/** Does a clause apply to this behaviour? */
export type Holds<B> = (behaviour: B) => boolean

/** The clauses of a product, by the behaviour record they describe. */
export type Law<B> = { readonly [R in keyof B]?: Readonly<Record<string, Holds<B>>> }

/** Clauses that apply to a behaviour: all of them, or those about one record. */
export function clausesFor<B extends object>(law: Law<B>, data: B, record?: keyof B): string[] {
  const records = record === undefined ? (Object.keys(law) as (keyof B)[]) : [record]
  return records.flatMap(one =>
    Object.entries<Holds<B>>(law[one] ?? {}).flatMap(([clause, holds]) => (holds(data) ? [clause] : [])),
  )
}

/** The releases of a history with this behaviour. */
export function spansWhere<B>(history: History<B>, holds: Holds<B>): VersionSpan[] {
  const spans: { from: string; to: string }[] = []
  let open: { from: string; to: string } | null = null
  for (const release of boundaries(history)) {
    const data = behaviour(history, release)
    const applies = data !== null && holds(data)
    if (open !== null && !applies) {
      open.to = release
      open = null
    } else if (open === null && applies) {
      open = { from: release, to: history.end }
      spans.push(open)
    }
  }
  return spans
}

const text = ({ numbers, candidate }: Version): string =>
  `${numbers.join('.')}${candidate === null ? '' : `-rc${String(candidate)}`}`

/** `6.6` of `6.6-rc1`. */
const mainRelease = (branch: string): string => text({ ...required(branch), candidate: null })

/** The predecessor of a release that does not begin a branch: `257.4` of `257.5`, `257` of `257.1`. */
function releaseBefore(release: string): string {
  const version = required(release)
  if (version.candidate !== null) return text({ ...version, candidate: version.candidate - 1 })
  const numbers = [...version.numbers]
  const last = (numbers.pop() ?? 0) - 1
  return text({ ...version, numbers: last === 0 ? numbers : [...numbers, last] })
}

function spanText<B>({ branches, end }: History<B>, { from, to }: VersionSpan): string {
  const branchOf = (release: string): string =>
    branches.findLast(branch => compareVersions(branch, release) <= 0) ?? release
  const home = branchOf(from)
  const first = from === home ? mainRelease(home) : from
  if (to === end) return `${first} and later`
  const next = branches.indexOf(to)
  if (next < 0 && to === mainRelease(branchOf(to))) return `${from} to before ${to}`
  if (next < 0 && required(to).candidate !== null && from === releaseBefore(to)) return from
  if (next < 0 && required(to).candidate !== null) return `${from} to ${releaseBefore(to)}`
  const last = next < 0 ? releaseBefore(to) : mainRelease(branches[next - 1] ?? to)
  if (first === last) return first
  return next > 0 && branches[next - 1] === home ? `${first} and later ${last}` : `${first} to ${last}`
}

/**
 * Spans as text, by existing releases: `252.36 and later 252, 257 to 257.4, 258 and later`. Release
 * candidates are omitted at the start of a branch.
 */
export function spansText<B>(history: History<B>, spans: readonly VersionSpan[]): string {
  return spans.map(span => spanText(history, span)).join(', ')
}
