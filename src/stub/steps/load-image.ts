/** The kernel's entry through LoadImage and StartImage (chapter ST). */
import { printed } from '../../messages/texts.ts'
import { rangeAt } from '../../bytes/range.ts'
import { byteCount } from '../../bytes/units.ts'
import type { HandOff, LoadedImage, RegisteredInitrd } from '../../machine/model.ts'
import type { EfiError } from '../../firmware/status.ts'
import type { ClauseId } from '../../machine/machine.ts'
import type { StubBehaviour } from '../behaviour.ts'
import type { BootPayload, CommandLine, Initrd, Kernel, StubContext } from '../model.ts'
import { statusIn, statusText } from './status.ts'
import { xmalloc } from './xmalloc.ts'
import { UTF16_LINE, widened } from './command-line.ts'

/** sizeof(struct initrd_loader): a protocol of one pointer, an address, a length. */
const INITRD_LOADER = 24

/** Messages for a kernel that the firmware refuses. */
export interface LoadMessages {
  readonly clause: ClauseId
  /** Upstream's function. */
  readonly by: 'load_image' | 'load_via_boot_services'
  /** The printed message. */
  readonly message: (status: EfiError) => string
  /** The status the stub returns. */
  readonly returned: (status: EfiError) => EfiError
}

/** `Error loading kernel image: Load error`, or `Load Error`. */
export const loadMessages = (messages: StubBehaviour['messages']): LoadMessages => ({
  clause: 'ST-28',
  by: 'load_image',
  message: status => printed('stub/load-image', { status: statusIn(messages, status) }),
  returned: status => status,
})
/** `Error loading inner kernel with shim: Load error`; always returned as EFI_LOAD_ERROR. */
export const shimMessages: LoadMessages = {
  clause: 'ST-67',
  by: 'load_via_boot_services',
  message: status => printed('stub/load-with-shim', { status: statusText(status) }),
  returned: () => 'EFI_LOAD_ERROR',
}

/**
 * Loads the kernel through the firmware, then starts it with a command line and an initrd registered for
 * LoadFile2.
 */
export function loadViaBootServices(
  messages: LoadMessages,
): (ctx: StubContext, payload: BootPayload) => HandOff {
  return (ctx, payload) =>
    handOffTo(
      ctx,
      ctx.machine.step(messages.clause, `${messages.by}: LoadImage of the kernel`, () =>
        load(ctx, messages, payload.kernel),
      ),
      payload,
    )
}

/** Enters a loaded kernel: command line, initrd, entry point. */
export function handOffTo(
  ctx: StubContext,
  image: LoadedImage,
  { kernel, commandLine, initrd }: BootPayload,
): HandOff {
  const loaded = ctx.machine.step('ST-29', 'linux_exec sets LoadOptions', () =>
    withOptions(image, commandLine),
  )
  const registered = registerInitrd(ctx, initrd)
  return {
    via: 'pe-entry',
    entry: loaded.entry,
    loaded,
    initrd: registered,
    payload: { object: kernel.object, source: kernel.source },
    initrdObject: registered?.object ?? null,
    cmdlineObject: commandLine?.object ?? null,
  }
}

function load({ machine }: StubContext, messages: LoadMessages, { at, size, object }: Kernel): LoadedImage {
  const result = machine.firmware.loadImage({
    from: { kind: 'memory', range: rangeAt(at, size) },
    name: object,
    ownerOf: section => ({ object, at: section.VirtualAddress }),
    headers: { object, at: 0 },
  })
  if (result.status === 'EFI_SUCCESS') return result.image
  return machine.refuse(
    messages.clause,
    messages.returned(result.status),
    `the firmware refuses the kernel: ${result.why}`,
    messages.message(messages.returned(result.status)),
  )
}

function withOptions(image: LoadedImage, line: CommandLine | null): LoadedImage {
  return line === null
    ? image
    : {
        ...image,
        loadOptions: { at: line.at, bytes: byteCount(line.bytes), text: line.text, object: UTF16_LINE },
      }
}

/** Registers the initrd for LoadFile2, if there is one. */
export function registerInitrd(ctx: StubContext, initrd: Initrd | null): RegisteredInitrd | null {
  return ctx.machine.step('ST-30', 'initrd_register registers the initrd for LoadFile2', () => {
    if (initrd?.object == null) return null
    ctx.machine.assume('ST-30', 'nobody registered an initrd before the stub')
    xmalloc(ctx, 'ST-30', INITRD_LOADER, 'stub:initrd_loader')
    return { at: initrd.at, size: initrd.size, object: initrd.object }
  })
}

/** As loadViaBootServices, with a command line that was 8-bit until then. */
export function widenAndLoad(messages: LoadMessages): (ctx: StubContext, payload: BootPayload) => HandOff {
  const start = loadViaBootServices(messages)
  return (ctx, payload) => start(ctx, { ...payload, commandLine: widened(ctx, payload.commandLine) })
}
