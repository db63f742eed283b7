/**
 * In-place extraction: how near the end of the output comes to the input that is still to be read. Chapter
 * ZO.
 */
import type { KernelFile } from './file.ts'
import type { Lead } from './payload.ts'

/** Where the decompressor lies when it extracts in place. */
export interface InPlace {
  /** R: the first byte of the output. */
  readonly start: number
  /** X: `startup_32` of the moved decompressor. */
  readonly moved: number
}

/**
 * At the worst moment, the bytes between the end of the output and the lowest byte of input that is still
 * needed; negative when that has been overwritten.
 */
export function inPlaceMargin(
  { payloadOffset }: Pick<KernelFile, 'payloadOffset'>,
  { start, moved }: InPlace,
  lead: Lead,
): number {
  return moved + payloadOffset - start - lead.bytes
}

/**
 * What linux keeps free for this, in bytes, from 5.9 on. Source: linux@5.10.223 arch/x86/boot/header.S
 * ZO_z_extra_bytes.
 */
export function extraBytes(outputLength: number): number {
  return Math.floor(outputLength / 256) + 131072
}
