/**
 * The table of dialects, in the order in which a line is offered to them: a new one is a reader and a line
 * here.
 */
import { coreboot, freebsdSmap, limine, openbsd, seabios } from './x86/boot-firmware.ts'
import { bootParamsDump } from './x86/boot-params-dump.ts'
import { e820, kexec } from './x86/e820.ts'
import { esxi, xenE820 } from './x86/hypervisors.ts'
import { freebsdEfi } from './efi-bsd.ts'
import { grub, grubLsmmap } from './efi-grub.ts'
import { linuxEfi, linuxEfiArm } from './efi-linux.ts'
import { rustUefi } from './efi-rust.ts'
import { uefiShell, uefiShellSfo } from './efi-shell.ts'
import { uboot, ubootEfiMem } from './efi-uboot.ts'
import { xenEfi } from './efi-xen.ts'
import { iomem, lsmem, sysfsMemmap } from './iomem.ts'
import { MEMMAP_KINDS, type Dialect } from './model.ts'
import { compact, raw } from './plain.ts'

const TABLE = [
  uefiShell,
  uefiShellSfo,
  linuxEfi,
  linuxEfiArm,
  grub,
  uboot,
  ubootEfiMem,
  xenEfi,
  esxi,
  freebsdEfi,
  rustUefi,
  raw,
  compact,
  e820,
  sysfsMemmap,
  grubLsmmap,
  kexec,
  xenE820,
  freebsdSmap,
  openbsd,
  limine,
  seabios,
  coreboot,
  iomem,
  lsmem,
  bootParamsDump,
] as const

/** One of the forms in which memory maps are read. */
export type MemmapDialect = (typeof TABLE)[number]['name'] | 'json'

/** A dialect of the table. */
export type KnownDialect = Dialect<MemmapDialect>

/** All line-based dialects; our JSON is recognised by its first character. */
export const DIALECTS: readonly KnownDialect[] = TABLE

/** The forms in which memory maps are read. */
export const MEMMAP_DIALECTS: readonly MemmapDialect[] = [...DIALECTS.map(({ name }) => name), 'json']

/** Better kinds have lower ranks. */
export function rankOf({ kind }: Dialect): number {
  return MEMMAP_KINDS.indexOf(kind)
}
