/** `explain`: the meaning of a rule, or of a printed message. */
import { UsageError } from '../bytes/errors.ts'
import { rules as houseRules } from '../hazard/registry.ts'
import { plainLetters, textOf } from '../image/paste/letters.ts'
import type { KnownLine } from '../messages/consequences.ts'
import { findLines, type Match } from '../messages/find.ts'
import { statusNamed, type StatusMeaning } from '../messages/statuses.ts'
import { labelled } from '../report/layout.ts'
import type { Call } from './command.ts'
import { packageText } from './files.ts'
import { appliesTo, pageNames } from './law-pages.ts'
import { proseLines, titleOf } from './pages.ts'
import { knownLines } from './printed.ts'
import { clauseNamed, clausePage, printClauses } from './spec.ts'
import { didYouMean } from './suggest.ts'

const HAZARDS = 'docs/hazards'
const WIDTH = 80
/** Maximum number of equally near messages shown. */
const SHOWN_MAX = 5

const pageOf = (rule: string): string => packageText(`${HAZARDS}/${rule}.md`) ?? ''

function listOfRules(call: Call, rules: readonly string[]): void {
  if (call.text('format') === 'json') {
    const data = rules.map(id => ({ id, title: titleOf(pageOf(id)) }))
    call.print(`${JSON.stringify({ schema: 1, rules: data }, null, 2)}\n`)
    return
  }
  const width = Math.max(0, ...rules.map(rule => rule.length))
  for (const rule of rules) {
    const title = titleOf(pageOf(rule)).replace(`${rule}: `, '')
    const lines = labelled(rule, title, { indent: 0, column: width + 2, width: WIDTH })
    call.print(`${lines.join('\n')}\n`)
  }
}

const asData = ({ line, how, values }: Match<KnownLine>) => ({
  text: line.text,
  match: how,
  values: Object.fromEntries(values),
  by: line.by,
  releases: releasesOf(line),
  clause: line.clause,
  why: line.why,
  fix: line.fix,
})

function releasesOf({ clause, releases }: KnownLine): string | null {
  if (releases !== undefined) return releases
  const page = clause === null ? null : clauseNamed(clause)
  return page === null ? null : appliesTo(page)
}

function valueText(value: string): string {
  const status = statusNamed(value)
  return status === null ? value.slice(0, 120) : `${value.trim()} (${status.name}): ${status.why}`
}

function lineText({ line, values }: Match<KnownLine>): string {
  const row = (label: string, text: string | null): string[] =>
    text === null || text === '' ? [] : labelled(label, text, { indent: 2, column: 12, width: WIDTH })
  const clause = line.clause === null ? null : clauseNamed(line.clause)
  return [
    ...line.text
      .split('\n')
      .filter(text => text !== '{rest}')
      .map(text => text.replaceAll(/\{([a-z]+)\}/g, '<$1>')),
    ...row('printed by', line.by),
    ...row('releases', releasesOf(line)),
    ...values.flatMap(([name, value]) => (name === 'rest' ? [] : row(name, valueText(value)))),
    ...row('why', line.why),
    ...row('do', line.fix),
    ...row('clause', clause === null ? null : `${clause.id}: ${clause.title}`),
    '',
  ].join('\n')
}

const HEADINGS: Readonly<Record<Match<KnownLine>['how'], string>> = {
  exact: '',
  part: 'Printed lines with these words:\n\n',
  near: 'Not known word for word. The nearest:\n\n',
}

function explainLine(call: Call, pasted: string): number {
  const matches = findLines(pasted, knownLines()).slice(0, SHOWN_MAX)
  if (call.text('format') === 'json')
    call.print(`${JSON.stringify({ schema: 1, messages: matches.map(asData) }, null, 2)}\n`)
  else call.print(`${HEADINGS[matches[0]?.how ?? 'exact']}${matches.map(lineText).join('\n')}`)
  return 0
}

function explainStatus(call: Call, { name, code, why }: StatusMeaning): number {
  call.print(
    call.text('format') === 'json'
      ? `${JSON.stringify({ schema: 1, statuses: [{ name, code, why }] }, null, 2)}\n`
      : `${name} (${code})\n${labelled('why', why, { indent: 2, column: 12, width: WIDTH }).join('\n')}\n` +
          '\nExplain the whole line: it says who met it.\n',
  )
  return 0
}

function page(call: Call, id: string, text: string): number {
  const data = { schema: 1, rules: [{ id, title: titleOf(text), text }] }
  call.print(call.text('format') === 'json' ? `${JSON.stringify(data, null, 2)}\n` : proseLines(text, WIDTH))
  return 0
}

/**
 * Prints the page of a rule (by its id or its clause), a clause, what a printed line means, or the list of
 * rules.
 */
export function explain(call: Call): number {
  const rules = pageNames(HAZARDS)
  const wanted = call.operand
  // text as its program printed it: without colours, entities and non-breaking blanks
  const line = plainLetters(textOf(wanted ?? '')).text
  if (wanted === null) {
    listOfRules(call, rules)
    return 0
  }
  const rule = rules.includes(wanted)
    ? wanted
    : houseRules.find(({ clause }) => clause === wanted.toUpperCase())?.id
  if (rule !== undefined && rules.includes(rule)) return page(call, rule, pageOf(rule))
  const clause = clauseNamed(wanted)
  if (clause !== null) {
    printClauses(call, clausePage(clause), [clause])
    return 0
  }
  const status = statusNamed(wanted)
  if (status !== null) return explainStatus(call, status)
  if (didYouMean(wanted, rules) === '' && findLines(line, knownLines()).length > 0)
    return explainLine(call, line)
  throw new UsageError(
    `no rule, clause or printed line ${JSON.stringify(wanted)}${didYouMean(wanted, rules)}; ` +
      'stubsim explain lists the rules',
  )
}
