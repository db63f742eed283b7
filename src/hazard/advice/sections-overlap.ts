/** sections-overlap: two sections claim the same memory; the later one in the table wins. HZ-10. */
import { hex } from '../../bytes/range.ts'
import { countBelow, placedSections, sorted, type Placed } from '../layout.ts'
import { ADVICE_MAX, advice } from '../rule.ts'
import type { Hazard } from '../hazard.ts'
import { exactSize } from '../describe.ts'

export const sectionsOverlap = advice({
  id: 'sections-overlap',
  since: '0.1.0',
  clause: 'HZ-10',
  title: 'Two sections claim the same memory',
  inspect({ uki }, report) {
    const sections = placedSections(uki)
    const { pairs, total } = overlaps(sections, ADVICE_MAX)
    pairs.forEach(([loser, winner], i) => {
      report(lost(loser, winner), i === pairs.length - 1 ? total - pairs.length : 0)
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

function lost(loser: Placed, winner: Placed): Omit<Hazard, 'rule'> {
  const start = Math.max(loser.start, winner.start)
  const from = start - loser.start
  const to = Math.min(loser.end, winner.end) - loser.start
  const fill = from >= loser.loaded ? ' (zero fill only)' : ''
  const by = start >= winner.start + winner.loaded ? 'the zero fill of ' : ''
  const [low, high] = loser.start <= winner.start ? [loser, winner] : [winner, loser]
  return {
    object: loser.object,
    ranges: [],
    offsets: [{ from, to }],
    what:
      `${by}${winner.name}, which comes later in the section table, overwrites ` +
      `${exactSize(to - from)}${fill} of ${loser.name} (offsets ${hex(from)}-${hex(to)}).`,
    why:
      `${loser.name} covers ${hex(loser.start)}-${hex(loser.end)} and ${winner.name} ` +
      `${hex(winner.start)}-${hex(winner.end)} from the load address; firmware loads ` +
      'sections in table order, zero fill included, and checks no overlap',
    fix:
      `let ${high.name} start at or beyond ${hex(low.end)} from the image base; it starts ` +
      `at ${hex(high.start)}`,
    legs: [],
  }
}
