/** sections-overlap: two sections claim the same memory; the later one in the table wins. HZ-10. */
import { hex } from '../../bytes/range.ts'
import { placedSections } from '../layout.ts'
import { advice } from '../rule.ts'
import { exactSize } from '../words.ts'

export const sectionsOverlap = advice({
  id: 'sections-overlap',
  since: '0.1.0',
  clause: 'HZ-10',
  title: 'Two sections claim the same memory',
  inspect({ uki }, report) {
    const sections = placedSections(uki)
    for (const loser of sections) {
      for (const winner of sections.slice(sections.indexOf(loser) + 1)) {
        const start = Math.max(loser.start, winner.start)
        const end = Math.min(loser.end, winner.end)
        if (start >= end) continue
        const from = start - loser.start
        const to = end - loser.start
        const fill = from >= loser.loaded ? ' (zero fill only)' : ''
        const by = start >= winner.start + winner.loaded ? 'the zero fill of ' : ''
        const [low, high] = loser.start <= winner.start ? [loser, winner] : [winner, loser]
        report({
          object: loser.object,
          ranges: [],
          offsets: [{ from, to }],
          what: `${loser.name} loses ${exactSize(to - from)}${fill}, its offsets ${hex(from)}-${hex(to)}, to ${by}${winner.name}, which comes later in the section table.`,
          why: `${loser.name} takes ${hex(loser.start)}-${hex(loser.end)} and ${winner.name} ${hex(winner.start)}-${hex(winner.end)} from the load address; firmware loads sections in table order, zero fill included, and checks no overlap`,
          fix: `let ${high.name} start at or beyond ${hex(low.end)} from the image base; it starts at ${hex(high.start)}`,
          legs: [],
        })
      }
    }
  },
})
