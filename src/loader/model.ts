/**
 * A loader that starts a kernel without a systemd-stub: what it is given, and the small things that all of
 * them do. Chapter HO.
 */
import { rangeAt, type Range } from '../bytes/range.ts'
import type { ByteSource } from '../bytes/source.ts'
import { fileOffset, PAGE, pagesOf, phys, type Phys } from '../bytes/units.ts'
import { boot_params, setup_header, setupHeaderAt, type SetupHeaderField } from '../image/x86/boot-params.ts'
import { parseBzImage, type BzImage } from '../image/x86/bzimage.ts'
import { EfiLoaderData } from '../image/memory-types.ts'
import type { Machine } from '../machine/machine.ts'
import type { EraInfo, HandOff, Payload } from '../machine/model.ts'
import type { ClauseId } from '../memory/event.ts'

/** What a loader is told to start. */
export interface LoaderCargo {
  readonly kernel: ByteSource
  readonly initrd: ByteSource | null
  readonly commandLine: string | null
}

/** A loader: puts kernel, initrd and command line into memory and hands over. */
export interface LoaderModel {
  readonly id: string
  boot(machine: Machine, cargo: LoaderCargo): HandOff
}

/** A row of loaders.ts: the door that the loader goes through, and the way there. */
export interface LoaderRow extends LoaderModel, Omit<EraInfo, 'spans' | 'commits'> {
  readonly door: HandOff['via']
}

/** Owner of the kernel's bytes. */
export const KERNEL = 'kernel'
/** Owner of the zero page. */
export const ZERO_PAGE = 'boot_params'

/** The kernel's headers; a file without them ends the run as unknown. */
export function readKernel(machine: Machine, clause: ClauseId, source: ByteSource): BzImage {
  const { bzimage, problems } = parseBzImage(source)
  return (
    bzimage ??
    machine.gap(clause, `the kernel file cannot be read: ${problems.map(problem => problem.what).join('; ')}`)
  )
}

/** What the hand-off says about the cargo. */
export function payloadOf({ kernel, initrd, commandLine }: LoaderCargo): {
  readonly payload: Payload
  readonly initrdObject: string | null
  readonly cmdlineObject: string | null
} {
  return {
    payload: { object: KERNEL, source: kernel },
    initrdObject: initrd === null || initrd.size === 0 ? null : 'initrd',
    cmdlineObject: commandLine === null ? null : 'cmdline',
  }
}

/**
 * Pages for `size` bytes at or below `limit`, as high as the firmware likes; the loader gives up without
 * them.
 */
export function pagesBelow(
  machine: Machine,
  clause: ClauseId,
  limit: number,
  size: number,
  label: string,
): Phys {
  const got = machine.firmware.allocatePages({ kind: 'max', limit }, EfiLoaderData, pagesOf(size), label)
  return got.status === 'EFI_SUCCESS'
    ? got.at
    : machine.refuse(clause, got.status, `no pages for ${label}`, 'error: out of memory.')
}

/** The part of the kernel file behind the setup block. */
export function putKernel(machine: Machine, at: Phys, { source, setupSize, fileSize }: BzImage): void {
  machine.memory.put(
    at,
    { source, at: setupSize, length: Math.min(fileSize, source.size) - setupSize },
    KERNEL,
    setupSize,
  )
}

/** A whole file as one object. */
export function putFile(machine: Machine, at: Phys, source: ByteSource, object: string): void {
  if (source.size > 0) machine.memory.put(at, { source, at: 0, length: source.size }, object)
}

/** The command line with its NUL. */
export function putText(machine: Machine, at: Phys, text: string): void {
  machine.memory.patch(at, new TextEncoder().encode(`${text}\0`), 'cmdline')
}

/** A zero page with `header` bytes of the kernel file from `from` on, copied to the same offset. */
export function makeZeroPage(
  machine: Machine,
  at: Phys,
  { source }: BzImage,
  header: { readonly from: number; readonly to: number },
  pages = 1,
): void {
  machine.memory.zero(rangeAt(at, pages * PAGE), ZERO_PAGE)
  machine.memory.patch(
    phys(at + header.from),
    source.read(fileOffset(header.from), header.to - header.from),
    ZERO_PAGE,
    header.from,
  )
}

/** Sets a field of hdr. */
export function setHeader(machine: Machine, zeroPage: Phys, field: SetupHeaderField, value: number): void {
  const at = setupHeaderAt(field)
  machine.memory.patch(phys(zeroPage + at), setup_header.encode(field, value % 2 ** 32), ZERO_PAGE, at)
}

/** Names initrd and command line in hdr, with their low halves. */
export function nameCargo(machine: Machine, zeroPage: Phys, initrd: Range | null, commandLine: number): void {
  setHeader(machine, zeroPage, 'ramdisk_image', initrd?.start ?? 0)
  setHeader(machine, zeroPage, 'ramdisk_size', initrd === null ? 0 : initrd.end - initrd.start)
  setHeader(machine, zeroPage, 'cmd_line_ptr', commandLine)
}

/** Writes the e820 table. */
export function setE820(machine: Machine, zeroPage: Phys, entries: readonly Uint8Array[]): void {
  const kept = entries.slice(0, 128)
  const [count] = boot_params.fields.e820_entries
  const [table] = boot_params.fields.e820_table
  machine.memory.patch(phys(zeroPage + count), Uint8Array.of(kept.length), ZERO_PAGE, count)
  kept.forEach((entry, i) =>
    machine.memory.patch(
      phys(zeroPage + table + i * entry.length),
      entry,
      ZERO_PAGE,
      table + i * entry.length,
    ),
  )
}
