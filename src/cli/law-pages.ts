/** The chapters of the law in this package, and what of them applies to a release. */
import { UsageError } from '../bytes/errors.ts'
import { linux } from '../kernel/kernels.ts'
import { KERNEL_LAW } from '../kernel/law.ts'
import { behaviour, type History } from '../releases/history.ts'
import { clausesFor, type Law } from '../releases/law.ts'
import { isVersion } from '../releases/version.ts'
import { stubHistory } from '../stub/history.ts'
import { STUB_LAW } from '../stub/law.ts'
import { fatHistory, thinHistory } from '../stub/lanzaboote/history.ts'
import { LANZABOOTE_LAW } from '../stub/lanzaboote/law.ts'
import { packageFolder, packageText } from './files.ts'
import { parseChapter, type Chapter, type ClauseText } from './pages.ts'
import { didYouMean } from './suggest.ts'

/** Names of the pages of a folder of this package, without `.md`. */
export function pageNames(folder: string): string[] {
  return packageFolder(folder)
    .filter(name => name.endsWith('.md'))
    .map(name => name.slice(0, -3))
}

export function chapters(): Chapter[] {
  return pageNames('spec').flatMap(name => parseChapter(packageText(`spec/${name}.md`) ?? '') ?? [])
}

/** What follows `Applies:` in a clause; empty when nothing does. */
export function appliesTo({ text }: ClauseText): string {
  return /^Applies: (.+)$/m.exec(text)?.[1] ?? ''
}

/** How a clause is known: the first word of `Evidence:`; empty when there is none. */
export function evidenceOf({ text }: ClauseText): string {
  return /^Evidence: (\w+)/m.exec(text)?.[1] ?? ''
}

interface Governed {
  /** Chapters about the product. */
  readonly chapters: readonly string[]
  /** Clauses that its data decide, and those that a release follows; null before the first release. */
  readonly decided: ReadonlySet<string>
  readonly followed: (release: string) => readonly string[] | null
}

const all = (law: object): Set<string> =>
  new Set(Object.values<object | undefined>({ ...law }).flatMap(clauses => Object.keys(clauses ?? {})))

function governed<B extends object>(
  names: readonly string[],
  histories: readonly History<B>[],
  law: Law<B>,
): Governed {
  return {
    chapters: names,
    decided: all(law),
    followed: release => {
      const data = histories.flatMap(history => behaviour(history, release) ?? [])
      return data.length === 0 ? null : data.flatMap(one => clausesFor(law, one))
    },
  }
}

const PRODUCTS: Readonly<Record<string, () => Governed>> = {
  linux: () => governed(['EP', 'ZO'], [linux], KERNEL_LAW),
  systemd: () => governed(['ST'], [stubHistory], STUB_LAW),
  'systemd-stub': () => governed(['ST'], [stubHistory], STUB_LAW),
  lanzaboote: () => governed(['LZ'], [thinHistory, fatHistory], LANZABOOTE_LAW),
}

/** A clause that holds for a release; `whenever`: the condition that its data do not decide. */
export interface Holding {
  readonly clause: ClauseText
  readonly whenever: string | null
}

/** The clauses that hold for `linux@6.1.90`. Throws UsageError for a product or a release that has none. */
export function lawFor(wanted: string): readonly Holding[] {
  const [, name = '', release = ''] = /^([^@\s]+)[@\s]+(.+)$/.exec(wanted) ?? []
  if (name === '' || !isVersion(release))
    throw new UsageError(`--for ${JSON.stringify(wanted)} is not PRODUCT@RELEASE, such as linux@6.1.90`)
  const product = PRODUCTS[name]
  if (product === undefined)
    throw new UsageError(
      `--for: no product ${JSON.stringify(name)}${didYouMean(name, Object.keys(PRODUCTS))}; ` +
        `there are ${Object.keys(PRODUCTS).join(', ')}`,
    )
  const { chapters: ids, decided, followed } = product()
  const clauses = followed(release)
  if (clauses === null)
    throw new UsageError(`--for: ${name} ${release} is before the first release of the tables`)
  return chapters()
    .filter(({ id }) => ids.includes(id))
    .flatMap(chapter => chapter.clauses)
    .filter(({ id }) => !decided.has(id) || clauses.includes(id))
    .map(clause => ({ clause, whenever: decided.has(clause.id) ? null : appliesTo(clause) }))
}

/** The clauses whose title or text has the words, in any case; those with them in the title first. */
export function clausesWith(words: string): readonly ClauseText[] {
  const has = (text: string): boolean => text.toLowerCase().includes(words.toLowerCase())
  const found = chapters()
    .flatMap(chapter => chapter.clauses)
    .filter(({ text }) => has(text))
  return [...found.filter(({ title }) => has(title)), ...found.filter(({ title }) => !has(title))]
}
