/**
 * How a release of lanzaboote's stub behaves: plain data, a record for every slot (spec/LZ-lanzaboote.md).
 */
import type { THIN_NAMES } from '../../image/uki.ts'

/** How a release behaves, slot by slot. */
export interface LanzabooteBehaviour {
  /** What its own sections say. */
  readonly configuration: {
    /** How the sections of a thin image are named, or `embedded`: the image carries kernel and initrd itself. */
    readonly names: keyof typeof THIN_NAMES | 'embedded'
    /** Where sections are read: in the file that was started, or in memory. */
    readonly source: 'file' | 'memory'
    /** A section that is longer in memory than in the file: an assertion, or filled with zeros. */
    readonly longer: 'refused' | 'filled'
    /** The words of the panic when a section is missing or not what it should be. */
    readonly panic: string
  }
  /** Kernel and initrd into pool: files read in pieces or at once, or copied out of the image. */
  readonly payload: { readonly way: 'in pieces' | 'at once' | 'copied' }
  /** What another hash than the image's leads to; or there is none to compare. */
  readonly trust: {
    readonly otherHash: 'LoadImage' | 'refused under Secure Boot' | 'refused' | 'not compared'
  }
  /** LoadOptions take the place of the embedded line without Secure Boot. */
  readonly commandLine: { readonly loadOptions: boolean }
  readonly initrd: {
    /** Padded to whole words. */
    readonly padded: boolean
    /** Archives of credentials and extensions follow it. */
    readonly companions: boolean
  }
}
