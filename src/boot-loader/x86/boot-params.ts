/**
 * What the boot loaders of x86-64 kernels share: reading the kernel file and filling boot_params. Chapter HO.
 */
import type { Range } from '../../bytes/range.ts'
import type { ByteSource } from '../../bytes/source.ts'
import { fileOffset, type Phys } from '../../bytes/units.ts'
import { E820_MAX_ENTRIES_ZEROPAGE } from '../../image/x86/boot-params.ts'
import { parseBzImage, type BzImage } from '../../image/x86/bzimage.ts'
import {
  e820Table,
  E820_TYPE_ACPI,
  E820_TYPE_NVS,
  E820_TYPE_RAM,
  E820_TYPE_RESERVED,
} from '../../image/x86/e820-table.ts'
import {
  EfiACPIMemoryNVS,
  EfiACPIReclaimMemory,
  FREE_AFTER_EXIT,
  type MemoryDescriptor,
} from '../../image/memory-types.ts'
import type { Machine } from '../../machine/machine.ts'
import { zeroPage, type ZeroPage } from '../../machine/x86/zero-page.ts'
import type { ClauseId } from '../../memory/event.ts'
import { KERNEL } from '../model.ts'

/** The kernel's headers; a file without them ends the run as unknown. */
export function readKernel(machine: Machine, clause: ClauseId, source: ByteSource): BzImage {
  const { bzimage, problems } = parseBzImage(source)
  return (
    bzimage ??
    machine.gap(clause, `the kernel file cannot be read: ${problems.map(problem => problem.what).join('; ')}`)
  )
}

/** The part of the kernel file after the setup block; a file without one ends the run as unknown. */
export function putKernel(
  machine: Machine,
  clause: ClauseId,
  at: Phys,
  { source, setupSize, fileSize }: BzImage,
): void {
  const length = Math.min(fileSize, source.size) - setupSize
  if (length <= 0) machine.gap(clause, 'the kernel file ends before the part that is loaded')
  machine.memory.put(at, { source, at: setupSize, length }, KERNEL, setupSize)
}

/** A zero page of `size` bytes with `header` bytes of the kernel file, copied to the same offset. */
export function makeZeroPage(
  machine: Machine,
  at: Phys,
  { source }: BzImage,
  header: { readonly from: number; readonly to: number },
  size: number,
): ZeroPage {
  const page = zeroPage(machine.memory, at)
  page.clear(size)
  page.patch(header.from, source.read(fileOffset(header.from), header.to - header.from))
  return page
}

/** Sets the low halves of the addresses of initrd and command line in hdr. */
export function setCmdlineAndInitrd({ hdr }: ZeroPage, initrd: Range | null, commandLine: number): void {
  hdr.set('ramdisk_image', initrd?.start ?? 0)
  hdr.set('ramdisk_size', initrd === null ? 0 : initrd.end - initrd.start)
  hdr.set('cmd_line_ptr', commandLine)
}

/**
 * The e820 type of a descriptor, as converted by a boot loader that ends boot services; unknown types are
 * reserved.
 */
export function loadersE820Type({ type }: MemoryDescriptor): number {
  if (FREE_AFTER_EXIT.includes(type)) return E820_TYPE_RAM
  if (type === EfiACPIReclaimMemory) return E820_TYPE_ACPI
  return type === EfiACPIMemoryNVS ? E820_TYPE_NVS : E820_TYPE_RESERVED
}

/** Writes the e820 table of a memory map entry by entry, up to the size of the table. */
export function writeE820(page: ZeroPage, map: readonly MemoryDescriptor[]): void {
  const entries = e820Table(map, loadersE820Type).slice(0, E820_MAX_ENTRIES_ZEROPAGE)
  page.set('e820_entries', entries.length)
  entries.forEach((entry, i) => page.setE820(i, [entry]))
}
