/** section-beyond-image-size: a section ends behind SizeOfImage; firmware refuses the file. HZ-12. */
import { alignUp } from '../../bytes/units.ts'
import { hex } from '../../bytes/range.ts'
import { placedSections } from '../layout.ts'
import { advice } from '../rule.ts'

export const sectionBeyondImageSize = advice({
  id: 'section-beyond-image-size',
  since: '0.1.0',
  clause: 'HZ-12',
  title: 'A section ends behind SizeOfImage',
  inspect({ pe, uki }, report) {
    const { SizeOfImage, SectionAlignment } = pe.optional
    for (const { name, object, start, end } of placedSections(uki)) {
      if (end <= SizeOfImage) continue
      report({
        object,
        ranges: [],
        offsets: [{ from: Math.max(0, SizeOfImage - start), to: end - start }],
        what: `${name} ends at ${hex(end)}, SizeOfImage is ${hex(SizeOfImage)}.`,
        why: 'firmware allocates SizeOfImage bytes and checks that base and end of every section lie inside: it refuses the file with EFI_LOAD_ERROR, whatever the stub or kernel',
        fix: `set SizeOfImage to ${hex(alignUp(end, Math.max(1, SectionAlignment)))} or more; objcopy takes it from the last section, so give the last section the highest address`,
        legs: [],
      })
    }
  },
})
