/**
 * The state of a starting kernel: the current address of its image, and the zero page, read and written in
 * memory. Chapter EP.
 */
import { rangeAt, type Range } from '../../bytes/range.ts'
import { alignUp, PHYS_END, type Phys } from '../../bytes/units.ts'
import { boot_params } from '../../image/x86/boot-params.ts'
import type { MemoryDescriptor } from '../../image/memory-types.ts'
import type { Machine } from '../../machine/machine.ts'
import type { HandOff, KernelSlots } from '../../machine/model.ts'
import { zeroPage, type ZeroPage } from '../../machine/x86/zero-page.ts'
import type { ObjectId } from '../../memory/extent.ts'
import type { KernelFile } from './file.ts'
import type { PayloadRead } from '../payload.ts'

/** Bytes about to be used as one object. */
export interface Bytes {
  readonly at: Phys
  readonly length: number
  readonly object: ObjectId
}

/** Where the extracted kernel is or will be. */
export interface Output {
  readonly at: Phys
  /** Chosen at random, and `at` is only the first of these places; null if it is certain. */
  readonly slots: KernelSlots | null
}

/** R and X: where the window begins, and where ZO moves to so that it ends with the window. */
export interface Window {
  readonly start: Phys
  readonly moved: Phys
  readonly length: number
}

/** A node of setup_data: the range of its header and data, and the object they belong to. */
export interface SetupNode {
  readonly range: Range
  readonly type: number
  readonly object: ObjectId
  /** Offset in the object of the node's first byte. */
  readonly offset: number
}

/** State shared by the steps of a kernel. Only the fields that change during the start are writable. */
export interface KernelBoot {
  readonly machine: Machine
  readonly from: HandOff
  readonly file: KernelFile
  /** The result of decompressing the payload; null if only headers are read. */
  readonly payload: PayloadRead | null
  /** Owner of the kernel's bytes; offset 0 is byte 0 of its file. */
  readonly object: ObjectId
  /** F: address of byte 0 of the kernel file at the entry. */
  readonly fileAt: Phys
  /** L: `startup_32` of the copy that runs next. */
  zo: Phys
  /** `image_offset`: from ImageBase to `startup_32` after a PE entry, in 32 bits; 0 after a handover. */
  imageOffset: number
  /** ImageBase of the LoadedImage protocol after a PE entry; otherwise F. */
  readonly imageBase: Phys
  bootParams: Phys
  /** The command line passed to the kernel; null if there is none. */
  commandLine: (Bytes & { readonly text: string }) | null
  output: Output | null
  /** The memory map from which e820 was made. */
  finalMap: readonly MemoryDescriptor[]
  /** The object that the extracted kernel should read as its initrd. */
  initrdObject: ObjectId | null
  /**
   * The descriptors of that map, as the EFI stub passes them on, and their offset in its buffer; null without
   * an EFI stub.
   */
  efiMap: { readonly range: Range; readonly at: number } | null
  /** Nodes of setup_data, in their order. */
  setupData: readonly SetupNode[]
  /** Does unaccepted memory count as RAM? */
  takesUnaccepted: boolean
  /** Address of the table with the bitmap of unaccepted memory. */
  bitmapAt: Phys | null
  /** How head_64.S of this era handles the number of paging levels, given its window. */
  readonly trampoline: TrampolineStep
  /** When the moved decompressor of this era builds page tables. */
  readonly pageTables: PageTablesStep
  /** The pages below 4 GiB that the EFI stub took to change the number of paging levels. */
  trampolineAt: Phys | null
}

export type Step = (boot: KernelBoot) => void
/** A step of head_64.S before the move; its argument is the address ZO moves to. */
export type TrampolineStep = (boot: KernelBoot, window: Window) => void

/** Called twice, after the move and once KASLR is known to be active: one of the two builds page tables. */
export type PageTablesStep = (boot: KernelBoot, window: Window, at: 'head_64.S' | 'kaslr') => void

/** 4 KiB: the size of boot_params. */
export const ZERO_PAGE = boot_params.size

/** The zero page passed to or made by the kernel. Fields are read from memory, never from the file. */
export function zeroPageOf({ machine, bootParams }: KernelBoot): ZeroPage {
  return zeroPage(machine.memory, bootParams)
}

/** A range given by the guest; null if it is empty or exceeds 52 bits of address. */
export function guestRange(at: number, length: number): Range | null {
  return length > 0 && at + length <= PHYS_END ? rangeAt(at, length) : null
}

/** Is every byte backed by memory? */
export function isRam(machine: Machine, where: Range): boolean {
  return machine.memory.isRam(where)
}

/** (n + a - 1) & ~(a - 1) in 64 bits, as C computes it: 0 when a is 0. */
export function guestAlign(n: number, a: number): number {
  // Arithmetic on bigints allocates: what a double holds exactly needs none
  if (n >= 0 && a > 0 && a <= 2 ** 31 && (a & (a - 1)) === 0 && n <= PHYS_END) return alignUp(n, a)
  return Number(BigInt.asUintN(64, (BigInt(n) + BigInt(a) - 1n) & ~(BigInt(a) - 1n)))
}
