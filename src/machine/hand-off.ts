/**
 * The payload passed from stub to kernel, the state in which the extracted kernel starts, and the facts of a
 * run that are compared with a recorded boot.
 */
import type { ByteSource } from '../bytes/source.ts'
import type { Phys } from '../bytes/units.ts'
import type { LoadedImage } from '../firmware/services.ts'
import type { ObjectId } from '../memory/extent.ts'

/** The kernel file as the stub found it: its object in memory, and its bytes in the UKI's file. */
export interface Payload {
  readonly object: ObjectId
  readonly source: ByteSource
}

/**
 * An initrd that is offered through LINUX_EFI_INITRD_MEDIA_GUID: LoadFile2 copies it from this address, or
 * reads it from its file.
 */
export interface RegisteredInitrd {
  /** 0 while it is not in memory. */
  readonly at: Phys
  /** The file that it is read from when the kernel asks; absent if it is at `at`. */
  readonly file?: ByteSource
  /** Bytes. */
  readonly size: number
  readonly object: ObjectId
}

interface HandOffBase {
  /** First instruction that runs. */
  readonly entry: Phys
  readonly payload: Payload
  /** The object that the kernel should read as its initrd; null if the UKI has none. */
  readonly initrdObject: ObjectId | null
  /** The object of the command line; null if there is none. */
  readonly cmdlineObject: ObjectId | null
}

/** Everything passed to the kernel. */
export type HandOff =
  | (HandOffBase & {
      readonly via: 'efi-handover'
      /** F: address of byte 0 of the kernel file. */
      readonly image: Phys
      /** The zero page that the stub made. */
      readonly bootParams: Phys
      /** LoadFile2 in addition to boot_params; absent if the stub registered none. */
      readonly initrd?: RegisteredInitrd
    })
  | (HandOffBase & {
      readonly via: 'pe-entry'
      readonly loaded: LoadedImage
      /** ImageBase of the LoadedImage protocol, if it differs from the address of byte 0 of the image. */
      readonly imageBase?: Phys
      /** LoadFile2, or null if the stub registered none. */
      readonly initrd: RegisteredInitrd | null
    })
  | (HandOffBase & {
      /**
       * The boot protocol's own entries, `startup_32` and `startup_64`: boot services are over or never were,
       * and no EFI stub runs.
       */
      readonly via: 'legacy-32' | 'legacy-64'
      /**
       * F: address that byte 0 of the kernel file would have; only the part after the setup block has to be
       * there.
       */
      readonly image: Phys
      readonly bootParams: Phys
    })

/** Where KASLR may put the extracted kernel; every place is as likely as any other. */
export interface KernelSlots {
  /** The lowest place, and the end of the kernel in the highest one. */
  readonly from: Phys
  readonly to: Phys
  /** Number of places, two at least. */
  readonly count: number
  /** Bytes that the kernel takes, and the distance of places that follow each other. */
  readonly size: number
  readonly align: number
  /** Runs of places: the first address, and how many follow each other. */
  readonly runs: readonly { readonly first: number; readonly count: number }[]
  /** What says which places there are. */
  readonly clause: 'EP-35' | 'ZO-23'
}

/** The extracted kernel is about to run. */
export interface Arrival {
  /** Address of VO's first instruction; with `slots` that in the first of them. */
  readonly entry: Phys
  /** Address of VO's first byte; with `slots` that in the first of them. */
  readonly kernel: Phys
  /** Present if the place is random. */
  readonly slots?: KernelSlots
  /** Its zero page. */
  readonly bootParams: Phys
}

/** A half-open span of offsets. */
export interface OffsetSpan {
  readonly from: number
  readonly to: number
}

/** Where a section was at the stub's entry. `intact`: none of its bytes was overwritten. */
export interface SectionFact {
  readonly name: string
  readonly address: Phys
  readonly size: number
  readonly intact: boolean
}

/** Addresses of a run, comparable with a recorded boot field by field. Absent if the run ended before. */
export interface Facts {
  readonly imageBase?: Phys
  readonly sections?: readonly SectionFact[]
  /** Does the kernel get an initrd that the stub did not make itself? Absent before its arrival. */
  readonly initrdOfImage?: boolean
  readonly handOff?: {
    readonly entryMethod: HandOff['via']
    readonly kernelImage: Phys
    readonly entry: Phys
  }
  readonly bootParams?: Phys
  readonly cmdLinePtr?: Phys
  readonly commandLine?: string
  /** As passed to the extracted kernel. */
  readonly ramdiskImage?: Phys
  readonly ramdiskSize?: number
  /** As the stub passed it (handover only). */
  readonly ramdiskImageFromStub?: Phys
  /** startup_32 of the copy of ZO whose head_64.S runs. */
  readonly compressedImage?: Phys
  /** Absent if it is random: then there are `kernelSlots`. */
  readonly decompressedKernel?: Phys
  readonly kernelSlots?: KernelSlots
  /** How many of `kernelSlots` put the kernel over something that is needed later; absent if none does. */
  readonly harmfulSlots?: number
  /**
   * Bytes of the payload consumed, and bytes produced. `margin`: the least distance between output and unread
   * input, extracting in place.
   */
  readonly payload?: {
    readonly format: string
    readonly consumed: number
    readonly produced: number
    readonly margin?: number
  }
  /** Damaged offsets of the initrd at arrival; empty if it is intact. */
  readonly initrdDamage?: readonly OffsetSpan[]
}
