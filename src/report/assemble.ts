/** From runs to a report: each is judged, the worst one leads. */
import type { EraRef } from '../boot/plan.ts'
import type { Run } from '../boot/run.ts'
import { judge, withoutInPlace } from '../hazard/registry.ts'
import type { Rule } from '../hazard/rule.ts'
import type { Gap } from '../machine/machine.ts'
import type { ComparedFact, Finding, Report, RunReport, Verdict } from './model.ts'

/** A run, the eras it used, and its comparison with a real boot. */
export interface JudgedRun {
  readonly run: Run
  readonly stub: EraRef
  readonly kernel: EraRef
  /** Absent when nothing was observed. */
  readonly observed?: readonly ComparedFact[]
  /** Gaps from the comparison. */
  readonly contradictions: readonly Gap[]
}

/** The parts of a report besides its runs, and whether the file's kernel may need room where it lies. */
export interface Frame extends Omit<Report, keyof RunReport | 'schema' | 'alternatives'> {
  readonly mayNeedRoom: () => boolean
}

const RANK: readonly Verdict[] = ['clean', 'unknown', 'refused', 'damage']

/** The report, and the runs in its order: the worst one first. Null if there is no run. */
export function assemble(
  frame: Frame,
  runs: readonly JudgedRun[],
  rules: readonly Rule[],
): { readonly report: Report; readonly runs: readonly Run[] } | null {
  const reports = runs.map(judged => ({ run: judged.run, report: runReport(judged, rules) }))
  reports.sort((a, b) => RANK.indexOf(b.report.verdict) - RANK.indexOf(a.report.verdict))
  const [lead, ...others] = reports
  if (lead === undefined) return null
  const { builder, problems, mayNeedRoom, ...head } = frame
  const needsRoom = reports.some(({ run, report }) => usesRoom(run, report) ?? mayNeedRoom())
  const advice = needsRoom ? frame.advice : withoutInPlace(frame.advice, rules)
  return {
    report: {
      schema: 1,
      ...head,
      ...lead.report,
      builder,
      advice,
      problems,
      alternatives: others.map(other => other.report),
    },
    runs: reports.map(one => one.run),
  }
}

/** Contracts about the memory past the kernel's file. */
const ROOM: readonly string[] = ['HO-4', 'HO-5', 'HO-6']

/**
 * Was the kernel handed over where .linux was loaded, and held to a contract about the memory past its file,
 * or did it copy from there what is no RAM? Null where the run does not show it (HO-4, HO-5, HO-6, EP-16).
 */
function usesRoom({ recording, gaps }: Run, { facts }: RunReport): boolean | null {
  const { handOff, sections = [] } = facts
  if (handOff === undefined) return null
  const linux = sections.filter(({ name }) => name === '.linux')
  if (!linux.some(({ address }) => address === handOff.kernelImage)) return false
  const asked = recording.events.flatMap(event => (event.op === 'contract' ? [event.clause] : []))
  if (asked.length === 0) return null
  return asked.some(clause => ROOM.includes(clause)) || gaps.some(({ clause }) => clause === 'EP-16')
}

function runReport(
  { run, stub, kernel, observed, contradictions }: JudgedRun,
  rules: readonly Rule[],
): RunReport {
  const findings = judge(run.recording, rules)
  const gaps = [...run.gaps, ...contradictions]
  return {
    verdict: verdictOf(run.outcome, gaps, findings),
    outcome: run.outcome,
    stub,
    kernel,
    facts: run.facts,
    findings,
    assumptions: run.assumptions,
    gaps,
    snapshots: run.snapshots,
    ...(observed === undefined ? {} : { observed }),
  }
}

/** Doubts about the machine itself: somebody who says no on it may say yes on the one that is meant. */
const NOT_THE_MACHINE: readonly Gap['clause'][] = ['FW-57', 'FW-58', 'FW-60', 'FW-61']

/**
 * Damage, or code that was lost, comes before everything; a refusal is certain where the machine is; then
 * comes what is not known.
 */
function verdictOf(outcome: Run['outcome'], gaps: readonly Gap[], findings: readonly Finding[]): Verdict {
  if (findings.some(finding => finding.class === 'damage') || outcome.kind === 'undefined') return 'damage'
  if (outcome.kind === 'refused' && !gaps.some(({ clause }) => NOT_THE_MACHINE.includes(clause)))
    return 'refused'
  return outcome.kind !== 'arrived' || gaps.length > 0 ? 'unknown' : 'clean'
}
