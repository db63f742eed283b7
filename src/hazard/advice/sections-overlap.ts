/** sections-overlap: sections claim the same memory; of two, the later one in the table wins. HZ-10. */
import { hex } from '../../bytes/range.ts'
import { placingFix } from '../advised-places.ts'
import { exactSize } from '../describe.ts'
import { kernelRooms } from '../kernel-room.ts'
import { countBelow, placedSections, sorted, type Placed } from '../layout.ts'
import { eachOnce, listed } from '../listed.ts'
import { ADVICE_MAX, advice } from '../rule.ts'

export const sectionsOverlap = advice({
  id: 'sections-overlap',
  since: '0.1.0',
  clause: 'HZ-10',
  title: 'Two sections claim the same memory',
  inspect({ pe, uki }, report) {
    const sections = placedSections(uki)
    const { pairs, total } = overlaps(sections, ADVICE_MAX)
    const [first] = pairs
    if (first === undefined) return
    const ofStub = pairs.find(pair => pair.every(({ payload }) => !payload))
    report({
      object: first[0].object,
      ranges: [],
      offsets: [sharedOf(...first)],
      what: listed(
        pairs.map(pair => whatIsLost(...pair)),
        total,
      ),
      why:
        eachOnce(
          pairs.map(([one, other]) => `${one.name} covers ${spanOf(one)} and ${other.name} ${spanOf(other)}`),
        ) +
        ' from the load address; firmware loads sections in table order, zero fill included, and checks ' +
        'no overlap',
      fix:
        ofStub === undefined
          ? (placingFix(pe, sections, undefined, kernelRooms(uki, sections)) ??
            'give the sections addresses that do not overlap')
          : `take another build of the stub: its own ${ofStub.map(({ name }) => name).join(' and ')} overlap`,
      legs: [],
    })
  },
})

/**
 * The first `most` pairs that share memory, as table positions of the earlier and the later one, and the
 * number of all pairs. O(n log n) and `most` walks.
 */
function overlaps(
  sections: readonly Placed[],
  most: number,
): { readonly pairs: readonly (readonly [loser: Placed, winner: Placed])[]; readonly total: number } {
  const starts = sorted(sections.map(section => section.start))
  const ends = sorted(sections.map(section => section.end))
  const partners = sections.map(({ start, end }) => countBelow(starts, end) - countBelow(ends, start + 1) - 1)
  const pairs: [Placed, Placed][] = []
  for (const [i, loser] of sections.entries()) {
    if (pairs.length >= most) break
    if ((partners[i] ?? 0) === 0) continue
    for (let j = i + 1; j < sections.length && pairs.length < most; j++) {
      const winner = sections[j]
      if (winner !== undefined && winner.start < loser.end && loser.start < winner.end)
        pairs.push([loser, winner])
    }
  }
  return { pairs, total: partners.reduce((sum, count) => sum + count, 0) / 2 }
}

const spanOf = ({ start, end }: Placed): string => `${hex(start)}-${hex(end)}`

/** What both have, from the start of the earlier one in the table. */
function sharedOf(loser: Placed, winner: Placed): { readonly from: number; readonly to: number } {
  return {
    from: Math.max(loser.start, winner.start) - loser.start,
    to: Math.min(loser.end, winner.end) - loser.start,
  }
}

function whatIsLost(loser: Placed, winner: Placed): string {
  const { from, to } = sharedOf(loser, winner)
  const fill = from >= loser.loaded ? ' (zero fill only)' : ''
  const by = loser.start + from >= winner.start + winner.loaded ? 'the zero fill of ' : ''
  return (
    `${by}${winner.name}, which comes later in the section table, overwrites ` +
    `${exactSize(to - from)}${fill} of ${loser.name} (offsets ${hex(from)}-${hex(to)})`
  )
}
