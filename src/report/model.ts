/**
 * The report as data. Schema 1: machines may rely on it; the text may change. Every address is a number here
 * and a hex string in JSON.
 */
import type { Range } from '../bytes/range.ts'
import type { ComparedFact } from '../boot/compare.ts'
import type { EraRef } from '../boot/plan.ts'
import type { Finding } from '../hazard/hazard.ts'
import type { Assumption, Gap, Outcome } from '../machine/machine.ts'
import type { Facts } from '../machine/model.ts'

/**
 * clean: arrived, nothing damaged. A broken contract or advice alone leaves it clean (unless asked to be
 * strict).
 */
export type Verdict = 'clean' | 'damage' | 'refused' | 'unknown'

export type { ComparedFact } from '../boot/compare.ts'
export type { EraRef } from '../boot/plan.ts'
export type { Finding } from '../hazard/hazard.ts'

/** One line of a snapshot. */
export interface MapLine {
  readonly range: Range
  /** `initrd`, `kernel`, `free`, `firmware` … */
  readonly object: string
  /** Offset in the object of the first byte. */
  readonly at: number
  readonly what: string
}

/** The memory at one point of the run. */
export interface MapSnapshot {
  readonly point: 'before-load' | 'stub-entry' | 'hand-off' | 'arrival'
  readonly lines: readonly MapLine[]
}

/** One simulated boot. */
export interface RunReport {
  readonly verdict: Verdict
  readonly outcome: Outcome
  readonly stub: EraRef
  readonly kernel: EraRef
  readonly facts: Facts
  /** Damage and breaches of this run. */
  readonly findings: readonly Finding[]
  readonly assumptions: readonly Assumption[]
  /** Gaps of the model. */
  readonly gaps: readonly Gap[]
  readonly snapshots: readonly MapSnapshot[]
  /** This run compared with a real boot; absent if nothing was observed. */
  readonly observed?: readonly ComparedFact[]
}

/** A problem of an input file, with the file's name. */
export interface FileProblem {
  readonly file: string
  readonly id: string
  readonly at: number | null
  readonly what: string
}

/**
 * The tools that may have built the image. certain: one tool. several: tools with the same layout. unknown:
 * none of the known tools.
 */
export interface BuilderRef {
  readonly certainty: 'certain' | 'several' | 'unknown'
  /** `ukify-257.3`: the tool and the first release with this layout; `evidence`: sentences. */
  readonly candidates: readonly {
    readonly id: string
    readonly title: string
    readonly evidence: readonly string[]
  }[]
}

/** The machine that was booted, in words and numbers. */
export interface MachineRef {
  /**
   * `memory map map.txt (uefi-shell, lines 3-80), before load` or `profile ovmf-2022.11-q35 with 512 MiB`.
   */
  readonly what: string
  readonly ramBytes: number
}

/** What `check` found. The fields of the leading run (the worst one) are at the top level. */
export interface Report extends RunReport {
  readonly schema: 1
  readonly version: string
  readonly image: { readonly name: string; readonly size: number }
  readonly machine: MachineRef
  /** Null if the file is not a unified kernel image. */
  readonly builder: BuilderRef | null
  /** Advice about the file; does not depend on the run. */
  readonly advice: readonly Finding[]
  readonly problems: readonly FileProblem[]
  /** The other candidates that were run. */
  readonly alternatives: readonly RunReport[]
}
