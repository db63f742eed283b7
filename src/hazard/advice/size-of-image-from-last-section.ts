/**
 * size-of-image-from-last-section: SizeOfImage is the end of the last section, and another one ends higher.
 * HZ-21.
 */
import { alignUp } from '../../bytes/units.ts'
import { hex } from '../../bytes/range.ts'
import { placingFix } from '../advised-places.ts'
import { kernelRooms } from '../kernel-room.ts'
import { placedSections } from '../layout.ts'
import { advice } from '../rule.ts'
import { lastThatGaveSizeOfImage, wrappedFrom } from '../size-of-image.ts'

export const sizeOfImageFromLastSection = advice({
  id: 'size-of-image-from-last-section',
  since: '0.1.0',
  clause: 'HZ-21',
  title: 'SizeOfImage was taken from the last section',
  inspect({ pe, uki }, report) {
    const { SizeOfImage, SectionAlignment } = pe.optional
    const sections = placedSections(uki)
    const last = lastThatGaveSizeOfImage(pe, sections)
    if (last === null) return
    let highest = last
    for (const section of sections)
      if (section.end > highest.end && wrappedFrom(pe, section) === null) highest = section
    if (highest === last) return
    report({
      object: highest.object,
      ranges: [],
      offsets: [{ from: Math.max(0, SizeOfImage - highest.start), to: highest.end - highest.start }],
      what:
        `SizeOfImage ${hex(SizeOfImage)} is where the last section ends, ${last.name}; ` +
        `${highest.name} ends at ${hex(highest.end)}.`,
      why:
        'objcopy computes SizeOfImage from the section with the highest address, even if a ' +
        'lower section ends higher; firmware refuses a section that ends past SizeOfImage ' +
        'with EFI_LOAD_ERROR',
      fix:
        placingFix(pe, sections, undefined, kernelRooms(uki, sections)) ??
        `set SizeOfImage to ${hex(alignUp<number>(highest.end, Math.max(1, SectionAlignment)))} or more`,
      legs: [],
    })
  },
})
