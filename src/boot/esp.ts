/** The files on the ESP that a thin image of lanzaboote names, and their paths (chapter LZ). */
import type { ByteSource } from '../bytes/source.ts'
import { thinFiles } from '../image/lanzastub.ts'
import { parsePe } from '../image/pe.ts'
import { viewUki } from '../image/uki.ts'

/** Paths on the ESP as the image spells them: `\EFI\nixos\kernel.efi`. */
export interface EspFileNames {
  /** The kernel: `linux` of CheckInput. */
  readonly linux: string
  /** The initrd: `initrd` of CheckInput. */
  readonly initrd: string
}

/** The files that a thin image names instead of embedding them; null for any other image. Never throws. */
export function filesOnEsp(image: ByteSource): EspFileNames | null {
  const { pe } = parsePe(image)
  const named = pe === null ? null : thinFiles(viewUki(pe))
  return named === null ? null : { linux: named.kernel.path, initrd: named.initrd.path }
}

/**
 * Splits a path on the ESP into its components: `\EFI\nixos\kernel.efi` is `EFI`, `nixos`, `kernel.efi`. Null
 * for a path that leads out of the ESP or is not a valid file name.
 */
export function espPath(path: string): string[] | null {
  const parts = path.split(/[\\/]/).filter(part => part !== '')
  return parts.length === 0 || parts.includes('..') || path.includes('\0') ? null : parts
}
