/**
 * What passes from stub to kernel, what the extracted kernel starts with, and the facts of a run by which it is
 * compared with a recorded boot.
 */
import type { ByteSource } from '../bytes/source.ts'
import type { Phys } from '../bytes/units.ts'
import type { LoadedImage } from '../firmware/services.ts'
import type { ObjectId } from '../memory/extent.ts'

/**
 * The kernel file as the stub found it: its identity in memory, and the bytes that the UKI's file has for it.
 */
export interface Payload {
  readonly object: ObjectId
  readonly source: ByteSource
}

/**
 * An initrd that waits behind LINUX_EFI_INITRD_MEDIA_GUID: LoadFile2 copies it out of this place, or reads it
 * from its file.
 */
export interface RegisteredInitrd {
  /** 0 when it is in no memory yet. */
  readonly at: Phys
  /** The file that it is read from when the kernel asks; absent when it lies at `at`. */
  readonly file?: ByteSource
  /** Bytes. */
  readonly size: number
  readonly object: ObjectId
}

interface HandOffBase {
  /** First instruction that runs. */
  readonly entry: Phys
  readonly payload: Payload
  /** The object that the initrd should be when the kernel reads it; null when the UKI has none. */
  readonly initrdObject: ObjectId | null
  /** The object that the command line should be; null when there is none. */
  readonly cmdlineObject: ObjectId | null
}

/** What passes from whoever starts the kernel to the kernel. */
export type HandOff =
  | (HandOffBase & {
      readonly via: 'efi-handover'
      /** Where byte 0 of the kernel file lies: F. */
      readonly image: Phys
      /** The zero page that the stub made. */
      readonly bootParams: Phys
      /** LoadFile2 beside what boot_params says; absent when the stub registered none. */
      readonly initrd?: RegisteredInitrd
    })
  | (HandOffBase & {
      readonly via: 'pe-entry'
      readonly loaded: LoadedImage
      /**
       * ImageBase of the LoadedImage protocol, where a loader of its own says something else than where byte
       * 0 of the image lies.
       */
      readonly imageBase?: Phys
      /** LoadFile2, or null when the stub registered none. */
      readonly initrd: RegisteredInitrd | null
    })
  | (HandOffBase & {
      /**
       * The boot protocol's own entries, `startup_32` and `startup_64`: boot services are over or never were,
       * and no EFI stub runs.
       */
      readonly via: 'legacy-32' | 'legacy-64'
      /** F: where byte 0 of the kernel file would lie; only what follows the setup block has to be there. */
      readonly image: Phys
      readonly bootParams: Phys
    })

/** The extracted kernel is about to run. */
export interface Arrival {
  /** Address of VO's first instruction. */
  readonly entry: Phys
  /** Address of VO's first byte. */
  readonly kernel: Phys
  /** The zero page that it gets. */
  readonly bootParams: Phys
}

/** A half-open span of offsets. */
export interface OffsetSpan {
  readonly from: number
  readonly to: number
}

/** Where a section was at the stub's entry. `intact`: every byte of it was its own. */
export interface SectionFact {
  readonly name: string
  readonly address: Phys
  readonly size: number
  readonly intact: boolean
}

/**
 * Where things lay: comparable with a recorded boot field by field. Absent when the run did not get that far.
 */
export interface Facts {
  readonly imageBase?: Phys
  readonly sections?: readonly SectionFact[]
  readonly handOff?: { readonly door: HandOff['via']; readonly kernelImage: Phys; readonly entry: Phys }
  readonly bootParams?: Phys
  readonly cmdLinePtr?: Phys
  readonly commandLine?: string
  /** As the extracted kernel gets them. */
  readonly ramdiskImage?: Phys
  readonly ramdiskSize?: number
  /** As the stub passed it (handover only). */
  readonly ramdiskImageFromStub?: Phys
  /** startup_32 of the copy of ZO whose head_64.S runs. */
  readonly compressedImage?: Phys
  readonly decompressedKernel?: Phys
  /**
   * Bytes of the payload that were decompressed, and bytes that came of them. `margin`: the least distance
   * between output and unread input, extracting in place.
   */
  readonly payload?: {
    readonly format: string
    readonly consumed: number
    readonly produced: number
    readonly margin?: number
  }
  /** Damaged offsets of the initrd at arrival; empty when it is whole. */
  readonly initrdDamage?: readonly OffsetSpan[]
}
