/** section-beyond-image-size: a section ends past SizeOfImage; firmware refuses the file. HZ-12. */
import { alignUp } from '../../bytes/units.ts'
import { hex } from '../../bytes/range.ts'
import { placedSections } from '../layout.ts'
import { listed } from '../listed.ts'
import { advice } from '../rule.ts'
import { lastThatGaveSizeOfImage, wrappedFrom } from '../size-of-image.ts'

export const sectionBeyondImageSize = advice({
  id: 'section-beyond-image-size',
  since: '0.1.0',
  clause: 'HZ-12',
  title: 'A section ends past SizeOfImage',
  inspect({ pe, uki }, report) {
    const { SizeOfImage, SectionAlignment } = pe.optional
    const sections = placedSections(uki)
    if (lastThatGaveSizeOfImage(pe, sections) !== null) return
    const beyond = sections.filter(one => one.end > SizeOfImage && wrappedFrom(pe, one) === null)
    const [first] = beyond
    if (first === undefined) return
    const end = beyond.reduce((highest, one) => Math.max(highest, one.end), 0)
    report({
      object: first.object,
      ranges: [],
      offsets: [{ from: Math.max(0, SizeOfImage - first.start), to: first.end - first.start }],
      what: listed(
        beyond.map(
          ({ name, end: last }) => `${name} ends at ${hex(last)}, SizeOfImage is ${hex(SizeOfImage)}`,
        ),
      ),
      why:
        'firmware allocates SizeOfImage bytes and checks that base and end of every section ' +
        'lie inside: it refuses the file with EFI_LOAD_ERROR, regardless of stub and kernel',
      fix: `set SizeOfImage to ${hex(alignUp(end, Math.max(1, SectionAlignment)))} or more`,
      legs: [],
    })
  },
})
