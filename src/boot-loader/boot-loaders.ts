/**
 * The table of boot loaders: one row each, whose step is the whole way to the kernel's entry point. Chapter
 * HO.
 */
import type { BootLoaderRow } from './model.ts'
import { direct, directWithSeed, relocator } from './x86/boot-protocol.ts'
import { linuxefi } from './x86/linuxefi.ts'
import { bootManager, grubStartImage, startImage } from './x86/start-image.ts'

/** The boot loaders by id. */
export const bootLoaders: Readonly<Record<string, BootLoaderRow>> = {
  'grub/linuxefi': {
    id: 'grub/linuxefi',
    title:
      'GRUB 2.06 of Debian, linuxefi: handover entry, first kilobyte of the file as ' +
      'boot_params, tail not cleared',
    seen: ['2.06-13+deb12u1', '2.06-13+deb12u2'],
    entryMethod: 'efi-handover',
    boot: linuxefi,
  },
  'grub/efi': {
    id: 'grub/efi',
    title:
      'GRUB 2.12 and 2.14 on EFI: LoadImage and StartImage, initrd through LoadFile2; ' +
      'kernels before 5.7 through the relocator',
    seen: ['2.12', '2.14'],
    entryMethod: 'pe-entry',
    boot: grubStartImage,
  },
  'grub/relocator': {
    id: 'grub/relocator',
    title: 'GRUB 2.12, legacy linux command: one chunk of init_size bytes, 32-bit entry',
    seen: ['2.12'],
    entryMethod: 'legacy-32',
    boot: relocator,
  },
  'vmm/direct': {
    id: 'vmm/direct',
    title: 'a virtual machine monitor that loads the kernel itself, like QEMU with -kernel: 32-bit entry',
    seen: ['7.2'],
    entryMethod: 'legacy-32',
    boot: direct,
  },
  'qemu/7.2.0': {
    id: 'qemu/7.2.0',
    title:
      'QEMU 7.2.0 with -kernel: as vmm/direct, and a random seed in a node of setup_data ' +
      'right after the kernel',
    seen: ['7.2.0'],
    entryMethod: 'legacy-32',
    boot: directWithSeed,
  },
  'efi/start-image': {
    id: 'efi/start-image',
    title: 'the firmware, or a boot manager that skips empty initrds, starts the kernel as a PE image',
    seen: ['2022.11'],
    entryMethod: 'pe-entry',
    boot: startImage,
  },
  'systemd-boot/257': {
    id: 'systemd-boot/257',
    title:
      'systemd-boot 257: allocates pages for the initrd first, even for an empty one, then ' +
      'starts the kernel as a PE image',
    seen: ['257.13'],
    entryMethod: 'pe-entry',
    boot: bootManager,
  },
}
