/** table-order-not-by-address: the section table is not sorted by address. HZ-13. */
import { hex } from '../../bytes/range.ts'
import { placedSections } from '../layout.ts'
import { listed } from '../listed.ts'
import { advice } from '../rule.ts'

export const tableOrderNotByAddress = advice({
  id: 'table-order-not-by-address',
  since: '0.1.0',
  clause: 'HZ-13',
  title: 'The section table is not sorted by address',
  inspect({ uki }, report) {
    const sections = placedSections(uki)
    const behind = sections.flatMap((section, i) => {
      const before = sections[i - 1]
      return before === undefined || before.start <= section.start ? [] : [{ section, before }]
    })
    const [first] = behind
    if (first === undefined) return
    report({
      object: first.section.object,
      ranges: [],
      offsets: [],
      what: listed(
        behind.map(
          ({ section, before }) =>
            `${section.name} (${hex(section.start)}) comes after ${before.name} (${hex(before.start)}) ` +
            'in the section table',
        ),
      ),
      why:
        'the PE format requires ascending addresses; edk2 loads such a file anyway, in table ' +
        'order, so the order decides which of two overlapping sections is overwritten; other ' +
        'loaders and tools may refuse it or take the last entry as the end of the image',
      fix: `sort the section table by VirtualAddress`,
      legs: [],
    })
  },
})
