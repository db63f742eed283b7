/** Slot strings: paths and texts allocated in pool between the command line and the initrd (chapter ST). */
import { EfiLoaderData } from '../../image/memory-types.ts'
import type { ClauseId } from '../../machine/machine.ts'
import type { StringName, StubBehaviour } from '../behaviour.ts'
import type { StubContext } from '../model.ts'
import { xmalloc } from './xmalloc.ts'

/**
 * Sizes in UTF-16. `\EFI\BOOT\BOOTX64.EFI.extra.d` and its NUL; vendor and revision of the firmware, where
 * any text of up to 43 characters takes the same block.
 */
const SIZES: Readonly<Record<StringName, number>> = { 'extra.d': 60, LoaderFirmwareInfo: 72 }
/** Room that the printing routine adds after a string: PRINT_STRING_LEN of gnu-efi, in UTF-16. */
const PRINT_ROOM = 400

/** Makes the strings of a release. */
export function makeStrings({ buffers, order, kept }: StubBehaviour['strings']): (ctx: StubContext) => void {
  if (buffers === 'none') return makeNone
  const [clause, what] = titleOf(buffers, order, kept)
  const room = buffers === 'with room to print' ? PRINT_ROOM : 0
  return ctx => {
    ctx.machine.step(clause, what, () => {
      ctx.machine.assume(
        'ST-48',
        'the image was started as \\EFI\\BOOT\\BOOTX64.EFI, not by a boot loader, on a ' +
          'firmware whose vendor string is short',
      )
      const printing = room > 0 ? { ...ctx, poolType: EfiLoaderData } : ctx
      for (const name of order) {
        const at = xmalloc(printing, clause, SIZES[name] + room, `stub:${name}`)
        if (!kept.includes(name)) ctx.machine.firmware.freePool(at)
      }
    })
  }
}

function titleOf(
  buffers: StubBehaviour['strings']['buffers'],
  [first]: readonly StringName[],
  kept: readonly StringName[],
): readonly [ClauseId, string] {
  if (buffers === 'with room to print') return ['ST-84', 'export_variables makes strings in large buffers']
  if (first === 'LoaderFirmwareInfo')
    return ['ST-89', 'export_variables makes strings in buffers of their size']
  return [kept.length > 0 ? 'ST-48' : 'ST-50', 'get_extra_dir makes the path of the folder beside the image']
}

/** All such buffers are freed, and their pages go back. */
function makeNone({ machine }: StubContext): void {
  machine.step('ST-49', 'makes strings for variables', () => undefined)
}
