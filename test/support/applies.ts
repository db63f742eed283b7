/** The lines `Applies:` of chapters whose spans follow from data. */
import type { KernelBehaviour } from '../../src/kernel/behaviour.ts'
import { linux } from '../../src/kernel/kernels.ts'
import { KERNEL_LAW } from '../../src/kernel/law.ts'
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

/** The way into the kernel on which a record counts; always where there is none. */
const ENTRY: Readonly<Partial<Record<keyof KernelBehaviour, string>>> = {
  bssAtHandover: 'after a handover',
  bssAtPeEntry: 'at the PE entry',
  zeroPage: 'at the PE entry',
  setupHeader: 'at the PE entry',
  commandLine: 'at the PE entry',
  filesAtEntry: 'at the PE entry',
  startup32: 'at the 32-bit entry',
}

/** What no data says. */
const ALSO: Readonly<Record<string, string>> = {
  'EP-40': 'where the firmware has the memory attribute protocol',
  'EP-49': 'in 5.7 as EP-50 says, later when LoadFile2 offers nothing',
  'ZO-35': "by the boot protocol's own entries",
}

/** A clause of two entries says where it applies for each, unless that is the same. */
function kernelLines(chapter: string): Map<string, string> {
  const parts = new Map<string, Map<string, string | undefined>>()
  for (const [record, clauses] of Object.entries(KERNEL_LAW))
    for (const [clause, holds] of Object.entries(clauses)) {
      if (!clause.startsWith(chapter)) continue
      const text = spansText(linux, spansWhere(linux, holds))
      const known = parts.get(clause) ?? new Map<string, string | undefined>()
      known.set(text, known.has(text) ? undefined : ENTRY[record as keyof KernelBehaviour])
      parts.set(clause, known)
    }
  return new Map(
    [...parts].map(([clause, texts]) => {
      const said = [...texts].map(
        ([text, entry]) => `linux ${text}${entry === undefined ? '' : `, ${entry}`}`,
      )
      return [clause, [...said, ...(clause in ALSO ? [ALSO[clause]] : [])].join('; ')]
    }),
  )
}

/** Chapters by their file. */
export const DERIVED: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  'spec/ST-systemd-stub.md': lines('systemd', stubHistory, STUB_LAW),
  'spec/LZ-lanzaboote.md': lanzabooteLines(),
  'spec/EP-kernel-entry.md': kernelLines('EP'),
  'spec/ZO-decompressor.md': kernelLines('ZO'),
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
