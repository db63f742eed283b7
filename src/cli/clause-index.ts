/**
 * Sources, implementation and tests of a clause, from the index that the build makes (.ci/spec-index.mjs).
 */
import { packageText } from './files.ts'

/** A file of ours, and a function or test in it; null if only the file is known. */
export type Place = readonly [file: string, name: string | null]

export interface ClausePlaces {
  /** Links to upstream sources, one for each source that has one. */
  readonly upstream: readonly string[]
  /** Functions of ours that cite the clause; the one that implements it comes first. */
  readonly code: readonly Place[]
  /** Law tests that hold it. */
  readonly tests: readonly Place[]
}

/** By clause id; empty without an index. */
export function clauseIndex(): ReadonlyMap<string, ClausePlaces> {
  const text = packageText('dist/spec-index.json')
  return new Map(text === null ? [] : Object.entries(JSON.parse(text) as Record<string, ClausePlaces>))
}

/** The links of a clause, for a report. */
export function upstreamLinks(): (clause: string) => readonly string[] {
  const index = clauseIndex()
  return clause => index.get(clause)?.upstream ?? []
}

/** A line for each link, function and test. */
export function placesText({ upstream, code, tests }: ClausePlaces): string {
  const block = (title: string, lines: readonly string[]): string =>
    lines.map((line, i) => `${(i === 0 ? title : '').padEnd(10)}${line}\n`).join('')
  return [
    block('upstream', upstream),
    block(
      'code',
      code.map(([file, name]) => [file, name ?? ''].join(' ').trim()),
    ),
    block(
      'test',
      tests.map(([file, name]) => (name === null ? file : `${file} ${JSON.stringify(name)}`)),
    ),
  ].join('')
}
