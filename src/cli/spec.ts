/** `spec`: clauses of the law, found by id, by words, or by the release that they hold for. */
import { UsageError } from '../bytes/errors.ts'
import { labelled } from '../report/layout.ts'
import { clauseIndex, placesText } from './clause-index.ts'
import type { Call } from './command.ts'
import { appliesTo, chapters, clausesWith, evidenceOf, lawFor, type Holding } from './law-pages.ts'
import { proseLines, type Chapter, type ClauseText } from './pages.ts'
import { didYouMean } from './suggest.ts'

const WIDTH = 80

const asData = (clause: ClauseText) => {
  const places = clauseIndex().get(clause.id)
  const { id, title, text } = clause
  return {
    id,
    title,
    applies: appliesTo(clause),
    evidence: evidenceOf(clause),
    text,
    ...(places === undefined ? {} : places),
  }
}

const titleLine = ({ id, title }: ClauseText): string =>
  `${labelled(id, title, { indent: 2, column: 7, width: WIDTH }).join('\n')}\n`

function holdingLine({ clause, whenever }: Holding): string {
  if (whenever === null || whenever === '') return titleLine(clause)
  const condition = labelled('', `(${whenever})`, { indent: 9, column: 0, width: WIDTH })
  return `${titleLine(clause)}${condition.join('\n')}\n`
}

/** The text of a clause, its sources, our code and its tests. */
export function clausePage(clause: ClauseText): string {
  const places = clauseIndex().get(clause.id)
  return `${proseLines(clause.text, WIDTH)}\n${places === undefined ? '' : `\n${placesText(places)}`}`
}

/** The clause of that id, in any case of letters. */
export function clauseNamed(id: string): ClauseText | null {
  const wanted = id.toUpperCase()
  return (
    chapters()
      .flatMap(chapter => chapter.clauses)
      .find(known => known.id === wanted) ?? null
  )
}

const chapterText = ({ id, title, clauses }: Chapter): string =>
  `${id}  ${title}\n${clauses.map(titleLine).join('')}`

interface Answer {
  readonly text: string
  readonly clauses: readonly ClauseText[]
}

function wordsAnswer(words: string): Answer {
  const clauses = clausesWith(words)
  if (clauses.length === 0) throw new UsageError(`spec: no clause says ${JSON.stringify(words)}`)
  return { text: clauses.map(titleLine).join(''), clauses }
}

function forAnswer(release: string, words: string | undefined): Answer {
  const wanted = words === undefined ? null : new Set(clausesWith(words).map(({ id }) => id))
  const holding = lawFor(release).filter(({ clause }) => wanted === null || wanted.has(clause.id))
  return { text: holding.map(holdingLine).join(''), clauses: holding.map(({ clause }) => clause) }
}

function answer(wanted: string): Answer {
  const clause = clauseNamed(wanted)
  if (clause !== null) return { text: clausePage(clause), clauses: [clause] }
  const all = chapters()
  const chapter = all.find(({ id }) => id === wanted.toUpperCase())
  if (chapter !== undefined) return { text: chapterText(chapter), clauses: chapter.clauses }
  const isId = /^[a-z]{2}-?\d*$/i.test(wanted)
  if (!isId && clausesWith(wanted).length > 0) return wordsAnswer(wanted)
  const known = all.flatMap(({ id, clauses }) => [id, ...clauses.map(one => one.id)])
  throw new UsageError(
    `no clause or chapter ${JSON.stringify(wanted)}${didYouMean(wanted.toUpperCase(), known)}, ` +
      'and no clause says it; stubsim spec lists them',
  )
}

/**
 * Prints a clause, the titles of a chapter (`spec PE`), of the clauses that say a word (`spec init_size`) or
 * hold for a release (`--for`), or of all.
 */
export function spec(call: Call): number {
  const [words, release] = [call.text('grep'), call.text('for')]
  if (call.operand !== null && (words ?? release) !== undefined)
    throw new UsageError('spec takes a clause, or --grep and --for, not both')
  const given = (): Answer => {
    if (release !== undefined) return forAnswer(release, words)
    if (words !== undefined) return wordsAnswer(words)
    if (call.operand !== null) return answer(call.operand)
    const all = chapters()
    return { text: all.map(chapterText).join('\n'), clauses: all.flatMap(({ clauses }) => clauses) }
  }
  const { text, clauses } = given()
  printClauses(call, text, clauses)
  return 0
}

/** Prints clauses as `--format` says: the text, or the clauses as data. */
export function printClauses(call: Call, text: string, clauses: readonly ClauseText[]): void {
  call.print(
    call.text('format') === 'json'
      ? `${JSON.stringify({ schema: 1, clauses: clauses.map(asData) }, null, 2)}\n`
      : text,
  )
}
