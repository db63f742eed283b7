/** The files that a thin image of lanzaboote names, from a folder that stands for the ESP or one by one. */
import { join } from 'node:path'
import { UsageError } from '../bytes/errors.ts'
import type { ByteSource } from '../bytes/source.ts'
import type { CheckInput } from '../check.ts'
import { thinFiles } from '../image/lanzastub.ts'
import { parsePe } from '../image/pe.ts'
import { viewUki } from '../image/uki.ts'
import type { Call } from './command.ts'

/**
 * A path of the ESP, `\EFI\nixos\kernel.efi`, below a folder. Throws UsageError for one that leads out of it.
 */
export function below(folder: string, path: string): string {
  const parts = path.split(/[\\/]/).filter(part => part !== '')
  if (parts.length === 0 || parts.includes('..') || path.includes('\0'))
    throw new UsageError(`--esp: the image names ${JSON.stringify(path)}, which is no file on an ESP`)
  return join(folder, ...parts)
}

/** Kernel and initrd beside the image. Options that name a file win over --esp. */
export function besideImage(call: Call, image: ByteSource): Pick<CheckInput, 'linux' | 'initrd'> {
  const [folder, linux, initrd] = [call.text('esp'), call.text('linux'), call.text('initrd')]
  const { pe } = folder === undefined ? { pe: null } : parsePe(image)
  const named = pe === null ? null : thinFiles(viewUki(pe))
  if (folder !== undefined && named === null)
    throw new UsageError(
      '--esp is for an image that names its kernel and its initrd, as those of lanzaboote do',
    )
  const path = (given: string | undefined, file: string | undefined): string | undefined =>
    given ?? (folder === undefined || file === undefined ? undefined : below(folder, file))
  const [one, other] = [path(linux, named?.kernel.path), path(initrd, named?.initrd.path)]
  return {
    ...(one === undefined ? {} : { linux: call.files.source(one) }),
    ...(other === undefined ? {} : { initrd: call.files.source(other) }),
  }
}
