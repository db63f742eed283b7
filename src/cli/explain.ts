/** `explain` and `spec`: the pages of a rule and a clause. */
import { UsageError } from '../bytes/errors.ts'
import { clauseIndex, placesText } from './clause-index.ts'
import type { Call } from './command.ts'
import { packageFolder, packageText } from './files.ts'
import { parseChapter, titleOf, type Chapter } from './pages.ts'
import { didYouMean } from './suggest.ts'

const HAZARDS = 'docs/hazards'

function names(folder: string): string[] {
  return packageFolder(folder)
    .filter(name => name.endsWith('.md'))
    .map(name => name.slice(0, -3))
}

/** Prints the page of a rule, or the list of rules. */
export function explain(call: Call): number {
  const rules = names(HAZARDS)
  if (call.operand === null) {
    const width = Math.max(0, ...rules.map(rule => rule.length))
    for (const rule of rules)
      call.print(`${rule.padEnd(width)}  ${titleOf(packageText(`${HAZARDS}/${rule}.md`) ?? '')}\n`)
    return 0
  }
  const rule = call.operand
  const page = rules.includes(rule) ? packageText(`${HAZARDS}/${rule}.md`) : null
  if (page === null)
    throw new UsageError(
      `unknown rule ${JSON.stringify(rule)}${didYouMean(rule, rules)}; stubsim explain lists the rules`,
    )
  call.print(page)
  return 0
}

function chapters(): Chapter[] {
  return names('spec').flatMap(name => parseChapter(packageText(`spec/${name}.md`) ?? '') ?? [])
}

/** Prints a clause, a whole chapter's titles (`spec PE`), or the list of chapters with their clauses. */
export function spec(call: Call): number {
  const all = chapters()
  const wanted = call.operand?.toUpperCase() ?? null
  const clause = all.flatMap(chapter => chapter.clauses).find(known => known.id === wanted)
  if (clause !== undefined) {
    const places = clauseIndex().get(clause.id)
    call.print(`${clause.text}\n${places === undefined ? '' : `\n${placesText(places)}`}`)
    return 0
  }
  const shown = wanted === null ? all : all.filter(chapter => chapter.id === wanted)
  if (wanted !== null && shown.length === 0) {
    const known = all.flatMap(chapter => [chapter.id, ...chapter.clauses.map(one => one.id)])
    throw new UsageError(
      `unknown clause or chapter ${JSON.stringify(call.operand)}${didYouMean(wanted, known)}; stubsim spec lists them`,
    )
  }
  call.print(
    shown
      .map(
        chapter =>
          `${chapter.id}  ${chapter.title}\n${chapter.clauses.map(one => `  ${one.id.padEnd(6)} ${one.title}\n`).join('')}`,
      )
      .join('\n'),
  )
  return 0
}
