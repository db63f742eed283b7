/** The way in through LoadImage and StartImage (chapter ST). */
import { rangeAt } from '../../bytes/range.ts'
import { byteCount } from '../../bytes/units.ts'
import type { HandOff, InitrdOffer, LoadedImage } from '../../machine/model.ts'
import type { Booting, Cargo, CommandLine, Initrd, Kernel } from '../model.ts'
import { poolOrHalt, statusText } from './patch.ts'
import { UTF16_LINE } from './command-line.ts'

/** sizeof(struct initrd_loader): a protocol of one pointer, an address, a length. */
const INITRD_LOADER = 24

/** Gives the kernel to the firmware, then starts it with a command line and an initrd that waits behind LoadFile2. */
export function startImage(on: Booting, { kernel, commandLine, initrd }: Cargo): HandOff {
  const { machine } = on
  const image = machine.step('ST-28', 'LoadImage of the kernel', () => load(on, kernel))
  const loaded = machine.step('ST-29', 'sets LoadOptions', () => withOptions(image, commandLine))
  const offer = machine.step('ST-30', 'registers the initrd', () => register(on, initrd))
  return { via: 'pe-entry', entry: loaded.entry, loaded, initrd: offer, payload: { object: kernel.object, source: kernel.source }, initrdObject: offer?.object ?? null, cmdlineObject: commandLine?.object ?? null }
}

function load({ machine }: Booting, { at, size, object }: Kernel): LoadedImage {
  const result = machine.firmware.loadImage({
    from: { kind: 'memory', range: rangeAt(at, size) },
    name: object,
    ownerOf: section => ({ object, at: section.VirtualAddress }),
    headers: { object, at: 0 },
  })
  if (result.status === 'EFI_SUCCESS') return result.image
  return machine.refuse('ST-28', result.status, `the firmware refuses the kernel: ${result.why}`, `Error loading kernel image: ${statusText(result.status)}`)
}

function withOptions(image: LoadedImage, line: CommandLine | null): LoadedImage {
  return line === null ? image : { ...image, loadOptions: { at: line.at, bytes: byteCount(line.bytes), text: line.text, object: UTF16_LINE } }
}

function register(on: Booting, initrd: Initrd | null): InitrdOffer | null {
  if (initrd?.object == null) return null
  on.machine.assume('ST-30', 'nobody registered an initrd before the stub')
  poolOrHalt(on, 'ST-30', INITRD_LOADER, 'stub:initrd_loader')
  return { at: initrd.at, size: initrd.size, object: initrd.object }
}
