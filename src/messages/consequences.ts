/**
 * Messages that no modelled step prints: consequences of a modelled fault, and failures of steps that are not
 * modelled.
 */
import type { Meaning } from './meanings.ts'

export interface KnownLine extends Meaning {
  /** As in the source, with `{name}` for variable parts. */
  readonly text: string
}

const LOST_INITRD =
  'The initrd was not passed, or was overwritten before the kernel read it; `stubsim check` shows by what.'

/** Sources: systemd src/boot; linux init/initramfs.c, do_mounts.c, drivers/firmware/efi/libstub; shim. */
export const CONSEQUENCES: readonly KnownLine[] = [
  {
    text: 'Error registering initrd: {status}',
    by: 'systemd-stub',
    clause: 'ST-30',
    releases: 'systemd 250 and later',
    why:
      'The stub installs LoadFile2 for the initrd. "Already started": somebody before it has installed one ' +
      'for the same device path, such as a boot loader that was given an initrd of its own.',
    fix: 'Start the image without `initrd` in the boot entry, or without the boot loader that offers one.',
  },
  {
    text: 'Error starting kernel image: {status}',
    by: 'systemd-stub',
    clause: 'ST-28',
    releases: 'systemd 250 and later',
    why: "The kernel's EFI stub returned: the line that it printed before says why.",
    fix: 'Explain the line before.',
  },
  {
    text: 'Error getting a LoadedImageProtocol handle: {status}',
    by: 'systemd-stub',
    clause: null,
    why: 'The firmware does not give the stub its own loaded image.',
    fix: 'A fault of the firmware, or the stub was started without LoadImage.',
  },
  {
    text: 'Error loading {file}: {status}',
    by: 'systemd-boot',
    clause: 'PE-27',
    why: 'LoadImage refused the image of the boot entry, or the file cannot be read.',
    fix: 'Run `stubsim check` on the image; see that the entry names a file that exists and is signed.',
  },
  {
    text: 'Failed to execute {entry} ({file}): {status}',
    by: 'systemd-boot',
    clause: null,
    why: 'The image of the boot entry was started and came back with an error.',
    fix: 'Explain the line that the image printed before it returned.',
  },
  {
    text: '[Firmware Bug]: LoadOptions is an EFI_LOAD_OPTION descriptor',
    by: 'Linux EFI stub',
    clause: 'EP-13',
    releases: 'Linux 5.10 and later',
    why:
      'The firmware passed the whole Boot#### variable as LoadOptions. The EFI stub takes the text out of ' +
      'it, and the boot goes on; kernels up to 5.9 take its first bytes for their command line.',
    fix:
      'Nothing, from 5.10 on: what goes wrong after this line has another cause. Before, put the command ' +
      'line into the kernel or into a unified kernel image.',
  },
  {
    text: '[Firmware Bug]: Using OptionalData as a workaround',
    by: 'Linux EFI stub',
    clause: 'EP-13',
    releases: 'Linux 5.10 and later',
    why: 'LoadOptions are an EFI_LOAD_OPTION descriptor; its last part is the command line.',
    fix: 'Nothing: what goes wrong after this line has another cause.',
  },
  {
    text: 'efi_relocate_kernel() failed!',
    by: 'Linux EFI stub',
    clause: 'EP-17',
    why: 'No aligned run of init_size bytes is free where the kernel may go.',
    fix:
      'Give the machine more RAM, or make kernel and initrd smaller; `stubsim map` shows who holds the ' +
      'memory.',
  },
  {
    text: 'exit_boot() failed!',
    by: 'Linux EFI stub',
    clause: 'EP-18',
    why:
      'ExitBootServices failed twice: the memory map changed under the EFI stub, or the firmware is ' +
      'broken.',
    fix: 'Update the firmware; take option ROMs and boot loaders out of the way.',
  },
  {
    text: 'efi_main() failed!',
    by: 'Linux EFI stub',
    clause: null,
    why: 'The EFI stub gave up; the line before says why.',
    fix: 'Explain the line before.',
  },
  {
    text: 'efi_stub_entry() failed!',
    by: 'Linux EFI stub',
    clause: null,
    why: 'The EFI stub gave up; the line before says why.',
    fix: 'Explain the line before.',
  },
  {
    text: 'Kernel panic - not syncing: VFS: Unable to mount root fs on {device}',
    by: 'Linux',
    clause: 'ZO-18',
    why: LOST_INITRD,
    fix:
      'Check the image on this machine; in the log, "RAMDISK:" and "Initramfs unpacking failed" come ' +
      'first.',
  },
  {
    text: 'Initramfs unpacking failed: {why}',
    by: 'Linux',
    clause: 'ZO-19',
    why:
      'The initrd is damaged: bytes of it were overwritten, are missing, or are in a format this kernel ' +
      'lacks.',
    fix:
      'Check the image on this machine: it says who wrote over the initrd. Else compare the file with ' +
      'its source.',
  },
  {
    text: 'rootfs image is not initramfs ({why}); looks like an initrd',
    by: 'Linux',
    clause: 'ZO-19',
    why: 'The initrd does not begin as a cpio archive or as a compressed one.',
    fix: 'Check the image on this machine: it says who wrote over the initrd.',
  },
  {
    text: 'No working init found.',
    by: 'Linux',
    clause: 'ZO-18',
    why: LOST_INITRD,
    fix: 'Check the image on this machine; see that the initrd has /init.',
  },
  {
    text: 'error: you need to load the kernel first.',
    by: 'GRUB',
    clause: null,
    why: 'The command before, which should have loaded the kernel, failed: its own line says why.',
    fix: 'Explain the line before; see that the path of the kernel is right and that it is signed.',
  },
  {
    text: 'error: bad shim signature.',
    by: 'GRUB',
    clause: null,
    why: 'The signature of the kernel is not one that shim accepts.',
    fix: 'Sign the kernel with a key that shim or the firmware trusts, or enrol the key with mokutil.',
  },
  {
    text: 'error: invalid magic number.',
    by: 'GRUB',
    clause: null,
    why: 'The file does not begin as a kernel: a boot sector, a setup header or a PE is missing.',
    fix: 'See that the path names a kernel; a unified kernel image is started with `chainloader`.',
  },
  {
    text: 'error: cannot load image.',
    by: 'GRUB',
    clause: null,
    why: 'LoadImage of the firmware refused the image that `chainloader` or `linux` gave to it.',
    fix: 'Run `stubsim check` on the image; under Secure Boot sign it.',
  },
  {
    text: 'start_image() returned {status}',
    by: 'GRUB',
    clause: 'HO-12',
    why: 'The image was started and came back with an error.',
    fix: 'Explain the line that the image printed before it returned.',
  },
  {
    text: 'ConvertPages: Incompatible memory types',
    by: 'EDK2',
    clause: null,
    why:
      'A debug build of the firmware says that pages were asked for at an address where not all of them ' +
      'are free. The EFI stub does so at pref_address and goes on when it is refused.',
    fix: 'Harmless if the boot goes on. `stubsim map` shows who has the memory.',
  },
  {
    text: 'ConvertPages: failed to find range {range}',
    by: 'EDK2',
    clause: null,
    why: 'A debug build of the firmware says that pages were asked for where the machine has no RAM.',
    fix: 'Harmless if the boot goes on.',
  },
  {
    text: "KASLR disabled: 'nokaslr' on cmdline.",
    by: 'Linux decompressor',
    clause: 'ZO-9',
    why: 'The command line turns KASLR off: the kernel is extracted to the address it was loaded for.',
    fix: 'Nothing to do. Check the image with `--kaslr off`.',
  },
  {
    text: 'Physical KASLR disabled: no suitable memory region!',
    by: 'Linux decompressor',
    clause: 'ZO-9',
    why: 'No free range holds the kernel at another address.',
    fix: 'Harmless: the kernel stays where it is. Check the image with `--kaslr off`.',
  },
  {
    text: 'Loaded initrd from LINUX_EFI_INITRD_MEDIA_GUID device path',
    by: 'Linux EFI stub',
    clause: 'EP-14',
    why: 'No error: the initrd came through LoadFile2, as the stub or the boot loader offers it.',
    fix: 'Nothing to do.',
  },
  {
    text: 'Bootloader has not verified loaded image.',
    by: 'shim',
    clause: null,
    releases: 'shim 0.9 to 15.8',
    why:
      'ExitBootServices was called although nobody asked shim to verify the image that runs; shim then ' +
      'resets.',
    fix: 'Start the kernel through LoadImage (stub 252 or later), or use a shim of 16 or later.',
  },
  {
    text: 'Verification failed: ({number}) Security Violation',
    by: 'shim',
    clause: null,
    why: 'The image is not signed by a key that shim or the firmware trusts.',
    fix: 'Sign the image, or enrol the key with mokutil.',
  },
  {
    text: '!!!! X64 Exception Type - {type}',
    by: 'EDK2',
    clause: null,
    why:
      'The processor met an exception while boot services ran: a wild jump or access, or a page whose ' +
      'permissions the firmware protects.',
    fix: 'Check the image on this machine: overwritten code and wild reads are findings.',
  },
]
