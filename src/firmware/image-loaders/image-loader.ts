/**
 * The interface of an image loader: a row of data, and one step for each difference between loaders (chapter
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

/** An image's memory, and where the image begins in it. */
export interface Place {
  readonly pages: Range
  readonly base: Phys
  /** Allocated from and freed to the pool. */
  readonly pool?: boolean
}

/** An image being loaded. */
export interface Loading {
  readonly ports: LoaderPorts
  readonly request: LoadRequest
  readonly checked: CheckedImage
  readonly place: Place
}

/**
 * Address of the file buffer during the load, and whether it still exists when the image runs (PE-1, PE-50).
 */
export type FileBuffer =
  | {
      readonly from: 'pool' | 'pages'
      readonly type: number
      readonly until: 'loaded' | 'image-ends'
      readonly clause: PeClause
    }
  | { readonly from: 'nowhere' }

/** The boot manager. */
export interface BootManager {
  /** Why the file is not a boot option; null if it is. */
  readonly check: (source: ByteSource) => LoadRefusal | null
  /** The message of a failed load. */
  readonly message: (status: EfiError) => string
}

/** A clause of chapter PE. */
export type PeClause = `PE-${number}`

/** A slot, filled with a step by each row. */
export type LoadStep = (loading: Loading) => LoadRefusal | null

export interface ImageLoader {
  /** `edk2-2022.11`, `shim-16`: also the name on the command line. */
  readonly id: string
  readonly title: string
  /** Why a UKI need not be accepted by it: it is compared, but affects the verdict only if named. */
  readonly unusual?: string
  /** Project and releases that were read. */
  readonly source: string
  readonly buffer: FileBuffer
  /**
   * The boot manager that checks a boot option's file first and reports a failed load (PE-2, PE-21). Absent:
   * none.
   */
  readonly bootManager?: BootManager
  /** Are sections loaded by the DXE core below, of any release? */
  readonly dxeCore?: boolean
  /** Does it record an image loaded by an image in the firmware's pool (FW-46)? */
  readonly notesImages: boolean
  /** Header checks, in the loader's order. */
  readonly check: (source: ByteSource) => CheckedImage | LoadRefusal
  /** Memory for the image, and the clause of its allocation. */
  readonly pagesClause: PeClause
  readonly allocate: (ports: LoaderPorts, request: LoadRequest, checked: CheckedImage) => Place | LoadRefusal
  /** Zeroing before anything is copied, and copying the headers. */
  readonly headers: LoadStep
  /** The order in which sections are written: the last one wins if they overlap. */
  readonly order: 'table' | 'reverse'
  /** One section. */
  readonly section: (loading: Loading, section: PeSection) => LoadRefusal | null
  readonly relocate: LoadStep
  /** Checks after everything is in place. */
  readonly finish: LoadStep
  /** Start of the pages freed after a failed load: EDK2 frees from the load address (PE-22). */
  readonly givesBackFrom: 'base' | 'pages'
}

/** A slot that does nothing. */
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
