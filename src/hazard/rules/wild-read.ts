/** wild-read: an object was looked for outside RAM or in memory that nobody was given. HZ-4. */
import { formatRange, hex } from '../../bytes/range.ts'
import { damages, eventsOf } from '../damage.ts'
import { rule } from '../rule.ts'
import { baseOf, legsOf, some } from '../describe.ts'
import { damagedPart, foundLegs, howItWasRead } from '../used.ts'

export const wildRead = rule({
  id: 'wild-read',
  class: 'damage',
  since: '0.1.0',
  clause: 'HZ-4',
  title: 'An object was read where there is none: outside RAM or every allocation',
  visit(recording, report) {
    for (const damage of damages(recording.events, ['unclaimed', 'outside'])) {
      const outside = damage.pieces.some(({ deviation }) => deviation.kind === 'outside')
      const gone = eventsOf(damage.pieces, past => [past.by])
      const base = baseOf(recording.events, damage.object, damage.read.id)
      report({
        object: damage.object,
        ranges: damage.ranges,
        offsets: damage.offsets,
        what: `${howItWasRead(damage)}; ${damagedPart(damage, ['lies', 'lie'])} ${outside ? 'outside RAM' : 'in memory that no allocation covers'}: ${some(damage.ranges.map(formatRange))}.`,
        why:
          gone.length > 0
            ? `its memory had been given back before the read`
            : outside
              ? 'the address that was handed over leads out of RAM'
              : 'nobody allocated this memory, so anybody may have written there',
        fix:
          gone.length > 0
            ? `keep the memory of ${damage.object} allocated until it was read for the last time`
            : base === null
              ? `load ${damage.object} before its address is handed over`
              : `hand over where ${damage.object} really lies: it was placed at ${hex(base)}`,
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
          ...(gone.length > 0
            ? legsOf(recording, 'handed-out', gone, damage.ranges)
            : foundLegs(recording, damage)),
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
