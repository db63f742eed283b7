/**
 * A boot loader that starts a kernel without systemd-stub: its input, and helpers shared by all of them.
 * Chapter HO.
 */
import { encodeText } from '../bytes/text.ts'
import { TEXTS } from '../messages/texts.ts'
import type { ByteSource } from '../bytes/source.ts'
import { pagesOf, type Phys } from '../bytes/units.ts'
import { EfiLoaderData } from '../image/memory-types.ts'
import type { Machine } from '../machine/machine.ts'
import type { EraInfo, HandOff, Payload } from '../machine/model.ts'
import type { ClauseId } from '../memory/event.ts'

/** Input of a boot loader. */
export interface BootLoaderPayload {
  readonly kernel: ByteSource
  readonly initrd: ByteSource | null
  readonly commandLine: string | null
}

/** A boot loader: puts kernel, initrd and command line into memory and hands over. */
export interface BootLoaderModel {
  readonly id: string
  /** No firmware takes part: what the map of a firmware holds is free (HO-14). Default: one does. */
  readonly withoutFirmware?: true
  boot(machine: Machine, payload: BootLoaderPayload): HandOff
}

/** A row of boot-loaders.ts: the entry method, and the step that gets there. */
export interface BootLoaderRow extends BootLoaderModel, Omit<EraInfo, 'spans' | 'commits'> {
  readonly entryMethod: HandOff['via']
}

/** Owner of the kernel's bytes. */
export const KERNEL = 'kernel'

/** The part of the hand-off that describes the payload. */
export function payloadOf({ kernel, initrd, commandLine }: BootLoaderPayload): {
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
 * Pages for `size` bytes at or below `limit`, as high as the firmware allocates; without them the boot loader
 * fails.
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
    : machine.refuse(clause, got.status, `no pages for ${label}`, TEXTS['grub/out-of-memory'])
}

/** A whole file as one object. */
export function putFile(machine: Machine, at: Phys, source: ByteSource, object: string): void {
  if (source.size > 0) machine.memory.put(at, { source, at: 0, length: source.size }, object)
}

/**
 * The command line and a NUL, as far as the kernel takes it (cmdline_size); what a boot lacks without the
 * rest is not known.
 */
export function putCommandLine(
  machine: Machine,
  clause: ClauseId,
  at: Phys,
  text: string | null,
  most: number,
): void {
  const whole = text ?? ''
  if (whole.length > most)
    machine.unmodelled(
      clause,
      `the command line of ${String(whole.length)} characters is cut to cmdline_size, ${String(most)}: ` +
        'what the boot lacks then is not known',
    )
  putText(machine, at, whole.slice(0, most))
}

/** The command line with its NUL. */
function putText(machine: Machine, at: Phys, text: string): void {
  machine.memory.patch(at, encodeText(`${text}\0`), 'cmdline')
}
