/** The boot services that a stage may call. Every call that changes memory is recorded through the memory. */
import type { Range } from '../bytes/range.ts'
import type { ByteSource } from '../bytes/source.ts'
import type { ByteCount, Phys } from '../bytes/units.ts'
import type { MemoryDescriptor } from '../image/memory-types.ts'
import type { PeFile, PeSection } from '../image/pe.ts'
import type { AnyClauseId } from '../memory/event.ts'
import type { ObjectId } from '../memory/extent.ts'
import type { EfiError, EfiStatus } from './status.ts'

/**
 * AllocateAnyPages, AllocateMaxAddress (`limit`: the highest byte that may be used, as in the specification),
 * AllocateAddress.
 */
export type AllocateType =
  | { readonly kind: 'any' }
  | { readonly kind: 'max'; readonly limit: number }
  | { readonly kind: 'address'; readonly at: number }

/** Success with an address, or an error. */
export type Allocation =
  { readonly status: 'EFI_SUCCESS'; readonly at: Phys } | { readonly status: EfiError; readonly at: null }

/** The owner of a section's bytes: the object, and the offset in it of the section's first byte. */
export interface SectionOwner {
  readonly object: ObjectId
  readonly at: number
}

/** Input of LoadImage. */
export interface LoadRequest {
  /**
   * A file, which the firmware first reads into its own buffer; or bytes already in memory (SourceBuffer).
   */
  readonly from:
    | { readonly kind: 'file'; readonly source: ByteSource }
    | { readonly kind: 'memory'; readonly range: Range }
  /** `uki`, `kernel`: names the allocation, and the headers (`uki:headers`). */
  readonly name: ObjectId
  /**
   * Owner of a section's bytes. From memory, copied bytes keep the owner they have; this one names the zeroed
   * tail.
   */
  readonly ownerOf: (section: PeSection) => SectionOwner
  /**
   * Spans of offsets, by object, whose bytes the file should have and has not: zeros there are nobody's.
   */
  readonly missing?: ReadonlyMap<ObjectId, { readonly from: number; readonly to: number }>
  /** Owner of the headers. Default: `<name>:headers`, offset 0. */
  readonly headers?: SectionOwner
  /**
   * Puts the image at this address without asking the allocator: the address was observed on the real
   * machine.
   */
  readonly pinned?: Phys | undefined
}

/** EFI_LOADED_IMAGE_PROTOCOL as far as modelled, with the parsed headers. */
export interface LoadedImage {
  readonly name: ObjectId
  /** ImageBase: where it was loaded. */
  readonly base: Phys
  /** ImageSize in bytes, from the header. */
  readonly size: ByteCount
  /** The pages that the loader allocated. */
  readonly pages: Range
  /** The headers as read by the loader. */
  readonly pe: PeFile
  /** base + AddressOfEntryPoint. */
  readonly entry: Phys
  /** Address and owner of LoadOptions; null if there are none. `bytes` includes the terminator. */
  readonly loadOptions: LoadOptions | null
  /**
   * DeviceHandle. null: there is none, the image came from memory. Absent: that of the volume with the file.
   */
  readonly device?: null
}

export interface LoadOptions {
  /** Address in memory, or null if only the text is known (from a boot entry of the firmware). */
  readonly at: Phys | null
  readonly bytes: ByteCount
  readonly text: string
  readonly object: ObjectId
}

/** The result of LoadImage; `clause` and `why`: the check that failed. */
export type LoadResult =
  | { readonly status: 'EFI_SUCCESS'; readonly image: LoadedImage }
  | {
      readonly status: EfiError
      readonly image: null
      readonly clause: AnyClauseId
      readonly why: string
      /** the boot manager's message; null for none */ readonly message: string | null
    }

/** The boot services that a stage may call. Each call acts on memory and is recorded. */
export interface BootServices {
  /** GetMemoryMap, in the firmware's order. */
  memoryMap(): readonly MemoryDescriptor[]
  /**
   * AllocatePages. `type` is UEFI's number, `label` names the allocation in the recording. Contents are
   * unchanged.
   */
  allocatePages(where: AllocateType, type: number, pages: number, label: ObjectId): Allocation
  /** FreePages. */
  freePages(at: Phys, pages: number): EfiStatus
  /** AllocatePool: address of the first usable byte. */
  allocatePool(type: number, size: number, label: ObjectId): Allocation
  /** FreePool. */
  freePool(at: Phys): EfiStatus
  /**
   * SetMemoryAttributes or ClearMemoryAttributes of EFI_MEMORY_RO: releases differ in freeing read-only pages
   * (FW-44).
   */
  setReadOnly?(where: Range, on: boolean): void
  /** LoadImage. */
  loadImage(request: LoadRequest): LoadResult
  /** UnloadImage of something loadImage returned. */
  unloadImage(image: LoadedImage): EfiStatus
  /** ExitBootServices: neither frees nor clears; from now on boot-services memory is free for the kernel. */
  exitBootServices(): void
  /**
   * Descriptors added to the map by ExitBootServices handlers, so that the first call fails and the map is
   * read again. Absent: none.
   */
  readonly addedOnExit?: number
  /** Behaviour of the memory attribute protocol for new code: absent if there is no such protocol. */
  readonly memoryAttributes?: 'set' | 'refused'
}
