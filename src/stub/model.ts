/**
 * systemd-stub: what its steps pass to each other, and the slots in which its eras differ
 * (spec/ST-systemd-stub.md).
 */
import type { Phys } from '../bytes/units.ts'
import type { Machine } from '../machine/machine.ts'
import type { EraInfo, HandOff, LoadedImage, Payload, RegisteredInitrd } from '../machine/model.ts'
import type { ObjectId } from '../memory/extent.ts'
import type { Part } from '../memory/memory.ts'
import type { StubBehaviour } from './behaviour.ts'
import type { SetupHeader } from './setup-header.ts'

/** What every step is given: the machine, and the image that the stub runs from. */
export interface StubContext {
  readonly machine: Machine
  readonly self: LoadedImage
  /** UEFI's number of the memory type of its pool. Default: EfiLoaderData. */
  readonly poolType?: number
  /** What add-ons beside the image brought. */
  readonly addons?: Addons
}

/** A section header in memory. */
export interface TableEntry {
  /** Position in the table, from 0. */
  readonly index: number
  /** Up to 8 bytes, cut at the first NUL, Latin-1. */
  readonly name: string
  readonly VirtualSize: number
  readonly VirtualAddress: number
}

/** A section that matches one of the names the stub looks for. */
export interface PayloadSection extends Payload {
  readonly name: string
  /** ImageBase + VirtualAddress. */
  readonly at: Phys
  /** VirtualSize, in bytes. */
  readonly size: number
}

/** What was found, by the name that was looked for. */
export type Sections = ReadonlyMap<string, PayloadSection>

/** A piece of the initrd in memory. */
export interface InitrdPiece {
  readonly at: Phys
  readonly size: number
  /** The object its bytes belong to. */
  readonly parts: readonly Part[]
  /** The section whose bytes it is, or null for a buffer in pool. */
  readonly section: PayloadSection | null
  /** A buffer that stays allocated after the pieces are joined. */
  readonly kept?: boolean
}

/** Contributions of add-ons: lines in their order, pieces in the order in which they are joined. */
export interface Addons {
  readonly lines: readonly string[]
  readonly initrds: readonly InitrdPiece[]
  readonly ucodes: readonly InitrdPiece[]
}

/**
 * The kernel file as the stub sees it. `found` is false where the stub takes its own image for the kernel.
 */
export interface Kernel extends Payload {
  readonly at: Phys
  readonly size: number
  readonly found: boolean
}

/** The chosen command line, as a string in memory. */
export interface CommandLine {
  readonly at: Phys
  /** Bytes of the string in memory, including its terminator if it has one. */
  readonly bytes: number
  /** Of these bytes, those up to the first NUL that the file has there, it included. Default: all. */
  readonly ends?: number
  /** One character per code unit. */
  readonly text: string
  /** The object the bytes belong to, and what the kernel should find there. */
  readonly object: ObjectId
}

/** One range of memory that is handed over as the initrd. */
export interface Initrd {
  readonly at: Phys
  readonly size: number
  /** Null when the address is passed although there is no initrd. */
  readonly object: ObjectId | null
}

/** Everything that is handed over. */
export interface BootPayload {
  readonly kernel: Kernel
  readonly commandLine: CommandLine | null
  readonly initrd: Initrd | null
}

/** How the kernel is entered. sizeInMemory: its SizeOfImage, or 0 if the stub ignores it. */
export type EntryMethod =
  | { readonly via: 'efi-handover'; readonly sizeInMemory: number }
  | { readonly via: 'pe-entry'; readonly start: (ctx: StubContext, payload: BootPayload) => HandOff }

/** boot_params as the stub made them. */
export interface BootParams {
  readonly at: Phys
  /** The kernel accepts addresses above 4 GiB. */
  readonly above4G: boolean
  /** setup_sects, 0 replaced by 4. */
  readonly setup_sects: number
}

/** A step for every slot. */
export interface StubSteps {
  /** The memory type of its pool. */
  readonly pool: (ctx: StubContext) => number
  /** Reads firmware variables. Models only the pool that is never freed. */
  readonly variables: (ctx: StubContext) => void
  /** Checks the image's own header and lists its section headers, from memory. */
  readonly sectionTable: (ctx: StubContext) => readonly TableEntry[]
  /** Which header counts for a name. */
  readonly locate: (ctx: StubContext, table: readonly TableEntry[]) => Sections
  /** The kernel, or the stub's reaction to its absence. */
  readonly kernel: (ctx: StubContext, sections: Sections) => Kernel
  /** Add-ons beside the image. */
  readonly addons: (ctx: StubContext, sections: Sections) => Addons
  /** Which command line is used, and the string made from it. */
  readonly commandLine: (ctx: StubContext, sections: Sections) => CommandLine | null
  /** Other strings that it makes in pool, and which of them stay. */
  readonly strings: (ctx: StubContext) => void
  /** The pieces of the initrd and how they are joined. */
  readonly initrd: (ctx: StubContext, sections: Sections) => Initrd | null
  /** How a device tree in the image is handled. */
  readonly deviceTree: (ctx: StubContext, sections: Sections) => void
  /** How the kernel is entered. */
  readonly entryMethod: (ctx: StubContext, kernel: Kernel) => EntryMethod
  /** Checks of the kernel's setup header for the handover protocol. */
  readonly headerChecks: (ctx: StubContext, kernel: Kernel) => SetupHeader
  /** Where the kernel lies when it is entered through the handover protocol. */
  readonly placeKernel: (ctx: StubContext, kernel: Kernel, sizeInMemory: number) => Phys
  /** Address of an initrd passed through boot_params. */
  readonly placeInitrd: (ctx: StubContext, header: SetupHeader, initrd: Initrd | null) => Initrd | null
  /** The zero page: its address, and how much of the setup header is copied. */
  readonly bootParams: (ctx: StubContext, kernel: Kernel, header: SetupHeader, image: Phys) => BootParams
  /** Address of the command line passed through boot_params, and the fields that hold it. */
  readonly placeCommandLine: (
    ctx: StubContext,
    header: SetupHeader,
    bootParams: BootParams,
    line: CommandLine,
  ) => void
  /** The fields that pass the initrd, and whether it is registered for LoadFile2, too. */
  readonly passInitrd: (
    ctx: StubContext,
    bootParams: BootParams,
    initrd: Initrd | null,
  ) => RegisteredInitrd | null
  /** The address that is jumped to. */
  readonly entry: (
    ctx: StubContext,
    kernel: Kernel,
    header: SetupHeader,
    bootParams: BootParams,
    image: Phys,
  ) => Phys
}

/** An era: its description, its behaviour, and the steps made from that. */
export interface StubEra extends EraInfo, StubSteps {
  /** The data the steps were made from. A step replaced by a caller may behave differently. */
  readonly behaviour: StubBehaviour
}
