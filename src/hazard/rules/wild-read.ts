/** wild-read: an object was read outside RAM or outside every allocation. HZ-4. */
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
  title: 'An object was read outside RAM or outside every allocation',
  visit(recording, report) {
    for (const damage of damages(recording, ['unclaimed', 'outside'])) {
      const outside = damage.pieces.some(({ deviation }) => deviation.kind === 'outside')
      const gone = eventsOf(damage.pieces, past => [past.by])
      const base = baseOf(recording.events, damage.object, damage.read.id)
      const where = outside
        ? 'the address that was passed is outside RAM'
        : 'this memory is not allocated, so anything may have been written to it'
      const pass =
        base === null
          ? `load ${damage.object} before its address is passed`
          : `pass the actual address of ${damage.object}: it was placed at ${hex(base)}`
      report({
        object: damage.object,
        ranges: damage.ranges,
        offsets: damage.offsets,
        what:
          `${howItWasRead(damage)}; ${damagedPart(damage, ['lies', 'lie'])} ` +
          `${outside ? 'outside RAM' : 'outside every allocation'}: ` +
          `${some(damage.ranges.map(formatRange))}.`,
        why: gone.length > 0 ? `its memory was freed before the read` : where,
        fix: gone.length > 0 ? `keep the memory of ${damage.object} allocated until its last read` : pass,
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
