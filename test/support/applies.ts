/** The lines `Applies:` of chapters whose spans follow from data. */
import type { VersionSpan } from '../../src/releases/era.ts'
import type { History } from '../../src/releases/history.ts'
import { spansText, spansWhere, type Holds, type Law } from '../../src/releases/law.ts'
import { compareVersions } from '../../src/releases/version.ts'
import { stubHistory } from '../../src/stub/history.ts'
import { STUB_LAW } from '../../src/stub/law.ts'
import { fatHistory, thinHistory } from '../../src/stub/lanzaboote/history.ts'
import { LANZABOOTE_LAW } from '../../src/stub/lanzaboote/law.ts'
import { textOf } from './repository.ts'

/** Clauses and what they ask of a release. */
function holdings<B>(law: Law<B>): [string, Holds<B>][] {
  return Object.values<Readonly<Record<string, Holds<B>>> | undefined>(law).flatMap(clauses =>
    Object.entries(clauses ?? {}),
  )
}

function lines<B>(product: string, history: History<B>, law: Law<B>): Map<string, string> {
  return new Map(
    holdings(law).map(([clause, holds]) => [
      clause,
      `${product} ${spansText(history, spansWhere(history, holds))}`,
    ]),
  )
}

const overlap = (a: VersionSpan, b: VersionSpan): boolean =>
  compareVersions(a.from, b.to) < 0 && compareVersions(b.from, a.to) < 0

/** Where a fat stub was made, too, the line says which of both is meant. */
function lanzabooteLines(): Map<string, string> {
  const made: VersionSpan = { from: fatHistory.branches[0] ?? '', to: fatHistory.end }
  return new Map(
    holdings(LANZABOOTE_LAW).map(([clause, holds]) => {
      const [thin, fat] = [spansWhere(thinHistory, holds), spansWhere(fatHistory, holds)]
      if (thin.length === 0) return [clause, `lanzaboote ${spansText(thinHistory, fat)}, fat`]
      const only = fat.length === 0 && thin.some(span => overlap(span, made)) ? ', thin' : ''
      return [clause, `lanzaboote ${spansText(thinHistory, thin)}${only}`]
    }),
  )
}

/** Chapters by their file. */
export const DERIVED: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  'spec/ST-systemd-stub.md': lines('systemd', stubHistory, STUB_LAW),
  'spec/LZ-lanzaboote.md': lanzabooteLines(),
}

/** The chapter with these lines. */
export function withApplies(file: string): string {
  const derived = DERIVED[file] ?? new Map<string, string>()
  return textOf(file).replace(
    /^(### ([A-Z]{2}-\d+): .*\nApplies: )(.*)$/gm,
    (line, head: string, clause: string) =>
      derived.has(clause) ? `${head}${derived.get(clause) ?? ''}` : line,
  )
}
