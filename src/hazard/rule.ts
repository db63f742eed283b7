/** A rule: metadata and a visitor. Rules know memory, images and clauses, but no stage. */
import type { PeFile } from '../image/pe.ts'
import type { UkiView } from '../image/uki.ts'
import type { AnyClauseId } from '../memory/event.ts'
import type { Recording } from '../memory/recorder.ts'
import type { Hazard, HazardClass } from './hazard.ts'

/**
 * Where a rule reports its findings; the rule's id is added. `more` counts findings of the same kind that the
 * rule did not list.
 */
export type Reporter = (hazard: Omit<Hazard, 'rule'>, more?: number) => void

/**
 * Maximum of findings listed per advice rule; a table can have 65535 sections, and each pair may be a
 * finding.
 */
export const ADVICE_MAX = 16

interface RuleInfo {
  /** Kebab-case, the rule's only identity, never reused. */
  readonly id: string
  /** The release that introduced it. */
  readonly since: string
  /** The clause of chapter HZ (or another) that defines it. */
  readonly clause: string
  readonly title: string
}

/** Judges a recording. */
export interface RecordingRule extends RuleInfo {
  readonly class: Exclude<HazardClass, 'advice'>
  /** The contracts whose breach it reports. A contract belongs to one rule. */
  readonly contracts?: readonly AnyClauseId[]
  visit(recording: Recording, report: Reporter): void
}

/** Judges a file. */
export interface AdviceRule extends RuleInfo {
  readonly class: 'advice'
  /** It is about kernels that use memory past their file where the stub enters them: not given elsewhere. */
  readonly inPlace?: true
  inspect(image: { readonly pe: PeFile; readonly uki: UkiView }, report: Reporter): void
}

/** A rule: judges a recording (damage, breach) or a file (advice). */
export type Rule = RecordingRule | AdviceRule

/** Defines a rule that judges recordings: damage or breach. Users define their own with it, too. */
export function rule<const Id extends string>(
  definition: RecordingRule & { readonly id: Id },
): RecordingRule & { readonly id: Id } {
  return definition
}

/** Defines a rule that judges a file. */
export function advice<const Id extends string>(
  definition: Omit<AdviceRule, 'class'> & { readonly id: Id },
): AdviceRule & { readonly id: Id } {
  return { class: 'advice', ...definition }
}
