/** `eras --diff A B`: the changes between two releases or eras of one product, and their effects. */
import { UsageError } from '../bytes/errors.ts'
import type { Change } from '../releases/change.ts'
import { inForce } from '../releases/history.ts'
import { isVersion } from '../releases/version.ts'
import { labelled } from '../report/layout.ts'
import type { Call } from './command.ts'
import { packageFolder, packageText } from './files.ts'
import { parseChapter } from './pages.ts'
import { differences, differenceText, type Data, type Difference } from './product.ts'
import { erasNamed, type FoundEra } from './products.ts'

/** A record of the behaviour that differs. */
export interface RecordDiff {
  readonly record: string
  readonly fields: readonly Difference[]
  /** Its clauses. */
  readonly clauses: { readonly from: readonly string[]; readonly to: readonly string[] }
  /** Commits of the changes that cause it. */
  readonly commits: readonly string[]
}

/** The difference between two eras. */
export interface EraDiff {
  readonly from: End
  readonly to: End
  /** Changes that only the second has, and those that only the first has. */
  readonly came: readonly Change<Data>[]
  readonly gone: readonly Change<Data>[]
  readonly records: readonly RecordDiff[]
  /** Equal records. */
  readonly same: readonly string[]
}

/** One of the two. */
interface End {
  readonly id: string
  readonly title: string
}

/** A release of the era: the requested one, otherwise its first. */
const releaseOf = (name: string, { era }: FoundEra): string =>
  isVersion(name) ? name : (era.spans[0]?.from ?? name)

/** Compares two versions or eras. Throws UsageError for an unknown name, or for different products. */
export function diffEras(from: string, to: string): EraDiff {
  const [as, bs] = [erasNamed(from), erasNamed(to)]
  for (const a of as) {
    const b = bs.find(({ product }) => product.history.product === a.product.history.product)
    if (b !== undefined) return between(a, b, releaseOf(from, a), releaseOf(to, b))
  }
  const missing = [...(as.length === 0 ? [from] : []), ...(bs.length === 0 ? [to] : [])]
  throw new UsageError(
    missing.length > 0
      ? `--diff: no era of stub or kernel for ${missing.join(', ')}; stubsim eras lists them`
      : `--diff: ${from} and ${to} are of different products`,
  )
}

function between(a: FoundEra, b: FoundEra, from: string, to: string): EraDiff {
  const [had, has] = [inForce(a.product.history, from), inForce(b.product.history, to)]
  const came = has.filter(change => !had.includes(change))
  const gone = had.filter(change => !has.includes(change))
  const [was, is] = [a.era.behaviour, b.era.behaviour]
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])]
  const records = names.flatMap((record): RecordDiff[] => {
    const fields = differences(was[record], is[record])
    if (fields.length === 0) return []
    const by = [...came, ...gone].filter(({ patch }) => record in (patch as Data))
    return [
      {
        record,
        fields,
        clauses: { from: a.product.clauses(was, record), to: b.product.clauses(is, record) },
        commits: by.flatMap(({ commits }) => commits),
      },
    ]
  })
  const same = names.filter(name => !records.some(({ record }) => record === name))
  const end = ({ era: { id, title } }: FoundEra): End => ({ id, title })
  return { from: end(a), to: end(b), came, gone, records, same }
}

/** Titles of the clauses, by id. */
function clauseTitles(): ReadonlyMap<string, string> {
  const chapters = packageFolder('spec').flatMap(
    name => parseChapter(packageText(`spec/${name}`) ?? '') ?? [],
  )
  return new Map(chapters.flatMap(({ clauses }) => clauses.map(({ id, title }) => [id, title])))
}

const line = (label: string, text: string, indent = 2): string[] =>
  labelled(label, text, { indent, column: 10, width: 80 })

function recordLines(
  { record, fields, clauses, commits }: RecordDiff,
  titles: ReadonlyMap<string, string>,
): string[] {
  const law = (label: string, ids: readonly string[]): string[] =>
    ids.flatMap(id => line(label, `${id} ${titles.get(id) ?? ''}`.trim(), 4))
  return [
    `  ${record}`,
    ...fields.flatMap(field => line('data', differenceText(field), 4)),
    ...law(
      'no longer',
      clauses.from.filter(id => !clauses.to.includes(id)),
    ),
    ...law(
      'now',
      clauses.to.filter(id => !clauses.from.includes(id)),
    ),
    ...(commits.length === 0 ? [] : line('commits', commits.join(', '), 4)),
  ]
}

function changeLine(label: string, { in: releases, title, commits }: Change<Data>): string[] {
  const of = commits.length === 0 ? '' : ` (${commits.join(', ')})`
  return line(label, `${releases.at(-1) ?? ''}: ${title}${of}`)
}

/** For people. */
export function diffText(diff: EraDiff, titles: ReadonlyMap<string, string>): string {
  const { from, to, came, gone, records, same } = diff
  const changes = [
    ...came.flatMap(change => changeLine('came', change)),
    ...gone.flatMap(change => changeLine('went', change)),
  ]
  return [
    ...line('from', `${from.id}: ${from.title}`, 0),
    ...line('to', `${to.id}: ${to.title}`, 0),
    '',
    ...(changes.length === 0 ? [] : ['changes', ...changes, '']),
    ...(records.length === 0 ? ['no record differs'] : ['records that differ']),
    ...records.flatMap(record => recordLines(record, titles)),
    '',
    ...line('same', same.join(', ') || 'nothing', 0),
    '',
  ].join('\n')
}

/** The command with --diff: one version or era is its value, the other one the operand. */
export function printDiff(call: Call, from: string): void {
  if (call.operand === null)
    throw new UsageError('--diff needs two versions or eras: stubsim eras --diff A B')
  const diff = diffEras(from, call.operand)
  call.print(
    call.text('format') === 'json'
      ? `${JSON.stringify({ schema: 2, ...diff }, null, 2)}\n`
      : diffText(diff, clauseTitles()),
  )
}
