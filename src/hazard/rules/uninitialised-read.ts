/** uninitialised-read: a reader found memory that was allocated but never written as the object. HZ-3. */
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
  title: 'Memory was read before anything was written to it',
  visit(recording, report) {
    for (const damage of damages(recording, ['uninitialised'])) {
      const loaded = reachOf(
        recording.events.filter(event => event.op === 'put'),
        damage.object,
      )
      const from = Math.min(...damage.offsets.map(span => span.from))
      const to = Math.max(...damage.offsets.map(span => span.to))
      const pastLoaded = loaded > 0 && from >= loaded
      const destroyers = eventsOf(damage.pieces, past => [past.by])
      const within =
        destroyers.length > 0
          ? {
              why: `the memory was freed or reallocated before ${damage.object} was read from it`,
              fix: `keep the memory of ${damage.object} allocated until its last read`,
            }
          : {
              why: `the memory was allocated, but ${damage.object} was never written to it`,
              fix: `write ${damage.object} there before passing its address, or pass its actual address`,
            }
      report({
        object: damage.object,
        ranges: damage.ranges,
        offsets: damage.offsets,
        what:
          `${howItWasRead(damage)}; ${damagedPart(damage, ['had', 'had'])} never been written; ` +
          `the memory contains ${leftovers(damage)}.`,
        why: pastLoaded
          ? `these bytes are past the ${exactSize(loaded)} that were loaded (the .bss of an ` +
            'image is not in its file), and nothing cleared them; the firmware does not clear ' +
            'memory between sections'
          : within.why,
        fix: pastLoaded
          ? `clear ${hex(to - from)} bytes from ${sectionOf(damage.object)} + ${hex(from)} ` +
            'before the entry, in memory allocated for it: load the image through LoadImage, or ' +
            'copy it to an allocation and zero the rest'
          : within.fix,
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
