/**
 * lanzaboote's stub: what its steps pass to each other, and the slots in which its eras differ
 * (spec/LZ-lanzaboote.md).
 */
import type { ByteSource } from '../../bytes/source.ts'
import type { Phys } from '../../bytes/units.ts'
import type { THIN_NAMES } from '../../image/uki.ts'
import type { EraInfo, HandOff, LoadedImage } from '../../machine/model.ts'
import type { ObjectId } from '../../memory/extent.ts'
import type { LanzabooteBehaviour } from './behaviour.ts'
import type { CommandLine, Initrd, Kernel, StubContext } from '../model.ts'

/** The files that a thin image names on the ESP; null: not known. */
export interface EspFiles {
  readonly kernel: ByteSource | null
  readonly initrd: ByteSource | null
  /**
   * Compare the hashes in the image with these files? Reads all of them. Otherwise they are assumed to match.
   */
  readonly verify: boolean
}

/** The machine, the stub's own image, and the files on the ESP. */
export interface LanzabooteContext extends StubContext {
  readonly esp: EspFiles
}

/** A file that the image names, or bytes embedded in it. */
export type Wanted =
  | { readonly from: 'esp'; readonly path: string; readonly hash: Uint8Array }
  | {
      readonly from: 'image'
      readonly at: Phys
      readonly size: number
      readonly object: ObjectId
      readonly source: ByteSource
    }

/** What the stub reads in its own sections. */
export interface Configuration {
  readonly kernel: Wanted
  readonly initrd: Wanted
  /** The embedded command line. */
  readonly commandLine: string
}

/** Kernel and initrd in pool. */
export interface Held {
  readonly kernel: Kernel
  readonly initrd: Initrd & { readonly object: ObjectId }
}

/** How the kernel gets from pool to the place where it runs. */
export type Start = (ctx: LanzabooteContext, kernel: Kernel) => LoadedImage

/** A step for every slot. */
export interface LanzabooteSteps {
  /** Configuration in its own sections. */
  readonly configuration: (ctx: LanzabooteContext) => Configuration
  /** Kernel and initrd into memory. */
  readonly payload: (ctx: LanzabooteContext, configuration: Configuration) => Held
  /** Checks their hashes, which decides how the kernel is started. */
  readonly trust: (ctx: LanzabooteContext, configuration: Configuration) => Start
  /** Which command line is used, and its buffer. */
  readonly commandLine: (ctx: LanzabooteContext, configuration: Configuration) => CommandLine
  /** Changes to the initrd before it is registered. */
  readonly initrd: (ctx: LanzabooteContext, initrd: Held['initrd']) => Held['initrd']
  /** Registers the initrd and enters the kernel. */
  readonly handOff: (ctx: LanzabooteContext, held: Held, line: CommandLine, start: Start) => HandOff
}

/** An era: its description, its behaviour, and the steps made from that. */
export interface LanzabooteEra extends EraInfo, LanzabooteSteps {
  /**
   * How the sections of a thin image are named, or `embedded`: the image carries kernel and initrd itself.
   */
  readonly names: keyof typeof THIN_NAMES | 'embedded'
  readonly behaviour: LanzabooteBehaviour
}
