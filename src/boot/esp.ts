/** The files that a thin image of lanzaboote names on the ESP, and where they lie there (chapter LZ). */
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

/** What a thin image names instead of carrying it; null for every other file. Never throws. */
export function filesOnEsp(image: ByteSource): EspFileNames | null {
  const { pe } = parsePe(image)
  const named = pe === null ? null : thinFiles(viewUki(pe))
  return named === null ? null : { linux: named.kernel.path, initrd: named.initrd.path }
}

/**
 * A path of the ESP in its parts, folders first: `\EFI\nixos\kernel.efi` is `EFI`, `nixos`, `kernel.efi`. Null
 * for a path that leads out of the ESP or that no file can have.
 */
export function espPath(path: string): string[] | null {
  const parts = path.split(/[\\/]/).filter(part => part !== '')
  return parts.length === 0 || parts.includes('..') || path.includes('\0') ? null : parts
}
