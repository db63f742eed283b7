/** no-room-for-init-size: less memory follows .linux than a kernel that runs in place uses. HZ-11. */
import { hex } from '../../bytes/range.ts'
import { parseBzImage } from '../../image/x86/bzimage.ts'
import { byStart, nextAbove, placedSections, type Placed } from '../layout.ts'
import { ADVICE_MAX, advice } from '../rule.ts'
import { exactSize } from '../describe.ts'

export const noRoomForInitSize = advice({
  id: 'no-room-for-init-size',
  since: '0.1.0',
  clause: 'HZ-11',
  inPlace: true,
  title: 'Not enough room after .linux for a kernel that runs in place',
  inspect({ pe, uki }, report) {
    const sections = placedSections(uki)
    const ascending = byStart(sections)
    for (const linux of firstAndLast(sections.filter(section => section.name === '.linux'))) {
      const content = uki.sections[linux.index]?.content
      const kernel = content === undefined ? null : parseBzImage(content).bzimage
      if (content === undefined || kernel === null || linux.start >= pe.optional.SizeOfImage) continue
      const next = nextAbove(ascending, linux, pe.optional.SizeOfImage)
      const room = next.start - linux.start
      const window = kernel.hdr.init_size
      const own = kernel.pe?.optional.SizeOfImage
      const need = Math.max(content.size, own ?? window)
      if (room >= need) continue
      report({
        object: linux.object,
        ranges: [],
        offsets: [{ from: room, to: need }],
        what:
          `From .linux to ${next.name} there are ${exactSize(room)}; a kernel entered in place ` +
          `needs ${exactSize(need)}, ` +
          (own === undefined
            ? 'its init_size.'
            : `SizeOfImage of its own PE header (init_size is ${hex(window)}).`),
        why:
          'stubs up to v251 enter the kernel in place; later ones only if it has no usable PE ' +
          'entry point, and v254.17, v255.11, v256.5 and v257 copy it first even then. ' +
          'Entered in place, 5.7-rc1 decompresses itself over what follows, and kernels from ' +
          '6.6 on (and late 6.1.y) clear their .bss there; 5.7-rc2 to 6.5 relocate themselves ' +
          'first',
        fix:
          next.name === 'the end of the image'
            ? `raise SizeOfImage to ${hex(linux.start + need)} or more, or put .linux where ` +
              `${hex(need)} bytes are free`
            : `let ${next.name} start at or beyond ${hex(linux.start + need)} from the image base ` +
              `(.linux + ${hex(need)})`,
        legs: [],
      })
    }
  },
})

/**
 * Which of several kernels is used depends on the stub: the first or the last. duplicate-section reports
 * those between.
 */
function firstAndLast(linux: readonly Placed[]): readonly Placed[] {
  return linux.length <= ADVICE_MAX
    ? linux
    : [...linux.slice(0, ADVICE_MAX / 2), ...linux.slice(-ADVICE_MAX / 2)]
}
