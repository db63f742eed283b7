/**
 * What an image loader is: a row of data, and one step for each thing that loaders do differently (chapter
 * PE).
 */
import type { Range } from '../../bytes/range.ts'
import type { ByteSource } from '../../bytes/source.ts'
import type { Phys } from '../../bytes/units.ts'
import type { PeSection } from '../../image/pe.ts'
import type { LoaderPorts, LoadRefusal } from './ports.ts'
import type { CheckedImage } from './checked-image.ts'
import type { LoadRequest } from '../services.ts'
import type { EfiError } from '../status.ts'

/** Where an image's memory is, and where in it the image begins. */
export interface Place {
  readonly pages: Range
  readonly base: Phys
  /** Taken from the pool, and given back there. */
  readonly pool?: boolean
}

/** An image on its way into memory. */
export interface Loading {
  readonly ports: LoaderPorts
  readonly request: LoadRequest
  readonly checked: CheckedImage
  readonly place: Place
}

/**
 * Where the file lies while the image is loaded, and whether it still lies there when the image runs (PE-1,
 * PE-50).
 */
export type FileBuffer =
  | {
      readonly from: 'pool' | 'pages'
      readonly type: number
      readonly until: 'loaded' | 'image-ends'
      readonly clause: PeClause
    }
  | { readonly from: 'nowhere' }

/** What starts boot options. */
export interface BootManager {
  /** Why the file is no boot option; null when it is one. */
  readonly check: (source: ByteSource) => LoadRefusal | null
  /** What is printed when the load fails. */
  readonly message: (status: EfiError) => string
}

/** A clause of chapter PE. */
export type PeClause = `PE-${number}`

/** A slot that a row fills with a step. */
export type LoadStep = (loading: Loading) => LoadRefusal | null

export interface ImageLoader {
  /** `edk2-2022.11`, `shim-16`: also the name on the command line. */
  readonly id: string
  readonly title: string
  /** Why a UKI need not please it: it is compared, and counts for the verdict only when it is named. */
  readonly unusual?: string
  /** Project and releases that were read. */
  readonly source: string
  readonly buffer: FileBuffer
  /**
   * Who looks at a boot option's file first, and speaks when the load fails (PE-2, PE-21). Absent: nobody.
   */
  readonly bootManager?: BootManager
  /** Are sections loaded by the DXE core below, whatever its release is? */
  readonly dxeCore?: boolean
  /** Does it note an image that an image loads in the firmware's pool (FW-46)? */
  readonly notesImages: boolean
  /** Header checks, in the loader's order. */
  readonly check: (source: ByteSource) => CheckedImage | LoadRefusal
  /** Memory for the image, and the clause that says where it comes from. */
  readonly pagesClause: PeClause
  readonly allocate: (ports: LoaderPorts, request: LoadRequest, checked: CheckedImage) => Place | LoadRefusal
  /** What is zeroed before anything is copied, and the headers. */
  readonly headers: LoadStep
  /** In which order sections are written: the last one wins where they overlap. */
  readonly order: 'table' | 'reverse'
  /** One section. */
  readonly section: (loading: Loading, section: PeSection) => LoadRefusal | null
  readonly relocate: LoadStep
  /** What is looked at when everything is in place. */
  readonly finish: LoadStep
  /** Where the pages are freed from when a load fails: EDK2 frees from the load address (PE-22). */
  readonly givesBackFrom: 'base' | 'pages'
}

/** A slot in which a loader does nothing. */
export const nothing: LoadStep = () => null

/** A refusal. */
export function refusal(
  status: LoadRefusal['status'],
  clause: LoadRefusal['clause'],
  why: string,
  message?: string,
): LoadRefusal {
  return { status, clause, why, ...(message === undefined ? {} : { message }) }
}
