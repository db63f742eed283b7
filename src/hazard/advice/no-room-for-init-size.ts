/** no-room-for-init-size: less memory follows .linux than a kernel that runs in place uses. HZ-11. */
import { hex } from '../../bytes/range.ts'
import { placingFix } from '../advised-places.ts'
import { exactSize } from '../describe.ts'
import { firstAndLast, kernelRoom, kernelRooms } from '../kernel-room.ts'
import { byStart, nextAbove, placedSections } from '../layout.ts'
import { listed } from '../listed.ts'
import { advice } from '../rule.ts'

export const noRoomForInitSize = advice({
  id: 'no-room-for-init-size',
  since: '0.1.0',
  clause: 'HZ-11',
  inPlace: true,
  title: 'Not enough room after .linux for a kernel that runs in place',
  inspect({ pe, uki }, report) {
    const sections = placedSections(uki)
    const ascending = byStart(sections)
    const short = firstAndLast(sections).flatMap(linux => {
      const kernel = linux.start >= pe.optional.SizeOfImage ? null : kernelRoom(uki, linux)
      if (kernel === null) return []
      const next = nextAbove(ascending, linux, pe.optional.SizeOfImage)
      const room = next.start - linux.start
      return room >= kernel.need ? [] : [{ linux, kernel, next, room }]
    })
    const [first] = short
    if (first === undefined) return
    report({
      object: first.linux.object,
      ranges: [],
      offsets: [{ from: first.room, to: first.kernel.need }],
      what: listed(
        short.map(
          ({ kernel: { need, own, init_size }, next, room }) =>
            `From .linux to ${next.name} there are ${exactSize(room)}; a kernel entered in place ` +
            `needs ${exactSize(need)}, ` +
            (own === undefined
              ? 'its init_size'
              : `SizeOfImage of its own PE header (init_size is ${hex(init_size)})`),
        ),
      ),
      why:
        'stubs up to v251 enter the kernel in place; later ones only if it has no usable PE ' +
        'entry point, and v254.17, v255.11, v256.5 and v257 copy it first even then. ' +
        'Entered in place, 5.7-rc1 decompresses itself over what follows, and kernels from ' +
        '6.6 on (and late 6.1.y) clear their .bss there; 5.7-rc2 to 6.5 relocate themselves ' +
        'first',
      fix:
        placingFix(pe, sections, kernelRooms(uki, sections)) ??
        `put .linux where ${hex(first.kernel.need)} bytes are free`,
      legs: [],
    })
  },
})
