/** Links from a report to the upstream sources of the clauses that it names. */

/** Addresses (https) of the upstream source of a clause; none where there is no link. */
export type ClauseLinks = (clause: string) => readonly string[]

function clausesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(clausesIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, item]) =>
    name === 'clause' && typeof item === 'string' ? [item] : clausesIn(item),
  )
}

/**
 * The links of every clause that plain data names in a field `clause`, by clause; those without are left out.
 */
export function linksIn(value: unknown, links: ClauseLinks): Record<string, readonly string[]> {
  return Object.fromEntries(
    [...new Set(clausesIn(value))]
      .map(clause => [clause, links(clause)] as const)
      .filter(([, found]) => found.length > 0),
  )
}
