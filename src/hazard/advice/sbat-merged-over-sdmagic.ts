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
      what:
        `.sbat has ${exactSize(sbat.end - sbat.start)}, ${next.name} of the stub begins ` +
        `${exactSize(room)} after its start.`,
      why:
        `ukify replaces .sbat in place with the stub's SBAT lines and its own, and moves ` +
        `nothing after it; it checks SizeOfRawData only, and in this stub ${next.name} ` +
        'begins before its end. ' +
        'The later of the two in the section table overwrites the bytes from ' +
        `${hex(next.start)} on, and stubs v252 and v253 print a warning`,
      fix:
        'use a stub whose sections are a page apart (v254 or later), or give ukify an SBAT ' +
        `text that keeps .sbat within ${hex(room)} bytes`,
      legs: [],
    })
  },
})
