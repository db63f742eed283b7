/** systemd-stub: what its steps pass to each other, and the slots in which its eras differ (spec/ST-systemd-stub.md). */
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

/** A section header as it lies in memory. */
export interface TableEntry {
  /** Position in the table, from 0. */
  readonly index: number
  /** Up to 8 bytes, cut at the first NUL, Latin-1. */
  readonly name: string
  readonly VirtualSize: number
  readonly VirtualAddress: number
}

/** A section that the stub took for one of the names it looks for. */
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
  /** What its bytes are. */
  readonly parts: readonly Part[]
  /** The section whose bytes it is, or null for a buffer in pool. */
  readonly section: PayloadSection | null
  /** A buffer that is not freed when the pieces are joined. */
  readonly kept?: boolean
}

/** What add-ons brought: lines in their order, pieces in the order in which they are joined. */
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

/** The command line that was chosen, as a string in memory. */
export interface CommandLine {
  readonly at: Phys
  /** Bytes of the string in memory; with its terminator where it has one. */
  readonly bytes: number
  /** Of these bytes, those up to the first NUL that the file has there, it included. Default: all. */
  readonly ends?: number
  /** One character per code unit. */
  readonly text: string
  /** What the bytes are, and what the kernel should find. */
  readonly object: ObjectId
}

/** One stretch of memory that is handed over as the initrd. */
export interface Initrd {
  readonly at: Phys
  readonly size: number
  /** Null when the address is passed although there is no initrd. */
  readonly object: ObjectId | null
}

/** All that is handed over. */
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
  /** The kernel takes addresses above 4 GiB. */
  readonly above4G: boolean
  /** setup_sects, 0 replaced by 4. */
  readonly setup_sects: number
}

/** A step for every slot. */
export interface StubSteps {
  /** The memory type of its pool. */
  readonly pool: (ctx: StubContext) => number
  /** Reads firmware variables; what stays allocated from that. */
  readonly variables: (ctx: StubContext) => void
  /** Checks the image's own header and lists its section headers, from memory. */
  readonly sectionTable: (ctx: StubContext) => readonly TableEntry[]
  /** Which header counts for a name. */
  readonly locate: (ctx: StubContext, table: readonly TableEntry[]) => Sections
  /** The kernel, or what is done without one. */
  readonly kernel: (ctx: StubContext, sections: Sections) => Kernel
  /** Add-ons beside the image. */
  readonly addons: (ctx: StubContext, sections: Sections) => Addons
  /** Whose command line, and the string that is made of it. */
  readonly commandLine: (ctx: StubContext, sections: Sections) => CommandLine | null
  /** Other strings that it makes in pool, and which of them stay. */
  readonly strings: (ctx: StubContext) => void
  /** The pieces of the initrd and how they are joined. */
  readonly initrd: (ctx: StubContext, sections: Sections) => Initrd | null
  /** What becomes of a device tree in the image. */
  readonly deviceTree: (ctx: StubContext, sections: Sections) => void
  /** How the kernel is entered. */
  readonly entryMethod: (ctx: StubContext, kernel: Kernel) => EntryMethod
  /** What the kernel's setup header must say for the handover protocol. */
  readonly headerChecks: (ctx: StubContext, kernel: Kernel) => SetupHeader
  /** Where the kernel lies when it is entered through the handover protocol. */
  readonly placeKernel: (ctx: StubContext, kernel: Kernel, sizeInMemory: number) => Phys
  /** Where an initrd lies that is passed in boot_params. */
  readonly placeInitrd: (ctx: StubContext, header: SetupHeader, initrd: Initrd | null) => Initrd | null
  /** The zero page: where it lies and how much of the setup header it gets. */
  readonly bootParams: (ctx: StubContext, kernel: Kernel, header: SetupHeader, image: Phys) => BootParams
  /** Where the command line lies that is passed in boot_params, and the fields that say so. */
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

/** An era: what is said of it, how it behaves, and the steps that follow from that. */
export interface StubEra extends EraInfo, StubSteps {
  /** What the steps were made of. A step that somebody put in their place may do otherwise. */
  readonly behaviour: StubBehaviour
}
