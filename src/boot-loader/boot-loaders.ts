/**
 * The table of boot loaders: one row each, whose step is the whole way to the kernel's entry point. Chapter
 * HO.
 */
import type { BootLoaderRow } from './model.ts'
import { direct, directWithSeed, relocator } from './x86/boot-protocol.ts'
import { linuxefi } from './x86/linuxefi.ts'
import { grubStartImage, startImage, systemdBoot } from './x86/start-image.ts'

/** The boot loaders by id. */
export const bootLoaders: Readonly<Record<string, BootLoaderRow>> = {
  'grub/linuxefi': {
    id: 'grub/linuxefi',
    title:
      'GRUB 2.06 of Debian, linuxefi: handover entry, setup header of the file in ' +
      'boot_params, memory after the kernel not cleared',
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
    withoutFirmware: true,
    boot: direct,
  },
  'qemu/7.2.0': {
    id: 'qemu/7.2.0',
    title:
      'QEMU 7.2.0 with -kernel: as vmm/direct, and a random seed in a node of setup_data ' +
      'right after the kernel',
    seen: ['7.2.0'],
    entryMethod: 'legacy-32',
    withoutFirmware: true,
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
      'systemd-boot 257 to 257.4: takes pages for the initrd first, even for an empty one; halts without ' +
      'room below 4 GiB; starts the kernel as a PE image',
    seen: ['257', '257.4'],
    entryMethod: 'pe-entry',
    boot: systemdBoot({
      initrdAbove4G: false,
      initrd: 'first',
      skipsEmptyInitrd: false,
      ownFileBuffer: false,
    }),
  },
  'systemd-boot/257.5': {
    id: 'systemd-boot/257.5',
    title:
      'systemd-boot 257.5 and later 257: takes pages for the initrd first, even for an empty one, below ' +
      '4 GiB or anywhere; starts the kernel as a PE image',
    seen: ['257.5', '257.13'],
    entryMethod: 'pe-entry',
    boot: systemdBoot({
      initrdAbove4G: true,
      initrd: 'first',
      skipsEmptyInitrd: false,
      ownFileBuffer: false,
    }),
  },
  'systemd-boot/258': {
    id: 'systemd-boot/258',
    title:
      'systemd-boot 258 to 258.2: has the kernel loaded as a PE image first, then takes pages for the ' +
      'initrd, even for an empty one',
    seen: ['258', '258.2'],
    entryMethod: 'pe-entry',
    boot: systemdBoot({
      initrdAbove4G: true,
      initrd: 'after-the-kernel',
      skipsEmptyInitrd: false,
      ownFileBuffer: false,
    }),
  },
  'systemd-boot/258.3': {
    id: 'systemd-boot/258.3',
    title:
      'systemd-boot 258.3 to 260: has the kernel loaded as a PE image first, then takes pages for the ' +
      'initrd',
    seen: ['258.3', '258.10', '259', '259.8', '260', '260.4'],
    entryMethod: 'pe-entry',
    boot: systemdBoot({
      initrdAbove4G: true,
      initrd: 'after-the-kernel',
      skipsEmptyInitrd: true,
      ownFileBuffer: false,
    }),
  },
  'systemd-boot/261': {
    id: 'systemd-boot/261',
    title:
      'systemd-boot 261 and later: reads the kernel file itself, has it loaded as a PE image, then ' +
      'takes pages for the initrd',
    seen: ['261', '261.2'],
    entryMethod: 'pe-entry',
    boot: systemdBoot({
      initrdAbove4G: true,
      initrd: 'after-the-kernel',
      skipsEmptyInitrd: true,
      ownFileBuffer: true,
    }),
  },
}
