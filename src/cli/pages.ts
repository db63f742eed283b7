/**
 * The pages printed by explain and spec: docs/hazards and the chapters of the spec, read from this package.
 */

import { wrap } from '../report/layout.ts'

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

/** Begins a line of its own: a heading, an item of a list, a row of a table, a field of a clause. */
const OWN_LINE = /^(?:#|\||\s*(?:[-*]|\d+\.) |[A-Z][a-z]+: )/

/**
 * Markdown for a terminal: paragraphs and list items are filled to `width` characters; headings, tables and
 * code blocks stay as they are. A word longer than a line gets a line of its own.
 */
export function proseLines(markdown: string, width: number): string {
  const lines: string[] = []
  let block: string[] = []
  const fill = (): void => {
    const [first] = block
    if (first === undefined) return
    const text = block.map(line => line.trim()).join(' ')
    const indent = /^\s*/.exec(first)?.[0] ?? ''
    const mark = /^(?:[-*]|\d+\.) /.exec(text)?.[0] ?? (/^[A-Z][a-z]+: /.test(text) ? '  ' : '')
    const margin = indent + ' '.repeat(mark.length)
    lines.push(...wrap(text, width - margin.length).map((line, i) => (i === 0 ? indent : margin) + line))
    block = []
  }
  let code = false
  for (const line of markdown.split('\n')) {
    const isFence = line.trimStart().startsWith('```')
    if (OWN_LINE.test(line) || isFence || code || line.trim() === '') fill()
    if (isFence || code || line.trim() === '' || /^[#|]/.test(line)) lines.push(line)
    else block.push(line)
    if (isFence) code = !code
  }
  fill()
  return lines.join('\n')
}

/** The first heading of a page. */
export function titleOf(markdown: string): string {
  return /^# (.+)$/m.exec(markdown)?.[1] ?? ''
}
