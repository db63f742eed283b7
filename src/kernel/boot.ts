/**
 * One start of a kernel while it goes on: where its image is now, and the zero page, read and written in
 * memory. Chapter EP.
 */
import { rangeAt, sizeOf, type Range } from '../bytes/range.ts'
import { PHYS_END, type Phys } from '../bytes/units.ts'
import { boot_params } from '../image/x86/boot-params.ts'
import type { MemoryDescriptor } from '../image/memory-types.ts'
import type { Machine } from '../machine/machine.ts'
import type { HandOff } from '../machine/model.ts'
import { zeroPage, type ZeroPage } from '../machine/x86/zero-page.ts'
import type { ObjectId } from '../memory/extent.ts'
import type { KernelFile } from './file.ts'
import type { PayloadRead } from './payload.ts'

/** Bytes that are about to be used as one object. */
export interface Bytes {
  readonly at: Phys
  readonly length: number
  readonly object: ObjectId
}

/** Where the extracted kernel is or will be. */
export interface Output {
  readonly at: Phys
  /** false: chosen at random, this is only the first of the places that could have been chosen. */
  readonly certain: boolean
}

/** R and X: where the window begins, and where ZO moves to so that it ends with the window. */
export interface Window {
  readonly start: Phys
  readonly moved: Phys
  readonly length: number
}

/** A node of setup_data: its own bytes with those of its data, and whose they are. */
export interface SetupNode {
  readonly range: Range
  readonly type: number
  readonly object: ObjectId
  /** Offset in the object of the node's first byte. */
  readonly offset: number
}

/** What the steps of a kernel share. Only the fields that change while it starts are writable. */
export interface KernelBoot {
  readonly machine: Machine
  readonly from: HandOff
  readonly file: KernelFile
  /** What decompressing the payload has shown; null when only headers are read. */
  readonly payload: PayloadRead | null
  /** Owner of the kernel's bytes; offset 0 is byte 0 of its file. */
  readonly object: ObjectId
  /** F: where byte 0 of the kernel file lay at the entry. */
  readonly fileAt: Phys
  /** L: `startup_32` of the copy that runs next. */
  zo: Phys
  /** `image_offset`: from ImageBase to `startup_32` after a PE entry, in 32 bits; 0 after a handover. */
  imageOffset: number
  /** What the LoadedImage protocol says after a PE entry; else F. */
  readonly imageBase: Phys
  bootParams: Phys
  /** The command line as the kernel was given it; null when there is none. */
  commandLine: (Bytes & { readonly text: string }) | null
  output: Output | null
  /** The memory map that went into e820. */
  finalMap: readonly MemoryDescriptor[]
  /** The object that the initrd should be when the extracted kernel reads it. */
  initrdObject: ObjectId | null
  /** Nodes of setup_data, in their order. */
  setupData: readonly SetupNode[]
  /** Does unaccepted memory count as RAM? */
  takesUnaccepted: boolean
  /** Where the table with the bitmap of unaccepted memory lies. */
  bitmapAt: Phys | null
  /** What head_64.S of this era does about the number of paging levels, given its window. */
  readonly trampoline: TrampolineStep
  /** The pages below 4 GiB that the EFI stub took to change the number of paging levels. */
  trampolineAt: Phys | null
}

export type Step = (boot: KernelBoot) => void
/** A step of head_64.S before the move, told where ZO moves to. */
export type TrampolineStep = (boot: KernelBoot, window: Window) => void

/** 4 KiB: the size of boot_params. */
export const ZERO_PAGE = boot_params.size

/**
 * The zero page that the kernel was given or has made. Its fields are as memory has them now, never as the
 * file has them.
 */
export function zeroPageOf({ machine, bootParams }: KernelBoot): ZeroPage {
  return zeroPage(machine.memory, bootParams)
}

/** The range that a guest names; null when it is empty or reaches beyond 52 bits, where nothing can be. */
export function guestRange(at: number, length: number): Range | null {
  return length > 0 && at + length <= PHYS_END ? rangeAt(at, length) : null
}

/** Is there memory under every byte? */
export function isRam(machine: Machine, where: Range): boolean {
  return machine.memory.extents(where).reduce((sum, { range }) => sum + sizeOf(range), 0) === sizeOf(where)
}

/** (n + a - 1) & ~(a - 1) in 64 bits, as C computes it: 0 when a is 0. */
export function guestAlign(n: number, a: number): number {
  return Number(BigInt.asUintN(64, (BigInt(n) + BigInt(a) - 1n) & ~(BigInt(a) - 1n)))
}
