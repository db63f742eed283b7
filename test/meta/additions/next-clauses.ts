/** The numbers that the next clauses of a chapter get. */
import { readClauses } from '../../support/clauses.ts'

export function nextClauses(chapter: string): readonly [string, string] {
  const last = Math.max(
    ...readClauses()
      .clauses.filter(({ id }) => id.startsWith(`${chapter}-`))
      .map(({ id }) => Number(id.slice(chapter.length + 1))),
  )
  return [`${chapter}-${String(last + 1)}`, `${chapter}-${String(last + 2)}`]
}
