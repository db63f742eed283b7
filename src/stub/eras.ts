/**
 * The eras of systemd-stub on x86-64: sets of releases that behave alike, as changes.ts tells
 * (spec/ST-systemd-stub.md).
 */
import { erasOf } from '../releases/history.ts'
import type { StubBehaviour } from './behaviour.ts'
import { stubHistory } from './history.ts'
import type { StubEra } from './model.ts'
import { stubSteps } from './steps.ts'

/** All eras by id. One under another one's id (`S6/257`) belongs to it and differs in what its title says. */
export const stubEras: Readonly<Record<string, StubEra>> = Object.fromEntries(
  erasOf(stubHistory).map(era => [era.id, { ...era, ...stubSteps(era.behaviour) }]),
)

/**
 * An era of one's own, of data that may be an era's with something changed:
 * `stubEra({ ...behaviour, placeKernel: { above4G: 'copied', zeroTail: true } })`. It has no releases.
 */
export function stubEra(behaviour: StubBehaviour, id = 'x-stub', title = 'an era of the caller'): StubEra {
  return { id, title, spans: [], commits: [], seen: [], behaviour, ...stubSteps(behaviour) }
}
