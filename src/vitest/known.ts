/**
 * The words that matchers take: rules, objects and clauses that there are. A word that means nothing is no
 * answer.
 */
import type { Checked } from '../check.ts'
import { UsageError } from '../bytes/errors.ts'
import { EFI_ERRORS } from '../firmware/status.ts'
import { rules, type RuleId } from '../hazard/registry.ts'

/** Objects that every boot may have, whether or not it got so far. */
export const OBJECT_NAMES = [
  'kernel',
  'initrd',
  'cmdline',
  'boot_params',
  'vo',
  'trampoline',
  'kernel:file',
  'uki:file',
  'uki:headers',
  'initrd:joined',
  'cmdline:utf-16',
  'efi-stub:cmdline',
  'efi-stub:gdt',
  'efi-stub:memory-map',
  'firmware:boot',
  'firmware:reserved',
  'firmware:runtime',
  'loader:seed',
] as const

type RuleName = RuleId | `x-${string}`
type ObjectName = (typeof OBJECT_NAMES)[number] | `stub:${string}` | `uki:${string}` | `x-${string}`
/** Contracts of the hand-off. */
type ContractName = `HO-${number}` | 'ZO-28' | `x-${string}`
type ClauseName = `${'FW' | 'PE' | 'ST' | 'LZ' | 'HO' | 'EP' | 'ZO' | 'HZ'}-${number}` | `x-${string}`

/**
 * A literal is one of the names; a text of which no more is known than that it is one is looked at when it
 * comes.
 */
type OneOf<Name extends string, Text extends string> = string extends Text
  ? Text
  : Text extends Name
    ? Text
    : Name
export type KnownRule<Text extends string> = OneOf<RuleName, Text>
export type KnownObject<Text extends string> = OneOf<ObjectName, Text>
export type KnownContract<Text extends string> = OneOf<ContractName, Text>
export type KnownClause<Text extends string> = OneOf<ClauseName, Text>

const CLAUSE = /^(?:(?:FW|PE|ST|LZ|HO|EP|ZO|HZ)-\d+|x-.+)$/

function known(kind: string, word: unknown, words: Iterable<string>, more = ''): string {
  const all = [...new Set(words)]
  if (typeof word === 'string' && all.includes(word)) return word
  throw new UsageError(`no ${kind} ${JSON.stringify(word)}: there are ${all.join(', ')}${more}`)
}

/** The rules of a report that its own rules may have found something by. */
export function knownRule(word: string, { report }: Checked, own: readonly string[]): string {
  const found = [report, ...report.alternatives].flatMap(run => run.findings.map(({ rule }) => rule))
  return known('rule', word, [
    ...rules.map(({ id }) => id),
    ...own,
    ...found,
    ...report.advice.map(({ rule }) => rule),
  ])
}

/** Every object that the runs name, beside those that any boot may have. */
export function knownObject(word: string, { runs }: Checked): string {
  const seen = new Set<string>(OBJECT_NAMES)
  for (const { recording } of runs)
    for (const event of recording.events)
      if ('object' in event && event.object !== null) seen.add(event.object)
  // Where no section was loaded, their names are not known
  const isSection = (name: string): boolean => /^(?:stub|uki):\./.test(name)
  if (isSection(word) && ![...seen].some(isSection)) return word
  return known('object', word, seen)
}

/** A contract of a rule, or one that the runs looked at. */
export function knownContract(word: string, { runs }: Checked): string {
  const ours = rules.flatMap(rule => (rule.class === 'advice' ? [] : (rule.contracts ?? [])))
  const seen = runs.flatMap(({ recording }) =>
    recording.events.flatMap(event => (event.op === 'contract' ? [event.clause] : [])),
  )
  return known('contract', word, [...ours, ...seen], /^x-/.test(word) ? '; no run looked at it' : '')
}

/** A clause that a rule rests on. */
export function knownRuleClause(word: string, { report }: Checked): string {
  const found = [report, ...report.alternatives].flatMap(run => [...run.findings, ...report.advice])
  return known('clause of a rule', word, [
    ...rules.map(({ clause }) => clause),
    ...found.map(one => one.clause),
  ])
}

/** A clause of the law by its form, or one of the caller's own. */
export function knownClause(word: string): string {
  if (typeof word === 'string' && CLAUSE.test(word)) return word
  throw new UsageError(`no clause ${JSON.stringify(word)}: write ST-28, or x-copy for a step of your own`)
}

/** One of the classes of findings. */
export function knownClass(word: string): string {
  return known('class', word, ['damage', 'breach', 'advice'])
}

/** An EFI_STATUS that the model knows. */
export function knownStatus(word: string): string {
  return known('status', word, Object.keys(EFI_ERRORS))
}

/** Somebody who acts in a boot. */
export function knownActor(word: string): string {
  if (/^x-./.test(word)) return word
  return known('actor', word, ['firmware', 'loader', 'stub', 'efi-stub', 'decompressor', 'kernel'])
}

/** Only these fields may be given. Throws UsageError for another one. */
export function onlyFields(filter: object, fields: readonly string[]): void {
  for (const field of Object.keys(filter)) known('field of a filter', field, fields)
}
