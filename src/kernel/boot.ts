/**
 * One start of a kernel while it goes on: where its image is now, and the zero page, read and written in
 * memory. Chapter EP.
 */
import { rangeAt, sizeOf, type Range } from '../bytes/range.ts'
import { numberIn } from '../bytes/struct.ts'
import { phys, PHYS_END, type Phys } from '../bytes/units.ts'
import { boot_params, setup_header, setupHeaderAt, type SetupHeaderField } from '../image/x86/boot-params.ts'
import type { MemoryDescriptor } from '../image/memory-types.ts'
import type { Machine } from '../machine/machine.ts'
import type { HandOff } from '../machine/model.ts'
import type { EventId } from '../memory/event.ts'
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

export type BootParamsField =
  'ext_ramdisk_image' | 'ext_ramdisk_size' | 'ext_cmd_line_ptr' | 'sentinel' | 'e820_entries'

/** A field of boot_params as memory has it now. */
export function bootParam(boot: KernelBoot, field: BootParamsField): number {
  const [offset, kind] = boot_params.fields[field]
  return readNumber(boot, offset, kind)
}

/**
 * A field of boot_params.hdr as memory has it now, never as the file has it. 64-bit fields as a number, at
 * most 2^53.
 */
export function header(boot: KernelBoot, field: SetupHeaderField): number {
  return readNumber(boot, setupHeaderAt(field), setup_header.fields[field][1])
}

const WIDTH = { u8: 1, u16: 2, u32: 4, u64: 8 } as const

function readNumber(boot: KernelBoot, offset: number, kind: keyof typeof WIDTH): number {
  return numberAt(boot.machine, boot.bootParams + offset, WIDTH[kind])
}

/**
 * A little-endian number of `width` bytes in memory; above 2^53 it loses its low bits, which no address has.
 */
export function numberAt(machine: Machine, at: number, width: number): number {
  return numberIn(machine.memory.readRaw(rangeAt(at, width)))
}

/** Writes a 64-bit value in two halves, as boot_params has them. */
export function setSplit(
  boot: KernelBoot,
  low: SetupHeaderField,
  high: BootParamsField,
  value: number,
): void {
  setHeader(boot, low, value % 2 ** 32)
  patchBootParams(boot, boot_params.fields[high][0], little(Math.floor(value / 2 ** 32), 4))
}

/** Writes a field of boot_params.hdr. */
export function setHeader(boot: KernelBoot, field: SetupHeaderField, value: number): void {
  patchBootParams(boot, setupHeaderAt(field), little(value, WIDTH[setup_header.fields[field][1]]))
}

/** Writes bytes of boot_params in its name. */
export function patchBootParams(boot: KernelBoot, offset: number, bytes: Uint8Array): EventId {
  return boot.machine.memory.patch(phys(boot.bootParams + offset), bytes, 'boot_params', offset)
}

/** The range that a guest names; null when it is empty or reaches beyond 52 bits, where nothing can be. */
export function guestRange(at: number, length: number): Range | null {
  return length > 0 && at + length <= PHYS_END ? rangeAt(at, length) : null
}

/** Is there memory under every byte? */
export function isRam(machine: Machine, where: Range): boolean {
  return machine.memory.extents(where).reduce((sum, { range }) => sum + sizeOf(range), 0) === sizeOf(where)
}

/** `value` in `width` little-endian bytes. */
export function little(value: number, width: number): Uint8Array {
  return Uint8Array.from({ length: width }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256)
}

/** (n + a - 1) & ~(a - 1) in 64 bits, as C computes it: 0 when a is 0. */
export function guestAlign(n: number, a: number): number {
  return Number(BigInt.asUintN(64, (BigInt(n) + BigInt(a) - 1n) & ~(BigInt(a) - 1n)))
}
