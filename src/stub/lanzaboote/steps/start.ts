/** Slot handOff: the stub's own PE loader or the firmware's, and the way into the kernel (chapter LZ). */
import { TEXTS } from '../../../messages/texts.ts'
import { rangeAt } from '../../../bytes/range.ts'
import { byteCount } from '../../../bytes/units.ts'
import { LANZABOOTE } from '../../../firmware/image-loaders/lanzaboote.ts'
import { loadImage } from '../../../firmware/image-loaders/load-image.ts'
import type { LoaderPorts } from '../../../firmware/image-loaders/ports.ts'
import type { LoadResult } from '../../../firmware/services.ts'
import type { ClauseId, Machine } from '../../../machine/machine.ts'
import type { HandOff, LoadedImage } from '../../../machine/model.ts'
import type { CommandLine, Kernel } from '../../model.ts'
import { UTF16_LINE } from '../../steps/command-line.ts'
import { doubtOverwritten } from '../../steps/own-image.ts'
import type { Held, LanzabooteContext, Start } from '../model.ts'
import { poolOrPanic } from './pool.ts'

/** The registered LoadFile2 object: a function pointer and a vector. */
const INITRD_LOADER = 32

/** The services that the loader uses, as the stub gets them. */
function portsOf(machine: Machine): LoaderPorts {
  const { memory, firmware } = machine
  return {
    memory,
    step: (clause, what, body) => machine.step(clause, what, body),
    assume: (clause, what) => {
      machine.assume(clause, what)
    },
    allocatePages: (where, type, pages, label) => firmware.allocatePages(where, type, pages, label),
    noteImage: () => undefined,
    pinPages: () => undefined,
    freePages: (at, pages) => {
      firmware.freePages(at, pages)
    },
    allocatePool: (type, size, label) => {
      const { at } = firmware.allocatePool(type, size, label)
      return at === null ? null : rangeAt(at, size)
    },
    freePool: buffer => {
      firmware.freePool(buffer.start)
    },
  }
}

const requestOf = ({ at, size, object }: Kernel) =>
  ({
    from: { kind: 'memory', range: rangeAt(at, size) },
    name: object,
    ownerOf: ({ VirtualAddress }: { readonly VirtualAddress: number }) => ({ object, at: VirtualAddress }),
  }) as const

function imageOr(
  { machine }: LanzabooteContext,
  clause: ClauseId,
  result: LoadResult,
  message: string,
): LoadedImage {
  return result.status === 'EFI_SUCCESS'
    ? result.image
    : machine.refuse(
        clause,
        result.status,
        `the kernel is refused (${result.clause}): ${result.why}`,
        message,
      )
}

/** By the stub's own loader, regardless of the signature. */
export const bySelf: Start = (ctx, kernel) =>
  ctx.machine.step('LZ-18', 'loads the kernel itself', () => {
    const image = imageOr(
      ctx,
      'LZ-18',
      loadImage(portsOf(ctx.machine), LANZABOOTE, requestOf(kernel)),
      TEXTS['lanzaboote/load-kernel'],
    )
    doubtOverwritten(ctx)
    return image
  })

/** By LoadImage. */
export const byFirmware: Start = (ctx, kernel) =>
  ctx.machine.step('LZ-10', 'LoadImage of the kernel', () => {
    if (ctx.machine.settings.secureBoot)
      return ctx.machine.refuse(
        'LZ-10',
        'EFI_SECURITY_VIOLATION',
        'the kernel is not signed, so the firmware refuses it',
        TEXTS['lanzaboote/non-secure'],
      )
    return imageOr(
      ctx,
      'LZ-10',
      ctx.machine.firmware.loadImage({ ...requestOf(kernel), headers: { object: kernel.object, at: 0 } }),
      TEXTS['lanzaboote/non-secure'],
    )
  })

/**
 * The kernel's image, the initrd registered for LoadFile2 in its pool buffer, and the kernel's entry point
 * under the stub's own handle.
 */
export function enterKernel(
  ctx: LanzabooteContext,
  { kernel, initrd }: Held,
  line: CommandLine,
  start: Start,
): HandOff {
  const { machine } = ctx
  const image = start(ctx, kernel)
  machine.step('LZ-19', 'registers the initrd for LoadFile2', () => {
    machine.assume('LZ-19', 'nobody registered an initrd before the stub')
    poolOrPanic(ctx, 'LZ-19', INITRD_LOADER, 'stub:initrd_loader')
  })
  return machine.step('LZ-20', 'enters the kernel', () => ({
    via: 'pe-entry',
    entry: image.entry,
    loaded: {
      ...image,
      loadOptions: { at: line.at, bytes: byteCount(line.bytes), text: line.text, object: UTF16_LINE },
    },
    initrd: { at: initrd.at, size: initrd.size, object: initrd.object },
    payload: { object: kernel.object, source: kernel.source },
    initrdObject: initrd.object,
    cmdlineObject: line.object,
  }))
}
