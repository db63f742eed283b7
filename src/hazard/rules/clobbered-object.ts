/** clobbered-object: a reader found bytes written by or for something else. HZ-2. */
import { formatRange } from '../../bytes/range.ts'
import { isWrite, type EventId } from '../../memory/event.ts'
import type { Extent } from '../../memory/extent.ts'
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
    for (const damage of damages(recording, ['clobbered'])) {
      const destroyers = eventsOf(damage.pieces, past => [past.by])
      const never = destroyers.length === 0
      const what = never
        ? `${damagedPart(damage, ['is', 'are'])} ${contentsOf(damage)}, and ${damage.object} was never there`
        : `${damagedPart(damage, ['was', 'were'])} overwritten with ${contentsOf(damage)}`
      report({
        object: damage.object,
        ranges: damage.ranges,
        offsets: damage.offsets,
        what: `${howItWasRead(damage)}; ${what}.`,
        why: never ? whyAbsent(damage) : whyOverwritten(recording, damage, destroyers),
        fix: placementFix(recording, damage),
        legs: legsOfDamage(recording, damage, destroyers),
      })
    }
  },
})

function contentsOf(damage: Damage): string {
  return some([...new Set(damage.pieces.map(({ deviation }) => newContent(deviation.found)))])
}

function newContent(found: Extent | null): string {
  if (found === null || found.whose === null) return contentName(found)
  return found.whose.object === 'vo' ? 'the decompressed kernel (vo)' : `bytes of ${found.whose.object}`
}

function whyAbsent({ part, pieces: [first] }: Damage): string {
  return `nothing in this run placed ${part} at ${formatRange(first.range)} before the read`
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

/** Writes to bytes of an object past its file: .bss, or room to decompress. */
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
      return (
        `; only ${exactSize(file)} of ${object} were loaded, and the memory it uses past ` +
        'them was never allocated'
      )
  }
  return ''
}

/** placed, moved, overwritten, used; an overwrite before a move comes before it. */
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

/** Reallocation of freed memory is not overwriting. */
function released(recording: Recording, leg: Leg): Leg {
  const event = leg.event === null ? undefined : recording.events[leg.event]
  return event === undefined || isWrite(event) ? leg : { ...leg, role: 'handed-out' }
}
