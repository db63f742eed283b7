/**
 * How a release of lanzaboote's stub behaves: plain data, a record for every slot (spec/LZ-lanzaboote.md).
 */
import type { THIN_NAMES } from '../../image/uki.ts'

/** How a release behaves, slot by slot. */
export interface LanzabooteBehaviour {
  /** Configuration in its own sections. */
  readonly configuration: {
    /**
     * How the sections of a thin image are named, or `embedded`: the image carries kernel and initrd itself.
     */
    readonly names: keyof typeof THIN_NAMES | 'embedded'
    /** Where sections are read: in the file that was started, or in memory. */
    readonly source: 'file' | 'memory'
    /** A section that is longer in memory than in the file: an assertion, or filled with zeros. */
    readonly longer: 'refused' | 'filled'
    /** The panic message for a section that is missing or malformed. */
    readonly panic: string
  }
  /** Kernel and initrd into pool: files read in pieces or at once, or copied out of the image. */
  readonly payload: { readonly way: 'in pieces' | 'at once' | 'copied' }
  /** Consequence of a hash mismatch, or no hash to compare. */
  readonly trust: {
    readonly otherHash: 'LoadImage' | 'refused under Secure Boot' | 'refused' | 'not compared'
  }
  /** LoadOptions replace the embedded line without Secure Boot. */
  readonly commandLine: { readonly loadOptions: boolean }
  readonly initrd: {
    /** Padded to a multiple of 4 bytes. */
    readonly padded: boolean
    /** Archives of credentials and extensions follow it. */
    readonly companions: boolean
  }
}
