/**
 * The eras of systemd-stub on x86-64: sets of releases that behave alike, derived from changes.ts
 * (spec/ST-systemd-stub.md).
 */
import { eraTable } from '../releases/history.ts'
import type { StubBehaviour } from './behaviour.ts'
import { stubHistory } from './history.ts'
import type { StubEra } from './model.ts'
import { stubSteps } from './steps.ts'

/** All eras: each is made when it is asked for. */
export const stubTable = eraTable<StubBehaviour, StubEra>(stubHistory, era => ({
  ...era,
  ...stubSteps(era.behaviour),
}))

/** All eras by id. An id below another (`S6/257`) is a variant of it, and its title states the difference. */
export const stubEras: Readonly<Record<string, StubEra>> = /* @__PURE__ */ byId()

function byId(): Readonly<Record<string, StubEra>> {
  return Object.fromEntries(stubTable.eras().map(era => [era.id, era]))
}

/**
 * An era made from a behaviour, for example an existing era's with one field changed: `stubEra({
 * ...behaviour, placeKernel: { above4G: 'copied', zeroTail: true } })`. It has no releases.
 */
export function stubEra(behaviour: StubBehaviour, id = 'x-stub', title = 'an era of the caller'): StubEra {
  return { id, title, spans: [], commits: [], seen: [], behaviour, ...stubSteps(behaviour) }
}
