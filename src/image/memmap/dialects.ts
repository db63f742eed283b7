/** The table of dialects, in the order in which they are tried for a line. */
import { bootParamsDump } from './x86/boot-params-dump.ts'
import { e820, kexec } from './x86/e820.ts'
import { grub, grubLsmmap } from './efi-grub.ts'
import { linuxEfi, linuxEfiArm } from './efi-linux.ts'
import { uefiShell, uefiShellSfo } from './efi-shell.ts'
import { uboot, ubootEfiMem } from './efi-uboot.ts'
import { iomem, sysfsMemmap } from './iomem.ts'
import { MEMMAP_KINDS, type Dialect } from './model.ts'
import { compact, raw } from './plain.ts'

/** All line-based dialects; our JSON is recognised by its first character. */
export const DIALECTS: readonly Dialect[] = [
  uefiShell,
  uefiShellSfo,
  linuxEfi,
  linuxEfiArm,
  grub,
  uboot,
  ubootEfiMem,
  raw,
  compact,
  e820,
  sysfsMemmap,
  grubLsmmap,
  kexec,
  iomem,
  bootParamsDump,
]

/** Better kinds have lower ranks. */
export function rankOf(dialect: Dialect): number {
  return MEMMAP_KINDS.indexOf(dialect.kind)
}
