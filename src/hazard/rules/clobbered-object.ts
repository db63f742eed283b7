/** clobbered-object: a reader met bytes that were written by or for something else. HZ-2. */
import { formatRange } from '../../bytes/range.ts'
import { isWrite, type EventId } from '../../memory/event.ts'
import type { Recording } from '../../memory/recorder.ts'
import { brokenWindows, placementFix } from '../advise-placement.ts'
import { damages, eventsOf, type Damage } from '../damage.ts'
import type { Leg } from '../hazard.ts'
import { rule } from '../rule.ts'
import {
  clauseOf,
  contentName,
  describeEvent,
  exactSize,
  legsOf,
  placesIn,
  reachOf,
  some,
} from '../describe.ts'
import { damagedPart, foundLegs, howItWasRead } from '../used.ts'

export const clobberedObject = rule({
  id: 'clobbered-object',
  class: 'damage',
  since: '0.1.0',
  clause: 'HZ-2',
  title: 'An object was overwritten before it was read',
  visit(recording, report) {
    for (const damage of damages(recording.events, ['clobbered'])) {
      const destroyers = eventsOf(damage.pieces, past => [past.by])
      const never = destroyers.length === 0
      report({
        object: damage.object,
        ranges: damage.ranges,
        offsets: damage.offsets,
        what: `${howItWasRead(damage)}; ${damagedPart(damage, ['is', 'are'])} not ${damage.object} ${never ? `but ${contentsOf(damage)}: it never lay there` : `any more but ${contentsOf(damage)}`}.`,
        why: never ? whyAbsent(damage) : whyOverwritten(recording, damage, destroyers),
        fix: placementFix(recording, damage),
        legs: legsOfDamage(recording, damage, destroyers),
      })
    }
  },
})

function contentsOf(damage: Damage): string {
  return some([...new Set(damage.pieces.map(({ deviation }) => contentName(deviation.found)))])
}

function whyAbsent({ part, pieces: [first] }: Damage): string {
  return `nothing in this run put ${part} at ${formatRange(first.range)} before it was read there`
}

function whyOverwritten(recording: Recording, damage: Damage, destroyers: readonly EventId[]): string {
  const deeds = destroyers.flatMap(id => {
    const event = recording.events[id]
    if (event === undefined) return []
    const clause = clauseOf(recording, event)
    return placesIn(event, damage.ranges).map(
      range => `${event.actor} ${describeEvent(event, range)}${clause === null ? '' : ` (${clause})`}`,
    )
  })
  const broken = brokenWindows(recording, damage, destroyers)[0]
  return (
    some(deeds) +
    behindFile(recording, destroyers) +
    (broken === undefined ? '' : `; the hand-off broke ${broken.clause}: ${broken.what}`)
  )
}

/** Somebody wrote bytes of an object that its file does not have: .bss, or room to unpack. */
function behindFile({ events }: Recording, destroyers: readonly EventId[]): string {
  for (const id of destroyers) {
    const event = events[id]
    if (event === undefined || !isWrite(event) || !('at' in event) || event.object === null) continue
    const { object } = event
    const file = reachOf(
      events.filter(one => one.op === 'put'),
      object,
    )
    if (file > 0 && event.at >= file)
      return `; only ${exactSize(file)} of ${object} were loaded, what it uses behind them was reserved by nobody`
  }
  return ''
}

/** placed, moved, overwritten, used; what was overwritten before a move stands before it. */
function legsOfDamage(recording: Recording, damage: Damage, destroyers: readonly EventId[]): Leg[] {
  const placed = eventsOf(damage.pieces, past => [past.placed])
  const moved = eventsOf(damage.pieces, past => past.moved)
  const between = [
    ...legsOf(recording, 'moved', moved, damage.ranges),
    ...(destroyers.length === 0
      ? foundLegs(recording, damage)
      : legsOf(recording, 'overwritten', destroyers, damage.ranges)),
  ]
  between.sort((a, b) => (a.event ?? Infinity) - (b.event ?? Infinity))
  const reads = damage.reads.map(read => read.id)
  return [
    ...legsOf(recording, 'placed', placed, damage.ranges),
    ...between.map(leg => released(recording, leg)),
    ...legsOf(recording, 'used', reads, damage.ranges),
  ]
}

/** Memory that was handed out again is no overwriting. */
function released(recording: Recording, leg: Leg): Leg {
  const event = leg.event === null ? undefined : recording.events[leg.event]
  return event === undefined || isWrite(event) ? leg : { ...leg, role: 'handed-out' }
}
