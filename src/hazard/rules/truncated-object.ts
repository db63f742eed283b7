/** truncated-object: a reader of a whole object got less. HZ-5. */
import { sizeOf } from '../../bytes/range.ts'
import { rule } from '../rule.ts'
import { exactSize, legsOf } from '../describe.ts'
import { signsIn } from '../signs.ts'

export const truncatedObject = rule({
  id: 'truncated-object',
  class: 'damage',
  since: '0.1.0',
  clause: 'HZ-5',
  title: 'Less than the whole object was read',
  visit(recording, report) {
    const { short } = signsIn(recording)
    if (short.length === 0) return
    for (const object of new Set(short.map(read => read.object))) {
      const reads = short.filter(read => read.object === object)
      const worst = reads.reduce((a, b) => (b.missing > a.missing ? b : a))
      const end = worst.at + sizeOf(worst.range)
      report({
        object,
        ranges: [worst.range],
        offsets: [{ from: end, to: end + worst.missing }],
        what:
          `The ${worst.actor} read ${exactSize(end)} as all of ${object}; ` +
          `${exactSize(worst.missing)} more belong to it.`,
        why: 'the length that was passed is less than the length of the object',
        fix: `pass a length of ${exactSize(end + worst.missing)} for ${object}`,
        legs: legsOf(
          recording,
          'used',
          reads.map(read => read.id),
          [worst.range],
        ),
      })
    }
  },
})
