/**
 * section-unaligned: payload sections do not begin on a page, or not at the file's own SectionAlignment.
 * HZ-15.
 */
import { hex } from '../../bytes/range.ts'
import { PAGE } from '../../bytes/units.ts'
import { placingFix } from '../advised-places.ts'
import { sectionOf } from '../describe.ts'
import { kernelRooms } from '../kernel-room.ts'
import { placedSections, type Placed } from '../layout.ts'
import { listed } from '../listed.ts'
import { ADVICE_MAX, advice } from '../rule.ts'

export const sectionUnaligned = advice({
  id: 'section-unaligned',
  since: '0.1.0',
  clause: 'HZ-15',
  title: 'A payload section does not begin on a page',
  inspect({ pe, uki }, report) {
    const step = pe.optional.SectionAlignment
    const sections = placedSections(uki)
    const found = sections.flatMap(section => {
      const { payload, start } = section
      const off = start % PAGE !== 0
      const odd = step > 0 && start % step !== 0
      return payload && (off || odd) ? [{ section, off, odd }] : []
    })
    const [first] = found
    if (first === undefined) return
    const linux = found.some(({ section }) => section.name === '.linux')
    report({
      object: first.section.object,
      ranges: [],
      offsets: [],
      what: listed(groupsOf(found.map(({ section, off, odd }) => [section, reason(off, odd, step)]))),
      why:
        (found.some(({ odd }) => odd)
          ? 'the PE format requires multiples of SectionAlignment'
          : `the file keeps to its SectionAlignment ${hex(step)}, which is less than a page`) +
        `${linux ? ', and a stub that enters the kernel in place runs it unaligned' : ''}; ` +
        "edk2's loader does not look at addresses, and recorded boots succeeded; " +
        (step % PAGE === 0 ? '' : 'where a policy protects images, edk2 leaves this one unprotected; ') +
        'other firmware may refuse the file',
      fix:
        placingFix(pe, sections, undefined, kernelRooms(uki, sections)) ??
        'give the file a SectionAlignment of 0x1000, and every payload section a multiple of it',
      legs: [],
    })
  },
})

function reason(off: boolean, odd: boolean, step: number): string {
  return [
    ...(off ? ['not a multiple of a page'] : []),
    ...(odd ? [`not a multiple of SectionAlignment ${hex(step)}`] : []),
  ].join(' and ')
}

/** `.osrel begins at 0x1234, .cmdline at 0x5678: each is not a multiple of a page`, one for each reason. */
function groupsOf(found: readonly (readonly [Placed, string])[]): string[] {
  const groups = new Map<string, Placed[]>()
  for (const [section, why] of found) {
    const group = groups.get(why)
    if (group === undefined) groups.set(why, [section])
    else group.push(section)
  }
  return [...groups].map(([why, sections]) => {
    const places = sections
      .slice(0, ADVICE_MAX)
      .map(({ object, start }, i) => `${sectionOf(object)} ${i === 0 ? 'begins ' : ''}at ${hex(start)}`)
    const more = sections.length - places.length
    const all = [...places, ...(more > 0 ? [`${String(more)} more`] : [])]
    return all.length === 1 ? `${all.join('')}, which is ${why}` : `${all.join(', ')}: each is ${why}`
  })
}
