/** A rule: metadata and a visitor. Rules know memory, images and clauses; they know no stage. */
import type { PeFile } from '../image/pe.ts'
import type { UkiView } from '../image/uki.ts'
import type { AnyClauseId } from '../memory/event.ts'
import type { Recording } from '../memory/recorder.ts'
import type { Hazard, HazardClass } from './hazard.ts'

/**
 * Where a rule puts what it finds; the rule's id is added. `more` counts findings of the same kind that the
 * rule did not spell out.
 */
export type Reporter = (hazard: Omit<Hazard, 'rule'>, more?: number) => void

/**
 * Findings of one rule of advice that are spelt out; a table can hold 65535 sections, and each pair of them
 * may be a finding.
 */
export const ADVICE_MAX = 16

interface RuleInfo {
  /** Kebab-case, the only identity, never reused. */
  readonly id: string
  /** The release that brought it. */
  readonly since: string
  /** The clause of chapter HZ (or another) that defines it. */
  readonly clause: string
  readonly title: string
}

/** Judges a recording. */
export interface RecordingRule extends RuleInfo {
  readonly class: Exclude<HazardClass, 'advice'>
  /** The contracts of a hand-off whose breach it reports. A contract belongs to one rule. */
  readonly contracts?: readonly AnyClauseId[]
  visit(recording: Recording, report: Reporter): void
}

/** Judges a file. */
export interface AdviceRule extends RuleInfo {
  readonly class: 'advice'
  inspect(image: { readonly pe: PeFile; readonly uki: UkiView }, report: Reporter): void
}

/** A rule: judges a recording (damage, breach) or a file (advice). */
export type Rule = RecordingRule | AdviceRule

/** Defines a rule that judges recordings: damage or breach. Users define their own with it, too. */
export function rule(definition: RecordingRule): RecordingRule {
  return definition
}

/** Defines a rule that judges a file. */
export function advice(definition: Omit<AdviceRule, 'class'>): AdviceRule {
  return { class: 'advice', ...definition }
}
