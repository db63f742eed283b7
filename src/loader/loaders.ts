/** Which loaders start a kernel how: a row is a loader, its step the whole way to the kernel's door. Chapter HO. */
import type { LoaderRow } from './model.ts'
import { direct, relocator } from './steps/boot-protocol.ts'
import { linuxefi } from './steps/linuxefi.ts'
import { grubStartImage, startImage } from './steps/start-image.ts'

/** By id. */
export const loaders: Readonly<Record<string, LoaderRow>> = {
  'grub/linuxefi': {
    id: 'grub/linuxefi',
    title: 'GRUB 2.06 of Debian, linuxefi: handover entry, first kilobyte of the file as boot_params, tail not cleared',
    seen: ['2.06-13+deb12u1', '2.06-13+deb12u2'],
    door: 'efi-handover',
    boot: linuxefi,
  },
  'grub/efi': {
    id: 'grub/efi',
    title: 'GRUB 2.12 and 2.14 on EFI: LoadImage and StartImage, initrd through LoadFile2; kernels of before 5.7 as by the relocator',
    seen: ['2.12', '2.14'],
    door: 'pe-entry',
    boot: grubStartImage,
  },
  'grub/relocator': {
    id: 'grub/relocator',
    title: 'GRUB 2.12, legacy linux command: one chunk of init_size bytes, 32-bit entry',
    seen: ['2.12'],
    door: 'legacy-32',
    boot: relocator,
  },
  'vmm/direct': {
    id: 'vmm/direct',
    title: 'a virtual machine monitor that loads the kernel itself, as QEMU does with -kernel: 32-bit entry',
    seen: ['7.2'],
    door: 'legacy-32',
    boot: direct,
  },
  'efi/start-image': {
    id: 'efi/start-image',
    title: 'the firmware, or systemd-boot, starts the kernel as a PE image',
    seen: ['2022.11'],
    door: 'pe-entry',
    boot: startImage,
  },
}
