/** uninitialised-read: a reader met memory that was handed out and never written as the object. HZ-3. */
import { hex } from '../../bytes/range.ts'
import { damages, eventsOf, type Damage } from '../damage.ts'
import { rule } from '../rule.ts'
import { contentName, exactSize, legsOf, reachOf, sectionOf, some } from '../describe.ts'
import { damagedPart, foundLegs, howItWasRead } from '../used.ts'

export const uninitialisedRead = rule({
  id: 'uninitialised-read',
  class: 'damage',
  since: '0.1.0',
  clause: 'HZ-3',
  title: 'Memory was read that nobody had written',
  visit(recording, report) {
    for (const damage of damages(recording.events, ['uninitialised'])) {
      const loaded = reachOf(
        recording.events.filter(event => event.op === 'put'),
        damage.object,
      )
      const from = Math.min(...damage.offsets.map(span => span.from))
      const to = Math.max(...damage.offsets.map(span => span.to))
      const behind = loaded > 0 && from >= loaded
      const destroyers = eventsOf(damage.pieces, past => [past.by])
      report({
        object: damage.object,
        ranges: damage.ranges,
        offsets: damage.offsets,
        what: `${howItWasRead(damage)}; ${damagedPart(damage, ['had', 'had'])} never been written: the memory holds ${leftovers(damage)}.`,
        why: behind
          ? `these bytes lie behind the ${exactSize(loaded)} that were loaded (the .bss of an image is in no file); memory between sections is not cleared by the firmware, and nobody cleared it`
          : destroyers.length > 0
            ? `the memory was given back or handed out again before ${damage.object} was read from it`
            : `the memory was handed out, but nobody put ${damage.object} there`,
        fix: behind
          ? `clear ${hex(to - from)} bytes from ${sectionOf(damage.object)} + ${hex(from)} on before the entry, in memory that belongs to it: load the image through LoadImage, or copy it to an allocation and zero the rest`
          : destroyers.length > 0
            ? `keep the memory of ${damage.object} allocated until it was read for the last time`
            : `write ${damage.object} there before handing over its address, or hand over the address where it lies`,
        legs: [
          ...legsOf(
            recording,
            'placed',
            eventsOf(damage.pieces, past => [past.placed]),
            damage.ranges,
          ),
          ...legsOf(
            recording,
            'moved',
            eventsOf(damage.pieces, past => past.moved),
            damage.ranges,
          ),
          ...foundLegs(recording, damage).map(leg => ({ ...leg, role: 'handed-out' as const })),
          ...legsOf(
            recording,
            'used',
            damage.reads.map(read => read.id),
            damage.ranges,
          ),
        ],
      })
    }
  },
})

function leftovers(damage: Damage): string {
  return some([...new Set(damage.pieces.map(({ deviation }) => contentName(deviation.found)))])
}
