/**
 * The law as its own tests see it: every clause of spec/, parsed by the one format that spec/README.md gives.
 */
import { filesBelow, textOf } from './repository.ts'

export const CHAPTERS = ['FW', 'PE', 'ST', 'LZ', 'HO', 'EP', 'ZO', 'HZ'] as const
export const CLAUSE_ID = /\b(?:FW|PE|ST|LZ|HO|EP|ZO|HZ)-\d+\b/g
const EVIDENCE = ['read', 'measured', 'stated', 'defined', 'remembered'] as const

export interface Clause {
  readonly id: string
  readonly chapter: string
  readonly serial: number
  readonly title: string
  readonly file: string
  readonly applies: string
  /** Short name first. */
  readonly sources: readonly string[]
  readonly evidence: string
  /** What the Evidence line says besides its first word. */
  readonly evidenceDetail: string
  readonly contract: string | null
  readonly body: string
  readonly withdrawn: boolean
}

/** Normative: somebody looked. A clause that is only remembered informs; a withdrawn one is history. */
export function isNormative(clause: Clause): boolean {
  return clause.evidence !== 'remembered' && !clause.withdrawn
}

export function chapterFiles(): string[] {
  return filesBelow('spec').filter(
    path => path.endsWith('.md') && !/\/(README|sources|retired)\.md$/.test(path),
  )
}

/** All clauses and all that is wrong with their form. Nothing that begins like a clause is passed over. */
export function readClauses(): { clauses: Clause[]; wrong: string[] } {
  const clauses: Clause[] = []
  const wrong: string[] = []
  for (const file of chapterFiles()) {
    const chapter = /^spec\/([A-Z]{2})-[a-z0-9-]+\.md$/.exec(file)?.[1] ?? ''
    const text = textOf(file)
    if (!(CHAPTERS as readonly string[]).includes(chapter)) wrong.push(`${file}: no chapter`)
    if (!new RegExp(`^# ${chapter} \\S.*\\n\\n[^#\\s]`).test(text))
      wrong.push(`${file}: begins with "# ${chapter} Title" and a short paragraph`)
    const pieces = text.split(/^(?=### )/m).slice(1)
    for (const piece of pieces)
      parseClause(file, chapter, piece.split(/^(?=#{1,2} )/m)[0] ?? '', clauses, wrong)
    const mentions = text.match(/^#{3,}.*$/gm)?.length ?? 0
    if (mentions !== pieces.length)
      wrong.push(
        `${file}: ${String(mentions)} headings of level three or deeper, ${String(pieces.length)} clauses`,
      )
  }
  return { clauses, wrong }
}

function parseClause(file: string, chapter: string, piece: string, clauses: Clause[], wrong: string[]): void {
  const [head = '', ...rest] = piece.split('\n')
  const heading = /^### ([A-Z]{2})-([1-9]\d*): (\S.*)$/.exec(head)
  if (heading === null) {
    wrong.push(`${file}: "${head}" is no clause heading`)
    return
  }
  const [, prefix = '', serial = '', title = ''] = heading
  const id = `${prefix}-${serial}`
  const blank = rest.indexOf('')
  const header = rest.slice(0, blank === -1 ? rest.length : blank)
  const body = rest.slice(header.length).join('\n').trim()
  const fields = header.map(line => /^(Applies|Source|Evidence|Contract): (\S.*)$/.exec(line))
  header.forEach((line, i) => {
    if (fields[i] === null) wrong.push(`${id}: header line "${line}"`)
  })
  const all = (name: string): string[] =>
    fields.flatMap(field => (field?.[1] === name ? [field[2] ?? ''] : []))
  const one = (name: string): string => {
    const values = all(name)
    if (values.length !== 1) wrong.push(`${id}: ${String(values.length)} lines "${name}:"`)
    return values[0] ?? ''
  }
  if (prefix !== chapter) wrong.push(`${id}: stands in ${file}`)
  if (title.endsWith('.')) wrong.push(`${id}: title ends in a full stop`)
  if (all('Source').length === 0) wrong.push(`${id}: no source`)
  const [evidence = '', ...detail] = one('Evidence').split(/[\s,:]+/)
  if (!(EVIDENCE as readonly string[]).includes(evidence)) wrong.push(`${id}: evidence "${evidence}"`)
  if (all('Contract').length > 1) wrong.push(`${id}: two contracts`)
  if (all('Contract').length > 0 && evidence === 'remembered')
    wrong.push(`${id}: a contract that is only remembered`)
  if (body === '') wrong.push(`${id}: says nothing`)
  clauses.push({
    id,
    chapter: prefix,
    serial: Number(serial),
    title,
    file,
    applies: one('Applies'),
    sources: all('Source'),
    evidence,
    evidenceDetail: detail.join(' '),
    contract: all('Contract')[0] ?? null,
    body,
    withdrawn: /^withdrawn, see /i.test(body),
  })
}
