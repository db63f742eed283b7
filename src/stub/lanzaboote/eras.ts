/**
 * The eras of lanzaboote's stub on x86-64: sets of releases that behave alike, derived from changes.ts
 * (spec/LZ-lanzaboote.md). The stub of 0.4.0 calls itself 0.3.0.
 */
import { once } from '../../bytes/once.ts'
import { erasOf } from '../../releases/history.ts'
import { fatHistory, thinHistory } from './history.ts'
import type { LanzabooteEra } from './model.ts'
import { lanzabooteSteps } from './steps.ts'

/** Thin stubs in the order of their releases, then fat ones; made when they are first asked for. */
export const lanzabooteTable = once((): readonly LanzabooteEra[] =>
  [thinHistory, fatHistory].flatMap(history =>
    erasOf(history).map(era => ({
      ...era,
      names: era.behaviour.configuration.names,
      ...lanzabooteSteps(era.behaviour),
    })),
  ),
)

/** All of them. */
export const lanzabooteEras: readonly LanzabooteEra[] = /* @__PURE__ */ lanzabooteTable()
