/**
 * The pages printed by explain and spec: docs/hazards and the chapters of the spec, read from this package.
 */

/** A clause as printed in its chapter. */
export interface ClauseText {
  readonly id: string
  readonly title: string
  /** Heading and body, without surrounding empty lines. */
  readonly text: string
}

export interface Chapter {
  /** `PE`. */
  readonly id: string
  readonly title: string
  readonly clauses: readonly ClauseText[]
}

/**
 * Reads a chapter: `# PE Title`, then `### PE-7: Title` and the text up to the next heading. Null for any
 * other page.
 */
export function parseChapter(markdown: string): Chapter | null {
  const [, id, title] = /^# ([A-Z]{2}) (.+)$/m.exec(markdown) ?? []
  if (id === undefined || title === undefined) return null
  const clauses: ClauseText[] = []
  for (const part of markdown.split(/^(?=#{1,3} )/m)) {
    const [, clause, heading] = /^### ([A-Z]{2}-\d+): (.+)$/m.exec(part.split('\n')[0] ?? '') ?? []
    if (clause !== undefined && heading !== undefined)
      clauses.push({ id: clause, title: heading, text: part.trim() })
  }
  return { id, title, clauses }
}

/** The first heading of a page. */
export function titleOf(markdown: string): string {
  return /^# (.+)$/m.exec(markdown)?.[1] ?? ''
}
