/**
 * sbat-merged-over-sdmagic: `.sbat` was replaced in place by a longer text and reaches the stub's next
 * section. HZ-23.
 */
import { hex } from '../../bytes/range.ts'
import { placedSections } from '../layout.ts'
import { advice } from '../rule.ts'
import { exactSize } from '../describe.ts'

export const sbatMergedOverSdmagic = advice({
  id: 'sbat-merged-over-sdmagic',
  since: '0.1.0',
  clause: 'HZ-23',
  title: 'A merged .sbat reaches the next section of the stub',
  inspect({ uki }, report) {
    const sections = placedSections(uki)
    const sbat = sections.find(section => section.name === '.sbat')
    const next =
      sbat === undefined
        ? undefined
        : sections.find(section => !section.payload && sbat.start < section.start && section.start < sbat.end)
    if (sbat === undefined || next === undefined) return
    const room = next.start - sbat.start
    report({
      object: sbat.object,
      ranges: [],
      offsets: [{ from: room, to: Math.min(sbat.end, next.end) - sbat.start }],
      what: `.sbat has ${exactSize(sbat.end - sbat.start)}, ${next.name} of the stub begins ${exactSize(room)} behind its start.`,
      why:
        `ukify puts the stub's own SBAT lines and its own into the place of .sbat and moves nothing behind it; it looks at SizeOfRawData only, and in this stub ${next.name} begins before that. ` +
        `The later of the two in the section table wins the bytes from ${hex(next.start)} on, and stubs v252 and v253 print a warning`,
      fix: `use a stub whose sections are a page apart (v254 or later), or give ukify an SBAT text with which .sbat has no more than ${hex(room)} bytes`,
      legs: [],
    })
  },
})
