/**
 * section-unaligned: a payload section does not begin on a page, or not at the file's own SectionAlignment.
 * HZ-15.
 */
import { hex } from '../../bytes/range.ts'
import { alignUp, PAGE } from '../../bytes/units.ts'
import { placedSections } from '../layout.ts'
import { advice } from '../rule.ts'

export const sectionUnaligned = advice({
  id: 'section-unaligned',
  since: '0.1.0',
  clause: 'HZ-15',
  title: 'A payload section does not begin on a page',
  inspect({ pe, uki }, report) {
    const step = pe.optional.SectionAlignment
    for (const { name, object, payload, start } of placedSections(uki)) {
      if (!payload) continue
      const off = start % PAGE !== 0
      const odd = step > 0 && start % step !== 0
      if (!off && !odd) continue
      const against = [
        ...(off ? ['not a multiple of a page'] : []),
        ...(odd ? [`not a multiple of SectionAlignment ${hex(step)}`] : []),
      ]
      report({
        object,
        ranges: [],
        offsets: [],
        what: `${name} begins at ${hex(start)}, which is ` + `${against.join(' and ')}.`,
        why:
          'the PE format requires SectionAlignment, edk2 does not check ' +
          `it${name === '.linux' ? ', and a stub that enters the kernel in place runs it unaligned' : ''}; ` +
          'recorded boots succeeded, other firmware may refuse the file',
        fix: `let ${name} begin at ${hex(alignUp(start, Math.max(step, PAGE)))}`,
        legs: [],
      })
    }
  },
})
