/**
 * The files that a thin image of lanzaboote names, from a folder with the contents of the ESP, or one by one.
 */
import { join } from 'node:path'
import { espPath, filesOnEsp, type EspFileNames } from '../boot/esp.ts'
import { UsageError } from '../bytes/errors.ts'
import type { ByteSource } from '../bytes/source.ts'
import type { CheckInput } from '../check-with.ts'
import type { Call } from './command.ts'

/** A path of the ESP, `\EFI\nixos\kernel.efi`, below a folder. Throws UsageError for one outside it. */
export function below(folder: string, path: string): string {
  const parts = espPath(path)
  if (parts === null)
    throw new UsageError(`--esp: the image names ${JSON.stringify(path)}, which is not a file on an ESP`)
  return join(folder, ...parts)
}

/** Kernel and initrd of a thin image. Options that name a file take precedence over --esp. */
export function besideImage(call: Call, image: ByteSource): Pick<CheckInput, 'linux' | 'initrd'> {
  const folder = call.text('esp')
  const named = folder === undefined ? null : filesOnEsp(image)
  if (folder !== undefined && named === null)
    throw new UsageError('--esp is for an image that names its kernel and initrd, like those of lanzaboote')
  const fileOf = (which: keyof EspFileNames): ByteSource | undefined => {
    const given = call.text(which)
    if (given !== undefined) return call.files.source(given)
    return folder === undefined || named === null ? undefined : call.files.source(below(folder, named[which]))
  }
  const [linux, initrd] = [fileOf('linux'), fileOf('initrd')]
  return { ...(linux === undefined ? {} : { linux }), ...(initrd === undefined ? {} : { initrd }) }
}
